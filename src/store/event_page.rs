//! Events for resuming streams, packed into pages so that an event costs a fraction of a key.
//!
//! A page holds the events of a fixed stretch of entries, one JSON text per line, and is kept under
//! the place of its first event. A page that would grow too large is followed by another one of the
//! same stretch. Where pages begin depends on the events alone, never on how they were grouped into
//! write sets: events are taken one by one, in order.

use std::sync::Arc;

use crate::model::event::Event;

use super::error::StoreError;
use super::handle::{Store, decode, encode_into};
use super::key_value::{Batch, Order};
use super::keys;

/// How many entries share a page. While little happens each entry rewrites the page, so a page is
/// written `ENTRIES_PER_PAGE / 2` times its size; while much happens it saves as many keys.
const ENTRIES_PER_PAGE: u64 = 16;

/// A page is closed before it grows beyond this many bytes: one entry may cause thousands of events,
/// and sled puts tree nodes over 128 KiB into files of their own, where a node holds several values.
const PAGE_BYTES_MAX: usize = 16 * 1024;

/// The last page, to which the next event may be added.
#[derive(Debug, Clone, Default)]
pub(super) struct LastPage {
    first: Option<(u64, u32)>,
    last: (u64, u32),
    lines: Vec<u8>,
}

impl LastPage {
    /// The last page of a store.
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        let Some(pair) = store.scan(keys::event_pages(), Order::Descending).in_bites_of(1).next() else {
            return Ok(Self::default());
        };
        let (key, lines) = pair?;
        let first = Some(place_of(&key)?);
        let last = events(&key, &lines)?
            .last()
            .map(|event| (event.seq, event.index))
            .ok_or_else(|| StoreError::damaged(&key, "the page is empty"))?;
        Ok(Self { first, last, lines })
    }

    /// Adds events, which follow all that were added before, and puts the pages that this changes
    /// into `batch`.
    pub(super) fn add(&mut self, events: &[Arc<Event>], batch: &mut Batch) -> Result<(), StoreError> {
        let mut line = Vec::new();
        for event in events {
            let place = (event.seq, event.index);
            if self.first.is_some() && place <= self.last {
                return Err(StoreError::OutOfOrder { stored: self.last.0, given: event.seq });
            }
            line.clear();
            encode_into(event.as_ref(), &mut line)?;
            let full = self.lines.len() + line.len() > PAGE_BYTES_MAX;
            let fits = self.first.is_some_and(|(seq, _)| stretch(seq) == stretch(event.seq)) && !full;
            if !fits {
                self.put(batch);
                self.first = Some(place);
                self.lines.clear();
            }
            self.last = place;
            self.lines.extend_from_slice(&line);
            self.lines.push(b'\n');
        }
        if !events.is_empty() {
            self.put(batch);
        }
        Ok(())
    }

    fn put(&self, batch: &mut Batch) {
        if let Some((seq, index)) = self.first {
            batch.put(keys::event_page(seq, index), self.lines.clone());
        }
    }
}

const fn stretch(seq: u64) -> u64 {
    seq / ENTRIES_PER_PAGE
}

/// The place of the first event of the page at `key`.
pub(super) fn place_of(key: &[u8]) -> Result<(u64, u32), StoreError> {
    keys::last_id(key).ok_or_else(|| StoreError::damaged(key, "the key is too short"))
}

/// The events of the page at `key`.
pub(super) fn events(key: &[u8], lines: &[u8]) -> Result<Vec<Event>, StoreError> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| decode(key, line)).collect()
}
