//! Notifications in the form of Standard Webhooks 1.0.0.
//!
//! `webhook-id` is the effect's identifier and the same in each attempt: receivers deduplicate by it.
//! `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, of the exact
//! bytes sent. Source: <https://github.com/standard-webhooks/standard-webhooks>, read 2026-11.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::json;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::channels::{WireRequest, WireResponse, retry_after_ms};
use crate::model::effect::{Attempt, Notification, Refusal, Scope};
use crate::model::id::EffectId;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The key of an endpoint's signatures. Its `Debug` form says nothing.
pub(super) struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// Reads a secret: `whsec_` and base64 as the standard says, or any other text for its own bytes.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let bytes = match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|_| "its `secret` begins with whsec_ but is not base64 behind that".to_owned())?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() {
            return Err("its `secret` is empty".to_owned());
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The signed request of one attempt, made at `now_ms`.
pub(super) fn request(
    url: &Uri,
    key: &SigningKey,
    id: EffectId,
    notification: &Notification,
    now_ms: u64,
) -> Result<WireRequest, String> {
    let at = i64::try_from(notification.at_ms)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .ok_or("the time of the event is out of range")?;
    let body = json!({
        "type": notification.event,
        "timestamp": at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "seq": notification.seq,
        "data": notification.data,
    })
    .to_string();
    let (id, timestamp) = (id.to_string(), (now_ms / 1000).to_string());
    let signature = key.sign(&id, &timestamp, body.as_bytes()).ok_or("the key cannot be used")?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ID, value(&id)?);
    headers.insert(TIMESTAMP, value(&timestamp)?);
    headers.insert(SIGNATURE, value(&signature)?);
    Ok(WireRequest { method: Method::POST, url: url.clone(), headers, body: Bytes::from(body) })
}

/// What an endpoint's answer means: only 2xx is success, 410 ends it, everything else may pass.
pub(super) fn classify(response: &WireResponse) -> Attempt {
    match response.status {
        200..=299 => Attempt::Delivered { external_id: None },
        410 => Attempt::Refused {
            reason: Refusal::Gone,
            error: "the endpoint answered 410: it wants no more".to_owned(),
            parts_done: 0,
        },
        status => Attempt::Retry {
            scope: Scope::Chat,
            after_ms: retry_after_ms(&response.headers),
            error: format!("the endpoint answered {status}"),
            parts_done: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_standard() {
        // The example of the standard's own test suite.
        let key = SigningKey::from_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn an_endpoint_that_is_gone_is_not_asked_again_and_a_redirect_is_no_success() {
        let answer = |status| WireResponse { status, headers: HeaderMap::new(), body: Bytes::new() };
        assert!(matches!(classify(&answer(204)), Attempt::Delivered { .. }));
        assert!(matches!(classify(&answer(410)), Attempt::Refused { reason: Refusal::Gone, .. }));
        for status in [301, 400, 404, 429, 500, 503] {
            assert!(matches!(classify(&answer(status)), Attempt::Retry { .. }), "{status}");
        }
    }
}
