//! One request to the daemon, and its answer.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::header::{ACCEPT, AUTHORIZATION, DATE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::suggest::nearest;
use crate::node::Clock;

use super::address::Place;
use super::error::ClientError;

/// A daemon on the same machine answers in milliseconds; a large list over a slow line takes seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Two lost packets fit in.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A page has at most 200 items, and an item a few KiB.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// The header has whole seconds, and an answer takes its time: a smaller difference may be none.
const DIFFERENCE_MS_MIN: i64 = 3_000;
/// More lines than any company has.
pub(in crate::cli) const LINES_MAX: usize = 10_000;
/// The largest page of the API.
const PAGE_ITEMS: usize = 200;

/// Asks one daemon, with one token. Cloning is cheap.
#[derive(Clone)]
pub(in crate::cli) struct Client {
    http: HyperClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    base: Arc<str>,
    /// Marked as sensitive: its `Debug` form says nothing.
    authorization: HeaderValue,
    /// By how much the daemon's clock is ahead of ours, in ms.
    ahead_ms: Arc<AtomicI64>,
}

/// A list of the API.
#[derive(serde::Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
}

/// All items of a list, or as many as were wanted.
#[derive(Debug, Default)]
pub(in crate::cli) struct Items {
    pub(in crate::cli) items: Vec<Value>,
    /// Whether there are more.
    pub(in crate::cli) is_cut: bool,
}

impl Client {
    /// A client of a daemon.
    ///
    /// # Errors
    /// When the token cannot be sent, or TLS cannot be set up.
    pub(in crate::cli) fn new(place: &Place) -> Result<Self, ClientError> {
        let mut tcp = HttpConnector::new();
        // The TLS layer above takes the https addresses.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(rustls::crypto::ring::default_provider()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = HyperClient::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", place.token.expose()))
            .map_err(|_| ClientError::TokenForm)?;
        authorization.set_sensitive(true);
        Ok(Self { http, base: place.base.as_str().into(), authorization, ahead_ms: Arc::default() })
    }

    /// Where the daemon is.
    pub(in crate::cli) fn base(&self) -> &str {
        &self.base
    }

    /// The daemon's time as far as its answers tell it, in ms: waits are counted by its clock and not by ours.
    pub(in crate::cli) fn daemon_time_ms(&self, clock: &Clock) -> u64 {
        clock.now_ms().saturating_add_signed(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Learns from an answer how the daemon's clock goes.
    fn learn_time(&self, headers: &HeaderMap) {
        let told = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(told) = told.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else { return };
        let ours_ms = i64::try_from(Clock::system().now_ms()).unwrap_or(i64::MAX);
        let ahead_ms = told.timestamp_millis().saturating_sub(ours_ms);
        let counts = ahead_ms.saturating_abs() > DIFFERENCE_MS_MIN;
        self.ahead_ms.store(if counts { ahead_ms } else { 0 }, Ordering::Relaxed);
    }

    /// What stands at a path of the API, which may have a query.
    ///
    /// # Errors
    /// Any [`ClientError`]: there is no answer, or it is a problem.
    pub(in crate::cli) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let asking = async {
            let response = self.open(path, &[]).await?;
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|error| self.broken(reason(error.as_ref())))?
                .to_bytes();
            serde_json::from_slice(&body).map_err(|_| ClientError::NotTheApi {
                base: self.base.to_string(),
                what: "its answer has another form".to_owned(),
            })
        };
        match tokio::time::timeout(ANSWER_WITHIN, asking).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                Err(self.broken(format!("nothing came within {} seconds", ANSWER_WITHIN.as_secs())))
            }
        }
    }

    /// The items of a list, page after page; at most `items_max` and one page more.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(in crate::cli) async fn list(&self, path: &str, items_max: usize) -> Result<Items, ClientError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Page =
                self.get(&format!("{path}{joint}limit={}{cursor}", PAGE_ITEMS.min(items_max))).await?;
            all.extend(page.items);
            let Some(next) = page.next_cursor else { return Ok(Items { items: all, is_cut: false }) };
            if all.len() >= items_max {
                return Ok(Items { items: all, is_cut: true });
            }
            cursor = format!("&cursor={}", in_query(&next));
        }
    }

    /// Sees whether the daemon has these lines, as far as the token may know: a filter by a mistyped name would show
    /// nothing, for ever.
    ///
    /// # Errors
    /// The first name that is none of a line, and what else may go wrong on the way to the daemon.
    pub(in crate::cli) async fn check_lines(&self, wanted: &[String]) -> Result<(), ClientError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let lines = match self.list("/v1/lines", LINES_MAX).await {
            Ok(lines) => lines.items,
            // This token may follow events and not see lines: then its filters cannot be checked.
            Err(ClientError::RightMissing { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let known: Vec<&str> = lines.iter().filter_map(|line| line.get("id")?.as_str()).collect();
        match wanted.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(ClientError::UnknownLine {
                name: name.clone(),
                nearest: nearest(name, known).map(str::to_owned),
            }),
        }
    }

    /// Asks, and leaves the body of a good answer to be read.
    pub(super) async fn open(
        &self,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Response<Incoming>, ClientError> {
        let mut request = Request::get(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(Empty::new())
            .map_err(|_| ClientError::Url { reason: "it is not an address".to_owned() })?;
        let response = self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                ClientError::Unreachable { base: self.base.to_string(), reason: reason(&error) }
            } else {
                self.broken(reason(&error))
            }
        })?;
        self.learn_time(response.headers());
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // Only its status counts where the body cannot be read.
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Err(ClientError::of_answer(&self.base, status, &body))
    }

    pub(super) fn broken(&self, reason: String) -> ClientError {
        ClientError::Broken { base: self.base.to_string(), reason }
    }
}

/// The innermost cause: what the system or the TLS library says.
pub(in crate::cli) fn reason(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// A text as the value of a query parameter.
pub(in crate::cli) fn in_query(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b',' | b'~') {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_query_keeps_its_meaning() {
        assert_eq!(in_query("sales,support"), "sales,support");
        assert_eq!(in_query("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
    }
}
