//! The journal of a single machine: append-only segment files in one directory.
//!
//! Lives here: [`FileJournal`], made of `format` (the bytes), `segment` (reading one file),
//! `recover` (opening), `append` (writing, rotation, purge), `spare` (the next file, prepared), `read`
//! (streaming, full verification) and `witness` (the second record of what was durable). May be called by whoever
//! owns a journal, through [`super::Journal`]. Uses `std::fs` alone and blocks.
//!
//! Invariant: nothing in these files is ever changed, only appended to or written over zeros behind the end of
//! history, and the one thing ever cut is a group at the very end for which no `append` has returned.

mod append;
mod format;
mod read;
mod recover;
mod segment;
mod spare;
mod witness;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Entries, Head, Journal, JournalError, SealedEntry};

/// How large a segment grows before the next one begins, bytes. Opening reads one segment in full,
/// purging drops whole ones: 64 MiB keeps the first short and the second fine.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A segment that has reached this many bytes is sealed. It is exceeded only by a single group
    /// that is larger.
    pub segment_bytes: u64,
    /// Whether the file of the next segment is filled with zeros before it is needed, which halves the time of
    /// a sync.
    pub spare: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES_DEFAULT, spare: true }
    }
}

/// What opening found. Everything but the default is worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The tail that was cut, if any.
    pub cut: Option<CutTail>,
    /// What the witness file said.
    pub witness: WitnessFound,
}

/// A group at the end of the last segment that was never completely written. No `append` returned
/// for it, so nothing that was acknowledged is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutTail {
    /// The segment.
    pub path: PathBuf,
    /// Its length now, bytes.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
    /// What was found at `offset`.
    pub what: &'static str,
}

/// What became of the question whether the segments hold all that was durable once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitnessFound {
    /// They do.
    Agrees,
    /// The journal is new.
    New,
    /// There was no witness file although there are entries: it was deleted, or not restored.
    Missing,
    /// The witness file is not readable; a power loss may do that.
    Unreadable,
}

/// What a full verification has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Segment files.
    pub segments: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of all segment files.
    pub bytes: u64,
    /// The oldest entry that is kept.
    pub first_seq: u64,
    /// The last entry.
    pub head: Head,
}

/// A journal in a directory. The directory is locked as long as this value lives.
#[derive(Debug)]
pub struct FileJournal {
    directory: PathBuf,
    settings: Settings,
    /// Held open for its lock.
    _lock: File,
    /// The segments in order, by the number of the first entry. Never empty.
    segments: Vec<u64>,
    active: Active,
    spare: spare::Spare,
    witness: witness::WitnessFile,
    head: Head,
    poisoned: bool,
    /// The bytes of a group while it is written; kept for its capacity.
    buffer: Vec<u8>,
}

/// The last segment, which is written to.
#[derive(Debug)]
struct Active {
    file: File,
    path: PathBuf,
    /// Up to where it is history, bytes. There may be zeros behind.
    length: u64,
}

impl FileJournal {
    /// Opens the journal in a directory, which is made if there is none.
    ///
    /// Reads the header and the seal of every segment and all of the last one. A tail that was
    /// never completely written is cut and reported; anything else that is not as it was written
    /// is refused, and then nothing is changed on disk. Older segments are checked when they are
    /// read, and all at once by [`Self::verify`].
    ///
    /// # Errors
    /// [`JournalError::Locked`], [`JournalError::Damaged`], [`JournalError::UnknownVersion`],
    /// [`JournalError::Io`].
    pub fn open(directory: &Path, settings: Settings) -> Result<(Self, Recovery), JournalError> {
        recover::open(directory, settings)
    }

    /// Reads every byte of every segment and checks all there is to check: checksums, numbers,
    /// hashes, groups, seals. `progress` is called now and then with the bytes done and the bytes
    /// to do.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] with the first damage, or whatever reading meets.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, JournalError> {
        read::verify(self, progress)
    }

    /// The file of the segment that begins with this entry.
    fn segment_path(&self, first_seq: u64) -> PathBuf {
        self.directory.join(format::segment_name(first_seq))
    }
}

impl Journal for FileJournal {
    fn head(&self) -> Head {
        self.head
    }

    fn first_seq(&self) -> u64 {
        self.segments.first().copied().unwrap_or(1)
    }

    fn append(&mut self, expected: u64, entries: &[SealedEntry]) -> Result<(), JournalError> {
        append::append(self, expected, entries)
    }

    fn read_from(&self, seq: u64) -> Result<Entries<'_>, JournalError> {
        read::read_from(self, seq)
    }

    fn purge(&mut self, before: u64) -> Result<u64, JournalError> {
        append::purge(self, before)
    }
}
