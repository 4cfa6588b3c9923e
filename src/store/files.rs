//! Keys and values in sled's files. The only file of the product that names sled.
//!
//! Known of sled 0.34.7 and minded here: the cache must be bounded (1 GiB otherwise); opening
//! damaged files may panic; `flush_async` may deadlock, so there is no background flush either and
//! the writer calls [`KeyValue::flush`]; `flush` does not fsync on Linux, so only the journal makes
//! anything survive a power cut; a tree node over 128 KiB becomes a file of its own at each change, so
//! values are kept far below that; its threads may hold the lock of the files a moment longer than whoever opened
//! them, so a lock that is taken is asked for again for a while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::error::StoreError;
use super::key_value::{Batch, KeyValue, Order, Pair};
use super::keys::KeyRange;

/// How often a lock that is taken is asked for: for a second, far longer than sled's threads need to end.
const LOCK_TRIES: usize = 50;

/// The wait between two of these.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// An open sled database; the rows are in its default tree.
#[derive(Debug)]
pub(super) struct Files {
    database: sled::Db,
}

impl Files {
    /// Opens or creates the files in the folder `path`.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let config = settings(cache_bytes).path(path);
        unlocked(|| Self::start(&config))
    }

    /// Files in a folder of their own that is removed when they are closed.
    pub(super) fn temporary(cache_bytes: u64) -> Result<Self, StoreError> {
        Self::start(&settings(cache_bytes).temporary(true))
    }

    /// `config` must not be changed any more: a changed copy of a temporary one shares its folder,
    /// and the first of the two that goes away removes it.
    fn start(config: &sled::Config) -> Result<Self, StoreError> {
        let path = config.get_path();
        // sled panics on some kinds of damage; nothing of what it was building is used afterwards.
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(database)) => Ok(Self { database }),
            Ok(Err(error)) => {
                let reason = words(&error);
                // sled has no variant of its own for this.
                if reason.contains("could not acquire lock") {
                    return Err(StoreError::InUse { path });
                }
                Err(StoreError::Open { path, reason })
            }
            Err(panic) => {
                let words = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                let reason = words.unwrap_or_else(|| "sled panicked".to_owned());
                Err(StoreError::Open { path, reason })
            }
        }
    }
}

/// Tries something that needs the lock of the files, again for a while as long as that is taken.
pub(super) fn unlocked<T>(attempt: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 1..LOCK_TRIES {
        match attempt() {
            Err(StoreError::InUse { .. }) => thread::sleep(LOCK_PAUSE),
            done => return done,
        }
    }
    attempt()
}

/// What every database is opened with.
fn settings(cache_bytes: u64) -> sled::Config {
    sled::Config::new().cache_capacity(cache_bytes).flush_every_ms(None)
}

impl KeyValue for Files {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.database.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn read(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let found = self.database.range(range.start.as_slice()..range.end.as_slice());
        let owned = |pair: sled::Result<(sled::IVec, sled::IVec)>| match pair {
            Ok((key, value)) => Ok((key.to_vec(), value.to_vec())),
            Err(error) => Err(failed(error)),
        };
        match order {
            Order::Ascending => found.take(limit).map(owned).collect(),
            Order::Descending => found.rev().take(limit).map(owned).collect(),
        }
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let mut changes = sled::Batch::default();
        for (key, change) in batch.into_changes() {
            match change {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        self.database.apply_batch(changes).map_err(|error| {
            // After a failed write sled waits forever when it is closed. One handle that is never
            // given back lets the process end instead.
            let _never_closed: &mut sled::Db = Box::leak(Box::new(self.database.clone()));
            failed(error)
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.database.flush().map(drop).map_err(failed)
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.database.size_on_disk().map_err(failed)
    }
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Backend { reason: words(&error) }
}

/// What sled says of damage is meant for its own authors.
fn words(error: &sled::Error) -> String {
    match error {
        sled::Error::Corruption { .. } => "its files are damaged".to_owned(),
        other => other.to_string(),
    }
}
