//! The request and the response as plain data.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

/// The time for one whole exchange, from the name lookup to the last byte of the answer. Messengers answer in
/// well under a second; half a minute covers their bad days and still frees a worker.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The longest answer body that is read, in bytes. API answers are a few KiB; whoever fetches files sets more.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1024 * 1024;

/// One request to the outside.
///
/// Its `Debug` form shows neither path, query, header values nor body, because each of them can hold a secret.
#[derive(Clone)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL, `http` or `https`.
    pub url: Uri,
    /// The headers. Host, length and connection headers are set by the client and must not be here.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// The time for the whole exchange.
    pub deadline: Duration,
    /// The longest answer body that is read, in bytes.
    pub max_body_bytes: usize,
}

impl WireRequest {
    /// A request without headers or body and with the default limits.
    pub fn new(method: Method, url: Uri) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            deadline: DEFAULT_DEADLINE,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
        }
    }
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WireRequest")
            .field("method", &self.method)
            .field("host", &self.url.host())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("deadline", &self.deadline)
            .field("max_body_bytes", &self.max_body_bytes)
            .finish()
    }
}

/// One full answer. Redirects and errors are answers too.
///
/// Its `Debug` form shows neither header values nor body: an answer can hold personal data and tokens.
#[derive(Clone)]
pub struct WireResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came; it is never decompressed.
    pub body: Bytes,
}

impl fmt::Debug for WireResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WireResponse")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_forms_hold_no_secret() {
        let mut request = WireRequest::new(
            Method::POST,
            "https://api.telegram.org/botSECRET/send?key=SECRET".parse().unwrap(),
        );
        request.headers.insert("authorization", "Bearer SECRET".parse().unwrap());
        request.body = Bytes::from_static(b"SECRET");
        let response = WireResponse {
            status: 200,
            headers: request.headers.clone(),
            body: Bytes::from_static(b"SECRET"),
        };
        let shown = format!("{request:?} {response:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
        assert!(shown.contains("api.telegram.org") && shown.contains("authorization"), "{shown}");
    }
}
