//! The outbox: effects and where they stand.

use std::collections::BTreeSet;

use crate::model::effect::{Effect, EffectAction, EffectState, Lane};
use crate::model::id::{ChannelId, DialogId, EffectId, LineId};
use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::{Store, decode};
use crate::store::key_value::Order;
use crate::store::keys;

use super::page::{EXAMINED_MAX, LIMIT_MAX, Page, rest};

/// Where an effect stands, without the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// Waits for its turn.
    Pending,
    /// Waits for a later attempt.
    Waiting,
    /// Is being tried.
    InFlight,
    /// Arrived.
    Delivered,
    /// Was refused for good.
    Failed,
    /// Used up its attempts.
    Dead,
    /// Was cancelled.
    Cancelled,
}

impl DeliveryState {
    /// All states, in the order of life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Waiting,
        Self::InFlight,
        Self::Delivered,
        Self::Failed,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The states in which something will still happen.
    pub const UNFINISHED: [Self; 3] = [Self::Pending, Self::Waiting, Self::InFlight];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<&EffectState> for DeliveryState {
    fn from(state: &EffectState) -> Self {
        match state {
            EffectState::Pending => Self::Pending,
            EffectState::Waiting { .. } => Self::Waiting,
            EffectState::InFlight { .. } => Self::InFlight,
            EffectState::Delivered => Self::Delivered,
            EffectState::Failed => Self::Failed,
            EffectState::Dead => Self::Dead,
            EffectState::Cancelled => Self::Cancelled,
        }
    }
}

/// Conditions that an effect must meet, all of them; `None` asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Of this dialog.
    pub dialog: Option<DialogId>,
    /// To a client or messenger in this channel.
    pub channel: Option<ChannelId>,
    /// Of one of these lines. An empty set shows nothing.
    pub lines: Option<BTreeSet<LineId>>,
}

impl DeliveryFilter {
    /// Whether an effect meets all conditions.
    pub fn matches(&self, effect: &Effect) -> bool {
        self.state.is_none_or(|state| state == DeliveryState::from(&effect.state))
            && self.dialog.is_none_or(|dialog| dialog == effect.dialog)
            && self.lines.as_ref().is_none_or(|lines| lines.contains(&effect.line))
            && self.channel.as_ref().is_none_or(|channel| channel_of(effect) == Some(channel))
    }
}

/// The channel that an effect goes through; notifications go through none.
fn channel_of(effect: &Effect) -> Option<&ChannelId> {
    match (&effect.action, &effect.lane) {
        (EffectAction::Send(outgoing), _) => Some(&outgoing.channel),
        (EffectAction::AcknowledgeButton { channel, .. }, _) => Some(channel),
        (EffectAction::Notify(_), Lane::Chat { channel, .. }) => Some(channel),
        (EffectAction::Notify(_), Lane::Endpoint { .. }) => None,
    }
}

/// An effect.
pub fn get(store: &Store, id: EffectId) -> Result<Option<Effect>, StoreError> {
    store.row(&keys::effect(id))
}

/// A page of the effects that match `filter`, newest first.
pub fn list(
    store: &Store,
    filter: &DeliveryFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Effect>, StoreError> {
    let list = List::Deliveries;
    let place = cursor.map(|cursor| list.place(cursor)).transpose()?;
    if filter.lines.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(Page::empty());
    }
    let limit = limit.clamp(1, LIMIT_MAX);
    let range = match (filter.dialog, filter.state) {
        (Some(dialog), _) => keys::dialog_effects(dialog),
        (None, Some(state)) => keys::state_effects(state),
        (None, None) => keys::effects(),
    };
    let mut items = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    let walk = store.scan(rest(range, place.as_deref(), Order::Descending), Order::Descending);
    for (examined, pair) in walk.enumerate() {
        let (entry, value) = pair?;
        if items.len() >= limit || examined >= EXAMINED_MAX {
            return Ok(Page { items, next_cursor: last.map(|place| list.cursor(&place)) });
        }
        let place = list.place_in(&entry)?;
        last = Some(place.to_vec());
        let effect = if value.is_empty() {
            let id = keys::last_id(place).map(|(seq, index)| EffectId::new(seq, index));
            id.map(|id| get(store, id)).transpose()?.flatten()
        } else {
            Some(decode::<Effect>(&entry, &value)?)
        };
        let effect =
            effect.ok_or_else(|| StoreError::damaged(&entry, "the effect of this entry is missing"))?;
        if filter.matches(&effect) {
            items.push(effect);
        }
    }
    Ok(Page { items, next_cursor: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_model() {
        for state in [
            EffectState::Pending,
            EffectState::Waiting { until_ms: 1 },
            EffectState::InFlight { epoch: 1, deadline_ms: 2 },
            EffectState::Delivered,
            EffectState::Failed,
            EffectState::Dead,
            EffectState::Cancelled,
        ] {
            assert_eq!(DeliveryState::from(&state).as_str(), state.as_str());
            assert_eq!(DeliveryState::UNFINISHED.contains(&(&state).into()), !state.is_terminal());
        }
    }
}
