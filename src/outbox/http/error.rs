//! Why a request has no usable answer, sorted by what the sender must do next.
//!
//! The variants of [`SendError`] are the outbox's decision: refuse for good, try again freely, or treat as
//! "perhaps delivered". The messages name the host at most: paths, queries and headers hold secrets (a Telegram
//! token is part of the path), so they appear in no message and in no `Debug` form.

use std::net::IpAddr;
use std::time::Duration;

/// A request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The request can never be sent as it is. Nothing was written. Trying again is useless.
    #[error("the request cannot be sent: {0}")]
    InvalidRequest(#[from] InvalidRequest),
    /// The guard does not allow the target. Nothing was written. Trying again helps only after the configuration
    /// (or the name's DNS entry) has changed.
    #[error("the target {host} is refused: {reason}")]
    Refused {
        /// The host of the URL.
        host: String,
        /// Which rule refused it.
        reason: Refusal,
    },
    /// No byte of the request has left: trying again can make no duplicate.
    #[error("nothing was sent to {host}: {reason}")]
    NotSent {
        /// The host of the URL.
        host: String,
        /// What stopped it.
        reason: NotSentReason,
    },
    /// The request was written, or may have been, and no full answer came: the far side may have acted on it.
    #[error("{host} may have received the request, but the answer is missing or incomplete: {reason}")]
    Ambiguous {
        /// The host of the URL.
        host: String,
        /// The status of the answer, when its head had arrived before the interruption.
        status: Option<u16>,
        /// What cut the exchange off.
        reason: Interruption,
    },
    /// The far side answered, but with more than was allowed; the rest was not read.
    #[error("the {part} of the answer of {host} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The host of the URL.
        host: String,
        /// The status of the answer, when its head was readable.
        status: Option<u16>,
        /// Which part was too large.
        part: AnswerPart,
        /// The limit in bytes.
        limit_bytes: usize,
    },
}

/// Why a request is not sent at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The URL is not absolute.
    #[error("the URL needs a scheme and a host, like https://host/path")]
    IncompleteUrl,
    /// The URL has another scheme than `http` or `https`.
    #[error("the URL must begin with http:// or https://")]
    UnsupportedScheme,
    /// The URL has a `user:password@` part.
    #[error("the URL must not hold a user name or password; put the secret into a header")]
    CredentialsInUrl,
    /// The port is not a number between 1 and 65535.
    #[error("the port of the URL must be a number between 1 and 65535")]
    InvalidPort,
    /// The host has a character that a DNS name cannot have, or is too long.
    #[error(
        "the host of the URL must consist of letters, digits, '-', '_' and '.', at most 253 (write other scripts in Punycode)"
    )]
    InvalidHost,
    /// The method opens a tunnel.
    #[error("the method CONNECT is not supported")]
    UnsupportedMethod,
    /// The header belongs to the connection, which the client manages itself.
    #[error("the header {name} is set by the HTTP client and must not be given")]
    ReservedHeader {
        /// The name of the header.
        name: String,
    },
}

/// Which rule of the guard refused a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The URL or the name's DNS entry leads to an address that is not public.
    #[error(
        "its address {address} is {block}; if this target is yours, add its block to outbound.allow_private"
    )]
    SpecialAddress {
        /// The address, in its canonical form.
        address: IpAddr,
        /// The kind of block.
        block: &'static str,
    },
    /// The host looks like a number but is not a plain IPv4 address, so programs disagree on what it means.
    #[error(
        "the host looks like a number; write an IPv4 address as four decimal numbers without leading zeros"
    )]
    NumericHost,
}

/// What stopped a request before it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSentReason {
    /// The name has no address, or the DNS server did not answer.
    #[error("the name could not be resolved")]
    NameLookup,
    /// No connection came about.
    #[error("the connection failed ({kind})")]
    Connect {
        /// The operating system's reason.
        kind: std::io::ErrorKind,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake failed ({detail})")]
    Tls {
        /// What TLS reported, for people.
        detail: String,
    },
    /// Name lookup, connection and TLS handshake took too long together.
    #[error("there was no connection within {limit:?}")]
    Timeout {
        /// The time allowed.
        limit: Duration,
    },
    /// The far side closed the connection before the request was written.
    #[error("the connection was closed before the request was written")]
    ConnectionClosed,
}

/// What cut an exchange off after the request had been written or begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// The deadline of the request passed.
    #[error("no full answer within {limit:?}")]
    Deadline {
        /// The time allowed.
        limit: Duration,
    },
    /// The connection ended early.
    #[error("the connection was lost")]
    ConnectionLost,
    /// What came back is not HTTP.
    #[error("the answer is not valid HTTP")]
    MalformedAnswer,
}

/// The part of an answer that was too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerPart {
    /// Status line and headers.
    Head,
    /// The body.
    Body,
}

impl std::fmt::Display for AnswerPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Head => "head",
            Self::Body => "body",
        })
    }
}
