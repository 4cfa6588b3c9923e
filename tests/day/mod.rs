//! A day of a company of fifty operators: five lines, six teams, a night and the morning after it.
//!
//! `company/` is its configuration, as a company keeps it. The day is a script in the order of time that a seed
//! writes: who comes when ([`operators`]), who writes when ([`clients`]), what goes wrong when ([`mishaps`]); what
//! people do next follows from what the engine tells them ([`Day::hears`]). After each entry the world checks the
//! invariants of the state; at the end everything must be over, each decision must be explained by its record
//! ([`explained`]), and the journal must lead to the same state again. What the day was like is a snapshot
//! ([`summary`]): a change of routing is seen in it.

mod agenda;
mod clients;
mod date;
mod explained;
mod ledger;
mod mishaps;
mod operators;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchboard::engine::{Applied, State};
use switchboard::model::command::{Action, Actor, Command};
use switchboard::model::dialog::Dialog;
use switchboard::model::effect::{Attempt, EffectAction};
use switchboard::model::event::{Event, EventKind};
use switchboard::model::id::{DialogId, EffectId, MessageId, OperatorId};
use switchboard::model::input::Input;
use switchboard::model::message::Author;
use switchboard::model::operator::Presence;
use switchboard::model::outcome::{Outcome, ReadyEffect};
use switchboard::model::role::Scope;

use crate::world::memory::Memory;
use crate::world::random::Random;
use crate::world::{World, choices, replay, result};
use agenda::{Agenda, Deed};
use clients::{Case, Client};
use date::Date;
use ledger::Ledger;
use mishaps::Files;

/// The store takes everything in after so many entries: what is over leaves the memory.
const STORED_EVERY: u64 = 20;

/// The company on its day.
struct Day {
    world: World,
    random: Random,
    date: Date,
    files: Files,
    agenda: Agenda,
    clients: Vec<Client>,
    cases: BTreeMap<DialogId, Case>,
    /// What operators wrote and has not arrived yet.
    written: BTreeSet<MessageId>,
    /// Who works no more today: ill, or gone.
    absent: BTreeSet<OperatorId>,
    /// What went wrong, in words.
    mishaps: Vec<String>,
    ledger: Ledger,
    counter: u64,
}

impl Day {
    /// The morning: the configuration is there, and nobody yet.
    fn new(date: Date, seed: u64) -> Self {
        let files = Files::of_the_company(&date);
        let start_ms = date.at(0, "06:00");
        let mut day = Self {
            world: World::new(start_ms),
            random: Random::new(seed),
            ledger: Ledger::new(&files.config()),
            date,
            files,
            agenda: Agenda::default(),
            clients: Vec::new(),
            cases: BTreeMap::new(),
            written: BTreeSet::new(),
            absent: BTreeSet::new(),
            mishaps: Vec::new(),
            counter: 0,
        };
        day.reload();
        day.plan_operators();
        day.plan_clients();
        day.plan_mishaps();
        day
    }

    /// Until the last dialog is closed.
    fn live(&mut self) {
        // What people do, and what the clock does, in the order of time.
        let end_ms = self.date.at(2, "00:00");
        while let Some((at_ms, deed)) = self.next() {
            assert!(at_ms < end_ms, "the day does not end: {:?}", self.left());
            self.world.now_ms = at_ms;
            match deed {
                Some(deed) => self.does(deed),
                None => drop(self.take("tick", Input::Tick)),
            }
        }
        self.world.flush();
    }

    /// What happens next, and when: a timer goes before what people do at the same time. Nothing, once nobody means
    /// to do anything and everything is over: the borders of shifts go on for ever.
    fn next(&mut self) -> Option<(u64, Option<Deed>)> {
        let timer_ms = self.world.state.next_due_ms();
        let deed_ms = self.agenda.next_ms();
        if deed_ms.is_none() && self.left().is_empty() {
            return None;
        }
        match (timer_ms, deed_ms) {
            (Some(timer_ms), Some(deed_ms)) if deed_ms < timer_ms => self.agenda.take(),
            (Some(timer_ms), _) => Some((timer_ms.max(self.world.now_ms), None)),
            (None, _) => self.agenda.take(),
        }
    }

    /// What is not over yet.
    fn left(&self) -> Vec<String> {
        let dialogs = self.world.state.dialogs().filter(|row| row.closed_at_ms.is_none());
        let dialogs =
            dialogs.map(|row| format!("{} {:?} on {} of {:?}", row.id, row.state, row.line, row.owner));
        let effects = self.world.state.effects().filter(|row| !row.state.is_terminal());
        dialogs.chain(effects.map(|row| format!("{} {:?}", row.id, row.state))).collect()
    }

    /// Journals an input; people hear what came of it, and the outbox does what there is to do.
    fn take(&mut self, input_id: &str, input: Input) -> Applied {
        let applied = self.world.take(input_id, input);
        self.comes_of(&applied);
        applied
    }

    fn comes_of(&mut self, applied: &Applied) {
        self.ledger.follow(&self.world, applied);
        for event in &applied.events {
            self.hears(event);
        }
        if self.world.state.position().seq.is_multiple_of(STORED_EVERY) {
            self.world.flush();
        }
        applied.ready.iter().for_each(|ready| self.claim(*ready));
    }

    /// People hear of an event and make up their minds.
    fn hears(&mut self, event: &Arc<Event>) {
        let Some(dialog) = event.dialog else { return };
        match event.kind {
            EventKind::DialogOpened => self.client_begins_to_wait(dialog),
            EventKind::DialogOffered => self.operator_is_asked(dialog, &operator_of(event)),
            EventKind::DialogAccepted => self.owner_begins(dialog),
            EventKind::DialogReturned | EventKind::DialogReopened if !event.data["owner"].is_null() => {
                self.owner_goes_on(dialog);
            }
            EventKind::MessageReceived => self.owner_goes_on(dialog),
            EventKind::MessageQueued => {
                let message = event.data["message"].as_str().unwrap().parse().unwrap();
                if is_of_an_operator(event) {
                    self.written.insert(message);
                }
            }
            EventKind::MessageSent => {
                let message: MessageId = event.data["message"].as_str().unwrap().parse().unwrap();
                if self.written.remove(&message) {
                    self.client_reads(dialog);
                } else {
                    self.client_is_reminded(dialog);
                }
            }
            EventKind::DialogClosing => self.client_is_asked_for_a_vote(dialog),
            _ => {}
        }
    }

    fn does(&mut self, deed: Deed) {
        match deed {
            Deed::Arrives { client } => self.client_arrives(client),
            Deed::Writes { client, text, while_waiting } => self.client_writes(client, &text, while_waiting),
            Deed::Presses { client, data } => self.client_presses(client, &data),
            Deed::Turns { operator, presence } => self.operator_turns(&operator, presence),
            Deed::HandsOver { operator } => self.operator_hands_over(&operator),
            Deed::Accepts { dialog, operator } => {
                self.command(&operator, Scope::Own, Action::Accept { dialog, operator: operator.clone() });
            }
            Deed::Declines { dialog, operator } => {
                self.command(&operator, Scope::Own, Action::Decline { dialog, operator: operator.clone() });
            }
            Deed::Replies { dialog } => self.owner_replies(dialog),
            Deed::Closes { dialog } => self.owner_closes(dialog),
            Deed::Transfers { dialog } => self.owner_transfers(dialog),
            Deed::Inspects { lead } => self.lead_inspects(&lead),
            Deed::TakesOver { dialog, lead } => {
                self.command(&lead, Scope::Any, Action::TakeOver { dialog, operator: lead.clone() });
            }
            Deed::Answers { effect, attempt } => self.messenger_answers(effect, attempt),
            Deed::Befalls(mishap) => self.befalls(mishap),
        }
    }

    fn command(&mut self, by: &OperatorId, scope: Scope, action: Action) -> Outcome {
        self.counter += 1;
        let key = format!("key-{}", self.counter);
        let actor = Actor::Operator(by.clone());
        let command = Command { actor, scope, lines: None, expected_version: None, action };
        self.take(&key, Input::Command(command)).outcome
    }

    /// The outbox claims what it can try, at once.
    fn claim(&mut self, ready: ReadyEffect) {
        let ReadyEffect { effect, attempt, .. } = ready;
        let applied = self.take("claim", Input::EffectClaimed { effect, attempt });
        if matches!(applied.outcome, Outcome::Applied(_)) {
            let takes_ms = 100 + self.random.below(900);
            self.agenda.add(self.world.now_ms + takes_ms, Deed::Answers { effect, attempt });
        }
    }

    fn messenger_answers(&mut self, effect: EffectId, attempt: u32) {
        let Some(row) = self.world.state.effect(effect) else { return };
        let channel = match &row.action {
            EffectAction::Send(outgoing) => outgoing.channel.clone(),
            _ => "".into(),
        };
        let answer = if self.is_down(&channel) {
            Attempt::Retry { after_ms: None, error: "503".into(), parts_done: 0, scope: Default::default() }
        } else {
            Attempt::Delivered { external_id: Some(format!("s-{effect}")) }
        };
        self.take("result", result(effect, attempt, answer));
    }

    fn row(&self, dialog: DialogId) -> Option<&Dialog> {
        self.world.state.dialogs().find(|row| row.id == dialog && row.closed_at_ms.is_none())
    }

    fn presence(&self, operator: &OperatorId) -> Presence {
        let known = self.world.state.operators().find(|status| status.id == *operator);
        known.map_or(Presence::Offline, |status| status.presence)
    }

    /// An instant some seconds from now.
    fn in_seconds(&mut self, from: u64, to: u64) -> u64 {
        self.world.now_ms + 1_000 * (from + self.random.below(to - from))
    }
}

fn operator_of(event: &Event) -> OperatorId {
    event.data["operator"].as_str().unwrap().into()
}

/// Whether a message to a client is of a person.
fn is_of_an_operator(event: &Event) -> bool {
    let author: Author = serde_json::from_value(event.data["author"].clone()).unwrap();
    matches!(author, Author::Operator(_))
}

/// Lives through a day, and looks at it from all sides.
fn live_through(date: Date, seed: u64) -> String {
    let mut day = Day::new(date, seed);
    day.live();
    day.ledger.check_ends();
    choices::check(&day.world.archive.decisions);
    explained::check(&day);
    explained::check_promises(&day);
    let mut again = State::default();
    replay(&mut again, &Memory::default(), &day.world.journal);
    assert_eq!(again.digest(), day.world.state.digest(), "I34: the day again gives another state");
    summary::of(&day)
}

#[test]
fn a_day_of_fifty_operators_before_a_holiday() {
    let told = live_through(Date::new("Europe/Berlin", "2026-04-30"), 1);
    insta::assert_snapshot!(told);
}

#[test]
fn a_day_of_fifty_operators_before_the_night_that_is_an_hour_shorter() {
    let told = live_through(Date::new("America/New_York", "2026-03-07"), 2);
    insta::assert_snapshot!(told);
}

#[test]
fn a_day_of_fifty_operators_before_the_night_that_is_an_hour_longer() {
    let told = live_through(Date::new("Europe/Berlin", "2026-10-24"), 3);
    insta::assert_snapshot!(told);
}
