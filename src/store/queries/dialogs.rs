//! Dialogs: one, and lists with filters and orders.
//!
//! The narrowest index that fits the filter is walked, and what it does not say is checked on the
//! rows. Filters that no index serves (closed dialogs by line, topic or tag) walk the list itself.

use serde::Deserialize;

use crate::model::dialog::Dialog;
use crate::model::id::DialogId;
use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::{Store, decode};
use crate::store::key_value::Order;
use crate::store::keys::{self, KeyRange};

pub use super::dialog_filter::DialogFilter;
use super::page::{EXAMINED_MAX, LIMIT_MAX, Merged, Page, rest};

/// Orders of a list of dialogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Newest first.
    #[default]
    Opened,
    /// The one that changed last first.
    Updated,
    /// Only waiting dialogs, the one that waits longest first.
    Waiting,
    /// Only open dialogs, the highest priority first, then by their time in the queue.
    Priority,
}

impl Sort {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Waiting => "waiting",
            Self::Priority => "priority",
        }
    }

    const fn list(self) -> List {
        match self {
            Self::Opened => List::DialogsOpened,
            Self::Updated => List::DialogsUpdated,
            Self::Waiting => List::DialogsWaiting,
            Self::Priority => List::DialogsPriority,
        }
    }

    const fn order(self) -> Order {
        match self {
            Self::Opened | Self::Updated => Order::Descending,
            Self::Waiting | Self::Priority => Order::Ascending,
        }
    }
}

/// Beyond this many pairs of line and state, one walk over all open dialogs is cheaper than a walk
/// over each.
const MERGED_MAX: usize = 32;

/// A dialog.
pub fn get(store: &Store, id: DialogId) -> Result<Option<Dialog>, StoreError> {
    store.row(&keys::dialog(id))
}

/// A page of the dialogs that match `filter`.
pub fn list(
    store: &Store,
    filter: &DialogFilter,
    sort: Sort,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Dialog>, StoreError> {
    list_where(store, filter, sort, cursor, limit, &|_| true)
}

/// A page of the dialogs that match `filter` and that `admits` lets through: for rights that are
/// more than a filter can say.
pub fn list_where(
    store: &Store,
    filter: &DialogFilter,
    sort: Sort,
    cursor: Option<&str>,
    limit: usize,
    admits: &dyn Fn(&Dialog) -> bool,
) -> Result<Page<Dialog>, StoreError> {
    let list = sort.list();
    let place = cursor.map(|cursor| list.place(cursor)).transpose()?;
    if filter.shows_nothing() {
        return Ok(Page::empty());
    }
    let limit = limit.clamp(1, LIMIT_MAX);
    let newest = match (sort, filter.opened_to_ms) {
        (Sort::Opened, Some(to_ms)) => Some(first_opened_at_or_after(store, to_ms)?),
        _ => None,
    };
    let order = sort.order();
    let mut scans = Vec::new();
    for range in ranges(filter, sort) {
        let narrowed = match &newest {
            Some(place) => {
                let end = [range.start.as_slice(), place].concat();
                range.before(end)
            }
            None => range,
        };
        let rest = rest(narrowed, place.as_deref(), order);
        if sort == Sort::Updated {
            scans.push(store.scan_open(rest.clone(), order));
        }
        scans.push(store.scan(rest, order));
    }
    let mut walk = Merged::new(list, scans, order);
    let mut items = Vec::new();
    let mut examined = 0;
    let mut last: Option<Vec<u8>> = None;
    while let Some((place, value)) = walk.next()? {
        if items.len() >= limit || examined >= EXAMINED_MAX {
            return Ok(Page { items, next_cursor: last.map(|place| list.cursor(&place)) });
        }
        examined += 1;
        // A dialog that changed its state meanwhile is met once more in another range.
        if last.as_ref() == Some(&place) {
            continue;
        }
        let dialog = row_at(store, list, &place, &value)?;
        last = Some(place);
        let Some(dialog) = dialog else { continue };
        if sort == Sort::Opened && filter.opened_from_ms.is_some_and(|from| dialog.opened_at_ms < from) {
            break;
        }
        if filter.matches(&dialog) && admits(&dialog) {
            items.push(dialog);
        }
    }
    Ok(Page { items, next_cursor: None })
}

/// What to walk: each dialog that matches is in exactly one of the ranges.
fn ranges(filter: &DialogFilter, sort: Sort) -> Vec<KeyRange> {
    match sort {
        Sort::Updated => return vec![keys::updated_dialogs()],
        Sort::Waiting => return vec![keys::waiting_dialogs()],
        Sort::Priority => return vec![keys::priority_dialogs()],
        Sort::Opened => {}
    }
    if let Some(chat) = filter.chat {
        return vec![keys::chat_dialogs(chat)];
    }
    if let Some(client) = filter.client {
        return vec![keys::client_dialogs(client)];
    }
    let Some(states) = filter.open_states() else { return vec![keys::dialogs()] };
    if let Some(owner) = &filter.owner {
        return vec![keys::owned_dialogs(owner)];
    }
    match &filter.lines {
        Some(lines) if lines.len() * states.len() <= MERGED_MAX => lines
            .iter()
            .flat_map(|line| states.iter().map(move |state| keys::line_dialogs(line, *state)))
            .collect(),
        _ => vec![keys::open_dialogs()],
    }
}

/// The dialog at a place of a list, or nothing when the dialog is at another place now. The walk
/// over the rows themselves brings the value along.
fn row_at(store: &Store, list: List, place: &[u8], value: &[u8]) -> Result<Option<Dialog>, StoreError> {
    let id = keys::last_id(place).map(|(seq, index)| DialogId::new(seq, index)).ok_or(StoreError::Cursor)?;
    let key = keys::dialog(id);
    let dialog: Dialog = if value.is_empty() {
        store
            .row(&key)?
            .ok_or_else(|| StoreError::damaged(&key, "an index lists this dialog and it is missing"))?
    } else {
        decode(&key, value)?
    };
    let entry = match list {
        List::DialogsUpdated => keys::updated_dialog(dialog.updated_at_ms, id),
        List::DialogsWaiting => keys::waiting_dialog(dialog.queued_at_ms, id),
        List::DialogsPriority => keys::priority_dialog(dialog.priority, dialog.queued_at_ms, id),
        _ => return Ok(Some(dialog)),
    };
    let listed = match list {
        List::DialogsWaiting => dialog.state.is_waiting(),
        List::DialogsPriority => dialog.state != crate::model::dialog::DialogState::Closed,
        _ => true,
    };
    Ok((listed && list.place_in(&entry)? == place).then_some(dialog))
}

/// The field that tells when a dialog was opened.
#[derive(Deserialize)]
struct Opened {
    opened_at_ms: u64,
}

/// The place of the first dialog that was opened at `to_ms` or later. Dialogs are opened in the order
/// of their ids, so a search by halves finds it without a walk.
fn first_opened_at_or_after(store: &Store, to_ms: u64) -> Result<Vec<u8>, StoreError> {
    let seq_of = |key: &[u8]| {
        keys::last_id(key).map(|(seq, _)| seq).ok_or_else(|| StoreError::damaged(key, "the key is too short"))
    };
    let mut low = 0;
    let mut high = match store.scan(keys::dialogs(), Order::Descending).in_bites_of(1).next().transpose()? {
        Some((key, _)) => seq_of(&key)?.saturating_add(1),
        None => 0,
    };
    // Dialogs of entries before `low` were opened earlier, those from `high` on were not.
    while low < high {
        let middle = low + (high - low) / 2;
        let range = keys::dialogs().from(keys::dialog(DialogId::new(middle, 0)));
        match store.scan(range, Order::Ascending).in_bites_of(1).next().transpose()? {
            Some((key, value)) if decode::<Opened>(&key, &value)?.opened_at_ms < to_ms => {
                low = seq_of(&key)?.saturating_add(1);
            }
            _ => high = middle,
        }
    }
    Ok(List::DialogsOpened.place_in(&keys::dialog(DialogId::new(low, 0)))?.to_vec())
}
