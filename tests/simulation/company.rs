//! One simulated company: who does what next, and what the outside world remembers of it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::engine::Applied;
use switchboard::model::command::{Action, Actor, Command, DialogChanges, ReplyContent, TransferTarget};
use switchboard::model::decision::{Candidate, CandidateVerdict, RoutingOutcome, Verdict};
use switchboard::model::dialog::CloseReason;
use switchboard::model::effect::{Attempt, EffectState, Lane, Refusal};
use switchboard::model::event::EventKind;
use switchboard::model::id::{DialogId, EffectId, OfferId, OperatorId};
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::Input;
use switchboard::model::input_id;
use switchboard::model::line::Strategy;
use switchboard::model::operator::Presence;
use switchboard::model::outcome::Outcome;
use switchboard::model::role::Scope;

use super::configs::{self, CHANNELS, LINES, OPERATORS, TEAMS};
use super::random::Random;
use crate::world::{World, activation, result};

/// 2026-03-02 08:30 in Moscow, a Monday.
const START_MS: u64 = 1_772_429_400_000;

/// An attempt that a worker is at.
#[derive(Debug, Clone)]
struct Flight {
    effect: EffectId,
    attempt: u32,
}

/// The company and its ledger.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) random: Random,
    /// What each entry gave, for comparison with replays.
    pub(crate) applied: Vec<Applied>,
    flights: Vec<Flight>,
    /// Webhooks that came, to come again.
    sent: Vec<(String, Inbound)>,
    /// Commands that came, to come again.
    asked: Vec<(String, Command)>,
    /// Accepted messages in the order of their acceptance: input id and what the messenger calls them.
    accepted: BTreeMap<String, String>,
    offers: BTreeMap<OfferId, Option<String>>,
    delivered: BTreeMap<Lane, Vec<EffectId>>,
    retried_by_hand: BTreeSet<EffectId>,
    counter: u64,
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
            0..25 => self.client_writes(),
            25..28 => self.client_edits(),
            28..31 => self.client_presses(),
            31..33 => self.client_blocks(),
            33..37 => self.webhook_again(),
            37..44 => self.presence(),
            44..56 => self.accept_or_decline(),
            56..73 => self.work(),
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

    fn take(&mut self, input_id: &str, input: Input) -> Applied {
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

    /// Each choice is the one that a plain reading of the strategies gives.
    fn check_choices(&self) {
        for decision in &self.world.archive.decisions {
            let Verdict::Routing(routing) = &decision.verdict else { continue };
            let eligible: Vec<&Candidate> = routing
                .candidates
                .iter()
                .filter(|candidate| candidate.verdict == CandidateVerdict::Eligible)
                .collect();
            let offered: Vec<&OperatorId> = match &routing.outcome {
                RoutingOutcome::Waits => Vec::new(),
                RoutingOutcome::Offered { offers, .. } => {
                    offers.iter().map(|offer| &offer.operator).collect()
                }
            };
            let about = format!("entry {} on {}", decision.seq, decision.dialog);
            assert_eq!(eligible.is_empty(), offered.is_empty(), "I12: {about} waits though somebody could");
            if routing.strategy == Strategy::Broadcast || offered.is_empty() {
                assert_eq!(offered.len(), eligible.len(), "{about}");
                continue;
            }
            assert_eq!(offered.len(), 1, "I8: {about} is offered to several");
            let winner = eligible.iter().find(|candidate| candidate.operator == *offered[0]).unwrap();
            let share = |candidate: &Candidate| {
                let limit = f64::from(candidate.order.limit_milli.unwrap_or(1_000_000));
                f64::from(candidate.order.load_milli) / limit
            };
            for other in &eligible {
                let (ours, theirs) = (&winner.order, &other.order);
                let is_right = match routing.strategy {
                    Strategy::InOrder => ours.place <= theirs.place,
                    Strategy::RoundRobin => ours.last_offered_ms <= theirs.last_offered_ms,
                    Strategy::LeastLoaded => share(winner) <= share(other),
                    Strategy::Broadcast => true,
                };
                assert!(is_right, "I17: {about}: {winner:?} before {other:?}");
            }
        }
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

    // Clients

    fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn someone(&mut self) -> (String, ExternalChat, ExternalUser) {
        let channel = (*self.random.pick(&CHANNELS)).to_owned();
        let person = self.random.below(9);
        // Some write in a group, some in several conversations.
        let chat =
            if person < 2 { "group".to_owned() } else { format!("chat-{person}-{}", self.random.below(2)) };
        let user = ExternalUser {
            id: format!("user-{person}"),
            name: self.random.chance(60).then(|| format!("Name {}", self.random.below(3))),
            phone: self.random.chance(5).then(|| "+7".to_owned()),
            ..ExternalUser::default()
        };
        (channel, ExternalChat { id: chat }, user)
    }

    fn client_writes(&mut self) {
        let (channel, chat, user) = self.someone();
        let id = format!("x{}", self.fresh());
        let input_id = input_id::message(&channel.as_str().into(), &chat.id, &id);
        let message = InboundMessage {
            chat,
            user,
            id,
            text: format!("text {}", self.random.below(5)),
            attachments: Vec::new(),
            reply_to: None,
            source: None,
            unsupported: None,
            automatic: self.random.chance(5),
        };
        self.webhook(
            input_id,
            Inbound { channel: channel.as_str().into(), external_at_ms: None, fact: Fact::Message(message) },
        );
    }

    fn webhook(&mut self, input_id: String, inbound: Inbound) {
        let applied = self.take(&input_id, Input::Inbound(inbound.clone()));
        if let (Fact::Message(message), Outcome::Applied(receipt)) = (&inbound.fact, &applied.outcome) {
            assert!(receipt.dialog.is_some() && receipt.message.is_some());
            self.accepted.insert(input_id.clone(), message.id.clone());
        }
        self.sent.push((input_id, inbound));
    }

    fn webhook_again(&mut self) {
        let Some((input_id, inbound)) = self.random.pick_of(self.sent.iter().cloned()) else { return };
        let was_accepted = self.accepted.contains_key(&input_id);
        let applied = self.take(&input_id, Input::Inbound(inbound.clone()));
        if let (Fact::Message(message), Outcome::Applied(_)) = (&inbound.fact, &applied.outcome) {
            let is_new = applied.first_seq == self.world.state.position().seq;
            assert!(!(was_accepted && is_new), "I1: {input_id} was applied twice");
            self.accepted.insert(input_id, message.id.clone());
        }
    }

    fn client_edits(&mut self) {
        let messages: Vec<_> = self
            .sent
            .iter()
            .filter_map(|(_, inbound)| match &inbound.fact {
                Fact::Message(message) => Some((inbound.channel.clone(), message.clone())),
                _ => None,
            })
            .collect();
        let Some((channel, message)) = self.random.pick_of(messages.into_iter()) else { return };
        // Now and then the edit overtakes its message.
        let id = if self.random.chance(90) { message.id } else { format!("x{}", self.counter + 1) };
        let input_id = format!("{channel}/edit/{}/{id}/{}", message.chat.id, self.fresh());
        let fact = Fact::Edited { chat: message.chat, message: id, text: format!("edit {}", self.counter) };
        self.webhook(input_id, Inbound { channel, external_at_ms: None, fact });
    }

    fn client_presses(&mut self) {
        let (channel, chat, user) = self.someone();
        let input_id = format!("{channel}/button/{}", self.fresh());
        let fact = Fact::Button {
            chat,
            user,
            data: "yes".into(),
            title: None,
            message: None,
            acknowledge: self.random.chance(60).then(|| "press".into()),
        };
        self.webhook(input_id, Inbound { channel: channel.as_str().into(), external_at_ms: None, fact });
    }

    fn client_blocks(&mut self) {
        let (channel, chat, user) = self.someone();
        let input_id = format!("{channel}/member/{}", self.fresh());
        let fact = match self.random.below(3) {
            0 => Fact::Unsupported { what: "poll".into(), raw: "{}".into() },
            1 => Fact::Subscription { chat, user, allowed: true },
            _ => Fact::Subscription { chat, user, allowed: false },
        };
        self.webhook(input_id, Inbound { channel: channel.as_str().into(), external_at_ms: None, fact });
    }

    // Operators

    fn operator(&mut self) -> OperatorId {
        (*self.random.pick(&OPERATORS)).into()
    }

    fn command(&mut self, actor: Option<OperatorId>, scope: Scope, action: Action) -> Applied {
        let key = format!("key-{}", self.fresh());
        let actor = actor.map_or_else(|| Actor::Integration("bot".into()), Actor::Operator);
        let expected_version = self.random.chance(3).then(|| self.random.below(200));
        let command = Command { actor, scope, lines: None, expected_version, action };
        self.asked.push((key.clone(), command.clone()));
        self.take(&key, Input::Command(command))
    }

    fn command_again(&mut self) {
        let Some((key, command)) = self.random.pick_of(self.asked.iter().cloned()) else { return };
        self.take(&key, Input::Command(command));
    }

    fn presence(&mut self) {
        let operator = self.operator();
        let presence = *self.random.pick(&[
            Presence::Online,
            Presence::Online,
            Presence::Online,
            Presence::Away,
            Presence::Offline,
        ]);
        self.command(Some(operator.clone()), Scope::Own, Action::SetPresence { operator, presence });
    }

    /// Some dialog: mostly one that is open, sometimes an old or unknown one.
    fn some_dialog(&mut self) -> Option<DialogId> {
        if self.random.chance(85) {
            let open: Vec<_> = self
                .world
                .state
                .dialogs()
                .filter(|dialog| dialog.closed_at_ms.is_none())
                .map(|d| d.id)
                .collect();
            return self.random.pick_of(open.into_iter());
        }
        let known: Vec<DialogId> = self
            .applied
            .iter()
            .flat_map(|applied| &applied.events)
            .filter_map(|event| event.dialog)
            .collect();
        self.random.pick_of(known.into_iter())
    }

    fn accept_or_decline(&mut self) {
        let offered: Vec<_> = self
            .world
            .state
            .dialogs()
            .flat_map(|dialog| dialog.offers.iter().map(|offer| (dialog.id, offer.operator.clone())))
            .collect();
        let chosen = if self.random.chance(90) { self.random.pick_of(offered.into_iter()) } else { None };
        let (dialog, operator) = match chosen {
            Some(chosen) => chosen,
            None => {
                let Some(dialog) = self.some_dialog() else { return };
                (dialog, self.operator())
            }
        };
        let action = if self.random.chance(65) {
            Action::Accept { dialog, operator: operator.clone() }
        } else {
            Action::Decline { dialog, operator: operator.clone() }
        };
        self.command(Some(operator), Scope::Own, action);
    }

    fn work(&mut self) {
        let Some(dialog) = self.some_dialog() else { return };
        let owner = self
            .world
            .state
            .dialogs()
            .find(|row| row.id == dialog)
            .and_then(|row| row.owner.clone())
            .filter(|_| self.random.chance(80));
        let actor = match owner {
            Some(owner) => Some(owner),
            None if self.random.chance(80) => Some(self.operator()),
            None => None,
        };
        let scope = *self.random.pick(&[Scope::Own, Scope::Own, Scope::OwnAndQueue, Scope::Any]);
        let action = match self.random.below(12) {
            0..5 => Action::Reply {
                dialog,
                content: ReplyContent::Text {
                    text: if self.random.chance(95) { "Answer".into() } else { " ".into() },
                    buttons: Vec::new(),
                },
                reply_to: None,
            },
            5 => Action::AddNote { dialog, text: "note".into() },
            6 => Action::Transfer { dialog, to: self.target(), comment: Some("please".into()) },
            7 => Action::Requeue { dialog },
            8 => Action::Update {
                dialog,
                changes: DialogChanges {
                    priority: Some(i32::try_from(self.random.below(5)).unwrap()),
                    ..DialogChanges::default()
                },
            },
            9 => {
                let template = (*self.random.pick(&["hello", "bye", "nothing"])).into();
                let content = ReplyContent::Template { template, vars: BTreeMap::new() };
                Action::Reply { dialog, content, reply_to: None }
            }
            _ => Action::Close {
                dialog,
                reason: *self.random.pick(&[
                    CloseReason::Operator,
                    CloseReason::Supervisor,
                    CloseReason::Spam,
                ]),
            },
        };
        self.command(actor, scope, action);
    }

    fn target(&mut self) -> TransferTarget {
        match self.random.below(3) {
            0 => TransferTarget::Operator(self.operator()),
            1 => TransferTarget::Team((*self.random.pick(&TEAMS)).into()),
            _ => TransferTarget::Line((*self.random.pick(&LINES)).into()),
        }
    }

    // The outbox

    fn outbox(&mut self) {
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

    fn claim_at(&mut self, effect: EffectId, attempt: u32) {
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
                after_ms: self.random.chance(30).then(|| self.random.below(120_000)),
                error: "503".into(),
                parts_done: 0,
            },
            75..85 => Attempt::Ambiguous { error: "reset".into(), parts_done: 0 },
            _ => Attempt::Refused {
                reason: *self.random.pick(&[Refusal::Blocked, Refusal::Permanent, Refusal::Gone]),
                error: "403".into(),
                parts_done: 0,
            },
        };
        let number = if self.random.chance(95) { flight.attempt } else { flight.attempt + 1 };
        self.give_result(flight.effect, number, attempt);
    }

    fn give_result(&mut self, effect: EffectId, attempt: u32, how: Attempt) {
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

    // The daemon

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
                let holder = holder.unwrap_or_else(|| panic!("{id} waits while everybody is free"));
                let action = match dialog.owner {
                    None => Action::Accept { dialog: id, operator: holder.clone() },
                    Some(_) => Action::Close { dialog: id, reason: CloseReason::Operator },
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

    /// What must be true of the whole history at its end.
    pub(crate) fn check_history(&self) {
        self.check_choices();
        let archive = &self.world.archive;
        let open: Vec<_> =
            archive.effects.values().filter(|effect| !effect.state.is_terminal()).map(|row| row.id).collect();
        assert!(open.is_empty(), "I20: {open:?} never ended");
        let unended: Vec<_> = self.offers.iter().filter(|(_, end)| end.is_none()).collect();
        assert!(unended.is_empty(), "I13: {unended:?} never ended");
        for (input_id, external) in &self.accepted {
            let channel = input_id.split('/').next().unwrap();
            let found: Vec<_> = archive
                .messages
                .values()
                .filter(|row| row.external_id.as_ref() == Some(external))
                .filter(|row| archive.dialogs[&row.dialog].channel.as_str() == channel)
                .filter(|row| row.status == switchboard::model::message::MessageStatus::Received)
                .collect();
            assert_eq!(found.len(), 1, "I2: {input_id} is in {} dialogs", found.len());
        }
        for (dialog, row) in &archive.dialogs {
            let messages = archive.messages.keys().filter(|(of, _)| of == dialog).count();
            assert_eq!(usize::try_from(row.messages).unwrap(), messages, "I31: messages of {dialog}");
        }
        assert_eq!(self.world.state.dialogs().count(), 0, "closed dialogs stay in memory");
        assert_eq!(self.world.state.effects().count(), 0, "finished effects stay in memory");
        assert_eq!(self.world.state.chats().count(), 0, "chats without a dialog stay in memory");
        assert_eq!(self.world.state.clients().count(), 0, "clients without a dialog stay in memory");
    }
}
