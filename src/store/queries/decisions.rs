//! Why things were decided as they were.

use crate::model::decision::Decision;
use crate::model::id::DialogId;
use crate::store::cursor::List;
use crate::store::keys;
use crate::store::{Store, StoreError};

use super::page::{Page, Walk, rows};

/// A page of the decisions about a dialog.
pub fn of_dialog(
    store: &Store,
    dialog: DialogId,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<Decision>, StoreError> {
    rows(store, List::Decisions, keys::decisions(dialog), walk, limit)
}
