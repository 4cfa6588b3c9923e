//! The id of a file that belongs to a message.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::id::MessageId;

/// A file of a message, by its place among the message's files. Says where to look and gives no right: who asks
/// for it is held against the message's dialog. Text form: `a-17-0-1` for the second file of the message `m-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachmentId {
    /// The message.
    pub message: MessageId,
    /// Its place among the files of the message, from 0.
    pub index: u32,
}

/// A text is no id of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a file has the form a-17-0-0")]
pub struct InvalidAttachmentId;

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a-{}-{}-{}", self.message.seq, self.message.index, self.index)
    }
}

impl FromStr for AttachmentId {
    type Err = InvalidAttachmentId;

    fn from_str(text: &str) -> Result<Self, InvalidAttachmentId> {
        let mut numbers = text.strip_prefix("a-").ok_or(InvalidAttachmentId)?.split('-');
        let (Some(seq), Some(of_entry), Some(index), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(InvalidAttachmentId);
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| InvalidAttachmentId);
        let seq = seq.parse().map_err(|_| InvalidAttachmentId)?;
        let id = Self { message: MessageId::new(seq, number(of_entry)?), index: number(index)? };
        // One id has one spelling.
        if id.to_string() == text { Ok(id) } else { Err(InvalidAttachmentId) }
    }
}

impl Serialize for AttachmentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = AttachmentId { message: MessageId::new(17, 2), index: 1 };
        assert_eq!(id.to_string(), "a-17-2-1");
        assert_eq!("a-17-2-1".parse(), Ok(id));
        for wrong in
            ["", "a-", "a-17-2", "a-17-2-1-0", "a-017-2-1", "a-+17-2-1", "m-17", "a-17--1", "a-17-2-x"]
        {
            assert!(wrong.parse::<AttachmentId>().is_err(), "{wrong}");
        }
    }
}
