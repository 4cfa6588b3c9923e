//! Pages of lists, and the walk that most of them share.

use serde::de::DeserializeOwned;

use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::{Store, decode};
use crate::store::key_value::{Order, Pair, Scan};
use crate::store::keys::{Key, KeyRange};

/// Most items of a page, whatever is asked for: a page is held in memory as a whole.
pub const LIMIT_MAX: usize = 1_000;

/// Most rows that one page looks at. Bounds the time of a page to tens of milliseconds, whatever
/// the filter.
pub const EXAMINED_MAX: usize = 10_000;

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; `None`: this was the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// No items and nothing to come.
    pub(super) const fn empty() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }
}

/// In which direction a history is read, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk<'a> {
    /// Oldest first, after this cursor or from the beginning.
    Forward(Option<&'a str>),
    /// Newest first, before this cursor or from the end.
    Backward(Option<&'a str>),
}

impl<'a> Walk<'a> {
    /// Where the walk goes on, if it does.
    pub(super) const fn cursor(self) -> Option<&'a str> {
        match self {
            Self::Forward(cursor) | Self::Backward(cursor) => cursor,
        }
    }

    /// The order of keys that the walk follows.
    pub(super) const fn order(self) -> Order {
        match self {
            Self::Forward(_) => Order::Ascending,
            Self::Backward(_) => Order::Descending,
        }
    }
}

/// What is left of a range of `prefix` after `place`, in an order.
pub(super) fn rest(range: KeyRange, place: Option<&[u8]>, order: Order) -> KeyRange {
    let Some(place) = place else { return range };
    let key = [range.start.as_slice(), place].concat();
    match order {
        Order::Ascending => range.after(key),
        Order::Descending => range.before(key),
    }
}

/// A page of the rows of a range whose keys are its prefix and a place of `list`.
pub(super) fn rows<T: DeserializeOwned>(
    store: &Store,
    list: List,
    range: KeyRange,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<T>, StoreError> {
    let place = walk.cursor().map(|cursor| list.place(cursor)).transpose()?;
    let order = walk.order();
    let mut scan = store.scan(rest(range, place.as_deref(), order), order);
    let mut items = Vec::new();
    let mut last = Key::new();
    for pair in scan.by_ref().take(limit.clamp(1, LIMIT_MAX)) {
        let (key, value) = pair?;
        items.push(decode(&key, &value)?);
        last = key;
    }
    let next_cursor = match scan.next().transpose()? {
        Some(_) => Some(list.cursor(list.place_in(&last)?)),
        None => None,
    };
    Ok(Page { items, next_cursor })
}

/// Several ranges of one list, walked as one in the order of their places.
pub(super) struct Merged<'a> {
    list: List,
    order: Order,
    scans: Vec<std::iter::Peekable<Scan<'a>>>,
}

impl<'a> Merged<'a> {
    /// A walk over what `scans` walk over, each in `order`: keys that are a prefix and a place of `list`.
    pub(super) fn new(list: List, scans: Vec<Scan<'a>>, order: Order) -> Self {
        Self { list, order, scans: scans.into_iter().map(Iterator::peekable).collect() }
    }

    /// The next place and the value there.
    pub(super) fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        let mut best: Option<(usize, Vec<u8>)> = None;
        for (number, scan) in self.scans.iter_mut().enumerate() {
            let place = match scan.peek() {
                None => continue,
                Some(Ok((key, _))) => self.list.place_in(key)?,
                // Handed out below, by taking it.
                Some(Err(_)) => {
                    best = Some((number, Vec::new()));
                    break;
                }
            };
            let better = match (&best, self.order) {
                (None, _) => true,
                (Some((_, found)), Order::Ascending) => place < found.as_slice(),
                (Some((_, found)), Order::Descending) => place > found.as_slice(),
            };
            if better {
                best = Some((number, place.to_vec()));
            }
        }
        let Some((number, place)) = best else { return Ok(None) };
        match self.scans.get_mut(number).and_then(Iterator::next) {
            None => Ok(None),
            Some(pair) => pair.map(|(_, value)| Some((place, value))),
        }
    }
}
