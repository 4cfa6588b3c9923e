//! Who waits on a line.

use crate::engine::routing::queue::Place;
use crate::model::dialog::Dialog;
use crate::model::id::LineId;
use crate::model::line::Ageing;
use crate::store::keys;
use crate::store::queues::Cut;
use crate::store::{Store, StoreError};

use super::page::LIMIT_MAX;

/// A part of the queue of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// How many dialogs wait.
    pub total: usize,
    /// Those of this part in the order in which routing gives them out: highest score, then earliest deadline, then
    /// longest waiting, then lowest id.
    pub dialogs: Vec<Dialog>,
    /// The last place of this part, if more come behind it.
    pub next: Option<Place>,
}

/// The first `limit` waiting dialogs of a line behind a place, and how many wait there. Scores are those of the
/// moment `at_ms`. Whatever changes between two parts, a dialog that stays as it is stands in exactly one of the
/// parts of a moment.
pub fn of_line(
    store: &Store,
    line: &LineId,
    ageing: Option<&Ageing>,
    at_ms: u64,
    after: Option<Place>,
    limit: usize,
) -> Result<Queue, StoreError> {
    let limit = limit.clamp(1, LIMIT_MAX);
    // One more tells whether anything comes behind.
    let cut = Cut { ageing, at_ms, after, limit: limit.saturating_add(1) };
    let (mut total, mut places) = store.queues().page(line, &cut);
    let has_more = places.len() > limit;
    places.truncate(limit);
    let mut dialogs = Vec::with_capacity(places.len());
    for place in &places {
        let key = keys::dialog(place.dialog);
        let dialog: Option<Dialog> = store.row(&key)?;
        let dialog =
            dialog.ok_or_else(|| StoreError::damaged(&key, "a queue lists this dialog and it is missing"))?;
        // It may have left the queue since its place was read.
        if dialog.state.is_waiting() && dialog.line == *line {
            dialogs.push(dialog);
        } else {
            total = total.saturating_sub(1);
        }
    }
    Ok(Queue { total, dialogs, next: places.last().copied().filter(|_| has_more) })
}
