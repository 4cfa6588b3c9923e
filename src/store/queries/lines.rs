//! How a line is doing, in numbers. Index entries alone are read.

use crate::model::dialog::DialogState;
use crate::model::id::LineId;
use crate::store::key_value::Order;
use crate::store::keys;
use crate::store::{Store, StoreError};

/// The open dialogs of a line, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// How many wait for an operator, offered ones included.
    pub waiting: usize,
    /// How many of those that wait are offered to somebody.
    pub offered: usize,
    /// How many an operator has.
    pub active: usize,
    /// Since when the one has waited that waits longest, in ms; `None`: nobody waits.
    pub waiting_since_ms: Option<u64>,
}

/// Counts the open dialogs of a line.
pub fn counts(store: &Store, line: &LineId) -> Result<Counts, StoreError> {
    let (waiting, waiting_since_ms) = store.queues().count(line);
    let mut counts = Counts { waiting, waiting_since_ms, ..Counts::default() };
    for state in DialogState::ALL {
        let count = match state {
            DialogState::Offered => &mut counts.offered,
            // While the client rates a dialog, the work on it is done.
            DialogState::New | DialogState::Closing | DialogState::Closed => continue,
            state if state.is_waiting() => continue,
            _ => &mut counts.active,
        };
        for pair in store.scan(keys::line_dialogs(line, state), Order::Ascending) {
            pair?;
            *count += 1;
        }
    }
    Ok(counts)
}
