//! What must hold after each entry, asked of the rows themselves.
//!
//! Everything that is derived is computed here once more, plainly and without the shortcuts that the
//! verbs take, and compared. For scripts and simulation, after each entry, and for `switchboard verify`, at the end of a journal; far too slow
//! for a busy daemon.
//! The numbers are those of `docs/invariants.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::decision::{Decision, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::effect::{Effect, EffectAction, EffectState, Lane};
use crate::model::id::{LineId, OfferId, OperatorId};
use crate::model::line::{Line, Strategy};
use crate::model::message::MessageStatus;
use crate::model::operator::Presence;
use crate::model::timer::{Timer, TimerKey};

use super::derived::Work;
use super::live::Live;
use super::routing::queue::{Audience, Place};
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
        if let Some(live) = self.live() {
            references(self, live, &mut found);
            capacity(self, live, &mut found);
            absent(self, live, &mut found);
            idle(self, live, &mut found);
            overtaken(self, live, &mut found);
        }
        timers(self, &mut found);
        effects(self, &mut found);
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
    for (identity, client) in &state.identities {
        let has = state.clients.get(client).is_some_and(|row| row.identities.contains(identity));
        found.check("I5", has, || format!("{identity:?} leads to {client}, which does not have it"));
    }
    for chat in state.chats() {
        found.check("I5", state.addresses.get(&chat.address) == Some(&chat.id), || {
            format!("the address of chat {} does not lead to it", chat.id)
        });
    }
    for (address, chat) in &state.addresses {
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
        found.check("I9", closed || dialog.owner.is_some() == dialog.state.is_owned(), || {
            format!("{id} is {:?} with owner {:?}", dialog.state, dialog.owner)
        });
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
    let mut queues: BTreeMap<Audience, BTreeSet<Place>> = BTreeMap::new();
    let mut work: BTreeMap<OperatorId, Work> = BTreeMap::new();
    let mut clients = BTreeMap::new();
    for dialog in open(state) {
        *clients.entry(dialog.client).or_insert(0u32) += 1;
        if dialog.state.is_waiting() {
            queues.entry(Audience::of(dialog)).or_default().insert(Place::of(dialog));
        }
        let weight =
            state.live().map_or(crate::model::line::RoutingPolicy::WEIGHT_MILLI, |live| weight(live, dialog));
        let mut add = |operator: &OperatorId, offer: Option<OfferId>| {
            let work = work.entry(operator.clone()).or_default();
            work.load_milli += weight;
            *work.by_line.entry(dialog.line.clone()).or_default() += weight;
            match offer {
                Some(offer) => drop(work.offered.insert(dialog.id, offer)),
                None => drop(work.active.insert(dialog.id)),
            }
        };
        dialog.owner.iter().for_each(|owner| add(owner, None));
        dialog.offers.iter().for_each(|offer| add(&offer.operator, Some(offer.id)));
    }
    let mut kept = state.work.clone();
    for work in work.values_mut().chain(kept.values_mut()) {
        work.by_line.retain(|_, load| *load > 0);
    }
    found.check("I11", queues == state.queues, || {
        format!("the queues are {:?} and should be {queues:?}", state.queues)
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
        if let Some(owner) = &dialog.owner {
            found.check("I8", live.config.operators.contains_key(owner), || {
                format!("{} is owned by {owner}, who is gone", dialog.id)
            });
        }
    }
}

/// What operators have in hand, summed from the rows.
struct Loads(BTreeMap<OperatorId, (i64, BTreeMap<LineId, i64>)>);

impl Loads {
    fn of(state: &State, live: &Live) -> Self {
        let mut loads = Self(BTreeMap::new());
        for dialog in open(state) {
            let holders = dialog.owner.iter().chain(dialog.offers.iter().map(|offer| &offer.operator));
            for holder in holders {
                loads.add(holder, dialog, i64::from(weight(live, dialog)));
            }
        }
        loads
    }

    fn add(&mut self, operator: &OperatorId, dialog: &Dialog, weight: i64) {
        let (total, by_line) = self.0.entry(operator.clone()).or_default();
        *total += weight;
        *by_line.entry(dialog.line.clone()).or_default() += weight;
    }

    /// Whether `more` fits within all limits.
    fn fits(&self, live: &Live, line_id: &LineId, line: &Line, operator: &OperatorId, more: u32) -> bool {
        let (total, on_line) = match self.0.get(operator) {
            Some((total, by_line)) => (*total, by_line.get(line_id).copied().unwrap_or(0)),
            None => (0, 0),
        };
        let own = live.config.operators.get(operator).and_then(|declared| declared.capacity_milli);
        own.is_none_or(|limit| total + i64::from(more) <= i64::from(limit))
            && line.routing.limit_milli.is_none_or(|limit| on_line + i64::from(more) <= i64::from(limit))
    }
}

/// Limits hold at each assignment: an offer that routing made in the last entry fits. What people gave by
/// hand may exceed them, and limits may be lowered below what operators have.
fn capacity(state: &State, live: &Live, found: &mut Found) {
    let loads = Loads::of(state, live);
    let is_new = |offer: OfferId| offer.seq == state.position().seq;
    let mut by_hand: BTreeSet<&OperatorId> = BTreeSet::new();
    for dialog in open(state) {
        by_hand.extend(
            dialog
                .offers
                .iter()
                .filter(|offer| offer.by_hand && is_new(offer.id))
                .map(|offer| &offer.operator),
        );
    }
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        for offer in dialog.offers.iter().filter(|offer| !offer.by_hand && is_new(offer.id)) {
            let fits = loads.fits(live, &dialog.line, line, &offer.operator, 0);
            found.check("I10", fits || by_hand.contains(&offer.operator), || {
                format!("{} took {} over a limit", offer.id, offer.operator)
            });
        }
    }
}

fn is_there(state: &State, live: &Live, line: &Line, operator: &OperatorId) -> bool {
    live.config.operators.contains_key(operator)
        && (!line.routing.require_presence
            || state.operators.get(operator).is_some_and(|status| status.presence == Presence::Online))
}

fn absent(state: &State, live: &Live, found: &mut Found) {
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        for offer in &dialog.offers {
            found.check("I16", is_there(state, live, line, &offer.operator), || {
                format!("{} is offered to {}, who is not there", dialog.id, offer.operator)
            });
        }
    }
}

/// No dialog waits while somebody who could take it is free.
fn idle(state: &State, live: &Live, found: &mut Found) {
    let loads = Loads::of(state, live);
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        let is_queued = dialog.state == DialogState::Queued;
        let goes_to_all = dialog.state == DialogState::Offered
            && line.routing.strategy == Strategy::Broadcast
            && !dialog.offers.iter().any(|offer| offer.by_hand);
        if !is_queued && !goes_to_all {
            continue;
        }
        for operator in live.members(&dialog.line, dialog.team.as_ref()) {
            let was_tried = dialog.declined.contains_key(operator);
            let has_offer = dialog.offers.iter().any(|offer| offer.operator == *operator);
            let free = is_there(state, live, line, operator)
                && loads.fits(live, &dialog.line, line, operator, weight(live, dialog));
            // Who was tried becomes eligible again once nobody else is left: a queued dialog begins a new round.
            let eligible = free && !has_offer && (!was_tried || is_queued);
            found.check("I12", !eligible, || format!("{} waits while {operator} is free", dialog.id));
        }
    }
}

/// Nobody gets a dialog in the last entry while they could have had one that waits longer, in any queue.
fn overtaken(state: &State, live: &Live, found: &mut Found) {
    let seq = state.position().seq;
    let is_rule = |decision: &Decision| decision.seq == seq && matches!(decision.verdict, Verdict::Rule(_));
    if state.decisions.iter().any(is_rule) {
        // A rule may have put the older dialog into the queue after the younger one was offered.
        return;
    }
    let mut loads = Loads::of(state, live);
    for younger in open(state) {
        for offer in younger.offers.iter().filter(|offer| offer.id.seq == seq && !offer.by_hand) {
            loads.add(&offer.operator, younger, -i64::from(weight(live, younger)));
            for older in open(state).filter(|older| older.state == DialogState::Queued) {
                let Some(line) = live.line(&older.line) else { continue };
                let could_have = Place::of(older) < Place::of(younger)
                    && live.is_member(&offer.operator, &older.line, older.team.as_ref())
                    && is_there(state, live, line, &offer.operator)
                    && !older.declined.contains_key(&offer.operator)
                    && loads.fits(live, &older.line, line, &offer.operator, weight(live, older));
                found.check("I12", !could_have, || {
                    format!("{} overtakes {} at {}", younger.id, older.id, offer.operator)
                });
            }
            loads.add(&offer.operator, younger, i64::from(weight(live, younger)));
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
            found.check("I26", shows(message.status, effect), || {
                format!("{} shows {:?} while {id} is {:?}", message.id, message.status, effect.state)
            });
        }
    }
}

fn shows(status: MessageStatus, effect: &Effect) -> bool {
    match effect.state {
        EffectState::Delivered => {
            matches!(status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read)
        }
        EffectState::Failed | EffectState::Dead | EffectState::Cancelled => status == MessageStatus::Failed,
        EffectState::Pending | EffectState::Waiting { .. } | EffectState::InFlight { .. } => {
            status == MessageStatus::Queued
        }
    }
}
