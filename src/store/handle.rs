//! The handle of a store: opening, the one writer, and reading typed rows.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::rows::{HotRows, Position, WriteSet};

use super::absence::Absence;
use super::dialog_index::IndexedDialog;
use super::error::StoreError;
use super::files::Files;
use super::key_value::{Batch, KeyValue, Order, Scan};
use super::keys::{self, KeyRange};
use super::known_input;
use super::memory::Memory;
use super::queues::{Change, Queues};
use super::rows::PositionRow;
use super::write::Writer;

/// Keys read in one bite while the filter of absent keys is filled. A dialog's row is a few KiB at most.
const KEYS_AT_A_TIME: usize = 256;

/// How to open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How much of the files sled may keep in memory, in bytes. Other parts of sled come on top.
    pub cache_bytes: u64,
}

impl Settings {
    /// Holds the rows of the last tens of thousands of dialogs, and leaves a daemon with 256 MB in
    /// all comfortable.
    pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache_bytes: Self::CACHE_BYTES }
    }
}

/// An open store. Clones are handles of the same store; it is closed when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Store {
    pairs: Arc<dyn KeyValue>,
    writer: Arc<Mutex<Writer>>,
    absence: Arc<Absence>,
    /// The open dialogs by last change. That is different after each message: written to the files it would be
    /// half of the keys that a message costs.
    open: Arc<Memory>,
    /// Who waits on each line. The order changes with time and with the configuration, so no order of keys is it.
    queues: Arc<Queues>,
}

impl Store {
    /// Opens the store in the folder `path`, or creates an empty one there.
    ///
    /// Fails when another process has it open, when its format is another one, and when it is
    /// damaged; the message says what to do.
    pub fn open(path: &Path, settings: Settings) -> Result<Self, StoreError> {
        Self::over(Arc::new(Files::open(path, settings.cache_bytes)?))
    }

    /// An empty store in a folder of its own that is removed when the store is closed: for tests
    /// and for commands that need a store only while they run.
    pub fn temporary() -> Result<Self, StoreError> {
        Self::over(Arc::new(Files::temporary(Settings::CACHE_BYTES)?))
    }

    /// An empty store in memory alone, with the same keys, values and queries: for the simulation.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::over(Arc::new(Memory::default()))
    }

    /// Begins to use `pairs`: checks the format, or sets it when there is nothing yet.
    pub(super) fn over(pairs: Arc<dyn KeyValue>) -> Result<Self, StoreError> {
        let format = keys::format();
        match pairs.get(&format)? {
            Some(value) if value == keys::FORMAT.to_string().as_bytes() => {}
            Some(value) => {
                let found = String::from_utf8_lossy(&value).chars().take(20).collect();
                return Err(StoreError::Format { found, wanted: keys::FORMAT });
            }
            None => {
                let everything = KeyRange { start: Vec::new(), end: vec![u8::MAX] };
                if !pairs.read(&everything, Order::Ascending, 1)?.is_empty() {
                    return Err(StoreError::Format { found: "none".to_owned(), wanted: keys::FORMAT });
                }
                let mut batch = Batch::default();
                batch.put(format, keys::FORMAT.to_string().into_bytes());
                pairs.apply(batch)?;
            }
        }
        let absence = Arc::new(Absence::new());
        let mut store =
            Self { pairs, writer: Arc::default(), absence, open: Arc::default(), queues: Arc::default() };
        store.writer = Arc::new(Mutex::new(Writer::at(&store)?));
        store.find_open()?;
        store.learn_keys()?;
        Ok(store)
    }

    /// Stores everything of `set` with its position in one atomic step. One thread calls this.
    ///
    /// It survives a killed process after [`Store::flush`]; until then the store may come back as
    /// it was at an earlier position, never in between.
    ///
    /// After an error nothing may be written any more: the daemon must be restarted.
    pub fn write(&self, set: &WriteSet) -> Result<(), StoreError> {
        self.writer.lock().write(self, set)
    }

    /// Hands everything written so far to the operating system. Called now and then by the writer,
    /// and at shutdown.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.pairs.flush()
    }

    /// How far the journal has been applied; entry 0 for an empty store.
    pub fn position(&self) -> Result<Position, StoreError> {
        Ok(self.row::<PositionRow>(&keys::position())?.map(Position::from).unwrap_or_default())
    }

    /// What must be in memory before the next entry is applied. Reads what is open, never history.
    pub fn hot_rows(&self) -> Result<HotRows, StoreError> {
        super::hot::hot_rows(self)
    }

    /// SHA-256 (lower-case hexadecimal) over all keys and values in key order. Equal for two stores
    /// that the same entries led to, however they were grouped. Reads everything, and no write
    /// happens meanwhile.
    pub fn digest(&self) -> Result<String, StoreError> {
        let _writer = self.writer.lock();
        super::digest::digest(self)
    }

    /// How large the files are, in bytes; 0 in memory.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.pairs.size_on_disk()
    }

    /// Finds the open dialogs, when they last changed, and who of them waits.
    fn find_open(&self) -> Result<(), StoreError> {
        let mut places = Batch::default();
        let mut waiting = Vec::new();
        for dialog in super::hot::listed::<IndexedDialog>(self, keys::open_dialogs(), keys::dialog_at)? {
            if let Some(place) = dialog.place_while_open() {
                places.put(place, Vec::new());
            }
            waiting.push((None, dialog.standing()));
        }
        self.queues.change(waiting);
        self.open.apply(places)
    }

    /// Tells the filter of absent keys what is there. A store with history is read on a thread beside;
    /// until that is done nothing counts as absent.
    fn learn_keys(&self) -> Result<(), StoreError> {
        let kinds =
            || keys::looked_up_first().into_iter().chain([keys::dialogs(), keys::all_message_lists()]);
        let is_new = kinds()
            .map(|range| self.pairs.read(&range, Order::Ascending, 1))
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .all(Vec::is_empty);
        if is_new {
            self.absence.complete();
            return Ok(());
        }
        // The thread must not keep a closed store open.
        let (pairs, absence) = (Arc::downgrade(&self.pairs), Arc::downgrade(&self.absence));
        let learning = std::thread::Builder::new().name("store keys".to_owned()).spawn(move || {
            for mut range in kinds() {
                loop {
                    let (Some(pairs), Some(absence)) = (pairs.upgrade(), absence.upgrade()) else { return };
                    // What cannot be read here is found by whoever needs it; nothing counts as absent then.
                    let Ok(found) = pairs.read(&range, Order::Ascending, KEYS_AT_A_TIME) else { return };
                    for pair in &found {
                        if keys::is_looked_up_first(&pair.0) {
                            absence.add(&pair.0);
                        } else if known_input::learn(&absence, pairs.as_ref(), pair).is_err() {
                            return;
                        }
                    }
                    match found.last() {
                        Some((last, _)) if found.len() == KEYS_AT_A_TIME => {
                            range.start = keys::successor(last.clone());
                        }
                        _ => break,
                    }
                }
            }
            if let Some(absence) = absence.upgrade() {
                absence.complete();
            }
        });
        // Without the thread everything works as before, only slower.
        drop(learning);
        Ok(())
    }

    /// Whether `key` is surely not there. Only for keys that are made known before they are written.
    pub(super) fn is_absent(&self, key: &[u8]) -> bool {
        self.absence.is_absent(key)
    }

    /// From now on `key` counts as one that may be there.
    pub(super) fn expect(&self, key: &[u8]) {
        self.absence.add(key);
    }

    /// The row at `key`, which is of a kind that is asked for before it exists.
    pub(super) fn row_if_present<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        if self.absence.is_absent(key) { Ok(None) } else { self.row(key) }
    }

    /// The row at `key`.
    pub(super) fn row<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.pairs.get(key)?.map(|value| decode(key, &value)).transpose()
    }

    /// The value at `key`.
    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.pairs.get(key)
    }

    /// A walk over a range.
    pub(super) fn scan(&self, range: KeyRange, order: Order) -> Scan<'_> {
        Scan::new(self.pairs.as_ref(), range, order)
    }

    /// A walk over the open dialogs by last change. The places are those of the row as it is, or was until just
    /// now.
    pub(super) fn scan_open(&self, range: KeyRange, order: Order) -> Scan<'_> {
        Scan::new(self.open.as_ref(), range, order)
    }

    /// Who waits on each line.
    pub(super) fn queues(&self) -> &Queues {
        &self.queues
    }

    /// All rows of a range, in key order.
    pub(super) fn rows<T: DeserializeOwned>(&self, range: KeyRange) -> Result<Vec<T>, StoreError> {
        self.scan(range, Order::Ascending)
            .map(|pair| pair.and_then(|(key, value)| decode(&key, &value)))
            .collect()
    }

    /// Makes all changes of a batch, atomically. `open` are the places of open dialogs that it changes, `waiting`
    /// how those that wait stood, and stand.
    pub(super) fn apply(&self, batch: Batch, open: Batch, waiting: Vec<Change>) -> Result<(), StoreError> {
        batch.keys().filter(|key| keys::is_looked_up_first(key)).for_each(|key| self.absence.add(key));
        // A reader who comes in between finds a dialog at both its places, and at the right one when it looks
        // at the row.
        self.open.apply(open.puts())?;
        self.pairs.apply(batch)?;
        self.queues.change(waiting);
        self.open.apply(open)
    }
}

/// The part of a value that is a row: its first line. Behind a dialog's row stand lines of its list.
pub(super) fn json(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b'\n').next().unwrap_or(value)
}

/// Reads a row.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json(value)).map_err(|error| StoreError::damaged(key, error.to_string()))
}

/// Writes a value behind others.
pub(super) fn encode_into<T: Serialize + ?Sized>(row: &T, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
    serde_json::to_writer(bytes, row).map_err(|error| StoreError::Encode { reason: error.to_string() })
}

/// Writes a value.
pub(super) fn encode<T: Serialize + ?Sized>(row: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(row).map_err(|error| StoreError::Encode { reason: error.to_string() })
}
