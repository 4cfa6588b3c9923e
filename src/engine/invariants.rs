//! What must hold after each entry, asked of the rows themselves.
//!
//! Everything that is derived is computed here once more, plainly and without the shortcuts that the
//! verbs take, and compared. For scripts and simulation, after each entry, and for `switchboard verify`, at
//! the end of a journal; far too slow for a busy daemon. The numbers are those of `docs/invariants.md`.

mod assignments;
mod life;
mod promises;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::dialog::{Dialog, DialogState};
use crate::model::effect::{Effect, EffectAction, EffectState, Lane};
use crate::model::id::{LineId, OfferId, OperatorId};
use crate::model::line::Counts;
use crate::model::message::{Message, MessageStatus};
use crate::model::sla::SlaState;
use crate::model::timer::{Timer, TimerKey};

use super::derived::Work;
use super::live::Live;
use super::routing::queue::{self, Audience, Place};
use super::routing::shifts::duty_at;
use super::state::{LaneState, State};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that is broken, such as `I12`.
    pub invariant: &'static str,
    /// What is wrong, with the identifiers concerned.
    pub text: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

impl State {
    /// Everything that is wrong with the rows in memory and what is derived from them. Empty after each
    /// entry, or the engine has a mistake.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Found(Vec::new());
        people(self, &mut found);
        dialogs(self, &mut found);
        derived(self, &mut found);
        promises::deadlines(self, &mut found);
        if let Some(live) = self.live() {
            references(self, live, &mut found);
            assignments::capacity(self, live, &mut found);
            assignments::absent(self, live, &mut found);
            assignments::idle(self, live, &mut found);
            assignments::overtaken(self, live, &mut found);
        }
        timers(self, &mut found);
        effects(self, &mut found);
        found.0
    }

    /// The offers that do not fit within the limits of those who have them, whenever they were made. Empty when
    /// a configuration has become live, by an entry of version 2 or later.
    pub fn over_limits(&self) -> Vec<Violation> {
        let mut found = Found(Vec::new());
        if let Some(live) = self.live() {
            assignments::fitting(self, live, &mut found, |_| true);
        }
        found.0
    }

    /// The timers that are due already. Empty after each tick.
    pub fn overdue(&self) -> Vec<Timer> {
        self.timers().into_iter().filter(|timer| timer.due_ms <= self.position().at_ms).collect()
    }
}

struct Found(Vec<Violation>);

impl Found {
    fn check(&mut self, invariant: &'static str, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation { invariant, text: text() });
        }
    }
}

fn open(state: &State) -> impl Iterator<Item = &Dialog> {
    state.dialogs().filter(|dialog| dialog.closed_at_ms.is_none())
}

fn people(state: &State, found: &mut Found) {
    for client in state.clients() {
        for identity in &client.identities {
            found.check("I5", state.identities.get(identity) == Some(&client.id), || {
                format!("{identity:?} does not lead to its client {}", client.id)
            });
        }
    }
    for (identity, client) in state.identities.iter() {
        let has = state.clients.get(client).is_some_and(|row| row.identities.contains(identity));
        found.check("I5", has, || format!("{identity:?} leads to {client}, which does not have it"));
    }
    for chat in state.chats() {
        found.check("I5", state.addresses.get(&chat.address) == Some(&chat.id), || {
            format!("the address of chat {} does not lead to it", chat.id)
        });
    }
    for (address, chat) in state.addresses.iter() {
        let has = state.chats.get(chat).is_some_and(|row| row.address == *address);
        found.check("I5", has, || format!("{address:?} leads to {chat}, which is somewhere else"));
    }
}

fn dialogs(state: &State, found: &mut Found) {
    let mut offers: BTreeSet<OfferId> = BTreeSet::new();
    for chat in state.chats() {
        let Some(dialog) = chat.open_dialog else { continue };
        let fits =
            state.dialogs.get(&dialog).is_some_and(|row| row.chat == chat.id && row.closed_at_ms.is_none());
        found.check("I6", fits, || format!("chat {} has {dialog} open, which is not its own", chat.id));
    }
    for dialog in state.dialogs() {
        let id = dialog.id;
        let closed = dialog.closed_at_ms.is_some();
        found.check("I7", closed == (dialog.state == DialogState::Closed), || {
            format!("{id} is {:?} with closed_at {:?}", dialog.state, dialog.closed_at_ms)
        });
        found.check("I7", dialog.state != DialogState::New, || format!("{id} is still new"));
        found.check(
            "I7",
            closed || dialog.offers.is_empty() != (dialog.state == DialogState::Offered),
            || format!("{id} is {:?} with {} offers", dialog.state, dialog.offers.len()),
        );
        found.check("I13", !closed || dialog.offers.is_empty(), || format!("{id} is closed and offered"));
        let is_over = matches!(dialog.state, DialogState::Closing | DialogState::Closed);
        found.check("I9", is_over || dialog.owner.is_some() == dialog.state.is_owned(), || {
            format!("{id} is {:?} with owner {:?}", dialog.state, dialog.owner)
        });
        life::dialog(dialog, found);
        found.check("I22", id.seq <= state.position().seq, || format!("{id} is from the future"));
        let mut asked = BTreeSet::new();
        for offer in &dialog.offers {
            found.check("I13", offers.insert(offer.id), || format!("{} is live twice", offer.id));
            found.check("I13", asked.insert(&offer.operator), || {
                format!("{id} is offered to {} twice", offer.operator)
            });
        }
        if !closed {
            let open = state.chats.get(&dialog.chat).and_then(|chat| chat.open_dialog);
            found.check("I6", open == Some(id), || {
                format!("{id} is open while chat {} has {open:?} open", dialog.chat)
            });
            found.check("I5", state.clients.contains(&dialog.client), || {
                format!("the client {} of the open {id} is not in memory", dialog.client)
            });
        }
    }
}

fn derived(state: &State, found: &mut Found) {
    let mut waiting: BTreeMap<LineId, BTreeSet<Place>> = BTreeMap::new();
    let mut queues: BTreeMap<Audience, BTreeSet<Place>> = BTreeMap::new();
    let mut work: BTreeMap<OperatorId, Work> = BTreeMap::new();
    let (mut clients, mut growing, mut tired) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let live = state.live().cloned().unwrap_or_default();
    for dialog in open(state) {
        *clients.entry(dialog.client).or_insert(0u32) += 1;
        if dialog.state.is_waiting() {
            let ageing = live.line(&dialog.line).and_then(|line| line.ageing);
            let place = Place::of(dialog, ageing.as_ref(), state.position().at_ms);
            waiting.entry(dialog.line.clone()).or_default().insert(place);
            if queue::may_be_offered(dialog, &live) {
                queues.entry(Audience::of(dialog, &live)).or_default().insert(place);
            }
            let grows = ageing
                .and_then(|ageing| queue::grows_at_ms(&ageing, dialog.queued_at_ms, state.position().at_ms));
            growing.extend(grows.map(|at_ms| (at_ms, dialog.id)));
            let max = live.line(&dialog.line).and_then(|line| line.routing.max_rounds);
            if max.is_some_and(|max| dialog.rounds >= max) {
                tired.insert(dialog.id);
            }
        }
        let weight = weight(&live, dialog);
        let mut add = |operator: &OperatorId, offer: Option<OfferId>| {
            let work = work.entry(operator.clone()).or_default();
            if offer.is_some() || counts(&live, dialog) {
                work.load_milli += weight;
                *work.by_line.entry(dialog.line.clone()).or_default() += weight;
            }
            match offer {
                Some(offer) => drop(work.offered.insert(dialog.id, offer)),
                None => drop(work.active.insert(dialog.id)),
            }
        };
        dialog.owner.iter().filter(|_| dialog.state.is_owned()).for_each(|owner| add(owner, None));
        dialog.offers.iter().for_each(|offer| add(&offer.operator, Some(offer.id)));
    }
    let mut kept = state.work.clone();
    for work in work.values_mut().chain(kept.values_mut()) {
        work.by_line.retain(|_, load| *load > 0);
    }
    let kept_queues: BTreeMap<Audience, BTreeSet<Place>> =
        state.queues.iter().map(|(audience, queue)| (audience.clone(), queue.places.clone())).collect();
    found.check("I11", queues == kept_queues, || {
        format!("the queues are {kept_queues:?} and should be {queues:?}")
    });
    found.check("I11", waiting == state.waiting, || {
        format!("{:?} wait and should be {waiting:?}", state.waiting)
    });
    found.check("I11", growing == state.growing, || {
        format!("the scores grow at {:?} and should at {growing:?}", state.growing)
    });
    found.check("I31", tired == state.tired, || {
        format!("{:?} are tired and should be {tired:?}", state.tired)
    });
    found.check("I9", work == kept, || format!("the work is {kept:?} and should be {work:?}"));
    found.check("I31", clients == state.open_by_client, || {
        format!("the open dialogs by client are {:?} and should be {clients:?}", state.open_by_client)
    });
    let mut lanes: BTreeMap<Lane, LaneState> = BTreeMap::new();
    for effect in state.effects().filter(|effect| !effect.state.is_terminal()) {
        let lane = lanes.entry(effect.lane.clone()).or_default();
        lane.open.insert(effect.id);
        if matches!(effect.state, EffectState::InFlight { .. }) {
            found.check("I23", lane.in_flight.is_none(), || {
                format!("{} is in flight beside {:?}", effect.id, lane.in_flight)
            });
            lane.in_flight = Some(effect.id);
        }
    }
    found.check("I21", lanes == state.lanes, || {
        format!("the lanes are {:?} and should be {lanes:?}", state.lanes)
    });
}

/// Whether a dialog counts against the limits of its owner, read plainly.
fn counts(live: &Live, dialog: &Dialog) -> bool {
    match live.line(&dialog.line).map(|line| line.routing.counts) {
        Some(Counts::UntilClientTurn) => dialog.state != DialogState::WaitingClient,
        Some(Counts::UntilFirstAnswer) => {
            let first_ms = dialog.first_response_at_ms.unwrap_or(0);
            !dialog.route.owner_answered && first_ms <= dialog.accepted_at_ms.unwrap_or(0)
        }
        Some(Counts::UntilClosed) | None => true,
    }
}

fn weight(live: &Live, dialog: &Dialog) -> u32 {
    live.weight_milli(&dialog.line, &dialog.channel)
}

fn references(state: &State, live: &Live, found: &mut Found) {
    for dialog in open(state) {
        found.check("I27", live.line(&dialog.line).is_some(), || {
            format!("{} is on the line {}, which is gone", dialog.id, dialog.line)
        });
        found.check("I27", live.config.channels.contains_key(&dialog.channel), || {
            format!("{} is in the channel {}, which is gone", dialog.id, dialog.channel)
        });
        let team_is_there = dialog.team.as_ref().is_none_or(|team| live.config.teams.contains_key(team));
        found.check("I27", team_is_there, || {
            format!("{} waits for the team {:?}, which is gone", dialog.id, dialog.team)
        });
        if let Some(owner) = dialog.owner.as_ref().filter(|_| dialog.state.is_owned()) {
            found.check("I8", live.config.operators.contains_key(owner), || {
                format!("{} is owned by {owner}, who is gone", dialog.id)
            });
        }
    }
}

fn timers(state: &State, found: &mut Found) {
    let mut expected: BTreeMap<TimerKey, u64> = BTreeMap::new();
    for dialog in open(state) {
        for offer in &dialog.offers {
            if let Some(due_ms) = offer.expires_at_ms {
                expected.insert(TimerKey::OfferExpires { dialog: dialog.id, offer: offer.id }, due_ms);
            }
        }
        if let Some(live) = state.live() {
            expected.extend(life::timers(live, dialog));
        }
    }
    for dialog in open(state) {
        if let Some(due_ms) = dialog.sla.0.values().filter_map(SlaState::next_ms).min() {
            expected.insert(TimerKey::Sla { dialog: dialog.id }, due_ms);
        }
    }
    let live = state.live().cloned().unwrap_or_default();
    for dialog in open(state).filter(|dialog| dialog.state.is_waiting()) {
        let id = dialog.id;
        if let Some(kept) = &dialog.route.reserved {
            expected.insert(TimerKey::ReservationEnds { dialog: id }, kept.until_ms);
        }
        let Some(routing) = live.line(&dialog.line).map(|line| &line.routing) else { continue };
        let since_ms = dialog.waits_since_ms();
        if let Some(stage) =
            usize::try_from(dialog.route.stage).ok().and_then(|stage| routing.overflow.get(stage))
        {
            expected.insert(TimerKey::Overflow { dialog: id }, since_ms + stage.after_ms);
        }
        if let Some(last) = routing.otherwise.as_ref().filter(|_| !dialog.route.otherwise_done) {
            expected.insert(TimerKey::Otherwise { dialog: id }, since_ms + last.after_ms);
        }
    }
    for (operator, declared) in &live.config.operators {
        let key = TimerKey::ShiftBorder { operator: operator.clone() };
        let has_borders = declared.calendar.is_some() || !declared.vacation.is_empty();
        if let Some(due_ms) = state.timers.due_of(&key).filter(|_| has_borders) {
            let before = duty_at(&live, declared, due_ms.saturating_sub(1));
            let seat = state.seat_of(operator).map(|seat| seat.duty);
            found.check("I16", seat == Some(before), || {
                format!("{operator} is {seat:?} and should be {before:?} until {due_ms}")
            });
            expected.insert(key, due_ms);
        }
    }
    for effect in state.effects() {
        match effect.state {
            EffectState::Waiting { until_ms } => {
                expected.insert(TimerKey::EffectRetry { effect: effect.id }, until_ms);
            }
            EffectState::InFlight { deadline_ms, .. } => {
                expected.insert(TimerKey::EffectDeadline { effect: effect.id }, deadline_ms);
            }
            _ => {}
        }
    }
    let set: BTreeMap<TimerKey, u64> =
        state.timers().into_iter().map(|timer| (timer.key, timer.due_ms)).collect();
    found.check("I18", set == expected, || format!("the timers are {set:?} and should be {expected:?}"));
}

fn effects(state: &State, found: &mut Found) {
    for effect in state.effects() {
        let id = effect.id;
        found.check("I22", id.seq <= state.position().seq, || format!("{id} is from the future"));
        match effect.state {
            EffectState::InFlight { epoch, .. } => {
                found.check("I24", effect.attempts > 0 && epoch <= state.position().epoch, || {
                    format!("{id} is in flight at attempt {} of epoch {epoch}", effect.attempts)
                });
            }
            EffectState::Waiting { .. } | EffectState::Dead => {
                found.check("I24", effect.attempts > 0, || format!("{id} failed without an attempt"));
            }
            _ => {}
        }
        if let EffectAction::Send(outgoing) = &effect.action
            && let Some(message) = state.messages.get(&outgoing.message)
        {
            found.check("I29", !message.note, || format!("the note {} is sent by {id}", message.id));
            found.check("I26", shows(message, effect), || {
                format!("{} shows {:?} while {id} is {:?}", message.id, message.status, effect.state)
            });
        }
    }
}

fn shows(message: &Message, effect: &Effect) -> bool {
    let status = message.status;
    match effect.state {
        EffectState::Delivered => {
            // What the messenger took may be lost on its way, and the messenger says so.
            let is_lost = status == MessageStatus::Failed && message.lost_at_ms.is_some();
            is_lost || matches!(status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read)
        }
        EffectState::Failed | EffectState::Dead | EffectState::Cancelled => status == MessageStatus::Failed,
        EffectState::Pending | EffectState::Waiting { .. } | EffectState::InFlight { .. } => {
            status == MessageStatus::Queued
        }
    }
}
