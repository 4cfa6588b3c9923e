//! An account at Meta: its secrets, the proof of its calls, and requests to its API.
//!
//! Each call is signed with the secret of the application over the raw bytes: Meta writes letters outside of ASCII as
//! escapes and signs those. When a webhook is registered, Meta asks once with `GET` and wants to read back its challenge.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::channels::codec::{DecodeError, Decoded, VerifyError};
use crate::channels::form;
use crate::channels::start::{ConnectError, ResolvedSecrets, http_address, required};
use crate::channels::wire::{CallHead, WebhookAnswer, WebhookCall, WireRequest};
use crate::model::hexadecimal;
use crate::model::secret::SecretRef;

use super::query;

/// Carries the signature of a call.
const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// What stands before the signature.
const SIGNATURE_PREFIX: &[u8] = b"sha256=";

/// The length of a signature in bytes.
const SIGNATURE_BYTES: usize = 32;

/// The longest challenge that is given back, in bytes: Meta's have ten digits.
const CHALLENGE_MAX: usize = 1024;

/// The secrets of an account, and where its API is.
pub(in crate::channels) struct Account {
    /// Where the Graph API is with its version, without a slash at the end.
    pub(in crate::channels) base: String,
    /// The host of `base`, with the port, and whether it is asked without TLS (an emulator).
    pub(in crate::channels) host: String,
    pub(in crate::channels) is_plain: bool,
    access_token: Zeroizing<String>,
    app_secrets: Vec<Zeroizing<String>>,
    verify_token: Zeroizing<String>,
}

/// Where the secrets of an account stand.
pub(in crate::channels) struct Secrets<'a> {
    pub(in crate::channels) access_token: &'a SecretRef,
    pub(in crate::channels) app_secret: &'a SecretRef,
    /// Of applications with a login by Instagram: signed is with either.
    pub(in crate::channels) instagram_app_secret: Option<&'a SecretRef>,
    pub(in crate::channels) verify_token: &'a SecretRef,
}

impl Account {
    /// Takes the secrets and checks their form.
    pub(in crate::channels) fn connect(
        places: &Secrets<'_>,
        api_base: &str,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let access_token = visible(secrets, "access_token", places.access_token)?;
        let mut app_secrets = vec![visible(secrets, "app_secret", places.app_secret)?];
        if let Some(place) = places.instagram_app_secret {
            app_secrets.push(visible(secrets, "instagram_app_secret", place)?);
        }
        let verify_token = visible(secrets, "verify_token", places.verify_token)?;
        let address = http_address("api_base", api_base)?;
        if address.query().is_some() {
            return Err(ConnectError::Setting {
                setting: "api_base".to_owned(),
                reason: "the address must not have a query".to_owned(),
            });
        }
        Ok(Self {
            base: api_base.trim_end_matches('/').to_owned(),
            host: address.authority().map(ToString::to_string).unwrap_or_default(),
            is_plain: address.scheme_str() == Some("http"),
            access_token,
            app_secrets,
            verify_token,
        })
    }

    /// What must never stand in an error.
    pub(in crate::channels) fn secrets(&self) -> Vec<&str> {
        let all = [&self.access_token, &self.verify_token].into_iter().chain(&self.app_secrets);
        all.map(|secret| secret.as_str()).collect()
    }

    /// What the head alone proves: all of a handshake, and the form of a signature.
    pub(in crate::channels) fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        if head.method == Method::GET {
            return self.verify_handshake(head);
        }
        head.require_method(&Method::POST)?;
        signature(head).map(drop)
    }

    /// Compares in constant time; what is wrong is wrong for all keys.
    pub(in crate::channels) fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        if call.method == Method::GET {
            return self.verify_handshake(&call.head());
        }
        call.head().require_method(&Method::POST)?;
        let given = signature(&call.head())?;
        let is_right = self.app_secrets.iter().fold(false, |is_right, secret| {
            // HMAC takes a key of any length, so the error has no cause.
            let matches = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
                mac.update(call.body);
                mac.verify_slice(&given).is_ok()
            });
            is_right | matches
        });
        if is_right { Ok(()) } else { Err(VerifyError::Mismatch) }
    }

    fn verify_handshake(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        // Without these words it is no handshake but somebody's browser.
        let mode = query::single(head.query, "hub.mode").ok_or(VerifyError::Method)?;
        let token = query::single(head.query, "hub.verify_token").ok_or(VerifyError::Mismatch)?;
        let is_right = bool::from(token.ct_eq(self.verify_token.as_bytes()));
        if mode == b"subscribe" && is_right && challenge(head.query).is_some() {
            Ok(())
        } else {
            Err(VerifyError::Mismatch)
        }
    }

    /// A request of `path` with the token.
    pub(in crate::channels) fn get(&self, path: &str) -> Option<WireRequest> {
        self.request(Method::GET, path, None, Bytes::new())
    }

    /// A request that posts `body` to `path` with the token.
    pub(in crate::channels) fn post(&self, path: &str, body: &Value) -> Option<WireRequest> {
        self.request(
            Method::POST,
            path,
            Some(HeaderValue::from_static("application/json")),
            Bytes::from(body.to_string()),
        )
    }

    /// A request to `path` of the API. `None`: the parts make no address, which the checks of settings prevent.
    pub(in crate::channels) fn request(
        &self,
        method: Method,
        path: &str,
        content_type: Option<HeaderValue>,
        body: Bytes,
    ) -> Option<WireRequest> {
        let url: Uri = format!("{}/{path}", self.base).parse().ok()?;
        self.request_to(method, url, content_type, body)
    }

    /// A request to any address that may see the token.
    pub(in crate::channels) fn request_to(
        &self,
        method: Method,
        url: Uri,
        content_type: Option<HeaderValue>,
        body: Bytes,
    ) -> Option<WireRequest> {
        let mut headers = HeaderMap::new();
        let bearer = Zeroizing::new(format!("Bearer {}", self.access_token.as_str()));
        let mut bearer = HeaderValue::from_str(&bearer).ok()?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        Some(WireRequest { method, url, headers, body })
    }

    /// The token as a part of a query: the one place where the Graph API wants to see it so.
    pub(in crate::channels) fn token_in_query(&self) -> Zeroizing<String> {
        Zeroizing::new(form::encoded(&self.access_token))
    }

    /// What Meta shows when it asks whether a webhook is ours.
    pub(in crate::channels) fn verify_token(&self) -> &str {
        &self.verify_token
    }
}

/// A text as a part of a path.
pub(in crate::channels) fn path_part(text: &str) -> String {
    form::encoded(text)
}

/// The answer to a handshake; `None`: the call is none.
pub(in crate::channels) fn handshake(call: &WebhookCall<'_>) -> Option<Result<Decoded, DecodeError>> {
    if call.method != Method::GET {
        return None;
    }
    let decoded = challenge(call.query)
        .map(|challenge| Decoded { received: Vec::new(), answer: WebhookAnswer::plain(challenge) })
        .ok_or(DecodeError::Missing("hub.challenge"));
    Some(decoded)
}

fn challenge(query: &str) -> Option<String> {
    let challenge = String::from_utf8(query::single(query, "hub.challenge")?).ok()?;
    let is_fit = !challenge.is_empty()
        && challenge.len() <= CHALLENGE_MAX
        && !challenge.contains(|character: char| character.is_control());
    is_fit.then_some(challenge)
}

/// The signature of a call, right or wrong.
fn signature(head: &CallHead<'_>) -> Result<Vec<u8>, VerifyError> {
    let malformed = || VerifyError::Malformed(SIGNATURE);
    let written = head.single_header(&SIGNATURE)?.strip_prefix(SIGNATURE_PREFIX).ok_or_else(malformed)?;
    hexadecimal::decode(written).filter(|given| given.len() == SIGNATURE_BYTES).ok_or_else(malformed)
}

/// A secret of visible characters: each of Meta's is one, and a line break at its end is a slip.
fn visible(
    secrets: &dyn ResolvedSecrets,
    setting: &'static str,
    place: &SecretRef,
) -> Result<Zeroizing<String>, ConnectError> {
    let value = required(secrets, setting, place)?;
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(ConnectError::Secret { setting, fault: "has spaces, line breaks or letters outside of ASCII" })
    }
}

/// An id that Meta gives as digits and that becomes a part of a path.
pub(in crate::channels) fn numeric_id(setting: &str, id: &str) -> Result<String, ConnectError> {
    if !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(id.to_owned())
    } else {
        Err(ConnectError::Setting {
            setting: setting.to_owned(),
            reason: "not an id of Meta: it consists of digits".to_owned(),
        })
    }
}
