//! Tests of the room as a whole, on sled's files and on the map in memory alike.

mod dialog_lists;
mod events;
mod golden;
mod grouping;
mod history;
mod outbox;
mod reopening;
mod rows;
mod samples;

use super::Store;

/// Runs a test on an empty store of each kind.
fn on_each(test: impl Fn(&Store)) {
    test(&Store::in_memory().unwrap());
    test(&Store::temporary().unwrap());
}
