//! The journal: what was acknowledged, in order, for ever or until it is purged.
//!
//! Lives here: the [`Journal`] contract, how an entry becomes bytes ([`encode`]), the segment
//! files of a single machine ([`files`]) and a journal in memory for simulation ([`memory`]).
//! May be called by `node` and `cli` alone: one writer appends, on a thread that may block. Uses
//! `model`; knows no clock, no network, no store and no async runtime.
//!
//! Invariant: an entry for which `append` returned `Ok` is read back byte for byte, at its place,
//! after any crash. When that cannot be shown, the journal says so and refuses; it never skips an
//! entry, never changes one and never guesses. The file format is described in `docs/journal.md`.

pub mod encode;
pub mod error;
pub mod files;
pub mod memory;

#[cfg(test)]
mod contract;

use crate::model::entry::{Entry, EntryHash};

pub use encode::{SealedEntry, seal};
pub use error::{JournalError, JournalErrorKind};
pub use files::{FileJournal, Settings};
pub use memory::MemoryJournal;

/// The largest entry, in bytes. The largest honest input is a whole configuration, well below it;
/// the limit keeps a damaged length field from asking for gigabytes.
pub const ENTRY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest sum of entry bytes of one `append`. A group is buffered once as a whole, so this
/// bounds the writer's memory.
pub const GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A position in history: the last entry up to that point, by number and by hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry; 0 before the first.
    pub seq: u64,
    /// The hash of that entry's bytes; [`EntryHash::ZERO`] before the first.
    pub hash: EntryHash,
    /// That entry's time, milliseconds; the next is not before it.
    pub at_ms: u64,
    /// That entry's epoch; the next is not below it.
    pub epoch: u64,
}

impl Head {
    /// The position before the first entry.
    pub const EMPTY: Self = Self { seq: 0, hash: EntryHash::ZERO, at_ms: 0, epoch: 0 };
}

/// An entry as read from a journal: intact and the true successor of the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// The hash of its bytes, which its successor names as `prev_hash`.
    pub hash: EntryHash,
}

/// The entries of a journal in order. After the first error it ends.
pub type Entries<'a> = Box<dyn Iterator<Item = Result<Recorded, JournalError>> + 'a>;

/// An ordered, durable, append-only list of entries with one writer.
///
/// Small on purpose: a replicated log of an existing engine can keep these promises too.
pub trait Journal: Send {
    /// The last durable entry. Answers from memory.
    fn head(&self) -> Head;

    /// The number of the oldest entry that is still kept; `head().seq + 1` when none is.
    fn first_seq(&self) -> u64;

    /// Appends a group behind the entry `expected`, which must be the head's `seq`.
    ///
    /// Returns `Ok` only when every entry of the group is durable (one sync for the whole group),
    /// and then `head` is its last entry. The group is atomic: after a crash all of it or nothing
    /// is there. An empty group does nothing.
    ///
    /// # Errors
    /// [`JournalError::Conflict`], [`JournalError::OutOfOrder`] and [`JournalError::TooLarge`]
    /// change nothing. After any other error it is unknown whether the group is durable, the head
    /// stays where it was, and every later append answers [`JournalError::Poisoned`]: a failed
    /// write is never tried again, since a second sync can succeed without the first one's bytes.
    /// The caller acknowledges nothing more and ends the process; opening again finds the truth.
    fn append(&mut self, expected: u64, entries: &[SealedEntry]) -> Result<(), JournalError>;

    /// All entries from `seq` to the head, in order, in bounded memory whatever their number.
    /// `seq` 0 means 1; `head().seq + 1` gives an empty list.
    ///
    /// Each entry is checked before it is handed out: intact, of a known format, with the number
    /// that is due and with the hash of its predecessor.
    ///
    /// # Errors
    /// [`JournalError::Purged`] when `seq` is older than what is kept, [`JournalError::Shorter`]
    /// when it is beyond the head; [`JournalError::Damaged`] in the list where damage is met.
    fn read_from(&self, seq: u64) -> Result<Entries<'_>, JournalError>;

    /// Lets go of history older than the entry `before`, as far as that is cheap: the entries
    /// `before` and later stay, older ones may stay. The head never changes. Answers the new
    /// `first_seq`.
    ///
    /// # Errors
    /// [`JournalError::Io`], after which it is safe to call again; [`JournalError::Poisoned`].
    fn purge(&mut self, before: u64) -> Result<u64, JournalError>;

    /// Checks that the entry `seq` is in this history with this hash: the question of a store that
    /// has applied entries up to there. It finds what a journal cannot see by itself: that it was
    /// replaced by a shorter or a different, in itself flawless, one.
    ///
    /// # Errors
    /// [`JournalError::Shorter`], [`JournalError::Differs`], [`JournalError::Purged`] when the
    /// entry after `seq` is gone too, or whatever reading meets.
    fn verify_contains(&self, seq: u64, hash: EntryHash) -> Result<(), JournalError> {
        let head = self.head();
        let found = if seq == head.seq {
            head.hash
        } else if seq == 0 {
            EntryHash::ZERO
        } else if seq > head.seq {
            return Err(JournalError::Shorter { wanted: seq, head: head.seq });
        } else {
            // The successor names the hash, so that this works when `seq` itself was purged.
            match self.read_from(seq.saturating_add(1))?.next() {
                Some(next) => next?.entry.prev_hash,
                None => return Err(JournalError::Shorter { wanted: seq, head: head.seq }),
            }
        };
        if found == hash { Ok(()) } else { Err(JournalError::Differs { seq, expected: hash, found }) }
    }
}
