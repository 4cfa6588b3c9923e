//! Events, to resume a stream where it broke off.

use crate::model::event::Event;
use crate::store::StoreError;
use crate::store::event_page;
use crate::store::handle::Store;
use crate::store::key_value::Order;
use crate::store::keys;

use super::page::LIMIT_MAX;

/// Pages held at a time: a page is up to 16 KiB.
const PAGES_AT_A_TIME: usize = 8;

/// At most `limit` events that follow the one with this `seq` and `index`, in order. To begin with
/// the first event of entry `seq`, pass the entry before and the highest index.
pub fn after(store: &Store, seq: u64, index: u32, limit: usize) -> Result<Vec<Event>, StoreError> {
    let limit = limit.clamp(1, LIMIT_MAX);
    let upto = keys::event_pages().before(keys::successor(keys::event_page(seq, index)));
    let mut range = keys::event_pages();
    // The page that holds the place begins at it or before.
    if let Some((key, _)) = store.scan(upto, Order::Descending).in_bites_of(1).next().transpose()? {
        range = range.from(key);
    }
    let mut found = Vec::new();
    for pair in store.scan(range, Order::Ascending).in_bites_of(PAGES_AT_A_TIME) {
        let (key, lines) = pair?;
        for event in event_page::events(&key, &lines)? {
            if (event.seq, event.index) > (seq, index) {
                found.push(event);
                if found.len() >= limit {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}
