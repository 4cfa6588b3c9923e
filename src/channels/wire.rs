//! What crosses the border of this room: calls and answers as bytes.

use std::fmt;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use lettre::Address;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::model::mail::SmtpTarget;

use super::codec::VerifyError;

/// The largest call of most messengers, in bytes.
pub const CALL_BYTES_MAX: usize = 1024 * 1024;

/// In the answer to a mail: which step of SMTP the server answered, one of [`SmtpStep`].
pub const SMTP_STEP: HeaderName = HeaderName::from_static("smtp-step");

/// A call of a messenger to our webhook before its body was read.
#[derive(Clone, Copy)]
pub struct CallHead<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The query without `?`; empty for none.
    pub query: &'a str,
}

/// A call of a messenger to our webhook, before anything of it was parsed.
#[derive(Clone, Copy)]
pub struct WebhookCall<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The query without `?`; empty for none.
    pub query: &'a str,
    /// The body, exactly as received: signatures are made over these bytes.
    pub body: &'a [u8],
}

impl<'a> WebhookCall<'a> {
    /// The call without its body.
    pub const fn head(&self) -> CallHead<'a> {
        CallHead { method: self.method, headers: self.headers, query: self.query }
    }
}

impl<'a> CallHead<'a> {
    /// Refuses any other method than `expected`.
    pub(super) fn require_method(&self, expected: &Method) -> Result<(), VerifyError> {
        if self.method == expected { Ok(()) } else { Err(VerifyError::Method) }
    }

    /// The value of a header that must stand there exactly once and must not be empty. Two values are
    /// refused, because a proxy in front of us may have checked the other one.
    pub(super) fn single_header(&self, name: &HeaderName) -> Result<&'a [u8], VerifyError> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().ok_or_else(|| VerifyError::Missing(name.clone()))?;
        if values.next().is_some() {
            return Err(VerifyError::Duplicate(name.clone()));
        }
        if value.is_empty() {
            return Err(VerifyError::Empty(name.clone()));
        }
        Ok(value.as_bytes())
    }

    /// Refuses a call whose header does not carry this secret; compared in constant time.
    pub(super) fn require_secret(&self, name: &HeaderName, secret: &str) -> Result<(), VerifyError> {
        let given = self.single_header(name)?;
        if bool::from(given.ct_eq(secret.as_bytes())) { Ok(()) } else { Err(VerifyError::Mismatch) }
    }
}

impl fmt::Debug for CallHead<'_> {
    /// Shows the method only: headers and query carry secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHead").field("method", self.method).finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookCall<'_> {
    /// Shows the size only: headers and query carry secrets, the body carries what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookCall")
            .field("method", self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What the messenger expects as the answer once the facts of its call are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The media type of the body; `None` for no body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

impl WebhookAnswer {
    /// 200 without a body. Telegram would carry out a JSON body as a method call.
    pub const fn empty() -> Self {
        Self { status: StatusCode::OK, content_type: None, body: Bytes::new() }
    }

    /// 200 with a plain text, such as VK's `ok` or the challenge of a handshake.
    pub fn plain(text: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type: Some("text/plain; charset=utf-8"), body: text.into() }
    }
}

/// A request to a messenger.
#[derive(Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// The HTTP method.
    pub method: Method,
    /// Where to; absolute. May contain a secret (Telegram).
    pub url: Uri,
    /// The headers. Those of the host, the length and the connection are the HTTP client's. May contain secrets.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl fmt::Debug for WireRequest {
    /// Shows the host only: the path, the query, headers and body may carry secrets and what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("host", &self.url.host())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What goes out, and so who carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outbound {
    /// By HTTP.
    Http(WireRequest),
    /// By SMTP. The answer has the server's reply: its code as the status, its text as the body, and
    /// [`SMTP_STEP`].
    Mail(Mail),
}

/// A mail, ready to be handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// To which server.
    pub server: Arc<MailServer>,
    /// Who hears of it when it cannot be delivered.
    pub from: Address,
    /// Whom it goes to.
    pub to: Address,
    /// Head and body, in ASCII with CRLF.
    pub message: Bytes,
}

impl fmt::Debug for Mail {
    /// Shows the server only: everything else is what people wrote, and who they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("server", &self.server)
            .field("message_bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

/// A server that takes mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServer {
    /// Where it is.
    pub target: SmtpTarget,
    /// User name and password; `None`: nobody logs in.
    pub login: Option<(String, Zeroizing<String>)>,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer").field("target", &self.target).finish_non_exhaustive()
    }
}

/// The steps of handing a mail over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpStep {
    /// The connection, its greeting and its encryption.
    Greeting,
    /// The login.
    Login,
    /// Who it comes from.
    Sender,
    /// Whom it goes to.
    Recipient,
    /// The mail itself.
    Message,
}

impl SmtpStep {
    /// All steps, in their order.
    pub const ALL: [Self; 5] = [Self::Greeting, Self::Login, Self::Sender, Self::Recipient, Self::Message];

    /// The word in [`SMTP_STEP`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Message => "message",
        }
    }
}

/// A complete answer to a [`WireRequest`], of whatever status: redirects and errors are answers too.
#[derive(Clone, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came; it is never decompressed.
    pub body: Bytes,
}

impl fmt::Debug for WireResponse {
    /// Shows no content: messengers repeat what was sent, and with it what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no complete answer to a [`WireRequest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// No byte of the request left: another attempt makes no duplicate.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// The request may have been received; its answer is missing or incomplete.
    #[error("the request may have been received: {0}")]
    Ambiguous(String),
    /// Our own rules forbid the target or the request; nothing was sent and nothing will be.
    #[error("the request is refused: {0}")]
    Refused(String),
    /// The answer was longer than we read, so it says nothing about the outcome.
    #[error("the answer is too long to be read")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_forms_hold_no_secret() {
        let url = "https://api.telegram.org/botSECRET/send?key=SECRET".parse().unwrap();
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, "Bearer SECRET".parse().unwrap())]);
        let body = Bytes::from_static(b"SECRET");
        let request = WireRequest { method: Method::POST, url, headers: headers.clone(), body: body.clone() };
        let response = WireResponse { status: 200, headers, body };
        let shown = format!("{request:?} {response:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
        assert!(shown.contains("api.telegram.org") && shown.contains("200"), "{shown}");
    }
}
