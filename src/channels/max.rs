//! MAX: a bot of the MAX Bot API, with updates by webhook.
//!
//! Sources: dev.max.ru and the schema of the official client (max-messenger/max-bot-api-client-go). See
//! `update.rs` for what becomes of each update, `outgoing.rs` for messages and files.

mod attachment;
mod outgoing;
mod setup;
mod update;

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model::channel::{ChannelKind, Groups, MaxSettings};
use crate::model::effect::{Attempt, Effect, EffectAction, Refusal};
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, AttachmentKind};

use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::{Fault, PERSON_WAIT_MS, retry_after_ms};
use super::files::{self, FetchError, Fetched, FileFault, FileRoute};
use super::form;
use super::json::{at, id_of, text};
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets, api_base, required};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

use outgoing::Step;

/// Carries the `secret` that was given with the subscription.
const SECRET_HEADER: HeaderName = HeaderName::from_static("x-max-bot-api-secret");

/// The shortest and the longest secret that a subscription takes, in characters.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 5..=256;

/// How long to wait after "too many requests" without a time: two messages a second reach a chat.
const RATE_WAIT_MS: u64 = 1000;

/// The first pause while MAX is busy with an upload, in ms. Each further one is twice as long.
const BUSY_PAUSE_MS: u64 = 500;

/// The last pause before another attempt begins anew.
const BUSY_PAUSE_MAX_MS: u64 = 4000;

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit { length: 4000, unit: TextUnit::Characters },
    // Two messages a second reach a chat; a longer text would occupy it for too long.
    parts_max: 16,
    buttons: Some(ButtonLimits { count_max: 210, data_bytes_max: 1024 }),
    replies: true,
    acknowledges_buttons: true,
    files: FileRoute::Bytes,
    edits: false,
    deletes: false,
    typing: true,
};

/// A connected bot.
pub(super) struct Max {
    id: ChannelId,
    base: String,
    groups: Groups,
    token: Zeroizing<String>,
    token_header: HeaderValue,
    webhook_secret: Zeroizing<String>,
}

impl Max {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &MaxSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let token = required(secrets, "token", &settings.token)?;
        let malformed = ConnectError::Secret {
            setting: "token",
            fault: "is not a bot's token: one word of letters, digits, - and _",
        };
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed);
        }
        let mut token_header = HeaderValue::from_str(&token).map_err(|_| malformed)?;
        token_header.set_sensitive(true);
        let webhook_secret = required(secrets, "webhook_secret", &settings.webhook_secret)?;
        if !SECRET_LENGTH.contains(&webhook_secret.len())
            || !webhook_secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(ConnectError::Secret {
                setting: "webhook_secret",
                fault: "must be 5 to 256 characters of A-Z a-z 0-9 _ -, as a subscription asks",
            });
        }
        let base = api_base(&settings.api_base)?;
        Ok(Self { id: id.clone(), base, groups: settings.groups, token, token_header, webhook_secret })
    }

    /// A method of the API. `None` never happens: the parts were checked when the channel was connected.
    fn call(&self, method: Method, path: &str, query: &[(&str, &str)], body: &Value) -> Option<WireRequest> {
        let query = form::pairs(query);
        let separator = if query.is_empty() { "" } else { "?" };
        let url: Uri = format!("{}{path}{separator}{query}", self.base).parse().ok()?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.token_header.clone());
        let body = if body.is_null() {
            Bytes::new()
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Bytes::from(body.to_string())
        };
        Some(WireRequest { method, url, headers, body })
    }

    /// An address that MAX gave for an upload.
    fn is_upload_address(&self, address: &str) -> bool {
        let Ok(uri) = address.parse::<Uri>() else { return false };
        let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        // A test server without TLS gives such addresses itself.
        let has_scheme = uri.scheme_str() == Some("https")
            || (uri.scheme_str() == Some("http") && self.base.starts_with("http://"));
        has_scheme && !has_user
    }

    /// A video is named by a token; its address has to be asked for.
    fn is_video(attachment: &Attachment) -> bool {
        attachment.kind == AttachmentKind::Video && attachment.reference.is_some()
    }
}

impl fmt::Debug for Max {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Max").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Max {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Max
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// The secret stands in a header: this is the whole proof.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        head.require_method(&Method::POST)?;
        head.require_secret(&SECRET_HEADER, &self.webhook_secret)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        self.verify_head(&call.head())
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let received = update::read(&self.id, self.groups, call.body)?;
        Ok(Decoded { received, answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let request = match &effect.action {
            EffectAction::Send(outgoing) => return self.message(outgoing, progress),
            // Neither a notification nor a new message: the press is merely noticed.
            EffectAction::AcknowledgeButton { reference, .. } => {
                let query = [("callback_id", reference.as_str())];
                self.call(Method::POST, "/answers", &query, &json!({ "notification": null }))
            }
            EffectAction::Notify(_) => return Err(not_carried("notifications")),
        };
        request.ok_or_else(|| not_carried("requests to this `api_base`"))
    }

    /// MAX takes no key against duplicates: a send whose answer never came is ambiguous. What only prepares a
    /// message is seen by nobody and is simply made again.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = [self.token.as_str(), self.webhook_secret.as_str()];
        let fault = Fault::new(progress, &secrets);
        let step = Step::of(effect, progress);
        let response = match response {
            Ok(response) => response,
            Err(failure @ (SendFailure::Ambiguous(_) | SendFailure::TooLarge)) if step != Step::Send => {
                return fault.retry(None, &failure.to_string());
            }
            Err(failure) => return fault.no_answer(failure),
        };
        let body: serde_json_borrow::Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        if step == Step::Upload {
            return outgoing::uploaded(fault, progress, response, &body);
        }
        if let Some(code) = text(&body, "code") {
            return refused(fault, progress, response, &code, &body);
        }
        if !(200..300).contains(&response.status) {
            return fault.foreign(response, "the API of MAX");
        }
        match (&effect.action, step) {
            (EffectAction::Send(_), Step::Server) => match text(&body, "url") {
                Some(address) if self.is_upload_address(&address) => {
                    // Videos and sounds are named by what the first answer says, all others by the second.
                    let token = text(&body, "token").unwrap_or_default();
                    Verdict::More(progress.prepared_with(token).prepared_with(address))
                }
                _ => fault.retry(None, "MAX gave no address for the upload"),
            },
            (EffectAction::Send(outgoing), _) => match at(&body, &["message", "body", "mid"]).and_then(id_of)
            {
                Some(mid) => CAPABILITIES.arrived(ChannelKind::Max, outgoing, progress, Some(mid)),
                None => fault.foreign(response, "the API of MAX"),
            },
            (EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_), _) => {
                match body.as_object().and_then(|body| body.get("success")?.as_bool()) {
                    Some(true) => Verdict::Ended(Attempt::Delivered { external_id: None }),
                    Some(false) => fault.refused(
                        Refusal::Permanent,
                        &text(&body, "message").unwrap_or_else(|| "MAX does not say why".to_owned()),
                    ),
                    None => fault.foreign(response, "the API of MAX"),
                }
            }
        }
    }

    fn typing(&self, chat: &str, _: Option<&str>) -> Option<WireRequest> {
        let path = format!("/chats/{}/actions", form::encoded(chat));
        self.call(Method::POST, &path, &[], &json!({ "action": "typing_on" }))
    }

    fn fetch(&self, attachment: &Attachment, prepared: &[String]) -> Result<WireRequest, FetchError> {
        match (prepared, &attachment.reference) {
            ([address, ..], _) => {
                files::by_address(&Attachment { url: Some(address.clone()), ..attachment.clone() })
            }
            ([], Some(token)) if Self::is_video(attachment) => {
                let path = format!("/videos/{}", form::encoded(token));
                self.call(Method::GET, &path, &[], &Value::Null).ok_or(FetchError::NoAddress)
            }
            _ => files::by_address(attachment),
        }
    }

    fn fetched(&self, attachment: &Attachment, prepared: &[String], response: &WireResponse) -> Fetched {
        if !prepared.is_empty() || !Self::is_video(attachment) {
            return files::answer(response);
        }
        let body: serde_json_borrow::Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        match attachment::video_address(&body) {
            Some(address) => Fetched::More(vec![address]),
            None if response.status == 200 => Fetched::Failed(FetchError::NoAddress),
            None if response.status == 404 => Fetched::Failed(FetchError::Gone),
            None => Fetched::Failed(FetchError::Refused(format!("HTTP {}", response.status))),
        }
    }

    /// Files of any size that we keep are taken, so only the kind can be wrong.
    fn refuses_file(&self, file: &Attachment) -> Option<FileFault> {
        matches!(file.kind, AttachmentKind::Location | AttachmentKind::Contact).then_some(FileFault::Kind)
    }

    fn registration(&self, webhook: &str) -> Vec<Check> {
        self.registration_requests(webhook)
    }

    fn checks(&self) -> Vec<Check> {
        self.check_requests()
    }

    fn examine(&self, check: &Check, webhook: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        self.findings(check.name, webhook, response)
    }
}

fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Max.as_str(), what }
}

/// MAX refused. Its `code` counts first: a 403 is either a client who has stopped the bot or a bad token.
fn refused(
    fault: Fault<'_>,
    progress: &Progress,
    response: &WireResponse,
    code: &str,
    body: &serde_json_borrow::Value<'_>,
) -> Verdict {
    let said = text(body, "message").or_else(|| text(body, "error")).unwrap_or_default();
    let error = format!("{said} ({code})");
    let asked = retry_after_ms(&response.headers);
    match (code, response.status) {
        ("attachment.not.ready", _) => {
            let pause = progress.pause_ms.saturating_mul(2).max(BUSY_PAUSE_MS);
            if pause <= BUSY_PAUSE_MAX_MS {
                Verdict::More(progress.again_after(pause))
            } else {
                fault.retry(Some(BUSY_PAUSE_MAX_MS), &format!("MAX is still busy with the file ({code})"))
            }
        }
        ("too.many.requests", _) | (_, 429) => fault.retry(Some(asked.unwrap_or(RATE_WAIT_MS)), &error),
        ("verify.token" | "deprecated.token", _) | (_, 401) => fault.retry_channel(
            Some(PERSON_WAIT_MS),
            &format!("token refused ({error}): check the channel's `token` and `api_base`"),
        ),
        ("chat.denied", _) | (_, 403) => fault.refused(Refusal::Blocked, &error),
        ("service.unavailable" | "internal.error", _) | (_, 500..=599) => fault.retry(asked, &error),
        _ => fault.refused(Refusal::Permanent, &error),
    }
}

#[cfg(test)]
mod tests;
