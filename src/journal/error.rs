//! What can go wrong with a journal, and what the ops team does about it.
//!
//! Paths may stand in these texts: they go to the terminal and the log of the people who run the
//! daemon, never to an API client.

use std::path::{Path, PathBuf};

use crate::model::entry::EntryHash;

use super::encode::DecodeError;

/// Why the journal does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The operating system refused. After a failed append the journal is poisoned.
    #[error("cannot {action} {}: {source}; check space, rights and the health of the disk, then start again", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Another process has this journal open.
    #[error(
        "{} is locked: another switchboard has this journal open; stop it first, or give this one its own directory",
        path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Bytes that were durable are not what they were. Nothing was changed on disk.
    #[error(
        "{} is damaged at byte {offset}: {what}; nothing was changed; keep a copy of the directory and see \
         docs/journal.md, \"When it refuses\"",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damage begins, in bytes from the start of the file.
        offset: u64,
        /// What was found there.
        what: String,
    },
    /// A later release wrote this file.
    #[error(
        "{} has the file format {found}, this program knows {known}; start the release that wrote it, or a later one",
        path.display()
    )]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The version that this program reads and writes.
        known: u32,
    },
    /// The caller's idea of the head is not the head. Nothing was appended.
    #[error(
        "cannot append after entry {expected}: the journal's last entry is {head}; read up to there first"
    )]
    Conflict {
        /// What the caller took for the head.
        expected: u64,
        /// What is the head.
        head: u64,
    },
    /// The group does not continue history. Nothing was appended.
    #[error("cannot append entry {seq}: its {what}; entries are sealed one after the other from the head")]
    OutOfOrder {
        /// The first entry that does not fit.
        seq: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// The group is larger than [`super::GROUP_BYTES_MAX`]. Nothing was appended.
    #[error("cannot append a group of {bytes} bytes: the limit is {limit}; append it in parts")]
    TooLarge {
        /// The size of the group.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An earlier write or sync failed.
    #[error("the journal accepts nothing since an earlier write failed; end the process and start it again")]
    Poisoned,
    /// The entry was purged.
    #[error(
        "entry {wanted} was purged, the oldest kept is {first}; start from a snapshot that reaches {first}"
    )]
    Purged {
        /// The entry asked for.
        wanted: u64,
        /// The oldest kept.
        first: u64,
    },
    /// The journal ends before the entry.
    #[error(
        "entry {wanted} is not in the journal, which ends at {head}: it has lost entries or is not the journal of \
         this store; restore the right one"
    )]
    Shorter {
        /// The entry asked for.
        wanted: u64,
        /// The last entry there is.
        head: u64,
    },
    /// Another entry stands at this place.
    #[error(
        "entry {seq} has the hash {found}, expected {expected}: this journal has a different history; restore the \
         right one"
    )]
    Differs {
        /// The entry asked for.
        seq: u64,
        /// The hash that was asked for.
        expected: EntryHash,
        /// The hash in the journal.
        found: EntryHash,
    },
    /// An entry in a journal without files cannot be read.
    #[error("entry {seq} cannot be read: {source}")]
    Unreadable {
        /// The entry.
        seq: u64,
        /// Why.
        source: DecodeError,
    },
}

/// What an error asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalErrorKind {
    /// The request did not fit the present state; nothing happened; another request may succeed.
    Retry,
    /// This process cannot go on with this journal; a new start may.
    Fatal,
    /// The history on disk is not what was written. A person has to decide.
    Corrupt,
}

impl JournalError {
    /// What the error asks of the caller.
    pub const fn kind(&self) -> JournalErrorKind {
        match self {
            Self::Locked { .. }
            | Self::Conflict { .. }
            | Self::OutOfOrder { .. }
            | Self::TooLarge { .. }
            | Self::Purged { .. } => JournalErrorKind::Retry,
            Self::Io { .. } | Self::UnknownVersion { .. } | Self::Poisoned => JournalErrorKind::Fatal,
            Self::Damaged { .. } | Self::Shorter { .. } | Self::Differs { .. } | Self::Unreadable { .. } => {
                JournalErrorKind::Corrupt
            }
        }
    }

    /// For `map_err`: the operating system refused `action` on `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Damage at a place.
    pub(super) fn damaged(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), offset, what: what.into() }
    }
}
