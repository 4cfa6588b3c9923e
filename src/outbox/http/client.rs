//! The client: sends one request and says exactly how far it came.
//!
//! The difficult part is the word "exactly": the outbox may repeat a request freely only when no byte of it has
//! left. hyper's errors say whether a connection came about; a capture of the chosen connection says whether one
//! had been handed to the request. Whatever is unclear counts as [`SendError::Ambiguous`].

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::channels::{WireRequest, WireResponse};

use super::connector::{Connector, ESTABLISH_TIMEOUT, EstablishTimeout};
use super::error::{AnswerPart, Interruption, InvalidRequest, NotSentReason, Refusal, SendError};
use super::guard::GuardPolicy;
use super::resolver::{Lookup, ResolveError, system_lookup};

/// The longest head of an answer, in bytes. Real ones have 1 to 4 KiB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The longest body of an answer, in bytes. Answers of APIs have a few KiB.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Idle connections kept per host: about as many as requests run to one messenger at the same time.
const MAX_IDLE_PER_HOST: usize = 8;

/// How long an idle connection is kept. Servers close idle connections at a moment of their choosing (the shortest
/// usual limit is 5 seconds), and a request written into a closing connection is ambiguous; so we close first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How we present ourselves, unless the request says otherwise; some APIs refuse callers without it.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("switchboard/", env!("CARGO_PKG_VERSION")));

/// Headers that belong to the connection or to the framing. A caller who could set them could smuggle a second
/// request or break the framing. `Accept-Encoding` is here because answers are not decompressed.
const RESERVED_HEADERS: [HeaderName; 11] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::PROXY_AUTHORIZATION,
    header::ACCEPT_ENCODING,
    HeaderName::from_static("keep-alive"),
];

/// The outbound HTTP client. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct HttpClient {
    inner: Client<Connector, Full<Bytes>>,
    policy: GuardPolicy,
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the TLS settings of the HTTP client are not usable: {0}")]
pub struct SetupError(#[from] rustls::Error);

impl HttpClient {
    /// A client that obeys the policy and asks the machine's own name lookup.
    ///
    /// # Errors
    /// When the TLS library refuses its own defaults, that is, when the program was built wrongly.
    pub fn new(policy: GuardPolicy) -> Result<Self, SetupError> {
        Self::with_lookup(policy, system_lookup())
    }

    /// A client with another name lookup (a fixed table, an emulator). The guard judges its answers alike.
    ///
    /// # Errors
    /// As [`HttpClient::new`].
    pub(super) fn with_lookup(policy: GuardPolicy, lookup: Lookup) -> Result<Self, SetupError> {
        Self::with_establish_timeout(policy, lookup, ESTABLISH_TIMEOUT)
    }

    pub(super) fn with_establish_timeout(
        policy: GuardPolicy,
        lookup: Lookup,
        establish_timeout: Duration,
    ) -> Result<Self, SetupError> {
        let connector = Connector::new(policy.clone(), lookup, establish_timeout)?;
        let inner = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(connector);
        Ok(Self { inner, policy })
    }

    /// Sends one request and reads the whole answer. `deadline` is the time for the exchange, from the name lookup
    /// to the last byte.
    ///
    /// Any complete answer is `Ok`, whatever its status; redirects are not followed. Dropping the future closes
    /// the connection and leaves the outcome unknown, as [`SendError::Ambiguous`] would.
    ///
    /// # Errors
    /// See [`SendError`]; its variants say whether the far side may have acted.
    pub async fn send(&self, request: WireRequest, deadline: Duration) -> Result<WireResponse, SendError> {
        self.send_up_to(request, deadline, MAX_BODY_BYTES).await
    }

    /// The same for an answer whose body may have up to `max_bytes`: a file.
    ///
    /// # Errors
    /// As [`HttpClient::send`].
    pub async fn send_up_to(
        &self,
        request: WireRequest,
        deadline: Duration,
        max_bytes: usize,
    ) -> Result<WireResponse, SendError> {
        let host = self.policy.check_url(&request.url)?.to_owned();
        check_request(&request)?;
        let WireRequest { method, url, headers, body } = request;

        let mut wire = Request::new(Full::new(body));
        *wire.method_mut() = method;
        *wire.uri_mut() = url;
        *wire.headers_mut() = headers;
        wire.headers_mut().entry(header::USER_AGENT).or_insert(USER_AGENT);
        let connection = capture_connection(&mut wire);

        let clock = tokio::time::sleep(deadline);
        tokio::pin!(clock);
        let answer = tokio::select! {
            biased;
            answer = self.inner.request(wire) => answer.map_err(|error| classify(&host, &error, &connection))?,
            () = &mut clock => return Err(deadline_passed(host, deadline, &connection)),
        };

        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        let too_large = |host| SendError::TooLarge {
            host,
            status: Some(status),
            part: AnswerPart::Body,
            limit_bytes: max_bytes,
        };
        if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > max_bytes) {
            return Err(too_large(host));
        }
        let collected = tokio::select! {
            biased;
            collected = Limited::new(body, max_bytes).collect() => collected,
            () = &mut clock => {
                let reason = Interruption::Deadline { limit: deadline };
                return Err(SendError::Ambiguous { host, status: Some(status), reason });
            }
        };
        match collected {
            Ok(body) => Ok(WireResponse { status, headers: head.headers, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(host)),
            Err(error) => {
                let reason = interruption(find::<hyper::Error>(error.as_ref()));
                Err(SendError::Ambiguous { host, status: Some(status), reason })
            }
        }
    }
}

fn check_request(request: &WireRequest) -> Result<(), InvalidRequest> {
    if request.method == Method::CONNECT {
        return Err(InvalidRequest::UnsupportedMethod);
    }
    check_headers(&request.headers)
}

fn check_headers(headers: &HeaderMap) -> Result<(), InvalidRequest> {
    match RESERVED_HEADERS.iter().find(|name| headers.contains_key(*name)) {
        Some(name) => Err(InvalidRequest::ReservedHeader { name: name.as_str().to_owned() }),
        None => Ok(()),
    }
}

/// The deadline passed before the head of an answer came.
fn deadline_passed(host: String, limit: Duration, connection: &CaptureConnection) -> SendError {
    if had_connection(connection) {
        SendError::Ambiguous { host, status: None, reason: Interruption::Deadline { limit } }
    } else {
        SendError::NotSent { host, reason: NotSentReason::Timeout { limit } }
    }
}

/// Whether the request was ever given to a connection. Only then can a byte of it have left.
fn had_connection(connection: &CaptureConnection) -> bool {
    connection.connection_metadata().is_some()
}

fn classify(host: &str, error: &ClientError, connection: &CaptureConnection) -> SendError {
    let host = host.to_owned();
    let refusal: Option<Refusal> = find::<ResolveError>(error).and_then(|cause| match cause {
        ResolveError::Refused(refusal) => Some(refusal.clone()),
        ResolveError::Lookup => None,
    });
    if let Some(reason) = refusal {
        return SendError::Refused { host, reason };
    }
    let exchange = find::<hyper::Error>(error);
    // hyper says "canceled" only for a request that it hands back unstarted.
    let unstarted = exchange.is_some_and(hyper::Error::is_canceled);
    if error.is_connect() || unstarted || !had_connection(connection) {
        return SendError::NotSent { host, reason: not_sent_reason(error) };
    }
    if exchange.is_some_and(hyper::Error::is_parse_too_large) {
        return SendError::TooLarge {
            host,
            status: None,
            part: AnswerPart::Head,
            limit_bytes: MAX_HEAD_BYTES,
        };
    }
    SendError::Ambiguous { host, status: None, reason: interruption(exchange) }
}

fn not_sent_reason(error: &ClientError) -> NotSentReason {
    if let Some(EstablishTimeout { limit }) = find::<EstablishTimeout>(error) {
        return NotSentReason::Timeout { limit: *limit };
    }
    if find::<ResolveError>(error).is_some() {
        return NotSentReason::NameLookup;
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return NotSentReason::Tls { detail: tls.to_string() };
    }
    match find::<std::io::Error>(error) {
        Some(io) => NotSentReason::Connect { kind: innermost(io).kind() },
        None => NotSentReason::ConnectionClosed,
    }
}

/// Layers wrap the operating system's error into one of kind "other"; the innermost says what happened.
fn innermost(mut error: &std::io::Error) -> &std::io::Error {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<std::io::Error>()) {
        error = inner;
    }
    error
}

fn interruption(error: Option<&hyper::Error>) -> Interruption {
    match error {
        Some(error) if error.is_parse() => Interruption::MalformedAnswer,
        _ => Interruption::ConnectionLost,
    }
}

/// Finds the first cause of type `E`. An `io::Error` made from another error hides that error from `source()`, so
/// it is opened by hand.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        current = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
