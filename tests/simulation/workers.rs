//! What the outbox and the world behind it do: claims, answers, silence, answers that come twice.

use switchboard::model::command::Action;
use switchboard::model::effect::{Attempt, EffectState, Refusal};
use switchboard::model::id::EffectId;
use switchboard::model::input::Input;
use switchboard::model::outcome::Outcome;
use switchboard::model::role::Scope;

use crate::world::result;

use super::company::{Company, Flight};

impl Company {
    pub(super) fn outbox(&mut self) {
        match self.random.below(20) {
            0..10 => self.claim(),
            10..17 => self.answer(),
            17 => {
                // Somebody claims what cannot be claimed.
                let effects: Vec<_> = self.world.archive.effects.keys().copied().collect();
                let Some(effect) = self.random.pick_of(effects.into_iter()) else { return };
                let attempt = u32::try_from(self.random.below(3)).unwrap();
                self.claim_at(effect, attempt);
            }
            _ => {
                let effects: Vec<_> = self.world.archive.effects.keys().copied().collect();
                let Some(effect) = self.random.pick_of(effects.into_iter()) else { return };
                let action = if self.random.chance(60) {
                    Action::RetryDelivery { effect }
                } else {
                    Action::CancelDelivery { effect }
                };
                self.command(None, Scope::Any, action);
                self.retried_by_hand.insert(effect);
            }
        }
    }

    fn claim(&mut self) {
        let ready = self.world.state.ready_effects();
        let Some(ready) = self.random.pick_of(ready.into_iter()) else { return };
        self.claim_at(ready.effect, ready.attempt);
    }

    pub(super) fn claim_at(&mut self, effect: EffectId, attempt: u32) {
        let applied = self.take("claim", Input::EffectClaimed { effect, attempt });
        if matches!(applied.outcome, Outcome::Applied(_)) {
            let lane = self.world.state.effects().find(|row| row.id == effect).unwrap().lane.clone();
            let older: Vec<_> = self
                .world
                .state
                .effects()
                .filter(|row| row.lane == lane && row.id < effect && !row.state.is_terminal())
                .map(|row| row.id)
                .collect();
            assert!(older.is_empty(), "I23: {effect} overtakes {older:?}");
            self.flights.push(Flight { effect, attempt });
        }
    }

    fn answer(&mut self) {
        let Some(flight) = self.random.pick_of(self.flights.iter().cloned()) else { return };
        if self.random.chance(15) {
            // No answer ever comes.
            self.flights.retain(|other| other.effect != flight.effect);
            return;
        }
        // Some answers come twice, or after the attempt was given up.
        if self.random.chance(85) {
            self.flights.retain(|other| other.effect != flight.effect || other.attempt != flight.attempt);
        }
        let attempt = match self.random.below(100) {
            0..60 => Attempt::Delivered { external_id: Some(format!("s{}", self.fresh())) },
            60..75 => Attempt::Retry {
                scope: Default::default(),
                after_ms: self.random.chance(30).then(|| self.random.below(120_000)),
                error: "503".into(),
                parts_done: 0,
            },
            75..85 => Attempt::Ambiguous { error: "reset".into(), parts_done: 0 },
            _ => Attempt::Refused {
                reason: *self.random.pick(&[
                    Refusal::Blocked,
                    Refusal::Permanent,
                    Refusal::Gone,
                    Refusal::WindowClosed,
                ]),
                error: "403".into(),
                parts_done: 0,
            },
        };
        let number = if self.random.chance(95) { flight.attempt } else { flight.attempt + 1 };
        self.give_result(flight.effect, number, attempt);
    }

    pub(super) fn give_result(&mut self, effect: EffectId, attempt: u32, how: Attempt) {
        let epoch_now = self.world.epoch;
        let row = self.world.state.effects().find(|row| row.id == effect).cloned();
        let fits = row.as_ref().is_some_and(|row| {
            row.attempts == attempt
                && matches!(row.state, EffectState::InFlight { epoch, .. } if epoch == epoch_now)
        });
        let is_delivered = matches!(how, Attempt::Delivered { .. });
        let applied = self.take("result", result(effect, attempt, how));
        let taken = matches!(applied.outcome, Outcome::Applied(_));
        assert_eq!(taken, fits, "I24: a result of {effect} at attempt {attempt} for {row:?}");
        if taken && is_delivered {
            let lane = row.unwrap().lane;
            let before = self.delivered.entry(lane).or_default();
            let by_hand = &self.retried_by_hand;
            let last = before.iter().rev().find(|id| !by_hand.contains(id));
            assert!(
                by_hand.contains(&effect) || last.is_none_or(|last| *last < effect),
                "I23: {effect} arrived after {last:?}"
            );
            before.push(effect);
        }
    }
}
