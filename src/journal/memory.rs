//! A journal in memory: for simulation and for tests of other rooms. Nothing survives the process.

use std::collections::VecDeque;

use super::encode::{check_group, decode};
use super::{Entries, GROUP_BYTES_MAX, Head, Journal, JournalError, SealedEntry};

/// The contract of [`Journal`] without a disk. A clone is a copy of the history at that moment,
/// which a simulation can bring back as what survived a crash.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    /// The position before the oldest kept entry.
    base: Head,
    entries: VecDeque<SealedEntry>,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryJournal {
    /// An empty journal.
    pub const fn new() -> Self {
        Self { base: Head::EMPTY, entries: VecDeque::new() }
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Head {
        self.entries.back().map_or(self.base, SealedEntry::position)
    }

    fn first_seq(&self) -> u64 {
        self.base.seq.saturating_add(1)
    }

    fn append(&mut self, expected: u64, entries: &[SealedEntry]) -> Result<(), JournalError> {
        let head = self.head();
        if expected != head.seq {
            return Err(JournalError::Conflict { expected, head: head.seq });
        }
        check_group(head, entries, GROUP_BYTES_MAX)?;
        self.entries.extend(entries.iter().cloned());
        Ok(())
    }

    fn read_from(&self, seq: u64) -> Result<Entries<'_>, JournalError> {
        let (seq, first, head) = (seq.max(1), self.first_seq(), self.head().seq);
        if seq < first {
            return Err(JournalError::Purged { wanted: seq, first });
        }
        if seq > head.saturating_add(1) {
            return Err(JournalError::Shorter { wanted: seq, head });
        }
        // More entries than `usize` holds cannot be in memory: the conversion does not fail.
        let skip = usize::try_from(seq.saturating_sub(first)).unwrap_or(usize::MAX);
        let before = skip.checked_sub(1).and_then(|index| self.entries.get(index));
        let mut position = before.map_or(self.base, SealedEntry::position);
        Ok(Box::new(self.entries.iter().skip(skip).map(move |sealed| {
            let before = std::mem::replace(&mut position, sealed.position());
            decode(sealed.bytes(), &before)
                .map_err(|source| JournalError::Unreadable { seq: sealed.seq(), source })
        })))
    }

    fn purge(&mut self, before: u64) -> Result<u64, JournalError> {
        // The head stays, as it does in files, where the last segment is never dropped.
        while self.entries.len() > 1 && self.entries.front().is_some_and(|entry| entry.seq() < before) {
            if let Some(gone) = self.entries.pop_front() {
                self.base = gone.position();
            }
        }
        Ok(self.first_seq())
    }
}
