//! The witness: one small file that remembers what was durable.
//!
//! The segments alone cannot tell a group that was never finished from one that was damaged later
//! when nothing comes behind it, nor a file that was cut at a record's border from a short one. The
//! witness can: it names the last entry that a sync has confirmed. It is written after the sync and
//! not synced itself, which costs no time. So it may lag behind after a power loss (never after a
//! kill), but what it says stays true.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::super::JournalError;
use super::WitnessFound;
use super::format::{WITNESS_LEN, Witness, read_witness, witness_bytes};

/// The name of the file.
pub(super) const WITNESS_NAME: &str = "durable";

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct WitnessFile {
    file: File,
    path: PathBuf,
}

/// Reads what the witness says. `Missing` here only means that there is no file.
pub(super) fn read(directory: &Path) -> Result<(Option<Witness>, WitnessFound), JournalError> {
    let path = directory.join(WITNESS_NAME);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, WitnessFound::Missing)),
        Err(error) => return Err(JournalError::io("open", &path)(error)),
    };
    let mut bytes = Vec::with_capacity(WITNESS_LEN);
    // One byte more than there may be, so that a longer file is seen as such.
    file.take(WITNESS_LEN as u64 + 1).read_to_end(&mut bytes).map_err(JournalError::io("read", &path))?;
    Ok(match read_witness(&bytes) {
        Some(witness) => (Some(witness), WitnessFound::Agrees),
        None => (None, WitnessFound::Unreadable),
    })
}

impl WitnessFile {
    /// Opens the file for writing, making it if there is none.
    pub(super) fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(WITNESS_NAME);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(JournalError::io("open", &path))?;
        Ok(Self { file, path })
    }

    /// Notes what is durable now.
    pub(super) fn note(&mut self, witness: &Witness) -> Result<(), JournalError> {
        let written =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&witness_bytes(witness)));
        written.map_err(JournalError::io("write", &self.path))
    }

    /// Notes it and waits until the note itself is durable.
    pub(super) fn note_durably(&mut self, witness: &Witness) -> Result<(), JournalError> {
        self.note(witness)?;
        self.file
            .set_len(WITNESS_LEN as u64)
            .and_then(|()| self.file.sync_all())
            .map_err(JournalError::io("sync", &self.path))
    }
}
