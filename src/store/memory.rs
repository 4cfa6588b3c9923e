//! Keys and values in a sorted map: for the simulation and for tests.

use std::collections::BTreeMap;

use parking_lot::RwLock;

use super::error::StoreError;
use super::key_value::{Batch, KeyValue, Order, Pair};
use super::keys::{Key, KeyRange};

/// A sorted map. What is in it ends with the process.
#[derive(Debug, Default)]
pub(super) struct Memory(RwLock<BTreeMap<Key, Vec<u8>>>);

impl KeyValue for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.read().get(key).cloned())
    }

    fn read(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let pairs = self.0.read();
        let found = pairs.range::<[u8], _>((
            std::ops::Bound::Included(range.start.as_slice()),
            std::ops::Bound::Excluded(range.end.as_slice()),
        ));
        let owned = |(key, value): (&Key, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => found.take(limit).map(owned).collect(),
            Order::Descending => found.rev().take(limit).map(owned).collect(),
        })
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let mut pairs = self.0.write();
        for (key, change) in batch.into_changes() {
            match change {
                Some(value) => drop(pairs.insert(key, value)),
                None => drop(pairs.remove(&key)),
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}
