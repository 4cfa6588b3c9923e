//! A message as requests to VK: its text in parts, then each file in four steps (place, upload, save, send).

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use serde_json::json;
use serde_json_borrow::Value;
use sha2::{Digest, Sha256};

use crate::model::channel::ChannelKind;
use crate::model::effect::{Effect, EffectAction, Outgoing, Refusal};
use crate::model::message::{Attachment, AttachmentKind, Button};

use crate::channels::codec::{EncodeError, Part, Progress, Verdict};
use crate::channels::fault::{Fault, retry_after_ms};
use crate::channels::files::{FileBytes, FileFault};
use crate::channels::form;
use crate::channels::json::{at, field, id, text};
use crate::channels::wire::{WireRequest, WireResponse};

use super::{CAPABILITIES, IN_CONVERSATION, Vk, not_carried};

/// The largest photo, in bytes. Larger ones go as documents.
const PHOTO_MAX: usize = 50 * 1024 * 1024;

/// The largest document, in bytes.
const DOCUMENT_MAX: usize = 200 * 1024 * 1024;

/// The longest title of a button, in characters.
const TITLE_MAX: usize = 40;

/// The longest payload of a button, in characters.
const PAYLOAD_MAX: usize = 255;

/// The most rows of buttons under a message. More buttons than rows stand in pairs.
const ROWS_MAX: usize = 6;

/// Under this key our messages carry the id of their effect, so that their echo is known.
const MARK: &str = "switchboard";

/// What the next request of an effect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Asks where a file can be uploaded.
    Server,
    /// Uploads it.
    Upload,
    /// Makes an attachment of the upload.
    Save,
    /// Sends a message, or acknowledges a press.
    Send,
}

impl Step {
    /// The step after `progress`.
    pub(super) fn of(effect: &Effect, progress: &Progress) -> Self {
        let EffectAction::Send(outgoing) = &effect.action else { return Self::Send };
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let parts = CAPABILITIES.parts(ChannelKind::Vk, outgoing).unwrap_or_default();
        match (parts.get(at), progress.prepared.len()) {
            (Some(Part::File { .. }), 0) => Self::Server,
            (Some(Part::File { .. }), 1) => Self::Upload,
            (Some(Part::File { .. }), 2) => Self::Save,
            _ => Self::Send,
        }
    }

    /// Whether nobody sees what it does.
    pub(super) fn prepares(self) -> bool {
        self != Self::Send
    }
}

/// As what a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Photo,
    Voice,
    Document,
}

impl Route {
    fn of(file: &Attachment, bytes: &FileBytes) -> Result<Self, FileFault> {
        let size = bytes.bytes.len();
        match (file.kind, bytes.media_type.as_str()) {
            (AttachmentKind::Location | AttachmentKind::Contact, _) => Err(FileFault::Kind),
            (AttachmentKind::Image, "image/jpeg" | "image/png" | "image/gif") if size <= PHOTO_MAX => {
                Ok(Self::Photo)
            }
            _ if size > DOCUMENT_MAX => Err(FileFault::TooLarge { bytes: size, max: DOCUMENT_MAX }),
            (AttachmentKind::Voice, "audio/ogg") => Ok(Self::Voice),
            _ => Ok(Self::Document),
        }
    }
}

/// What is wrong with a file before its bytes are there.
pub(super) fn refuses(file: &Attachment) -> Option<FileFault> {
    let bytes = usize::try_from(file.size.unwrap_or(0)).unwrap_or(usize::MAX);
    match file.kind {
        AttachmentKind::Location | AttachmentKind::Contact => Some(FileFault::Kind),
        _ if bytes > DOCUMENT_MAX => Some(FileFault::TooLarge { bytes, max: DOCUMENT_MAX }),
        _ => None,
    }
}

impl Vk {
    /// The next request of a message.
    pub(super) fn message(
        &self,
        effect: &Effect,
        outgoing: &Outgoing,
        progress: &Progress,
    ) -> Result<WireRequest, EncodeError> {
        let parts = CAPABILITIES.parts(ChannelKind::Vk, outgoing)?;
        // Whatever is wrong with a file is found before the first part is sent.
        let mut files = Vec::with_capacity(outgoing.attachments.len());
        for (index, file) in outgoing.attachments.iter().enumerate() {
            let fault = |fault| EncodeError::File { number: index + 1, fault };
            let bytes = progress.files.get(index).and_then(Option::as_ref);
            let bytes = bytes.ok_or_else(|| fault(FileFault::NoBytes))?;
            files.push((Route::of(file, bytes).map_err(fault)?, bytes));
        }
        let number = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let send = |content: &[(&str, &str)], is_last: bool| {
            self.send(effect, outgoing, progress.parts_done, content, is_last)
        };
        match parts.get(number).ok_or(EncodeError::Complete)? {
            Part::Text { text, is_last } => send(&[("message", text)], *is_last),
            Part::File { index, .. } => {
                let (route, bytes) = files.get(*index).ok_or(EncodeError::Complete)?;
                let request = match progress.prepared.as_slice() {
                    [] => self.server(*route, outgoing),
                    [address] => upload(*route, bytes, address),
                    [_, answer] => self.save(*route, bytes, answer),
                    [_, _, attachment, ..] => return send(&[("attachment", attachment)], false),
                };
                request.ok_or_else(|| not_carried("such an upload"))
            }
        }
    }

    fn send(
        &self,
        effect: &Effect,
        outgoing: &Outgoing,
        part: u32,
        content: &[(&str, &str)],
        is_last: bool,
    ) -> Result<WireRequest, EncodeError> {
        let random_id = random_id(effect, outgoing, part).to_string();
        let mark = json!({ MARK: format!("{} {part}", effect.id) }).to_string();
        let mut parameters = vec![
            ("peer_id", outgoing.chat.as_str()),
            ("random_id", random_id.as_str()),
            ("group_id", self.group_id.as_str()),
            ("payload", mark.as_str()),
        ];
        parameters.extend_from_slice(content);
        // The quotation stands on the first part and the buttons under the last text, where a reader looks for them.
        let quotation = outgoing.reply_to.as_deref().filter(|_| part == 0);
        let forward;
        match quotation.map(|id| (id, id.strip_prefix(IN_CONVERSATION))) {
            Some((id, None)) if is_number(id) => parameters.push(("reply_to", id)),
            Some((_, Some(number))) if is_number(number) => {
                forward = format!(
                    r#"{{"peer_id":{},"conversation_message_ids":[{number}],"is_reply":1}}"#,
                    json!(outgoing.chat)
                );
                parameters.push(("forward", forward.as_str()));
            }
            _ => {}
        }
        let keyboard = (is_last && !outgoing.buttons.is_empty()).then(|| keyboard(&outgoing.buttons));
        if let Some(keyboard) = &keyboard {
            parameters.push(("keyboard", keyboard));
        }
        self.call("messages.send", &parameters).ok_or_else(|| not_carried("requests to this `api_base`"))
    }

    fn server(&self, route: Route, outgoing: &Outgoing) -> Option<WireRequest> {
        let peer = ("peer_id", outgoing.chat.as_str());
        match route {
            Route::Photo => self.call("photos.getMessagesUploadServer", &[peer]),
            Route::Voice => self.call("docs.getMessagesUploadServer", &[peer, ("type", "audio_message")]),
            Route::Document => self.call("docs.getMessagesUploadServer", &[peer, ("type", "doc")]),
        }
    }

    fn save(&self, route: Route, bytes: &FileBytes, answer: &str) -> Option<WireRequest> {
        let answer: Value<'_> = serde_json::from_str(answer).ok()?;
        match route {
            Route::Photo => {
                let (server, photo) = (id(&answer, "server")?, text(&answer, "photo")?);
                let hash = text(&answer, "hash")?;
                let parameters =
                    [("server", server.as_str()), ("photo", photo.as_str()), ("hash", hash.as_str())];
                self.call("photos.saveMessagesPhoto", &parameters)
            }
            Route::Voice | Route::Document => {
                let file = text(&answer, "file")?;
                self.call("docs.save", &[("file", file.as_str()), ("title", bytes.name.as_str())])
            }
        }
    }
}

/// The upload itself goes to the address that VK gave, and carries nothing but the file.
fn upload(route: Route, bytes: &FileBytes, address: &str) -> Option<WireRequest> {
    let name = if route == Route::Photo { "photo" } else { "file" };
    let (content_type, body) = form::with_file::<&str>(&[], name, bytes)?;
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
    Some(WireRequest { method: Method::POST, url: address.parse().ok()?, headers, body })
}

/// What the answer to an upload means. It is no answer of the API.
pub(super) fn uploaded(
    fault: Fault<'_>,
    progress: &Progress,
    response: &WireResponse,
    body: &Value<'_>,
) -> Verdict {
    let error = text(body, "error").or_else(|| at(body, &["error"]).map(|_| "no description".to_owned()));
    if let Some(error) = error {
        return fault.refused(Refusal::Permanent, &format!("the upload was refused: {error}"));
    }
    // An upload that was not understood gives an empty list of photos.
    let has_photo = text(body, "photo").is_some_and(|photo| photo != "[]")
        && text(body, "hash").is_some()
        && id(body, "server").is_some();
    if has_photo || text(body, "file").is_some() {
        return Verdict::More(progress.prepared_with(body.to_string()));
    }
    let status = response.status;
    let error = format!("HTTP {status} without an answer of VK's upload server");
    match status {
        400..=428 | 430..=499 => fault.refused(Refusal::Permanent, &error),
        _ => fault.retry(retry_after_ms(&response.headers), &error),
    }
}

/// The name of a saved file, as a message carries it.
pub(super) fn saved(answer: &Value<'_>) -> Option<String> {
    let name = |kind: &str, body: &Value<'_>| {
        let key = text(body, "access_key").map(|key| format!("_{key}")).unwrap_or_default();
        Some(format!("{kind}{}_{}{key}", id(body, "owner_id")?, id(body, "id")?))
    };
    if let Some(photo) = answer.as_array().and_then(|photos| photos.first()) {
        // Old versions of the API answer with a list of documents, too.
        return name(
            if field(photo, "sizes").is_none() && field(photo, "ext").is_some() { "doc" } else { "photo" },
            photo,
        );
    }
    ["doc", "audio_message"].into_iter().find_map(|kind| name(kind, field(answer, kind)?))
}

/// The number by which VK knows a repeated send: the same for each attempt on one part, another for each part.
/// Effects are numbered anew when a journal begins anew, so the time of the effect counts as well.
fn random_id(effect: &Effect, outgoing: &Outgoing, part: u32) -> u32 {
    let hash = Sha256::digest(format!("{}/{}/{}/{part}", outgoing.channel, effect.id, effect.created_at_ms));
    let number = hash.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    // A positive number of 32 bits with a sign; 0 would mean that repetitions are wanted.
    (number & 0x7fff_ffff).max(1)
}

/// Whether a message of the community carries our mark.
pub(super) fn is_ours(message: &Value<'_>) -> bool {
    text(message, "payload")
        .and_then(|payload| serde_json::from_str::<serde_json::Value>(&payload).ok())
        .is_some_and(|payload| payload.get(MARK).is_some())
}

/// What comes back with a press: the data, and the title, which VK does not tell.
fn payload(data: &str, label: &str) -> String {
    let whole = json!({ "button": data, "title": label }).to_string();
    if whole.chars().count() <= PAYLOAD_MAX { whole } else { json!({ "button": data }).to_string() }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The buttons below the message itself: one per row as long as there are rows, then in pairs.
fn keyboard(buttons: &[Button]) -> String {
    let per_row = if buttons.len() > ROWS_MAX { 2 } else { 1 };
    let rows: Vec<serde_json::Value> = buttons
        .chunks(per_row)
        .map(|row| {
            row.iter()
                .map(|button| {
                    let label: String = button.title.chars().take(TITLE_MAX).collect();
                    let payload = payload(&button.data, &label);
                    json!({ "action": { "type": "callback", "label": label, "payload": payload } })
                })
                .collect()
        })
        .collect();
    json!({ "inline": true, "buttons": rows }).to_string()
}
