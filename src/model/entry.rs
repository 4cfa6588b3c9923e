//! The journal entry. Its shape is frozen from the first release: fields are never added later.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::id::{ChannelId, EffectId, TokenId};
use super::input::Input;

/// The only entry format so far.
pub const ENTRY_FORMAT: u16 = 1;

/// The version of the engine's meaning: raised when `apply` changes what an old entry does.
pub const APPLY_VERSION: u32 = 1;

/// One input with its place in history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// How to read this entry: [`ENTRY_FORMAT`].
    pub format: u16,
    /// 1, 2, 3 … without a gap.
    pub seq: u64,
    /// Rises by one whenever a node takes over the journal.
    pub epoch: u64,
    /// When the input was taken in. Never decreases along the journal; the engine's only clock.
    pub at_ms: u64,
    /// The engine's meaning that first applied it: [`APPLY_VERSION`].
    pub apply_version: u32,
    /// The hash of the preceding entry's bytes; zero for the first.
    pub prev_hash: EntryHash,
    /// The deduplication key.
    pub input_id: String,
    /// Who or what brought the input.
    pub cause: Cause,
    /// What happened.
    pub input: Input,
}

/// Who or what brought an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A messenger's webhook.
    Webhook(ChannelId),
    /// An API call with this token.
    Token(TokenId),
    /// Time passed.
    Clock,
    /// The configuration files changed, or a person asked for a reload.
    Reload,
    /// The daemon started.
    Start,
    /// The outbox worked on this effect.
    Outbox(EffectId),
}

/// SHA-256 over the bytes of one entry. Each entry names its predecessor's, so a lost, swapped or
/// changed entry is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntryHash([u8; 32]);

impl EntryHash {
    /// The predecessor of the first entry.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of an entry's bytes as they stand in the journal.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash that was kept in its binary form.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an entry hash has 64 lower-case hexadecimal digits")]
pub struct InvalidHash;

impl FromStr for EntryHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut hash = [0u8; 32];
        if text.len() != 64 {
            return Err(InvalidHash);
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = match pair {
                [high, low] => digit(*high)? << 4 | digit(*low)?,
                _ => return Err(InvalidHash),
            };
        }
        Ok(Self(hash))
    }
}

const fn digit(character: u8) -> Result<u8, InvalidHash> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidHash),
    }
}

impl Serialize for EntryHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            for (place, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            }
        }
        serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for EntryHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_text_and_from_json() {
        let hash = EntryHash::of(b"entry");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{hash}\""));
        assert_eq!(serde_json::from_str::<EntryHash>(&json).unwrap(), hash);
        assert_eq!("00".parse::<EntryHash>(), Err(InvalidHash));
        assert_eq!("G".repeat(64).parse::<EntryHash>(), Err(InvalidHash));
        assert_eq!("é".repeat(32).parse::<EntryHash>(), Err(InvalidHash));
    }
}
