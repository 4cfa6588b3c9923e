//! Operators: how they are and what they have in hand.

use crate::model::id::{DialogId, OperatorId};
use crate::model::operator::OperatorStatus;
use crate::store::StoreError;
use crate::store::handle::Store;
use crate::store::key_value::Order;
use crate::store::keys::{self, KeyRange};

/// What an operator has in hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// The open dialogs that they own, by id.
    pub owned: Vec<DialogId>,
    /// The dialogs that are offered to them, by id.
    pub offered: Vec<DialogId>,
}

/// How all operators are, by name. Operators who were never heard of have no status.
pub fn statuses(store: &Store) -> Result<Vec<OperatorStatus>, StoreError> {
    store.rows(keys::operators())
}

/// What an operator has in hand. Reads index entries alone.
pub fn load(store: &Store, operator: &OperatorId) -> Result<Load, StoreError> {
    Ok(Load {
        owned: listed(store, keys::owned_dialogs(operator))?,
        offered: listed(store, keys::offered_dialogs(operator))?,
    })
}

fn listed(store: &Store, range: KeyRange) -> Result<Vec<DialogId>, StoreError> {
    store
        .scan(range, Order::Ascending)
        .map(|pair| {
            let (entry, _) = pair?;
            let (seq, index) =
                keys::last_id(&entry).ok_or_else(|| StoreError::damaged(&entry, "the key is too short"))?;
            Ok(DialogId::new(seq, index))
        })
        .collect()
}
