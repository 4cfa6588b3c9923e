//! How an entry becomes bytes and comes back.
//!
//! The bytes are JSON, so that a journal can be read by people and by any tool for as long as it is
//! kept. The hash is taken over exactly these bytes; they are never written anew.

use serde::Deserialize;

use crate::model::entry::{ENTRY_FORMAT, Entry, EntryHash};
use crate::model::input::Input;

use super::{ENTRY_BYTES_MAX, Head, JournalError, Recorded};

/// Most entries fit into so many bytes.
const ENTRY_BYTES_USUAL: usize = 1_536;

/// An entry in its final bytes. Made by [`seal`] alone, so it can always be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEntry {
    position: Head,
    prev_hash: EntryHash,
    bytes: Vec<u8>,
}

impl SealedEntry {
    /// The entry's number.
    pub const fn seq(&self) -> u64 {
        self.position.seq
    }

    /// The hash of the bytes: the `prev_hash` of the next entry.
    pub const fn hash(&self) -> EntryHash {
        self.position.hash
    }

    /// What the head is once this entry is appended.
    pub const fn position(&self) -> Head {
        self.position
    }

    /// The entry's JSON.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why an entry cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It has no JSON form.
    #[error("entry {seq} cannot be written as JSON: {reason}")]
    Encode {
        /// The entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// It is larger than [`ENTRY_BYTES_MAX`].
    #[error(
        "entry {seq} has {bytes} bytes, the limit is {ENTRY_BYTES_MAX}; refuse the input that it carries"
    )]
    TooLarge {
        /// The entry.
        seq: u64,
        /// Its size.
        bytes: usize,
    },
    /// It could be written but not read back, for example since its JSON is nested too deeply.
    #[error("entry {seq} could not be read back: {source}; refuse the input that it carries")]
    Unreadable {
        /// The entry.
        seq: u64,
        /// Why.
        source: DecodeError,
    },
}

/// Why bytes are not the entry that is due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A later release wrote the entry.
    #[error("the entry has the format {found}, this program knows {ENTRY_FORMAT}")]
    Format {
        /// The format in the entry.
        found: u16,
    },
    /// Not the JSON of an entry. The content is not repeated: it may be personal.
    #[error("the bytes are not an entry ({category}, column {column})")]
    Json {
        /// `syntax`, `shape` or `end`.
        category: &'static str,
        /// Where, counted in bytes.
        column: usize,
    },
    /// Another number.
    #[error("entry {found} stands where entry {due} is due")]
    Seq {
        /// The number in the entry.
        found: u64,
        /// The number that continues history.
        due: u64,
    },
    /// Another predecessor.
    #[error("entry {seq} names another predecessor: the chain of hashes is broken")]
    PrevHash {
        /// The entry.
        seq: u64,
    },
    /// Time or epoch below the predecessor's.
    #[error("the time or the epoch of entry {seq} is below its predecessor's")]
    Backwards {
        /// The entry.
        seq: u64,
    },
}

/// Gives an entry its final bytes and its hash.
///
/// What cannot be read back is not written: where an input carries JSON of other people's making, which
/// may be nested deeper than a reader goes, the bytes are decoded once before they are let go.
///
/// # Errors
/// [`SealError`]; the input should be refused then, the journal is not touched.
pub fn seal(entry: &Entry) -> Result<SealedEntry, SealError> {
    let seq = entry.seq;
    let mut bytes = Vec::with_capacity(ENTRY_BYTES_USUAL);
    serde_json::to_writer(&mut bytes, entry)
        .map_err(|error| SealError::Encode { seq, reason: error.to_string() })?;
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err(SealError::TooLarge { seq, bytes: bytes.len() });
    }
    if cfg!(debug_assertions) || carries_json(&entry.input) {
        let read = parse(&bytes).map_err(|source| SealError::Unreadable { seq, source })?;
        debug_assert_eq!(&read, entry, "an entry reads back as it was");
    }
    let hash = EntryHash::of(&bytes);
    let position = Head { seq, hash, at_ms: entry.at_ms, epoch: entry.epoch };
    Ok(SealedEntry { position, prev_hash: entry.prev_hash, bytes })
}

/// Whether JSON of other people's making is in an input: fields and variables of a command, a
/// configuration. Everything else is made of our own types, whose form always reads back.
const fn carries_json(input: &Input) -> bool {
    match input {
        Input::Command(_) | Input::ConfigActivated(_) => true,
        Input::NodeStarted
        | Input::Tick
        | Input::Inbound(_)
        | Input::EffectClaimed { .. }
        | Input::EffectResult { .. } => false,
    }
}

/// Reads the entry that comes after `head`, with all checks.
pub(super) fn decode(bytes: &[u8], head: &Head) -> Result<Recorded, DecodeError> {
    let entry = parse(bytes)?;
    let due = head.seq.saturating_add(1);
    if entry.seq != due {
        return Err(DecodeError::Seq { found: entry.seq, due });
    }
    if entry.prev_hash != head.hash {
        return Err(DecodeError::PrevHash { seq: due });
    }
    if entry.at_ms < head.at_ms || entry.epoch < head.epoch {
        return Err(DecodeError::Backwards { seq: due });
    }
    Ok(Recorded { entry, hash: EntryHash::of(bytes) })
}

impl Recorded {
    /// What the head is after this entry.
    pub const fn position(&self) -> Head {
        Head { seq: self.entry.seq, hash: self.hash, at_ms: self.entry.at_ms, epoch: self.entry.epoch }
    }
}

/// Checks that a group continues history from `head` and answers the head after it.
pub(super) fn check_group(head: Head, group: &[SealedEntry], limit: usize) -> Result<Head, JournalError> {
    let bytes = group.iter().fold(0usize, |sum, entry| sum.saturating_add(entry.bytes.len()));
    if bytes > limit {
        return Err(JournalError::TooLarge { bytes, limit });
    }
    group.iter().try_fold(head, |head, entry| {
        let next = entry.position;
        let what = if head.seq.checked_add(1) != Some(next.seq) {
            "number is not the next one"
        } else if entry.prev_hash != head.hash {
            "predecessor is another entry"
        } else if next.at_ms < head.at_ms {
            "time is before its predecessor's"
        } else if next.epoch < head.epoch {
            "epoch is below its predecessor's"
        } else {
            return Ok(next);
        };
        Err(JournalError::OutOfOrder { seq: next.seq, what })
    })
}

fn parse(bytes: &[u8]) -> Result<Entry, DecodeError> {
    /// Read when the whole cannot be, to tell a later format from damage.
    #[derive(Deserialize)]
    struct Format {
        format: u16,
    }
    match serde_json::from_slice::<Entry>(bytes) {
        Ok(entry) if entry.format == ENTRY_FORMAT => Ok(entry),
        Ok(entry) => Err(DecodeError::Format { found: entry.format }),
        Err(error) => match serde_json::from_slice::<Format>(bytes) {
            Ok(Format { format }) if format != ENTRY_FORMAT => Err(DecodeError::Format { found: format }),
            _ => {
                let category = match error.classify() {
                    serde_json::error::Category::Data => "shape",
                    serde_json::error::Category::Eof => "end",
                    serde_json::error::Category::Io | serde_json::error::Category::Syntax => "syntax",
                };
                Err(DecodeError::Json { category, column: error.column() })
            }
        },
    }
}
