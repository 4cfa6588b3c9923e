//! The journal entry. Its shape is frozen from the first release: fields are never added later.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::hexadecimal;
use super::id::{ChannelId, EffectId, TokenId};
use super::input::Input;

/// The only entry format so far.
pub const ENTRY_FORMAT: u16 = 1;

/// The version of the engine's meaning: raised when `apply` changes what an old entry does.
///
/// - 1: the first.
/// - 2: what changes who is asked and is due at the instant of an entry takes effect before routing; dialogs are
///   abandoned (see [`CloseReason::Abandoned`](super::dialog::CloseReason::Abandoned)); what somebody wrote before they took a dialog over counts as
///   their answer; a promise that was kept stays with a dialog that closes unread.
/// - 3: messages to Telegram and MAX are found by the messenger's id, for reactions; a dialog keeps how its client
///   came; the first dialog is the first contact, whenever the chat came into being.
/// - 4: a client gets three automatic mails an hour at most.
pub const APPLY_VERSION: u32 = 4;

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
        f.write_str(&hexadecimal::encode(&self.0))
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
        // One hash has one form: what is compared as text must not differ in case.
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let bytes = hexadecimal::decode(text.as_bytes()).filter(|_| is_lower).ok_or(InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl Serialize for EntryHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0u8; 64];
        for (place, digit) in text.iter_mut().zip(hexadecimal::digits(&self.0)) {
            *place = digit;
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
        assert_eq!(hash.to_string().to_uppercase().parse::<EntryHash>(), Err(InvalidHash));
        assert_eq!("G".repeat(64).parse::<EntryHash>(), Err(InvalidHash));
        assert_eq!("é".repeat(32).parse::<EntryHash>(), Err(InvalidHash));
    }
}
