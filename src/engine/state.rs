//! The state: rows, and what is derived from them for quick decisions.
//!
//! Rows are what the store keeps; everything else here can be computed from them again, and is after
//! each start. Rows of dialogs are changed through [`State::change_dialog`] alone, so that what is
//! derived never disagrees with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::{Client, Identity};
use crate::model::config::Config;
use crate::model::decision::Decision;
use crate::model::dialog::Dialog;
use crate::model::effect::{Effect, EffectState, Lane};
use crate::model::event::Event;
use crate::model::id::{ChannelId, ChatId, ClientId, DialogId, EffectId, LineId, MessageId, OperatorId};
use crate::model::inbound::{ExternalChat, ExternalUser};
use crate::model::message::Message;
use crate::model::operator::{OperatorStatus, Presence};
use crate::model::outcome::{KnownInput, ReadyEffect};
use crate::model::timer::Timer;

use super::derived::{Alarms, Footprint, Work};
use super::known_inputs::KnownInputs;
use super::live::Live;
use super::lookup::Lookup;
use super::overflow;
use super::routing::pool::Pool;
use super::routing::queue::{Audience, Place, Queue};
use super::routing::roster::Roster;
use super::rows::{ActiveConfig, HotRows, Position, WriteSet};
use super::table::Table;
use super::timers::Timers;

/// The whole state of the daemon, as far as it decides anything.
#[derive(Debug, Default)]
pub struct State {
    pub(super) position: Position,
    pub(super) live: Option<Arc<Live>>,
    pub(super) known_inputs: KnownInputs,
    pub(super) dialogs: Table<DialogId, Dialog>,
    pub(super) chats: Table<ChatId, Chat>,
    pub(super) clients: Table<ClientId, Client>,
    pub(super) messages: Table<MessageId, Arc<Message>>,
    pub(super) effects: Table<EffectId, Effect>,
    pub(super) operators: Table<OperatorId, OperatorStatus>,
    pub(super) timers: Timers,

    pub(super) addresses: Lookup<ChatAddress, ChatId>,
    pub(super) identities: Lookup<Identity, ClientId>,
    /// Everybody who waits, by line.
    pub(super) waiting: BTreeMap<LineId, BTreeSet<Place>>,
    /// Those whom routing may offer to somebody, by audience.
    pub(super) queues: BTreeMap<Audience, Queue>,
    /// When waiting dialogs get better places by themselves.
    pub(super) growing: BTreeSet<(u64, DialogId)>,
    /// Waiting dialogs about which everybody was asked as often as they may be.
    pub(super) tired: BTreeSet<DialogId>,
    /// Dialogs that are kept for one operator.
    pub(super) kept_for: BTreeMap<OperatorId, BTreeSet<DialogId>>,
    /// The people of audiences, as they were asked for under the live configuration.
    pub(super) pools: BTreeMap<Audience, Arc<Pool>>,
    pub(super) roster: Roster,
    pub(super) work: BTreeMap<OperatorId, Work>,
    pub(super) lanes: BTreeMap<Lane, LaneState>,
    pub(super) open_by_client: BTreeMap<ClientId, u32>,

    pub(super) events: Vec<Arc<Event>>,
    pub(super) decisions: Vec<Decision>,
    pub(super) configs: Vec<ActiveConfig>,
    hand_over: u64,
}

/// Effects that are done one after another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LaneState {
    /// Those that are not terminal, in order.
    pub(super) open: BTreeSet<EffectId>,
    /// The one that a worker tries.
    pub(super) in_flight: Option<EffectId>,
}

/// Stored rows do not fit together or their configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot be used: {0}; run `switchboard rebuild` to make it anew from the journal")]
pub struct UnusableRows(pub String);

impl State {
    /// Builds the state from what a store has.
    ///
    /// # Errors
    /// When the stored configuration cannot be used by this version.
    pub fn load(rows: HotRows) -> Result<Self, UnusableRows> {
        let mut state = Self { position: rows.position, ..Self::default() };
        if let Some(active) = rows.config {
            let config: Config = serde_json::from_str(&active.canonical)
                .map_err(|error| UnusableRows(format!("its configuration cannot be read ({error})")))?;
            let live =
                Live::compile(config, active.version).map_err(|error| UnusableRows(error.to_string()))?;
            state.live = Some(Arc::new(live));
        }
        for chat in rows.chats {
            state.addresses.insert(chat.address.clone(), chat.id);
            state.chats.put_stored(chat.id, chat, 0);
        }
        for client in rows.clients {
            for identity in &client.identities {
                state.identities.insert(identity.clone(), client.id);
            }
            state.clients.put_stored(client.id, client, 0);
        }
        for status in rows.operators {
            state.operators.put_stored(status.id.clone(), status, 0);
        }
        for timer in rows.timers {
            state.timers.load(timer);
        }
        for effect in rows.effects {
            let lane = state.lanes.entry(effect.lane.clone()).or_default();
            lane.open.insert(effect.id);
            if matches!(effect.state, EffectState::InFlight { .. }) {
                lane.in_flight = Some(effect.id);
            }
            state.effects.put_stored(effect.id, effect, 0);
        }
        let live = state.live.clone().unwrap_or_default();
        for dialog in rows.dialogs {
            state.derive(Footprint::of(&dialog, &live, state.position.at_ms).as_ref());
            state.dialogs.put_stored(dialog.id, dialog, 0);
        }
        state.seat_all();
        Ok(state)
    }

    /// How far the journal has been applied.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The live configuration; `None` before the first.
    pub fn live(&self) -> Option<&Arc<Live>> {
        self.live.as_ref()
    }

    /// When the next timer is due, in ms.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.timers.next_due_ms()
    }

    /// How many rows wait to be handed over to the store.
    pub fn changed_rows(&self) -> usize {
        self.known_inputs.changed()
            + self.dialogs.changed()
            + self.messages.changed()
            + self.effects.changed()
            + self.events.len()
    }

    /// The effects that may be tried now; for a node that just started.
    pub fn ready_effects(&self) -> Vec<ReadyEffect> {
        self.lanes.values().filter_map(|lane| self.head_of(lane)).collect()
    }

    /// The dialogs in memory: all open ones, and closed ones that have not left yet.
    pub fn dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.dialogs.iter().map(|(_, dialog)| dialog)
    }

    /// The chats in memory: those of open dialogs, and others that have not left yet.
    pub fn chats(&self) -> impl Iterator<Item = &Chat> {
        self.chats.iter().map(|(_, chat)| chat)
    }

    /// The clients in memory: those of open dialogs, and others that have not left yet.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().map(|(_, client)| client)
    }

    /// The effects in memory: all that are not terminal, and others that have not left yet.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.effects.iter().map(|(_, effect)| effect)
    }

    /// How the operators are that ever had a status.
    pub fn operators(&self) -> impl Iterator<Item = &OperatorStatus> {
        self.operators.iter().map(|(_, status)| status)
    }

    /// All timers, in the order of their keys.
    pub fn timers(&self) -> Vec<Timer> {
        self.timers.all().collect()
    }

    /// What an input came to, if that is in memory: call [`super::fetch`] first.
    pub fn known_input(&self, input_id: &str) -> Option<&KnownInput> {
        self.known_inputs.get(input_id)
    }

    /// An effect that is in memory: every one that is not terminal is.
    pub fn effect(&self, id: EffectId) -> Option<&Effect> {
        self.effects.get(&id)
    }

    /// How many times [`State::hand_over`] was called.
    pub const fn hand_overs(&self) -> u64 {
        self.hand_over
    }

    /// Copies everything that changed since the last call. Returns it with the number to give to
    /// [`State::stored`] once it is stored.
    pub fn hand_over(&mut self) -> (u64, WriteSet) {
        fn values<K, V>(rows: Vec<(K, V)>) -> Vec<V> {
            rows.into_iter().map(|(_, value)| value).collect()
        }
        self.hand_over += 1;
        let number = self.hand_over;
        let write_set = WriteSet {
            position: self.position,
            known_inputs: self.known_inputs.hand_over(number),
            dialogs: values(self.dialogs.hand_over(number)),
            chats: values(self.chats.hand_over(number)),
            clients: values(self.clients.hand_over(number)),
            messages: values(self.messages.hand_over(number)),
            effects: values(self.effects.hand_over(number)),
            operators: values(self.operators.hand_over(number)),
            timers: self.timers.hand_over(),
            events: std::mem::take(&mut self.events),
            decisions: std::mem::take(&mut self.decisions),
            configs: std::mem::take(&mut self.configs),
        };
        (number, write_set)
    }

    /// The store has everything up to that hand-over: rows that are not hot leave the memory.
    pub fn stored(&mut self, hand_over: u64) {
        self.known_inputs.stored(hand_over);
        self.messages.stored(hand_over, |_, _| false);
        self.dialogs.stored(hand_over, |_, dialog| dialog.closed_at_ms.is_none());
        self.effects.stored(hand_over, |_, effect| !effect.state.is_terminal());
        self.operators.stored(hand_over, |_, _| true);
        for (id, chat) in self.chats.stored(hand_over, |_, chat| chat.open_dialog.is_some()) {
            if self.addresses.get(&chat.address) == Some(&id) {
                self.addresses.remove(&chat.address);
            }
        }
        let open_by_client = &self.open_by_client;
        for (id, client) in self.clients.stored(hand_over, |id, _| open_by_client.contains_key(id)) {
            for identity in &client.identities {
                if self.identities.get(identity) == Some(&id) {
                    self.identities.remove(identity);
                }
            }
        }
    }

    /// The chat at an address, if it is in memory.
    pub(super) fn chat_at(
        &self,
        channel: &ChannelId,
        chat: &ExternalChat,
        user: &ExternalUser,
    ) -> Option<ChatId> {
        // As the hash of an address is made: of its fields in their order.
        let parts = (channel, &chat.id, &user.id);
        let is_it = |known: &ChatAddress| (&known.channel, &known.chat, &known.user) == parts;
        self.addresses.get_by(&parts, is_it).copied()
    }

    pub(super) const fn current_hand_over(&self) -> u64 {
        self.hand_over + 1
    }

    /// Changes a dialog and everything derived from it. Does nothing when it is not in memory.
    pub(super) fn change_dialog<R>(
        &mut self,
        id: DialogId,
        change: impl FnOnce(&mut Dialog) -> R,
    ) -> Option<R> {
        let live = self.live.clone().unwrap_or_default();
        let at_ms = self.position.at_ms;
        let dialog = self.dialogs.get_mut(&id)?;
        let (state_before, before) = (dialog.state, Footprint::of(dialog, &live, at_ms));
        let result = change(dialog);
        debug_assert!(
            state_before == dialog.state || state_before.may_become(dialog.state),
            "dialog {id} may not go from {state_before:?} to {:?}",
            dialog.state
        );
        if dialog.state.is_waiting() && !state_before.is_waiting() {
            overflow::begin(dialog, &live, at_ms);
        }
        let (client, after) = (dialog.client, Footprint::of(dialog, &live, at_ms));
        // Most changes, such as one more message, leave what is derived as it was.
        if before != after {
            let is_cold = after.is_none();
            self.underive(before.as_ref());
            self.derive(after.as_ref());
            self.follow(id, before.as_ref(), after.as_ref());
            if is_cold {
                // The client's row does not change by that, but nothing may need it any more.
                self.clients.cooled(client, self.current_hand_over());
            }
        }
        Some(result)
    }

    /// Brings seats and timers in line with a change of a dialog.
    fn follow(&mut self, id: DialogId, before: Option<&Footprint>, after: Option<&Footprint>) {
        let holders: BTreeSet<&OperatorId> =
            before.into_iter().chain(after).flat_map(Footprint::holders).collect();
        for operator in holders {
            self.seat(operator);
        }
        let alarms =
            |footprint: Option<&Footprint>| footprint.map_or_else(Default::default, |one| one.alarms);
        if alarms(before) != alarms(after) {
            self.set_alarms(id, alarms(after));
        }
    }

    fn set_alarms(&mut self, id: DialogId, alarms: Alarms) {
        for (key, due_ms) in alarms.timers(id) {
            match due_ms {
                Some(due_ms) => self.timers.keep(key, due_ms),
                None => self.timers.cancel(&key),
            }
        }
    }

    /// Puts a new dialog.
    pub(super) fn add_dialog(&mut self, mut dialog: Dialog) {
        let live = self.live.clone().unwrap_or_default();
        overflow::begin(&mut dialog, &live, self.position.at_ms);
        let footprint = Footprint::of(&dialog, &live, self.position.at_ms);
        self.derive(footprint.as_ref());
        self.follow(dialog.id, None, footprint.as_ref());
        self.dialogs.put(dialog.id, dialog);
    }

    /// Puts how an operator is.
    pub(super) fn put_status(&mut self, status: OperatorStatus) {
        let operator = status.id.clone();
        self.operators.put(operator.clone(), status);
        self.seat(&operator);
    }

    /// Computes everything that is derived from dialogs anew: the configuration is another one.
    pub(super) fn derive_all(&mut self) {
        self.waiting.clear();
        self.queues.clear();
        self.growing.clear();
        self.tired.clear();
        self.kept_for.clear();
        self.pools.clear();
        self.work.clear();
        self.open_by_client.clear();
        let live = self.live.clone().unwrap_or_default();
        let at_ms = self.position.at_ms;
        let dialogs: Vec<_> = self
            .dialogs
            .iter()
            .filter_map(|(id, dialog)| Some((*id, Footprint::of(dialog, &live, at_ms)?)))
            .collect();
        for (id, footprint) in dialogs {
            self.derive(Some(&footprint));
            self.set_alarms(id, footprint.alarms);
        }
        self.set_borders();
        self.seat_all();
    }

    pub(super) fn head_of(&self, lane: &LaneState) -> Option<ReadyEffect> {
        if lane.in_flight.is_some() {
            return None;
        }
        let effect = self.effects.get(lane.open.first()?)?;
        (effect.state == EffectState::Pending)
            .then(|| ReadyEffect { effect: effect.id, attempt: effect.attempts.saturating_add(1) })
    }

    pub(super) fn presence(&self, operator: &OperatorId) -> Presence {
        self.operators.get(operator).map_or(Presence::Offline, |status| status.presence)
    }
}
