//! One entry, applied.

use std::sync::Arc;

use crate::model::command::Command;
use crate::model::entry::{Entry, EntryHash};
use crate::model::event::Event;
use crate::model::input::Input;
use crate::model::outcome::{KnownInput, Outcome, ReadyEffect, Receipt, Rejection};
use crate::model::timer::TimerKey;

use super::live::Live;
use super::routing::settle::settle;
use super::routing::shifts;
use super::rows::Position;
use super::state::State;
use super::step::Step;
use super::{activate, commands, deadlines, delivery, intake, offers, overflow, repair, rules, sla};

/// What applying an entry gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What the input came to; for an input that came before, what it came to then.
    pub outcome: Outcome,
    /// The entry that first brought this input; the entry itself when it is new.
    pub first_seq: u64,
    /// What is to be told to those who watch, in order.
    pub events: Vec<Arc<Event>>,
    /// Effects that can be tried now.
    pub ready: Vec<ReadyEffect>,
}

/// Applies an entry. Total: any entry that was ever journaled gives an answer. [`super::fetch`] must
/// have been called for it; `hash` is the hash of its bytes.
pub fn apply(state: &mut State, entry: &Entry, hash: EntryHash) -> Applied {
    state.grow_until(entry.at_ms);
    state.position = Position { seq: entry.seq, hash, at_ms: entry.at_ms, epoch: entry.epoch };
    let fingerprint = match &entry.input {
        Input::Command(command) => Some(fingerprint(command)),
        _ => None,
    };
    let is_repeatable = matches!(entry.input, Input::Inbound(_) | Input::Command(_));
    if is_repeatable && let Some(known) = state.known_inputs.get(&entry.input_id) {
        return repeated(known, fingerprint.as_deref());
    }
    let live = state.live.clone().unwrap_or_else(|| Arc::new(Live::default()));
    let mut step = Step::new(state, live, entry);
    let outcome = dispatch(&mut step, &entry.input);
    conclude(&mut step);
    deadlines::arm(&mut step);
    if matches!(entry.input, Input::Tick) {
        // What rules and routing did may have made something due at once. Each timer that fires moves on.
        while step.state.timers.due(entry.at_ms).next().is_some() {
            fire_due(&mut step);
            conclude(&mut step);
            deadlines::arm(&mut step);
        }
    }
    let ready = ready(&step);
    let events = std::mem::take(&mut step.events);
    state.events.extend(events.iter().cloned());
    if is_repeatable && !may_come_again(&entry.input, &outcome) {
        let known = KnownInput { seq: entry.seq, at_ms: entry.at_ms, fingerprint, outcome: outcome.clone() };
        state.known_inputs.put(&entry.input_id, known);
    }
    Applied { outcome, first_seq: entry.seq, events, ready }
}

/// Whether an input was refused for reasons that may pass: a fact of a messenger that came too early or
/// too late, or anything before the first configuration. Whoever brings it again must not get the same
/// refusal out of memory, or a message that a messenger keeps trying to hand over would be lost for good.
const fn may_come_again(input: &Input, outcome: &Outcome) -> bool {
    matches!(
        (input, outcome),
        (Input::Inbound(_), Outcome::Rejected(_)) | (_, Outcome::Rejected(Rejection::NotConfigured))
    )
}

/// The answer to an input that came before: the same, unless its key is used for another wish.
pub fn repeated(known: &KnownInput, fingerprint: Option<&str>) -> Applied {
    let same = known.fingerprint.as_deref() == fingerprint;
    Applied {
        outcome: if same { known.outcome.clone() } else { Outcome::Rejected(Rejection::KeyReused) },
        first_seq: known.seq,
        events: Vec::new(),
        ready: Vec::new(),
    }
}

/// SHA-256 (hex) of what a command asks for and who asks.
pub fn fingerprint(command: &Command) -> String {
    // A command is plain data: it always has a JSON form.
    let asked = serde_json::to_vec(&(&command.actor, &command.action)).unwrap_or_default();
    EntryHash::of(&asked).to_string()
}

fn dispatch(step: &mut Step<'_>, input: &Input) -> Outcome {
    let is_configured = step.state.live.is_some();
    match input {
        Input::ConfigActivated(activated) => match activate::prepare(step, activated) {
            Ok(live) => activate::activate(step, activated, live),
            Err(rejection) => Outcome::Rejected(rejection),
        },
        Input::NodeStarted => {
            delivery::recover(step);
            repair::duplicates(step);
            Outcome::Applied(Receipt::default())
        }
        Input::Tick => {
            fire_due(step);
            Outcome::Applied(Receipt::default())
        }
        Input::Inbound(_) | Input::Command(_) if !is_configured => {
            Outcome::Rejected(Rejection::NotConfigured)
        }
        Input::Inbound(inbound) => intake::apply(step, inbound),
        Input::Command(command) => commands::apply(step, command),
        Input::EffectClaimed { effect, attempt } => delivery::claim(step, *effect, *attempt),
        Input::EffectResult { effect, attempt, result } => delivery::result(step, *effect, *attempt, result),
    }
}

fn fire_due(step: &mut Step<'_>) {
    while let Some(key) = step.state.timers.pop_due(step.at_ms) {
        fire(step, key);
        deadlines::arm(step);
    }
}

/// Fires what is due at this instant and changes who is asked, where routing is about to decide: an offer must
/// not be made by a stage, a reservation or a shift that is over. Returns whether anything was. Where nothing
/// is to be decided, the clock's own entry comes soon enough.
fn fire_what_routing_minds(step: &mut Step<'_>) -> bool {
    if (step.to_route.is_empty() && step.undecided.is_empty()) || step.apply_version < 2 {
        return false;
    }
    let due = step.state.timers.due(step.at_ms).find(|key| key.changes_who_is_asked()).cloned();
    let Some(key) = due else { return false };
    step.state.timers.cancel(&key);
    fire(step, key);
    true
}

fn fire(step: &mut Step<'_>, key: TimerKey) {
    match key {
        TimerKey::OfferExpires { dialog, offer } => offers::expire(step, dialog, offer),
        TimerKey::ReservationEnds { dialog } => overflow::end_reservation(step, dialog),
        TimerKey::Overflow { dialog } => overflow::advance(step, dialog),
        TimerKey::Otherwise { dialog } => overflow::otherwise(step, dialog),
        TimerKey::Sla { dialog } => sla::due(step, dialog),
        TimerKey::ShiftBorder { operator } => shifts::pass_border(step, &operator),
        TimerKey::EffectRetry { effect } => delivery::retry_due(step, effect),
        TimerKey::EffectDeadline { effect } => delivery::deadline_passed(step, effect),
        TimerKey::Life { dialog, kind } => deadlines::fire(step, dialog, kind),
    }
}

/// Lets rules see what happened and routing give what it can, until neither has anything left.
///
/// It ends: a rule sees what follows from itself no second time, and each offer takes capacity.
fn conclude(step: &mut Step<'_>) {
    loop {
        while let Some(unseen) = step.unseen.pop_front() {
            rules::see(step, &unseen);
        }
        if fire_what_routing_minds(step) {
            // Rules see that first.
            continue;
        }
        // Before routing: deadlines are part of the order in which dialogs wait.
        sla::settle(step);
        let decided = settle(step);
        sla::settle(step);
        if !decided && step.unseen.is_empty() && step.to_route.is_empty() {
            break;
        }
    }
}

fn ready(step: &Step<'_>) -> Vec<ReadyEffect> {
    step.lanes
        .iter()
        .filter_map(|lane| step.state.lanes.get(lane))
        .filter_map(|lane| step.state.head_of(lane))
        .collect()
}
