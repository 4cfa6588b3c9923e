//! Setting a channel up with its messenger, and examining it: the words of both.

use super::wire::WireRequest;

/// A request of setting a channel up or examining it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about, in a word that is unique among the channel's: `token`, `webhook`.
    pub name: &'static str,
    /// The request.
    pub request: WireRequest,
}

/// What an examination has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found and, where it is not good, what to do.
    pub text: String,
}

impl Finding {
    /// As it should be.
    pub fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into() }
    }

    /// Not as it should be; the text says what to do.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into() }
    }

    /// By the status alone.
    pub fn of_status(status: u16) -> Self {
        Self { good: (200..300).contains(&status), text: format!("the messenger answered HTTP {status}") }
    }
}
