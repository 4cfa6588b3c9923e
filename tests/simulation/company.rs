//! One simulated company: who does what next, and what the outside world remembers of it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::engine::Applied;
use switchboard::model::command::{Action, Command};
use switchboard::model::dialog::{CloseReason, DialogState};
use switchboard::model::effect::{Attempt, EffectState, Lane};
use switchboard::model::event::EventKind;
use switchboard::model::id::{EffectId, OfferId, OperatorId};
use switchboard::model::inbound::Inbound;
use switchboard::model::input::Input;
use switchboard::model::operator::Presence;
use switchboard::model::outcome::Outcome;
use switchboard::model::role::Scope;

use super::configs::{self, OPERATORS};
use crate::world::random::Random;
use crate::world::{World, activation};

/// 2026-03-02 08:30 in Moscow, a Monday.
const START_MS: u64 = 1_772_429_400_000;

/// An attempt that a worker is at.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) effect: EffectId,
    pub(super) attempt: u32,
}

/// The company and its ledger.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) random: Random,
    /// What each entry gave, for comparison with replays.
    pub(crate) applied: Vec<Applied>,
    pub(super) flights: Vec<Flight>,
    /// Webhooks that came, to come again.
    pub(super) sent: Vec<(String, Inbound)>,
    /// Commands that came, to come again.
    pub(super) asked: Vec<(String, Command)>,
    /// Accepted messages in the order of their acceptance: input id and what the messenger calls them.
    pub(super) accepted: BTreeMap<String, String>,
    pub(super) offers: BTreeMap<OfferId, Option<String>>,
    pub(super) delivered: BTreeMap<Lane, Vec<EffectId>>,
    pub(super) retried_by_hand: BTreeSet<EffectId>,
    pub(super) counter: u64,
}
impl Company {
    pub(crate) fn new(seed: u64) -> Self {
        let mut company = Self {
            world: World::new(START_MS),
            random: Random::new(seed),
            applied: Vec::new(),
            flights: Vec::new(),
            sent: Vec::new(),
            asked: Vec::new(),
            accepted: BTreeMap::new(),
            offers: BTreeMap::new(),
            delivered: BTreeMap::new(),
            retried_by_hand: BTreeSet::new(),
            counter: 0,
        };
        if company.random.chance(97) {
            company.reload();
        }
        company
    }

    /// Something happens.
    pub(crate) fn act(&mut self) {
        self.time_passes();
        match self.random.below(100) {
            0..22 => self.client_writes(),
            22..24 => self.client_edits(),
            24..28 => self.client_presses(),
            28..30 => self.client_blocks(),
            30..32 => self.client_reads(),
            32..33 => self.messenger_tells(),
            33..37 => self.webhook_again(),
            37..44 => self.presence(),
            44..56 => self.accept_or_decline(),
            56..68 => self.work(),
            68..73 => self.supervise(),
            73..75 => self.command_again(),
            75..95 => self.outbox(),
            95..97 => self.reload(),
            97..99 => self.store(),
            _ => self.crash(),
        }
        if self.random.chance(10) {
            self.store();
        }
    }

    fn time_passes(&mut self) {
        self.world.now_ms += match self.random.below(100) {
            0..70 => self.random.below(3_000),
            70..97 => self.random.below(60_000),
            97..99 => self.random.below(7_200_000),
            _ => self.random.below(2 * 86_400_000),
        };
        let is_due = self.world.state.next_due_ms().is_some_and(|due_ms| due_ms <= self.world.now_ms);
        if is_due && self.random.chance(70) {
            self.take("tick", Input::Tick);
        }
    }

    pub(super) fn take(&mut self, input_id: &str, input: Input) -> Applied {
        let rows = self.world.state.changed_rows();
        let is_repeatable = matches!(input, Input::Inbound(_) | Input::Command(_));
        let applied = self.world.take(input_id, input);
        let seq = self.world.state.position().seq;
        let is_repeated = applied.first_seq != seq;
        if is_repeated || matches!(applied.outcome, Outcome::Rejected(_)) {
            assert_eq!(applied.events, [], "refused or repeated, and yet something happened: {input_id}");
            let known = usize::from(is_repeatable && !is_repeated);
            let grown = self.world.state.changed_rows() - rows;
            assert!(grown <= known, "refused or repeated, and yet {grown} rows changed: {input_id}");
        }
        self.remember(&applied);
        self.applied.push(applied.clone());
        applied
    }

    fn remember(&mut self, applied: &Applied) {
        for event in &applied.events {
            let offer = || event.data["offer"].as_str().unwrap().parse::<OfferId>().unwrap();
            match event.kind {
                EventKind::DialogOffered => {
                    assert_eq!(self.offers.insert(offer(), None), None, "I13: {} made twice", offer());
                }
                EventKind::DialogOfferEnded => {
                    let end = event.data["end"].as_str().unwrap().to_owned();
                    let before = self.offers.insert(offer(), Some(end));
                    assert_eq!(before, Some(None), "I13: {} was not live", offer());
                }
                _ => {}
            }
        }
    }
    pub(super) fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
    fn reload(&mut self) {
        let config = configs::any(&mut self.random);
        self.take("reload", activation(&config));
    }

    fn store(&mut self) {
        self.world.flush();
    }

    fn crash(&mut self) {
        let applied = self.world.restart();
        self.remember(&applied);
        self.applied.push(applied);
        for flight in &self.flights {
            let row = self.world.state.effects().find(|row| row.id == flight.effect);
            let still = row.is_some_and(|row| matches!(row.state, EffectState::InFlight { .. }));
            assert!(!still, "{} is in flight after a restart", flight.effect);
        }
    }

    /// Faults heal: everybody comes, everything is answered and delivered.
    pub(crate) fn drain(&mut self) {
        let config = configs::healed(&mut self.random);
        let applied = self.take("reload", activation(&config));
        assert!(matches!(applied.outcome, Outcome::Applied(_)), "{:?}", applied.outcome);
        for operator in OPERATORS {
            let operator: OperatorId = operator.into();
            let action = Action::SetPresence { operator: operator.clone(), presence: Presence::Online };
            self.command(Some(operator), Scope::Own, action);
        }
        for _ in 0..5_000 {
            self.world.now_ms += 1_000;
            if let Some(ready) = self.world.state.ready_effects().first().copied() {
                self.claim_at(ready.effect, ready.attempt);
                self.give_result(ready.effect, ready.attempt, Attempt::Delivered { external_id: None });
                continue;
            }
            let open = self.world.state.dialogs().find(|dialog| dialog.closed_at_ms.is_none()).cloned();
            if let Some(dialog) = open {
                let id = dialog.id;
                let holder = dialog.owner.clone().or_else(|| Some(dialog.offers.first()?.operator.clone()));
                let is_closing = dialog.state == DialogState::Closing;
                let holder = holder
                    .or_else(|| is_closing.then(|| OPERATORS[0].into()))
                    .unwrap_or_else(|| panic!("{id} waits while everybody is free"));
                let action = match dialog.owner {
                    None if !is_closing => Action::Accept { dialog: id, operator: holder.clone() },
                    _ => Action::Close { dialog: id, reason: CloseReason::Operator },
                };
                self.command(Some(holder), Scope::Any, action);
                continue;
            }
            match self.world.state.next_due_ms() {
                None => break,
                Some(due_ms) => {
                    self.world.now_ms = self.world.now_ms.max(due_ms);
                    self.take("tick", Input::Tick);
                }
            }
        }
        self.world.flush();
        assert_eq!(self.world.state.timers(), [], "everything is done and a timer is left");
    }
}
