//! Everything that happened in a dialog, in order: messages and notes as what they are, and the
//! events that say something else.
//!
//! Within one entry, what opened the dialog comes first, then messages, then what followed. The
//! events that only announce a message or note (`message.received`, `message.queued`,
//! `message.sent`, `note.added`) are left out.

use std::iter::Peekable;

use crate::model::event::{Event, EventKind};
use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;
use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::{Store, decode};
use crate::store::key_value::{Order, Pair, Scan};
use crate::store::keys;
use crate::store::message_walk::MessageWalk;

use super::page::{LIMIT_MAX, Page, Walk};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A message or note, as it is now.
    Message(Box<Message>),
    /// Something else.
    Event(Event),
}

/// Where an item stands: entry, rank within it, index within that.
type Place = (u64, u8, u32);

impl Item {
    fn place(&self) -> Place {
        match self {
            Self::Message(message) => (message.id.seq, 1, message.id.index),
            Self::Event(event) => {
                let opening = matches!(event.kind, EventKind::DialogOpened | EventKind::ClientCreated);
                (event.seq, if opening { 0 } else { 2 }, event.index)
            }
        }
    }
}

/// A page of a dialog's timeline.
pub fn of_dialog(
    store: &Store,
    dialog: DialogId,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<Item>, StoreError> {
    let list = List::Timeline;
    let limit = limit.clamp(1, LIMIT_MAX);
    let order = walk.order();
    let from = match walk.cursor() {
        Some(cursor) => Some(read_place(&list.place(cursor)?)?),
        None => None,
    };
    // The entry of the last item is walked again: its items are put in order as a whole.
    let bound = from.map(|(seq, ..)| match order {
        Order::Ascending => seq,
        Order::Descending => seq.saturating_add(1),
    });
    let mut events = keys::timeline_events(dialog);
    if let Some(seq) = bound {
        let key = [events.start.as_slice(), &seq.to_be_bytes()].concat();
        events = match order {
            Order::Ascending => events.from(key),
            Order::Descending => events.before(key),
        };
    }
    let bound = bound.map(|seq| MessageId::new(seq, 0));
    let mut messages = MessageWalk::new(store, dialog, order, bound)?;
    let mut events = store.scan(events, order).peekable();
    let mut items: Vec<Item> = Vec::new();
    while let Some(seq) = next_entry(&mut messages, &mut events, order)? {
        let mut group = Vec::new();
        while messages.peek()?.is_some_and(|id| id.seq == seq) {
            group.extend(messages.next()?.map(|message| Item::Message(Box::new(message))));
        }
        while let Some((key, value)) = take_of_entry(&mut events, seq)? {
            group.push(Item::Event(decode(&key, &value)?));
        }
        group.sort_by_key(Item::place);
        if order == Order::Descending {
            group.reverse();
        }
        for item in group {
            let past = match (from, order) {
                (None, _) => true,
                (Some(from), Order::Ascending) => item.place() > from,
                (Some(from), Order::Descending) => item.place() < from,
            };
            if !past {
                continue;
            }
            if items.len() >= limit {
                let next_cursor = items.last().map(|last| list.cursor(&write_place(last.place())));
                return Ok(Page { items, next_cursor });
            }
            items.push(item);
        }
    }
    Ok(Page { items, next_cursor: None })
}

/// The entry from which the next items are.
fn next_entry(
    messages: &mut MessageWalk<'_>,
    events: &mut Peekable<Scan<'_>>,
    order: Order,
) -> Result<Option<u64>, StoreError> {
    let (message, event) = (messages.peek()?.map(|id| id.seq), peeked_entry(events)?);
    Ok(match (message, event) {
        (Some(message), Some(event)) => Some(match order {
            Order::Ascending => message.min(event),
            Order::Descending => message.max(event),
        }),
        (one, other) => one.or(other),
    })
}

fn peeked_entry(scan: &mut Peekable<Scan<'_>>) -> Result<Option<u64>, StoreError> {
    match scan.peek() {
        None => Ok(None),
        Some(Ok((key, _))) => match keys::last_id(key) {
            Some((seq, _)) => Ok(Some(seq)),
            None => Err(StoreError::damaged(key, "the key is too short")),
        },
        Some(Err(_)) => scan.next().transpose().map(|_| None),
    }
}

fn take_of_entry(scan: &mut Peekable<Scan<'_>>, seq: u64) -> Result<Option<Pair>, StoreError> {
    match peeked_entry(scan)? {
        Some(found) if found == seq => scan.next().transpose(),
        _ => Ok(None),
    }
}

fn write_place((seq, rank, index): Place) -> Vec<u8> {
    let mut bytes = seq.to_be_bytes().to_vec();
    bytes.push(rank);
    bytes.extend_from_slice(&index.to_be_bytes());
    bytes
}

fn read_place(bytes: &[u8]) -> Result<Place, StoreError> {
    let read = || {
        let (seq, rest) = bytes.split_first_chunk::<8>()?;
        let (rank, index) = rest.split_first()?;
        Some((u64::from_be_bytes(*seq), *rank, u32::from_be_bytes(index.try_into().ok()?)))
    };
    read().ok_or(StoreError::Cursor)
}
