//! The ids of requests: they tie what a client saw to what the log says.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// Where the id stands, in requests and in answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer request ids of clients are replaced by one of ours.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// Gives out ids. They begin somewhere else with each start, and cost no randomness per request: webhook
/// calls come by the ten thousand.
#[derive(Debug)]
pub(super) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(super) fn new() -> Self {
        // A machine without randomness still answers: the id only helps to find things in the log.
        Self(AtomicU64::new(getrandom::u64().unwrap_or_default()))
    }

    /// The client's own id if it is harmless, otherwise the next of ours.
    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let harmless = |value: &&HeaderValue| {
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=CLIENT_ID_BYTES_MAX).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
        };
        headers.get(&REQUEST_ID).filter(harmless).cloned().unwrap_or_else(|| {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            HeaderValue::try_from(format!("{number:016x}")).unwrap_or(HeaderValue::from_static("0"))
        })
    }
}

/// An id for the log.
pub(super) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_id_of_the_client_is_kept_and_every_other_request_has_its_own() {
        let ids = RequestIds::new();
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(&REQUEST_ID, HeaderValue::from_str(id).unwrap());
            text(&ids.of(&headers)).to_owned()
        };
        assert_eq!(of("call-17_A"), "call-17_A");
        let long = "x".repeat(65);
        let mut made: Vec<String> = ["", "a b", "a;b", &long].into_iter().map(of).collect();
        made.push(text(&ids.of(&HeaderMap::new())).to_owned());
        assert!(made.iter().all(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
        made.dedup();
        assert_eq!(made.len(), 5);
    }
}
