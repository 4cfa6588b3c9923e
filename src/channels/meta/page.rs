//! The channel of Messenger and of Instagram: what differs between them stands in a [`Flavor`].

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value, json};

use crate::channels::codec::{
    Capabilities, Channel, DecodeError, Decoded, EncodeError, Part, Progress, Verdict, VerifyError,
};
use crate::channels::fault::Fault;
use crate::channels::files::{FetchError, FileFault};
use crate::channels::setup::{Check, Finding};
use crate::channels::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};
use crate::model::channel::ChannelKind;
use crate::model::effect::{Attempt, Effect, EffectAction, Outgoing};
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, Button};

use super::account::{self, Account};
use super::batch::{META_CALL_BYTES_MAX, text};
use super::error::{self, GraphError};
use super::events::Reader;
use super::hosts::{self, Place};

/// The longest label of a quick reply, in characters.
const TITLE_MAX: usize = 20;

/// What differs between the two messengers.
pub(in crate::channels) struct Flavor {
    pub(in crate::channels) kind: ChannelKind,
    /// What calls are about.
    pub(in crate::channels) object: &'static str,
    pub(in crate::channels) capabilities: Capabilities,
    /// Whether a message carries a mark of ours that its echo brings back.
    pub(in crate::channels) carries_marks: bool,
    /// The word under which a file goes; `None`: it is not taken.
    pub(in crate::channels) form: fn(&Attachment) -> Option<&'static str>,
    pub(in crate::channels) registration: fn(&Page, &str) -> Vec<Check>,
    pub(in crate::channels) checks: fn(&Page) -> Vec<Check>,
    pub(in crate::channels) examine: fn(&Page, &Check, &WireResponse) -> Vec<Finding>,
}

/// A connected account.
pub(in crate::channels) struct Page {
    pub(in crate::channels) flavor: &'static Flavor,
    pub(in crate::channels) id: ChannelId,
    /// The account's own id, as calls name it.
    pub(in crate::channels) account_id: String,
    /// Under which path messages are sent: the id of the page, or `me`.
    pub(in crate::channels) sender: String,
    pub(in crate::channels) human_agent: bool,
    pub(in crate::channels) account: Account,
}

impl Page {
    const fn not_carried(&self, what: &'static str) -> EncodeError {
        EncodeError::NotCarried { kind: self.flavor.kind.as_str(), what }
    }

    fn post(&self, body: &Value) -> Option<WireRequest> {
        self.account.post(&format!("{}/messages", self.sender), body)
    }

    fn parts<'a>(&self, outgoing: &'a Outgoing) -> Result<Vec<Part<'a>>, EncodeError> {
        let parts = self.flavor.capabilities.parts(self.flavor.kind, outgoing)?;
        // All files are looked at before the first part goes.
        for part in &parts {
            if let Part::File { index, file } = part {
                self.file(*index, file)?;
            }
        }
        Ok(parts)
    }

    fn send(&self, effect: &Effect, outgoing: &Outgoing, progress: &Progress) -> Result<Value, EncodeError> {
        let parts = self.parts(outgoing)?;
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let mut message = match *parts.get(at).ok_or(EncodeError::Complete)? {
            Part::Text { text, is_last } => {
                let mut message = Map::new();
                message.insert("text".to_owned(), json!(text));
                if is_last && !outgoing.buttons.is_empty() {
                    message.insert(
                        "quick_replies".to_owned(),
                        outgoing.buttons.iter().map(quick_reply).collect(),
                    );
                }
                message
            }
            Part::File { index, file } => self.file(index, file)?,
        };
        if self.flavor.carries_marks {
            message.insert("metadata".to_owned(), json!(effect.id.to_string()));
        }
        let mut body = json!({ "recipient": { "id": outgoing.chat }, "message": message });
        if let Some(fields) = body.as_object_mut() {
            // Only people may write after a day, and only where Meta has allowed it.
            if self.human_agent && !outgoing.automatic {
                fields.insert("messaging_type".to_owned(), json!("MESSAGE_TAG"));
                fields.insert("tag".to_owned(), json!("HUMAN_AGENT"));
            } else {
                fields.insert("messaging_type".to_owned(), json!("RESPONSE"));
            }
            if at == 0
                && let Some(reply_to) = &outgoing.reply_to
            {
                fields.insert("reply_to".to_owned(), json!({ "mid": reply_to }));
            }
        }
        Ok(body)
    }

    fn file(&self, index: usize, file: &Attachment) -> Result<Map<String, Value>, EncodeError> {
        let refused = |fault| EncodeError::File { number: index.saturating_add(1), fault };
        let form = (self.flavor.form)(file).ok_or_else(|| refused(FileFault::Kind))?;
        let url = file.url.as_deref().filter(|url| url.starts_with("https://"));
        let url = url.ok_or_else(|| refused(FileFault::NoAddress))?;
        let mut message = Map::new();
        message.insert("attachment".to_owned(), json!({ "type": form, "payload": { "url": url } }));
        Ok(message)
    }
}

/// A longer label is cut; the data comes back whole.
fn quick_reply(button: &Button) -> Value {
    let title = if button.title.chars().count() <= TITLE_MAX {
        button.title.clone()
    } else {
        let kept: String = button.title.chars().take(TITLE_MAX - 1).collect();
        format!("{}…", kept.trim_end())
    };
    json!({ "content_type": "text", "title": title, "payload": button.data })
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("kind", &self.flavor.kind).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Page {
    fn kind(&self) -> ChannelKind {
        self.flavor.kind
    }

    fn call_bytes_max(&self) -> usize {
        META_CALL_BYTES_MAX
    }

    fn capabilities(&self) -> &'static Capabilities {
        &self.flavor.capabilities
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
        let reader = Reader { channel: &self.id, object: self.flavor.object, account: &self.account_id };
        Ok(Decoded { received: reader.read(call.body)?, answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let body = match &effect.action {
            EffectAction::Send(outgoing) => self.send(effect, outgoing, progress)?,
            EffectAction::AcknowledgeButton { .. } => {
                return Err(self.not_carried("acknowledgements of buttons"));
            }
            EffectAction::Notify(_) => return Err(self.not_carried("notifications")),
        };
        // The settings were checked when the channel was connected, so this is never an error in practice.
        self.post(&body).ok_or_else(|| self.not_carried("requests to this `api_base`"))
    }

    /// Meta takes no idempotency key, so a send whose answer never came is ambiguous.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let secrets = self.account.secrets();
        let fault = Fault::new(progress, &secrets);
        let response = match response {
            Ok(response) => response,
            Err(failure) => return fault.no_answer(failure),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if let Some(error) = GraphError::of_answer(&body) {
            return error::ended(fault, effect, response, &error);
        }
        match text(&body, "/message_id").filter(|_| (200..300).contains(&response.status)) {
            Some(message) => {
                let parts = match &effect.action {
                    EffectAction::Send(outgoing) => self.parts(outgoing).map_or(1, |parts| parts.len()),
                    EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => 1,
                };
                let next = progress.part_done();
                if usize::try_from(next.parts_done).unwrap_or(usize::MAX) < parts {
                    Verdict::More(next)
                } else {
                    Verdict::Ended(Attempt::Delivered { external_id: Some(message) })
                }
            }
            None => error::not_graph(fault, response),
        }
    }

    fn typing(&self, chat: &str, _: Option<&str>) -> Option<WireRequest> {
        self.post(&json!({ "recipient": { "id": chat }, "sender_action": "typing_on" }))
    }

    /// Files stand at signed addresses of Meta, which want no token.
    fn fetch(&self, attachment: &Attachment, _: &[String]) -> Result<WireRequest, FetchError> {
        let url: Uri =
            attachment.url.as_deref().and_then(|url| url.parse().ok()).ok_or(FetchError::NoAddress)?;
        match hosts::place(&self.account, &url) {
            Place::WithToken | Place::Plain => {
                Ok(WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
            }
            Place::Foreign => {
                Err(FetchError::Refused("it stands at a host that does not keep files of Meta".to_owned()))
            }
        }
    }

    fn registration(&self, webhook: &str) -> Vec<Check> {
        (self.flavor.registration)(self, webhook)
    }

    fn checks(&self) -> Vec<Check> {
        (self.flavor.checks)(self)
    }

    fn examine(&self, check: &Check, _: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        (self.flavor.examine)(self, check, response)
    }
}
