//! WhatsApp: a number of the WhatsApp Business Cloud API.
//!
//! Sources: developers.facebook.com/documentation/business-messaging/whatsapp. See `inbound.rs` for what becomes of
//! each kind of notice, `outbound.rs` for the forms of messages, and `meta/` for what Meta's messengers share.

mod content;
mod inbound;
mod outbound;
mod setup;

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use crate::model::channel::{ChannelKind, Groups, WhatsappSettings, WhatsappTemplate};
use crate::model::effect::{Attempt, Effect, EffectAction, Outgoing, Refusal};
use crate::model::id::ChannelId;
use crate::model::message::Attachment;

use self::inbound::Reader;
use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Part, Progress, Verdict,
    VerifyError,
};
use super::fault::Fault;
use super::files::{self, FetchError, Fetched, FileRoute};
use super::meta::account::{self, Account, Secrets, numeric_id, path_part};
use super::meta::batch::{META_CALL_BYTES_MAX, id, text};
use super::meta::error::{self, GraphError, Meaning};
use super::meta::hosts::{self, Place};
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    // WhatsApp speaks of characters; UTF-16 units are never fewer.
    text: TextLimit { length: 4096, unit: TextUnit::Utf16 },
    // One client may get a message in six seconds for long, and a few at once.
    parts_max: 16,
    // Up to three stand below the text, more open as a list.
    buttons: Some(ButtonLimits { count_max: 10, data_bytes_max: 200 }),
    replies: true,
    acknowledges_buttons: false,
    files: FileRoute::Bytes,
    edits: false,
    deletes: false,
    typing: true,
};

/// Prepared: the window is closed, the template goes in place of the text.
const TEMPLATE: &str = "template";

/// Prepared: the template has no variable.
const BARE_TEMPLATE: &str = "template without variable";

/// How often an address of a file may lead on to another one.
const REDIRECTS_MAX: usize = 3;

/// A connected number.
pub(super) struct Whatsapp {
    id: ChannelId,
    number: String,
    groups: Groups,
    window_template: Option<WhatsappTemplate>,
    account: Account,
}

impl Whatsapp {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &WhatsappSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let places = Secrets {
            access_token: &settings.access_token,
            app_secret: &settings.app_secret,
            instagram_app_secret: None,
            verify_token: &settings.verify_token,
        };
        Ok(Self {
            id: id.clone(),
            number: numeric_id("phone_number_id", &settings.phone_number_id)?,
            groups: settings.groups,
            window_template: settings.window_template.clone(),
            account: Account::connect(&places, &settings.api_base, secrets)?,
        })
    }

    fn post(&self, body: Value) -> Result<WireRequest, EncodeError> {
        self.account.post(&format!("{}/messages", self.number), &body).ok_or_else(no_address)
    }

    fn send(
        &self,
        effect: &Effect,
        outgoing: &Outgoing,
        progress: &Progress,
    ) -> Result<WireRequest, EncodeError> {
        let parts = outbound::parts(&CAPABILITIES, outgoing)?;
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let prepared = progress.prepared.last().map(String::as_str);
        let mut body = outbound::envelope(outgoing, &effect.id.to_string());
        // The quotation stands on the first part. One that is not there any more is left out by WhatsApp.
        if at == 0
            && let Some(reply_to) = outgoing.reply_to.as_ref().filter(|id| id.starts_with("wamid."))
        {
            body.insert("context".to_owned(), json!({ "message_id": reply_to }));
        }
        match (*parts.get(at).ok_or(EncodeError::Complete)?, prepared, &self.window_template) {
            (Part::Text { text, .. }, Some(TEMPLATE), Some(template)) => {
                outbound::template(&mut body, template, Some(text));
            }
            (Part::Text { .. }, Some(BARE_TEMPLATE), Some(template)) => {
                outbound::template(&mut body, template, None);
            }
            (Part::Text { text, is_last }, _, _) => {
                outbound::text(&mut body, text, if is_last { &outgoing.buttons } else { &[] });
            }
            (Part::File { index, file }, prepared, _) => match (progress.files.get(index), prepared) {
                (Some(Some(bytes)), Some(reference)) => {
                    outbound::uploaded(&mut body, bytes, file.kind, reference);
                }
                (Some(Some(bytes)), None) => {
                    let (content_type, bytes) = outbound::upload(index.saturating_add(1), bytes)?;
                    let path = format!("{}/media", self.number);
                    let request = self.account.request(Method::POST, &path, Some(content_type), bytes);
                    return request.ok_or_else(no_address);
                }
                _ => outbound::without_bytes(&mut body, index.saturating_add(1), file)?,
            },
        }
        self.post(Value::Object(body))
    }

    /// Whether the request that was answered uploaded a file.
    fn is_upload(&self, outgoing: &Outgoing, progress: &Progress) -> bool {
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let parts = outbound::parts(&CAPABILITIES, outgoing).unwrap_or_default();
        match parts.get(at) {
            Some(Part::File { index, .. }) => {
                progress.prepared.is_empty() && matches!(progress.files.get(*index), Some(Some(_)))
            }
            _ => false,
        }
    }

    /// WhatsApp refused a part. A text that the closed window forbids goes on as the template.
    fn refused(
        &self,
        fault: Fault<'_>,
        effect: &Effect,
        progress: &Progress,
        response: &WireResponse,
        error: &GraphError,
    ) -> Verdict {
        let EffectAction::Send(outgoing) = &effect.action else {
            return error::ended(fault, effect, response, error);
        };
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let parts = outbound::parts(&CAPABILITIES, outgoing).unwrap_or_default();
        let is_text = matches!(parts.get(at), Some(Part::Text { .. }));
        let prepared = progress.prepared.last().map(String::as_str);
        match (error.meaning(), prepared) {
            (Meaning::WindowClosed, None) if is_text && self.window_template.is_some() => {
                Verdict::More(progress.prepared_with(TEMPLATE.to_owned()))
            }
            (Meaning::TemplateVariables, Some(TEMPLATE)) => {
                Verdict::More(progress.prepared_with(BARE_TEMPLATE.to_owned()))
            }
            (Meaning::Template | Meaning::TemplateVariables, Some(TEMPLATE | BARE_TEMPLATE)) => fault
                .refused(
                    Refusal::WindowClosed,
                    &format!("the window is closed, and `window_template` was refused: {}", error.text),
                ),
            _ => error::ended(fault, effect, response, error),
        }
    }
}

/// The settings were checked when the channel was connected, so this is never an error in practice.
const fn no_address() -> EncodeError {
    not_carried("requests to this `api_base`")
}

const fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Whatsapp.as_str(), what }
}

impl fmt::Debug for Whatsapp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whatsapp").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Whatsapp {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Whatsapp
    }

    fn call_bytes_max(&self) -> usize {
        META_CALL_BYTES_MAX
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        self.account.verify_head(head)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        self.account.verify(call)
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        if let Some(decoded) = account::handshake(call) {
            return decoded;
        }
        let reader = Reader { channel: &self.id, number: &self.number, groups: self.groups };
        Ok(Decoded { received: reader.read(call.body)?, answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        match &effect.action {
            EffectAction::Send(outgoing) => self.send(effect, outgoing, progress),
            EffectAction::AcknowledgeButton { .. } => Err(not_carried("acknowledgements of buttons")),
            EffectAction::Notify(_) => Err(not_carried("notifications")),
        }
    }

    /// WhatsApp takes no idempotency key, so a send whose answer never came is ambiguous. An upload whose answer never
    /// came is made again: nobody saw it.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = self.account.secrets();
        let fault = Fault::new(progress, &secrets);
        let (is_upload, parts) = match &effect.action {
            EffectAction::Send(outgoing) => (
                self.is_upload(outgoing, progress),
                outbound::parts(&CAPABILITIES, outgoing).map_or(1, |parts| parts.len()),
            ),
            EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => (false, 1),
        };
        let response = match response {
            Ok(response) => response,
            Err(failure @ (SendFailure::Ambiguous(_) | SendFailure::TooLarge)) if is_upload => {
                return fault.retry(None, &failure.to_string());
            }
            Err(failure) => return fault.no_answer(failure),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if let Some(error) = GraphError::of_answer(&body) {
            return self.refused(fault, effect, progress, response, &error);
        }
        let is_taken = (200..300).contains(&response.status);
        match (is_upload, id(&body, "/id"), text(&body, "/messages/0/id")) {
            (true, Some(reference), _) if is_taken => Verdict::More(progress.prepared_with(reference)),
            (true, _, _) if is_taken => fault.retry(None, "the upload was answered without an `id`"),
            (false, _, Some(message)) if is_taken => {
                let next = progress.part_done();
                // A template without a variable says the same each time, so it goes once.
                let is_whole = progress.prepared.last().is_some_and(|step| step == BARE_TEMPLATE)
                    || usize::try_from(next.parts_done).unwrap_or(usize::MAX) >= parts;
                if is_whole {
                    Verdict::Ended(Attempt::Delivered { external_id: Some(message) })
                } else {
                    Verdict::More(next)
                }
            }
            _ => error::not_graph(fault, response),
        }
    }

    /// Shows the client's last message as read, too: WhatsApp knows no typing without.
    fn typing(&self, _: &str, last: Option<&str>) -> Option<WireRequest> {
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": last?,
            "typing_indicator": { "type": "text" },
        });
        self.post(body).ok()
    }

    /// The id leads to an address that lives for five minutes, and that to the file.
    fn fetch(&self, attachment: &Attachment, prepared: &[String]) -> Result<WireRequest, FetchError> {
        let reference = attachment.reference.as_deref().ok_or(FetchError::NoAddress)?;
        let Some(url) = prepared.last() else {
            let path = format!("{}?phone_number_id={}", path_part(reference), self.number);
            return self.account.get(&path).ok_or(FetchError::NoAddress);
        };
        let url: Uri = url.parse().map_err(|_| FetchError::NoAddress)?;
        match hosts::place(&self.account, &url) {
            Place::WithToken => {
                self.account.request_to(Method::GET, url, None, Bytes::new()).ok_or(FetchError::NoAddress)
            }
            Place::Plain => {
                Ok(WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
            }
            Place::Foreign => {
                Err(FetchError::Refused("it names a host that does not keep files of WhatsApp".to_owned()))
            }
        }
    }

    fn fetched(&self, _: &Attachment, prepared: &[String], response: &WireResponse) -> Fetched {
        let go_on = |url: &str| {
            let mut prepared = prepared.to_vec();
            prepared.push(url.to_owned());
            Fetched::More(prepared)
        };
        if !prepared.is_empty() {
            let location = response.headers.get(http::header::LOCATION).and_then(|place| place.to_str().ok());
            return match (response.status, location) {
                (301 | 302 | 303 | 307 | 308, Some(url)) if prepared.len() <= REDIRECTS_MAX => go_on(url),
                _ => files::answer(response),
            };
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match (GraphError::of_answer(&body), text(&body, "/url")) {
            (Some(error), _) if error.is_not_found() => Fetched::Failed(FetchError::Gone),
            (Some(error), _) => {
                let text = super::fault::safe_text(&error.text, &self.account.secrets());
                Fetched::Failed(FetchError::Refused(text))
            }
            (None, Some(url)) => go_on(&url),
            (None, None) => Fetched::Failed(FetchError::Refused(format!("HTTP {}", response.status))),
        }
    }

    fn registration(&self, webhook: &str) -> Vec<Check> {
        setup::registration(&self.account, &self.number, webhook)
    }

    fn checks(&self) -> Vec<Check> {
        setup::checks(&self.account, &self.number)
    }

    fn examine(&self, check: &Check, webhook: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        setup::examine(&self.account, check, webhook, response)
    }
}

#[cfg(test)]
mod tests;
