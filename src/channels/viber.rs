//! Viber: a bot of the REST Bot API, with events by webhook.
//!
//! Sources: developers.viber.com/docs/api/rest-bot-api and creators.viber.com/docs/bots-api. See `event.rs` for
//! what becomes of each event, and `button.rs` for how a pressed button is known again.

mod button;
mod event;
mod outgoing;

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::channel::{ChannelKind, ViberSender, ViberSettings};
use crate::model::effect::{Effect, EffectAction, Refusal};
use crate::model::hexadecimal;
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, AttachmentKind};

use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::{Fault, PERSON_WAIT_MS, retry_after_ms, safe_text};
use super::files::{FileFault, FileRoute};
use super::json;
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets, api_base, http_address, required};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

/// Carries the HMAC-SHA256 over the raw body, keyed with the bot's token, in hexadecimal digits.
const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-viber-content-signature");

/// Carries the bot's token.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-viber-auth-token");

/// The length of an HMAC-SHA256 in bytes.
const SIGNATURE_BYTES: usize = 32;

/// The longest name of a sender, in characters.
const SENDER_NAME_MAX: usize = 28;

/// The largest request, in bytes.
const REQUEST_MAX: usize = 30_000;

/// What the webhook is registered for. `message` always comes.
const EVENT_TYPES: [&str; 6] =
    ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"];

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit { length: 7000, unit: TextUnit::Characters },
    // A hundred messages an hour reach a client who does not answer; one text must not use them up.
    parts_max: 8,
    // A keyboard has 24 rows. Twice the data, escaped, and its title fit into what comes back.
    buttons: Some(ButtonLimits { count_max: 24, data_bytes_max: 128 }),
    replies: false,
    acknowledges_buttons: false,
    files: FileRoute::Address,
    edits: false,
    deletes: false,
    typing: false,
};

/// A connected bot.
pub(super) struct Viber {
    id: ChannelId,
    base: String,
    sender: ViberSender,
    token: Zeroizing<String>,
    token_header: HeaderValue,
}

impl Viber {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &ViberSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let token = required(secrets, "token", &settings.token)?;
        let malformed = ConnectError::Secret {
            setting: "token",
            fault: "is not a bot's token: one word of letters, digits and -, as Viber shows it under Edit Info",
        };
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed);
        }
        let mut token_header = HeaderValue::from_str(&token).map_err(|_| malformed)?;
        token_header.set_sensitive(true);
        let name_length = settings.sender.name.chars().count();
        if settings.sender.name.trim().is_empty() || name_length > SENDER_NAME_MAX {
            return Err(ConnectError::Setting {
                setting: "sender.name".to_owned(),
                reason: format!("it has {name_length} characters; Viber shows 1 to {SENDER_NAME_MAX}"),
            });
        }
        if let Some(avatar) = &settings.sender.avatar {
            http_address("sender.avatar", avatar)?;
        }
        let base = api_base(&settings.api_base)?;
        Ok(Self { id: id.clone(), base, sender: settings.sender.clone(), token, token_header })
    }

    /// A method of the API. `None` never happens: the parts were checked when the channel was connected.
    fn call(&self, method: &str, body: &Value) -> Option<WireRequest> {
        let url: Uri = format!("{}/{method}", self.base).parse().ok()?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(TOKEN_HEADER, self.token_header.clone());
        Some(WireRequest { method: Method::POST, url, headers, body: Bytes::from(body.to_string()) })
    }

    fn mac(&self) -> Option<Hmac<Sha256>> {
        // HMAC takes a key of any length, so there is always one.
        Hmac::new_from_slice(self.token.as_bytes()).ok()
    }
}

impl fmt::Debug for Viber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viber").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Viber {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Viber
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// The signature must be there and have its form; whether it is right only the body shows.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        head.require_method(&Method::POST)?;
        signature(head).map(drop)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        let head = call.head();
        head.require_method(&Method::POST)?;
        let given = signature(&head)?;
        let mut mac = self.mac().ok_or(VerifyError::Mismatch)?;
        mac.update(call.body);
        // Compares in constant time, and the whole length.
        mac.verify_slice(&given).map_err(|_| VerifyError::Mismatch)
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let known = |chat: &str, text: &str| self.mac().and_then(|mac| button::read(mac, chat, text));
        let received = event::read(&self.id, call.body, &known)?;
        // An answer with a body to `conversation_started` would be a message to the client.
        Ok(Decoded { received, answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let EffectAction::Send(outgoing) = &effect.action else {
            let what = match &effect.action {
                EffectAction::AcknowledgeButton { .. } => "acknowledgements of buttons",
                EffectAction::Send(_) | EffectAction::Notify(_) => "notifications",
            };
            return Err(not_carried(what));
        };
        let pressed = |title: &str, data: &str| match self.mac() {
            Some(mac) => button::write(mac, &outgoing.chat, title, data),
            None => data.to_owned(),
        };
        let messages = outgoing::messages(outgoing, &self.sender, &pressed)?;
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let message = messages.get(at).ok_or(EncodeError::Complete)?;
        self.call("send_message", message).ok_or_else(|| not_carried("requests to this `api_base`"))
    }

    /// Viber takes no key against duplicates: a send whose answer never came is ambiguous.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = [self.token.as_str()];
        let fault = Fault::new(progress, &secrets);
        let response = match response {
            Ok(response) => response,
            Err(failure) => return fault.no_answer(failure),
        };
        let body: serde_json_borrow::Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        match (status_of(&body), &effect.action) {
            (Some(0), EffectAction::Send(outgoing)) => {
                CAPABILITIES.arrived(ChannelKind::Viber, outgoing, progress, json::id(&body, "message_token"))
            }
            (Some(0), _) => fault.refused(Refusal::Permanent, "Viber was asked for nothing that it does"),
            (Some(status), _) => refused(fault, response, status, &body),
            (None, _) => fault.foreign(response, "the Bot API of Viber"),
        }
    }

    /// Whatever has no better form goes as a link, so only its kind can be wrong.
    fn refuses_file(&self, file: &Attachment) -> Option<FileFault> {
        matches!(file.kind, AttachmentKind::Location | AttachmentKind::Contact).then_some(FileFault::Kind)
    }

    fn registration(&self, webhook: &str) -> Vec<Check> {
        let body =
            json!({ "url": webhook, "event_types": EVENT_TYPES, "send_name": true, "send_photo": false });
        self.call("set_webhook", &body)
            .map(|request| Check { name: "webhook", request })
            .into_iter()
            .collect()
    }

    fn checks(&self) -> Vec<Check> {
        let request = self.call("get_account_info", &json!({}));
        request.map(|request| Check { name: "token", request }).into_iter().collect()
    }

    fn examine(&self, check: &Check, webhook: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        let body: serde_json_borrow::Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        let said = json::text(&body, "status_message").unwrap_or_default();
        let said = safe_text(&said, &[self.token.as_str()]);
        match (check.name, status_of(&body)) {
            (_, None) => vec![Finding::bad(format!(
                "HTTP {} without an answer of the Bot API of Viber: check the channel's `api_base`",
                response.status
            ))],
            ("webhook", Some(0)) => vec![Finding::good("Viber calls the webhook from now on")],
            ("webhook", Some(1)) => vec![Finding::bad(format!(
                "Viber could not call the webhook ({said}): it must be reachable by https with a certificate of a known authority, \
                 and the channel must be connected already"
            ))],
            (_, Some(2)) => vec![Finding::bad(format!(
                "the token is refused ({said}): copy it anew from Viber (More, Settings, Bots, Edit Info)"
            ))],
            ("token", Some(0)) => account(&body, webhook),
            (_, Some(status)) => vec![Finding::bad(format!("Viber answered status {status}: {said}"))],
        }
    }
}

/// The signature of a call, right or wrong, in its form.
fn signature(head: &CallHead<'_>) -> Result<Vec<u8>, VerifyError> {
    let written = head.single_header(&SIGNATURE_HEADER)?;
    match hexadecimal::decode(written) {
        Some(given) if given.len() == SIGNATURE_BYTES => Ok(given),
        // What has another length cannot be right for any body.
        Some(_) => Err(VerifyError::Mismatch),
        None => Err(VerifyError::Malformed(SIGNATURE_HEADER)),
    }
}

/// The status of an answer. It was seen as a text, too.
fn status_of(body: &serde_json_borrow::Value<'_>) -> Option<u64> {
    json::id(body, "status")?.parse().ok()
}

fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Viber.as_str(), what }
}

/// Viber refused. Its `status` counts: errors come with HTTP 200, too.
fn refused(
    fault: Fault<'_>,
    response: &WireResponse,
    status: u64,
    body: &serde_json_borrow::Value<'_>,
) -> Verdict {
    let said = json::text(body, "status_message").unwrap_or_else(|| "no description".to_owned());
    let error = format!("{said} (status {status})");
    match status {
        // Not registered, not subscribed, no device that could show it: in each case the client must act.
        5 | 6 | 11 => fault.refused(Refusal::Blocked, &error),
        // A hundred messages an hour to a client who does not answer: this chat alone.
        12 => fault.retry(retry_after_ms(&response.headers), &error),
        2 => fault.retry_channel(
            Some(PERSON_WAIT_MS),
            &format!("token refused ({error}): check the channel's `token`"),
        ),
        // The account is blocked, unknown, suspended or not authorized; it has no webhook; its free messages or
        // its balance are used up.
        7..=10 | 15 | 23 | 24 => fault.retry_channel(
            Some(PERSON_WAIT_MS),
            &format!("the account cannot send at present ({error}): see it in Viber's administration"),
        ),
        1 | 3 | 4 | 13 | 14 | 16..=22 => fault.refused(Refusal::Permanent, &error),
        // Viber calls every further number a general error.
        _ => fault.retry(retry_after_ms(&response.headers), &error),
    }
}

/// What the account's own data say about how it is set up.
fn account(body: &serde_json_borrow::Value<'_>, webhook: Option<&str>) -> Vec<Finding> {
    let name = json::text(body, "name").unwrap_or_else(|| "without a name".to_owned());
    let mut findings = vec![Finding::good(format!("the token is that of the bot {}", safe_text(&name, &[])))];
    let registered = json::text(body, "webhook");
    match (registered, webhook) {
        (None, _) => findings
            .push(Finding::bad("Viber calls no webhook: run `switchboard channel setup` for this channel")),
        (Some(registered), Some(ours)) if registered != ours => findings.push(Finding::bad(format!(
            "Viber calls {} instead of {ours}: run `switchboard channel setup` for this channel",
            safe_text(&registered, &[])
        ))),
        (Some(registered), _) => {
            findings.push(Finding::good(format!("Viber calls {}", safe_text(&registered, &[]))));
        }
    }
    let events = json::items(body, "event_types");
    let missing: Vec<&str> = EVENT_TYPES
        .into_iter()
        .filter(|wanted| !events.iter().any(|event| event.as_str() == Some(wanted)))
        .collect();
    if json::is_given(body, "event_types") && !missing.is_empty() {
        findings.push(Finding::bad(format!(
            "Viber does not tell about {}: run `switchboard channel setup` for this channel",
            missing.join(", ")
        )));
    }
    findings
}

#[cfg(test)]
mod tests;
