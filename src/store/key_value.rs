//! What the store needs of a place that keeps sorted keys with values. Two exist: sled's files and
//! a sorted map in memory; everything else in this room works on either.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use super::error::StoreError;
use super::keys::{Key, KeyRange};

/// A key with its value.
pub(super) type Pair = (Key, Vec<u8>);

/// Which end of a range comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The lowest key first.
    Ascending,
    /// The highest key first.
    Descending,
}

/// Changes that are made together or not at all. The last change of a key counts.
#[derive(Debug, Default)]
pub(super) struct Batch(BTreeMap<Key, Option<Vec<u8>>>);

impl Batch {
    /// Sets a value.
    pub(super) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.0.insert(key, Some(value));
    }

    /// Removes a key, if it is there.
    pub(super) fn delete(&mut self, key: Key) {
        self.0.insert(key, None);
    }

    /// What this batch makes of a key: `None` leaves it alone, `Some(None)` removes it.
    pub(super) fn change(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.0.get(key).map(Option::as_deref)
    }

    /// What it sets, without what it removes.
    pub(super) fn puts(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(_, change)| change.is_some())
                .map(|(key, change)| (key.clone(), change.clone()))
                .collect(),
        )
    }

    /// The keys that are set or removed.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// The changes, in key order.
    pub(super) fn into_changes(self) -> impl Iterator<Item = (Key, Option<Vec<u8>>)> {
        self.0.into_iter()
    }
}

/// Sorted keys with values.
pub(super) trait KeyValue: Send + Sync + fmt::Debug {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` pairs from one end of a range.
    fn read(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Makes all changes of a batch, atomically for readers and across a crash. Called by one
    /// thread at a time.
    fn apply(&self, batch: Batch) -> Result<(), StoreError>;

    /// Returns when all that was applied is with the operating system.
    fn flush(&self) -> Result<(), StoreError>;

    /// Bytes in files; 0 in memory.
    fn size_on_disk(&self) -> Result<u64, StoreError>;
}

/// Walks over a range in bites, so that neither a lock nor a whole range is held in between.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pairs: &'a dyn KeyValue,
    range: KeyRange,
    order: Order,
    bite: usize,
    bite_max: usize,
    ready: VecDeque<Pair>,
    finished: bool,
}

impl<'a> Scan<'a> {
    /// Most pages are short, so the first bite is too; it doubles from there.
    const BITE_FIRST: usize = 16;
    /// Beyond this a bigger bite saves nothing and only holds memory.
    const BITE_MAX: usize = 256;

    /// A walk over `range`.
    pub(super) fn new(pairs: &'a dyn KeyValue, range: KeyRange, order: Order) -> Self {
        Self {
            pairs,
            range,
            order,
            bite: Self::BITE_FIRST,
            bite_max: Self::BITE_MAX,
            ready: VecDeque::new(),
            finished: false,
        }
    }

    /// Holds at most `pairs` at a time: for rows that are large.
    pub(super) fn in_bites_of(mut self, pairs: usize) -> Self {
        self.bite = pairs;
        self.bite_max = pairs;
        self
    }

    fn refill(&mut self) -> Result<(), StoreError> {
        if self.finished || self.range.start >= self.range.end {
            self.finished = true;
            return Ok(());
        }
        let pairs = self.pairs.read(&self.range, self.order, self.bite)?;
        self.finished = pairs.len() < self.bite;
        if let Some((last, _)) = pairs.last() {
            match self.order {
                Order::Ascending => self.range.start = super::keys::successor(last.clone()),
                Order::Descending => self.range.end = last.clone(),
            }
        }
        self.bite = (self.bite * 2).min(self.bite_max);
        self.ready = pairs.into();
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && let Err(error) = self.refill()
        {
            self.finished = true;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}
