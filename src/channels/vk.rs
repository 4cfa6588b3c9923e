//! VK: a community with the Callback API.
//!
//! Sources: dev.vk.com/ru/api/callback and the official schema VKCOM/vk-api-schema. See `event.rs` for what
//! becomes of each event, `outgoing.rs` for messages and files, `setup.rs` for the registration.

mod attachment;
mod event;
mod outgoing;
mod setup;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json_borrow::Value;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::model::channel::{ChannelKind, Groups, VkSettings};
use crate::model::effect::{Attempt, Effect, EffectAction, Refusal};
use crate::model::id::ChannelId;
use crate::model::message::Attachment;

use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::{Fault, PERSON_WAIT_MS, retry_after_ms};
use super::files::{self, FetchError, FileFault, FileRoute};
use super::form;
use super::json::{at, field, id_of, text};
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets, api_base, required};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

/// Every call is answered with exactly this; after other answers VK calls again, and stops after some.
const TAKEN: &str = "ok";

/// The longest secret key of a server, in bytes.
const SECRET_MAX: usize = 50;

/// The longest confirmation code that is plausible, in bytes. Real ones have 8.
const CONFIRMATION_MAX: usize = 64;

/// Numbers of chats begin here; below are people.
const CHATS_FROM: u64 = 2_000_000_000;

/// How long to wait after "too many requests per second".
const SECOND_MS: u64 = 1000;

/// How long to wait after "flood control", which names no time: people report minutes.
const FLOOD_WAIT_MS: u64 = 60 * 1000;

/// How long to wait after "rate limit reached", which counts by the hour and the day.
const RATE_WAIT_MS: u64 = 10 * 60 * 1000;

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    // The schema says 9000, the messenger itself cuts at 4096.
    text: TextLimit { length: 4096, unit: TextUnit::Characters },
    parts_max: 16,
    // A payload has 255 characters; data and title, escaped, fit into them with their frame.
    buttons: Some(ButtonLimits { count_max: 10, data_bytes_max: 64 }),
    replies: true,
    acknowledges_buttons: true,
    files: FileRoute::Bytes,
    edits: false,
    deletes: false,
    typing: true,
};

/// A connected community.
pub(super) struct Vk {
    id: ChannelId,
    base: String,
    group_id: String,
    version: String,
    confirmation: Option<String>,
    groups: Groups,
    token: Zeroizing<String>,
    secret: Zeroizing<String>,
}

impl Vk {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &VkSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let setting = |setting: &str, reason: &str| ConnectError::Setting {
            setting: setting.to_owned(),
            reason: reason.to_owned(),
        };
        let token = required(secrets, "access_token", &settings.access_token)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConnectError::Secret {
                setting: "access_token",
                fault: "is not an access token: one word of letters, digits, - . and _",
            });
        }
        let secret = required(secrets, "secret", &settings.secret)?;
        if secret.len() > SECRET_MAX || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConnectError::Secret {
                setting: "secret",
                fault: "must be 1 to 50 visible ASCII characters, as the secret key of a VK server",
            });
        }
        if !settings.group_id.parse::<u64>().is_ok_and(|number| number.to_string() == settings.group_id) {
            return Err(setting("group_id", "not the number of a community: digits without a minus sign"));
        }
        let is_version = !settings.api_version.is_empty()
            && settings.api_version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_version {
            return Err(setting("api_version", "not a version of the API, such as 5.199"));
        }
        if let Some(code) = &settings.confirmation
            && (code.len() > CONFIRMATION_MAX || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Err(setting("confirmation", "not a confirmation code: a few letters and digits"));
        }
        Ok(Self {
            id: id.clone(),
            base: api_base(&settings.api_base)?,
            group_id: settings.group_id.clone(),
            version: settings.api_version.clone(),
            confirmation: settings.confirmation.clone(),
            groups: settings.groups,
            token,
            secret,
        })
    }

    /// A method of the API. `None` never happens: the parts were checked when the channel was connected.
    fn call(&self, method: &str, parameters: &[(&str, &str)]) -> Option<WireRequest> {
        let url: Uri = format!("{}/{method}", self.base).parse().ok()?;
        let mut pairs = parameters.to_vec();
        pairs.push(("v", self.version.as_str()));
        // In the body rather than in the address, which proxies write down.
        pairs.push(("access_token", self.token.as_str()));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, form::PAIRS);
        Some(WireRequest { method: Method::POST, url, headers, body: Bytes::from(form::pairs(&pairs)) })
    }

    /// An address that VK gave for an upload.
    fn is_upload_address(&self, address: &str) -> bool {
        let scheme = address.parse::<Uri>().ok().and_then(|uri| {
            let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
            uri.scheme_str().filter(|_| !has_user).map(str::to_owned)
        });
        // A test server without TLS gives such addresses itself.
        scheme.as_deref() == Some("https")
            || (scheme.as_deref() == Some("http") && self.base.starts_with("http://"))
    }
}

impl fmt::Debug for Vk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vk").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What of a body proves where it comes from. Everything else in it is skipped unread; a key that stands there
/// twice is an error, because somebody else may have read the other one.
#[derive(Deserialize)]
struct Proof<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    group_id: &'a RawValue,
    #[serde(borrow)]
    secret: Option<Cow<'a, str>>,
}

impl Channel for Vk {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Vk
    }

    /// Each community numbers its messages by itself, and a person's chat has the same number with each.
    fn account(&self) -> Option<&str> {
        Some(&self.group_id)
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// The proof stands in the body.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        head.require_method(&Method::POST)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        self.verify_head(&call.head())?;
        let proof: Proof<'_> = serde_json::from_slice(call.body).map_err(|_| VerifyError::Mismatch)?;
        let is_ours = proof.group_id.get() == self.group_id;
        let is_right = match &proof.secret {
            Some(secret) => bool::from(secret.as_bytes().ct_eq(self.secret.as_bytes())),
            // A server is confirmed before it has a secret. What we answer then is no secret.
            None => proof.kind == "confirmation",
        };
        if is_ours && is_right { Ok(()) } else { Err(VerifyError::Mismatch) }
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let body: Value<'_> = serde_json::from_slice(call.body)?;
        let kind = text(&body, "type").ok_or(DecodeError::Missing("type"))?;
        if kind == "confirmation" {
            let code = self.confirmation.clone().unwrap_or_else(|| TAKEN.to_owned());
            return Ok(Decoded { received: Vec::new(), answer: WebhookAnswer::plain(code) });
        }
        let received = event::read(&self.id, self.groups, &kind, &body, call.body);
        Ok(Decoded { received, answer: WebhookAnswer::plain(TAKEN) })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        match &effect.action {
            EffectAction::Send(outgoing) => self.message(effect, outgoing, progress),
            EffectAction::AcknowledgeButton { reference, .. } => {
                let press = event::Press::read(reference).ok_or_else(|| not_carried("such a reference"))?;
                let parameters =
                    [("event_id", press.event), ("user_id", press.user), ("peer_id", press.peer)];
                self.call("messages.sendMessageEventAnswer", &parameters)
                    .ok_or_else(|| not_carried("requests to this `api_base`"))
            }
            EffectAction::Notify(_) => Err(not_carried("notifications")),
        }
    }

    /// `random_id` makes a repeated send harmless, so an ambiguous one may be tried again. What only prepares a
    /// message is seen by nobody and is simply made again.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = [self.token.as_str(), self.secret.as_str()];
        let fault = Fault::new(progress, &secrets);
        let step = outgoing::Step::of(effect, progress);
        let response = match response {
            Ok(response) => response,
            Err(failure @ (SendFailure::Ambiguous(_) | SendFailure::TooLarge)) if step.prepares() => {
                return fault.retry(None, &failure.to_string());
            }
            Err(failure) => return fault.no_answer(failure),
        };
        let body: Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        if step == outgoing::Step::Upload {
            return outgoing::uploaded(fault, progress, response, &body);
        }
        // With several receivers each has an error of its own; we name one.
        let refusal = field(&body, "error").or_else(|| {
            let first = field(&body, "response")?.as_array()?.first()?;
            field(first, "error")
        });
        if let Some(error) = refusal.filter(|error| error.is_object()) {
            return refused(fault, response, error);
        }
        let Some(answer) = field(&body, "response").filter(|answer| !answer.is_null()) else {
            return match response.status {
                200..=299 if step.prepares() => fault.retry(None, "VK answered without a result"),
                _ => fault.foreign(response, "the API of VK"),
            };
        };
        match step {
            outgoing::Step::Server => match text(answer, "upload_url") {
                Some(address) if self.is_upload_address(&address) => {
                    Verdict::More(progress.prepared_with(address))
                }
                _ => fault.retry(None, "VK gave no address for the upload"),
            },
            outgoing::Step::Save => match outgoing::saved(answer) {
                Some(attachment) => Verdict::More(progress.prepared_with(attachment)),
                None => fault.retry(None, "VK did not say how the file was saved"),
            },
            outgoing::Step::Send | outgoing::Step::Upload => match &effect.action {
                EffectAction::Send(outgoing) => {
                    // In a chat of several people the number is 0.
                    let number = id_of(answer).filter(|number| number != "0");
                    let first = || id_of(field(answer.as_array()?.first()?, "message_id")?);
                    CAPABILITIES.arrived(ChannelKind::Vk, outgoing, progress, number.or_else(first))
                }
                EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => {
                    Verdict::Ended(Attempt::Delivered { external_id: None })
                }
            },
        }
    }

    fn typing(&self, chat: &str, _: Option<&str>) -> Option<WireRequest> {
        self.call(
            "messages.setActivity",
            &[("peer_id", chat), ("type", "typing"), ("group_id", &self.group_id)],
        )
    }

    /// Files have plain addresses. Videos have none: VK shows them only in its own player.
    fn fetch(&self, attachment: &Attachment, _: &[String]) -> Result<WireRequest, FetchError> {
        files::by_address(attachment)
    }

    fn refuses_file(&self, file: &Attachment) -> Option<FileFault> {
        outgoing::refuses(file)
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
    EncodeError::NotCarried { kind: ChannelKind::Vk.as_str(), what }
}

/// VK refused. It does so with HTTP 200; the code counts.
fn refused(fault: Fault<'_>, response: &WireResponse, error: &Value<'_>) -> Verdict {
    let code = ["error_code", "code"].into_iter().find_map(|key| field(error, key)?.as_u64());
    let said = ["error_msg", "description"].into_iter().find_map(|key| text(error, key));
    let said = said.unwrap_or_else(|| "no description".to_owned());
    let Some(code) = code else {
        return fault.retry(retry_after_ms(&response.headers), &said);
    };
    let error = format!("{said} (error {code})");
    let asked = retry_after_ms(&response.headers);
    match code {
        // Twenty requests a second are allowed to a community, whoever they are for.
        6 => fault.retry_channel(Some(asked.unwrap_or(SECOND_MS)), &error),
        9 => fault.retry(Some(asked.unwrap_or(FLOOD_WAIT_MS)), &error),
        29 => fault.retry_channel(Some(asked.unwrap_or(RATE_WAIT_MS)), &error),
        1 | 10 => fault.retry(asked, &error),
        // Blacklist, no permission, privacy: in each case the client must act.
        900..=902 => fault.refused(Refusal::Blocked, &error),
        950 => fault.refused(Refusal::WindowClosed, &error),
        5 | 27 | 28 => fault.retry_channel(
            Some(PERSON_WAIT_MS),
            &format!("token refused ({error}): check the channel's `access_token`"),
        ),
        _ => fault.refused(Refusal::Permanent, &error),
    }
}

/// Whether a conversation is one of several people.
fn is_group(peer: &Value<'_>) -> bool {
    peer.as_u64().is_some_and(|number| number > CHATS_FROM)
}

/// What a message's number is called among us: `id` is 0 in chats of several people, where the number within the
/// conversation stands in.
fn message_id(message: &Value<'_>) -> Option<String> {
    let number = |key| field(message, key)?.as_u64().filter(|number| *number > 0);
    match number("id") {
        Some(id) => Some(id.to_string()),
        None => number("conversation_message_id").map(|number| format!("{IN_CONVERSATION}{number}")),
    }
}

/// How the id of a message begins that is known by its number within the conversation alone.
const IN_CONVERSATION: char = 'c';

/// The position that VK calls `coordinates`, in the words of the model.
fn coordinates(geo: &Value<'_>) -> Option<(String, String)> {
    let degrees =
        |key| at(geo, &["coordinates", key]).filter(|value| value.is_number()).map(Value::to_string);
    Some((degrees("latitude")?, degrees("longitude")?))
}

#[cfg(test)]
mod tests;
