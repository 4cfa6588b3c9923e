//! Who waits on a line.

use crate::model::dialog::Dialog;
use crate::model::id::{DialogId, LineId};
use crate::store::key_value::Order;
use crate::store::keys;
use crate::store::{Store, StoreError};

use super::page::{EXAMINED_MAX, LIMIT_MAX};

/// The queue of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// How many dialogs wait.
    pub total: usize,
    /// The first of them: highest priority, then longest waiting, then lowest id.
    pub dialogs: Vec<Dialog>,
}

/// The first `limit` waiting dialogs of a line, and how many there are. The count walks over the
/// entries of the queue alone, not over rows.
pub fn of_line(store: &Store, line: &LineId, limit: usize) -> Result<Queue, StoreError> {
    first(store, line, limit.min(LIMIT_MAX))
}

/// All waiting dialogs of a line, for who puts them in another order; of a queue that is longer than
/// [`EXAMINED_MAX`], the first so many.
pub fn whole(store: &Store, line: &LineId) -> Result<Queue, StoreError> {
    first(store, line, EXAMINED_MAX)
}

fn first(store: &Store, line: &LineId, limit: usize) -> Result<Queue, StoreError> {
    let mut queue = Queue { total: 0, dialogs: Vec::new() };
    for pair in store.scan(keys::queued_dialogs(line), Order::Ascending) {
        let (entry, _) = pair?;
        queue.total += 1;
        if queue.dialogs.len() >= limit {
            continue;
        }
        let id = keys::last_id(&entry).ok_or_else(|| StoreError::damaged(&entry, "the key is too short"))?;
        let dialog: Option<Dialog> = store.row(&keys::dialog(DialogId::new(id.0, id.1)))?;
        let dialog =
            dialog.ok_or_else(|| StoreError::damaged(&entry, "the dialog of this entry is missing"))?;
        // It may have left the queue or moved in it since the entry was read.
        if dialog.state.is_waiting()
            && keys::queued_dialog(&dialog.line, dialog.priority, dialog.queued_at_ms, dialog.id) == entry
        {
            queue.dialogs.push(dialog);
        } else {
            queue.total -= 1;
        }
    }
    Ok(queue)
}
