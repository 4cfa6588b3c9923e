//! What must be in memory before the next entry is applied.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::engine::rows::HotRows;
use crate::model::dialog::Dialog;
use crate::model::id::EffectId;

use super::error::StoreError;
use super::handle::Store;
use super::key_value::Order;
use super::keys::{self, KeyRange};
use super::queries;
use super::queries::deliveries::DeliveryState;

/// Open dialogs with their chats and clients, unfinished effects, timers, operators and the live
/// configuration; through indexes, never by a walk over history.
pub(super) fn hot_rows(store: &Store) -> Result<HotRows, StoreError> {
    let dialogs: Vec<Dialog> = listed(store, keys::open_dialogs(), keys::dialog_at)?;
    let chat_ids: BTreeSet<_> = dialogs.iter().map(|dialog| dialog.chat).collect();
    let client_ids: BTreeSet<_> = dialogs.iter().map(|dialog| dialog.client).collect();
    let mut effects = Vec::new();
    for state in DeliveryState::UNFINISHED {
        effects.extend(listed(store, keys::state_effects(state), |(seq, index)| {
            keys::effect(EffectId::new(seq, index))
        })?);
    }
    effects.sort_by_key(|effect: &crate::model::effect::Effect| effect.id);
    Ok(HotRows {
        position: store.position()?,
        config: queries::configs::newest(store)?,
        chats: chat_ids.into_iter().map(|id| present(store, &keys::chat(id))).collect::<Result<_, _>>()?,
        clients: client_ids
            .into_iter()
            .map(|id| present(store, &keys::client(id)))
            .collect::<Result<_, _>>()?,
        dialogs,
        effects,
        operators: store.rows(keys::operators())?,
        timers: store.rows(keys::timers())?,
    })
}

/// The rows that an index lists, in its order.
pub(super) fn listed<T: DeserializeOwned>(
    store: &Store,
    index: KeyRange,
    row_key: impl Fn((u64, u32)) -> keys::Key,
) -> Result<Vec<T>, StoreError> {
    store
        .scan(index, Order::Ascending)
        .map(|pair| {
            let (entry, _) = pair?;
            let id =
                keys::last_id(&entry).ok_or_else(|| StoreError::damaged(&entry, "the key is too short"))?;
            present(store, &row_key(id))
        })
        .collect()
}

/// A row to which another one refers.
fn present<T: DeserializeOwned>(store: &Store, key: &[u8]) -> Result<T, StoreError> {
    store.row(key)?.ok_or_else(|| StoreError::damaged(key, "the row is missing and another one refers to it"))
}
