//! What can go wrong in the store, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::engine::rows::ArchiveError;

/// The remedy for everything that is wrong inside the store's folder: it holds nothing that the
/// journal does not.
macro_rules! rebuild {
    () => {
        "stop the daemon, delete the store's folder (not the journal) and run `switchboard rebuild`"
    };
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be opened as a store.
    #[error("cannot open the store in {}: {reason}; {}", path.display(), rebuild!())]
    Open {
        /// The folder.
        path: PathBuf,
        /// What sled said.
        reason: String,
    },
    /// Another process has it open.
    #[error("the store in {} is in use by another process; stop that process first", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It was written by a release with another layout.
    #[error("the store has format {found} and this release reads format {wanted}; {}", rebuild!())]
    Format {
        /// What the store says; `none` where it says nothing.
        found: String,
        /// What this release reads and writes.
        wanted: u32,
    },
    /// A row does not read back.
    #[error("the store is damaged at key {key}: {reason}; {}", rebuild!())]
    Damaged {
        /// The key, in hexadecimal.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// The disk or sled failed.
    #[error("the store failed: {reason}; restart the daemon, and if it fails again {}", rebuild!())]
    Backend {
        /// What sled said.
        reason: String,
    },
    /// A write failed before: what is on disk is behind what the engine believes.
    #[error("the store takes no more writes after a failed one; restart the daemon")]
    Stopped,
    /// A row cannot be written as JSON. A mistake of ours.
    #[error("a row cannot be written as JSON: {reason}; please report this")]
    Encode {
        /// What the serialiser said.
        reason: String,
    },
    /// A write set does not continue where the store is. A mistake of ours.
    #[error("the store is at entry {stored} and was given something of entry {given}; please report this")]
    OutOfOrder {
        /// The last entry that the store holds.
        stored: u64,
        /// The entry that it was given.
        given: u64,
    },
    /// The text is not a cursor that the same list gave out.
    #[error("the cursor was not given out by this list; start again without a cursor")]
    Cursor,
    /// The folder that was to be removed does not look like a store.
    #[error(
        "{} is not removed: it holds `{stranger}`, which does not belong to a store; check the path",
        path.display()
    )]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// The first entry of it that is no part of a store.
        stranger: String,
    },
    /// The folder could not be looked into or removed.
    #[error("cannot look into or remove {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl StoreError {
    /// The row at `key` does not read back.
    pub(super) fn damaged(key: &[u8], reason: impl Into<String>) -> Self {
        Self::Damaged { key: hexadecimal(key), reason: reason.into() }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// Two lower-case digits per byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
