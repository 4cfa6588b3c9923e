//! Why a call is refused, or cannot be read.

use http::HeaderName;

/// Why a call is not taken for authentic. Never contains what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The messenger does not call with this method.
    #[error("the messenger does not use this method")]
    Method,
    /// The proof is missing.
    #[error("the header `{0}` is missing: register the webhook with its secret")]
    Missing(HeaderName),
    /// The proof is there and empty.
    #[error("the header `{0}` is empty")]
    Empty(HeaderName),
    /// The proof is there more than once.
    #[error("the header `{0}` stands there more than once")]
    Duplicate(HeaderName),
    /// The proof is not written as agreed.
    #[error("the header `{0}` is not written as the channel's settings say")]
    Malformed(HeaderName),
    /// The proof is wrong.
    #[error("the secret or signature is wrong: compare the channel's secret with the sender's")]
    Mismatch,
}

impl VerifyError {
    /// A short word for counters.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Missing(_) => "missing",
            Self::Empty(_) => "empty",
            Self::Duplicate(_) => "duplicate",
            Self::Malformed(_) => "malformed",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Why an authentic call cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON.
    #[error("the body is not JSON, at line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The body lacks what every call of this messenger has.
    #[error("the body has no {0}")]
    Missing(&'static str),
    /// More items in one call than we take.
    #[error("the body has {count} items; at most {max} are taken at once: send smaller batches")]
    TooManyItems {
        /// How many there are.
        count: usize,
        /// How many are taken.
        max: usize,
    },
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson { line: error.line(), column: error.column() }
    }
}
