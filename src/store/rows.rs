//! The stored forms of what the engine's rows have no JSON form for.

use serde::{Deserialize, Serialize};

use crate::engine::rows::{ActiveConfig, Position};
use crate::model::entry::EntryHash;

/// How far the journal was applied.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct PositionRow {
    seq: u64,
    hash: EntryHash,
    at_ms: u64,
    epoch: u64,
}

impl From<Position> for PositionRow {
    fn from(position: Position) -> Self {
        let Position { seq, hash, at_ms, epoch } = position;
        Self { seq, hash, at_ms, epoch }
    }
}

impl From<PositionRow> for Position {
    fn from(row: PositionRow) -> Self {
        let PositionRow { seq, hash, at_ms, epoch } = row;
        Self { seq, hash, at_ms, epoch }
    }
}

/// A configuration without its text, which is kept in pieces because it may be megabytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ConfigRow {
    pub(super) seq: u64,
    pub(super) at_ms: u64,
    pub(super) version: String,
    pub(super) commit: Option<String>,
    pub(super) pieces: u32,
}

/// Longest piece of a configuration's text, in bytes: sled puts tree nodes over 128 KiB into files of
/// their own, and a node holds several values.
const PIECE_BYTES_MAX: usize = 16 * 1024;

/// The pieces of a configuration's text, in order.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(rest.floor_char_boundary(PIECE_BYTES_MAX))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

impl ConfigRow {
    /// The row of a configuration whose text has this many pieces.
    pub(super) fn of(config: &ActiveConfig, pieces: u32) -> Self {
        Self {
            seq: config.seq,
            at_ms: config.at_ms,
            version: config.version.clone(),
            commit: config.commit.clone(),
            pieces,
        }
    }

    /// The configuration with its text.
    pub(super) fn with_text(self, canonical: String) -> ActiveConfig {
        let Self { seq, at_ms, version, commit, pieces: _ } = self;
        ActiveConfig { seq, at_ms, version, commit, canonical }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_text_make_the_text_again_and_split_no_character() {
        let text = "я".repeat(PIECE_BYTES_MAX) + "end";
        let found: Vec<&str> = pieces(&text).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found.concat(), text);
        assert_eq!(pieces("").count(), 0);
    }
}
