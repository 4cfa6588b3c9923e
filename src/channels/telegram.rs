//! Telegram: a bot of the Bot API, with updates by webhook.
//!
//! Sources: core.telegram.org/bots/api and /bots/webhooks. See `update.rs` for what becomes of each kind of update.

mod outgoing;
mod setup;
mod update;

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model::channel::{ChannelKind, Groups, TelegramSettings};
use crate::model::effect::{Attempt, Effect, EffectAction, Refusal};
use crate::model::id::ChannelId;
use crate::model::message::Attachment;

use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::{Fault, retry_after_ms, safe_text};
use super::files::{self, FetchError, Fetched, FileRoute};
use super::form;
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets, http_address, required};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

/// Carries the `secret_token` that was given to `setWebhook`.
const SECRET_HEADER: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");

/// The longest `secret_token` that `setWebhook` takes.
const SECRET_MAX: usize = 256;

/// How long to wait when the token is refused: a person has to act, and each further call with a
/// refused token counts against us.
const TOKEN_WAIT_MS: u64 = 10 * 60 * 1000;

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit { length: 4096, unit: TextUnit::Utf16 },
    // One message per second and chat is allowed: a longer text would occupy the chat for too long.
    parts_max: 16,
    buttons: Some(ButtonLimits { count_max: 100, data_bytes_max: 64 }),
    replies: true,
    acknowledges_buttons: true,
    files: FileRoute::Bytes,
    edits: false,
    deletes: false,
    typing: true,
};

/// A connected bot.
pub(super) struct Telegram {
    id: ChannelId,
    /// The address of methods: `API_BASE/botTOKEN`. Secret as a whole.
    methods: Zeroizing<String>,
    /// The address of files: `API_BASE/file/botTOKEN`. Secret as a whole.
    files: Zeroizing<String>,
    groups: Groups,
    token: Zeroizing<String>,
    webhook_secret: Zeroizing<String>,
}

impl Telegram {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &TelegramSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let token = required(secrets, "token", &settings.token)?;
        let webhook_secret = required(secrets, "webhook_secret", &settings.webhook_secret)?;
        // The token becomes a part of a path: anything else could lead to another place. Its number says which
        // bot it is.
        if !is_token(&token) {
            return Err(ConnectError::Secret {
                setting: "token",
                fault: "is not a bot token: it looks like 123456:ABC-def, with A-Z a-z 0-9 _ - after the colon",
            });
        }
        if webhook_secret.len() > SECRET_MAX
            || !webhook_secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(ConnectError::Secret {
                setting: "webhook_secret",
                fault: "must be 1 to 256 characters of A-Z a-z 0-9 _ -, as setWebhook asks",
            });
        }
        let base = http_address("api_base", &settings.api_base)?;
        if base.query().is_some() {
            return Err(ConnectError::Setting {
                setting: "api_base".to_owned(),
                reason: "the address must not have a query".to_owned(),
            });
        }
        let base = settings.api_base.trim_end_matches('/');
        let methods = Zeroizing::new(format!("{base}/bot{}", token.as_str()));
        let files = Zeroizing::new(format!("{base}/file/bot{}", token.as_str()));
        Ok(Self { id: id.clone(), methods, files, groups: settings.groups, token, webhook_secret })
    }

    fn call(&self, method: &str, body: &Value) -> Result<WireRequest, EncodeError> {
        self.post(method, HeaderValue::from_static("application/json"), Bytes::from(body.to_string()))
    }

    fn post(&self, method: &str, content_type: HeaderValue, body: Bytes) -> Result<WireRequest, EncodeError> {
        let address = Zeroizing::new(format!("{}/{method}", self.methods.as_str()));
        // The parts were checked when the channel was connected, so this is never an error in practice.
        let url: Uri = address.parse().map_err(|_| not_carried("requests to this `api_base`"))?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        Ok(WireRequest { method: Method::POST, url, headers, body })
    }

    /// A request with a file goes as a form, in which what is not text stands as JSON.
    fn send(&self, request: outgoing::Request<'_>) -> Result<WireRequest, EncodeError> {
        let outgoing::Request { method, parameters, file } = request;
        let Some((field, file)) = file else { return self.call(method, &Value::Object(parameters)) };
        let fields: Vec<(&str, String)> = parameters
            .iter()
            .map(|(name, value)| {
                (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        let (content_type, body) =
            form::with_file(&fields, field, file).ok_or_else(|| not_carried("files with this name"))?;
        self.post(method, content_type, body)
    }

    /// The secrets that no text may contain.
    fn secrets(&self) -> [&str; 3] {
        let bare_token = self.token.split_once(':').map_or("", |(_, bare)| bare);
        [self.token.as_str(), bare_token, self.webhook_secret.as_str()]
    }
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Telegram {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Telegram
    }

    /// A bot's token begins with its number. Each bot numbers messages from 1, and a person's chat has the same
    /// number with every bot.
    fn account(&self) -> Option<&str> {
        self.token.split_once(':').map(|(number, _)| number)
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
        Ok(Decoded { received: vec![received], answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        match &effect.action {
            EffectAction::Send(message) => {
                // A group that became a supergroup has another number since.
                let chat = progress.prepared.last().unwrap_or(&message.chat);
                self.send(outgoing::request(message, progress, chat)?)
            }
            EffectAction::AcknowledgeButton { reference, .. } => {
                self.call("answerCallbackQuery", &json!({ "callback_query_id": reference }))
            }
            EffectAction::Notify(_) => Err(not_carried("notifications")),
        }
    }

    /// Telegram takes no idempotency key. A send whose answer never came is therefore ambiguous, and
    /// when it is tried again the client may see it twice: at least once, as promised.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = self.secrets();
        let fault = Fault::new(progress, &secrets);
        let response = match response {
            Ok(response) => response,
            Err(failure) => return fault.no_answer(failure),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match body.get("ok").and_then(Value::as_bool) {
            Some(true) => {
                let message = body.pointer("/result/message_id").and_then(Value::as_u64);
                delivered(effect, progress, message.map(|id| id.to_string()))
            }
            Some(false) => match migrated(&body) {
                Some(new) if self.groups == Groups::Accept && progress.prepared.is_empty() => {
                    Verdict::More(progress.prepared_with(new))
                }
                _ => refused(fault, response, &body),
            },
            None => not_bot_api(fault, response),
        }
    }

    fn typing(&self, chat: &str, _last: Option<&str>) -> Option<WireRequest> {
        let chat = outgoing::number_or_text(chat);
        self.call("sendChatAction", &json!({ "chat_id": chat, "action": "typing" })).ok()
    }

    /// First the path of the file is asked for, then the file. Both addresses hold the token.
    fn fetch(&self, attachment: &Attachment, prepared: &[String]) -> Result<WireRequest, FetchError> {
        let Some(path) = prepared.first() else {
            let file = attachment.reference.as_deref().ok_or(FetchError::NoAddress)?;
            return self.call("getFile", &json!({ "file_id": file })).map_err(|_| FetchError::NoAddress);
        };
        let address = Zeroizing::new(format!("{}/{path}", self.files.as_str()));
        let url: Uri = address.parse().map_err(|_| FetchError::NoAddress)?;
        Ok(WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
    }

    fn fetched(&self, _attachment: &Attachment, prepared: &[String], response: &WireResponse) -> Fetched {
        if !prepared.is_empty() {
            return files::answer(response);
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let said = body.get("description").and_then(Value::as_str);
        match body.pointer("/result/file_path").and_then(Value::as_str) {
            Some(path) if is_file_path(path) => Fetched::More(vec![path.to_owned()]),
            Some(_) => Fetched::Failed(FetchError::Refused(
                "its path is not one of the public Bot API; a server of one's own must not run with --local"
                    .to_owned(),
            )),
            // A reference that is not known any more, or is another bot's.
            None if said.is_some_and(|said| said.contains("file_id") || said.contains("not found")) => {
                Fetched::Failed(FetchError::Gone)
            }
            None => {
                let status = format!("HTTP {}", response.status);
                Fetched::Failed(FetchError::Refused(safe_text(said.unwrap_or(&status), &self.secrets())))
            }
        }
    }

    fn registration(&self, webhook: &str) -> Vec<Check> {
        let body = setup::registration(webhook, &self.webhook_secret);
        let request = self.call("setWebhook", &body).ok();
        request.map(|request| Check { name: setup::REGISTER, request }).into_iter().collect()
    }

    fn checks(&self) -> Vec<Check> {
        [(setup::TOKEN, "getMe"), (setup::WEBHOOK, "getWebhookInfo")]
            .into_iter()
            .filter_map(|(name, method)| Some(Check { name, request: self.call(method, &json!({})).ok()? }))
            .collect()
    }

    fn examine(&self, check: &Check, webhook: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        setup::examine(check.name, webhook, self.groups, response.status, &response.body, &self.secrets())
    }
}

/// Whether a path of a file leads below the address of files and nowhere else.
fn is_file_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.');
    !path.is_empty() && !path.starts_with('/') && !path.contains("..") && path.bytes().all(is_plain)
}

/// The number of the supergroup that a group became.
fn migrated(body: &Value) -> Option<String> {
    body.pointer("/parameters/migrate_to_chat_id").and_then(Value::as_i64).map(|new| new.to_string())
}

fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Telegram.as_str(), what }
}

/// One request arrived. The message's id is that of its last part: it carries the buttons.
fn delivered(effect: &Effect, progress: &Progress, external_id: Option<String>) -> Verdict {
    let parts = match &effect.action {
        EffectAction::Send(message) => outgoing::pieces(message).map_or(1, |pieces| pieces.len()),
        EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => 1,
    };
    let progress = progress.part_done();
    if usize::try_from(progress.parts_done).unwrap_or(usize::MAX) < parts {
        Verdict::More(progress)
    } else {
        Verdict::Ended(Attempt::Delivered { external_id })
    }
}

/// The Bot API refused. Its `error_code` counts, not the HTTP status: they were seen to differ.
fn refused(fault: Fault<'_>, response: &WireResponse, body: &Value) -> Verdict {
    let code = body.get("error_code").and_then(Value::as_u64).unwrap_or_else(|| u64::from(response.status));
    let description = body.get("description").and_then(Value::as_str).unwrap_or("no description");
    match code {
        429 => {
            let seconds = body.pointer("/parameters/retry_after").and_then(Value::as_u64);
            let wait = seconds.map(|seconds| seconds.saturating_mul(1000));
            fault.retry(wait.or_else(|| retry_after_ms(&response.headers)), description)
        }
        // Blocked, deactivated, never wrote to the bot, bot removed: in each case the client must act.
        403 => fault.refused(Refusal::Blocked, description),
        // The Bot API answers 404 to a token that is not even well formed.
        401 | 404 => fault.retry_channel(
            Some(TOKEN_WAIT_MS),
            &format!("token refused ({description}): check the channel's `token` and `api_base`"),
        ),
        500..=599 => fault.retry(None, description),
        _ => match migrated(body) {
            Some(new) => fault.refused(
                Refusal::Permanent,
                &format!(
                    "the group became the supergroup {new}; the channel has `groups: refuse` ({description})"
                ),
            ),
            None => fault.refused(Refusal::Permanent, description),
        },
    }
}

/// The answer is not of the Bot API: a proxy or a server on the way spoke.
fn not_bot_api(fault: Fault<'_>, response: &WireResponse) -> Verdict {
    let status = response.status;
    let error = format!("HTTP {status} without an answer of the Bot API");
    match status {
        // Something took the request. Whether the bot API did is unknown.
        200..=299 => fault.ambiguous(&error),
        429 | 500..=599 => fault.retry(retry_after_ms(&response.headers), &error),
        // A wrong address or a proxy that forbids it: a person has to act, and nothing was sent.
        _ => fault.retry(Some(TOKEN_WAIT_MS), &format!("{error}: check the channel's `api_base`")),
    }
}

/// Whether a text has the form of a bot's token: its number, a colon, and the secret part.
fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(number, secret)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && !secret.is_empty()
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests;
