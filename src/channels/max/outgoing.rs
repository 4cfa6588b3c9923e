//! A message as requests to MAX: its text in parts, then each file in three steps (place, upload, send).

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use crate::model::channel::ChannelKind;
use crate::model::effect::{Effect, EffectAction, Outgoing, Refusal};
use crate::model::message::{Attachment, AttachmentKind, Button};

use crate::channels::codec::{EncodeError, Part, Progress, Verdict};
use crate::channels::fault::{Fault, retry_after_ms};
use crate::channels::files::{FileBytes, FileFault};
use crate::channels::form;
use crate::channels::json::{field, text};
use crate::channels::wire::{WireRequest, WireResponse};

use super::{CAPABILITIES, Max, not_carried};

/// The largest image and video, in bytes. Larger ones go as files.
const IMAGE_MAX: usize = 50 * 1024 * 1024;
const VIDEO_MAX: usize = 250 * 1024 * 1024;

/// The longest title of a button, in characters.
const TITLE_MAX: usize = 128;

/// The most rows of buttons under a message. More buttons than rows stand side by side.
const ROWS_MAX: usize = 30;

/// What the next request of an effect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Asks where a file can be uploaded.
    Server,
    /// Uploads it.
    Upload,
    /// Sends a message, or acknowledges a press.
    Send,
}

impl Step {
    /// The step after `progress`. The first answer prepares two things: a token and an address.
    pub(super) fn of(effect: &Effect, progress: &Progress) -> Self {
        let EffectAction::Send(outgoing) = &effect.action else { return Self::Send };
        let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let parts = CAPABILITIES.parts(ChannelKind::Max, outgoing).unwrap_or_default();
        match (parts.get(at), progress.prepared.len()) {
            (Some(Part::File { .. }), 0) => Self::Server,
            (Some(Part::File { .. }), 1 | 2) => Self::Upload,
            _ => Self::Send,
        }
    }
}

/// As what a file goes: MAX's word for it.
fn route(file: &Attachment, bytes: &FileBytes) -> Result<&'static str, FileFault> {
    let size = bytes.bytes.len();
    let is = |family: &str| bytes.media_type.starts_with(family);
    match file.kind {
        AttachmentKind::Location | AttachmentKind::Contact => Err(FileFault::Kind),
        AttachmentKind::Image | AttachmentKind::Sticker if is("image/") && size <= IMAGE_MAX => Ok("image"),
        AttachmentKind::Video if is("video/") && size <= VIDEO_MAX => Ok("video"),
        AttachmentKind::Audio | AttachmentKind::Voice if is("audio/") => Ok("audio"),
        _ => Ok("file"),
    }
}

impl Max {
    /// The next request of a message.
    pub(super) fn message(
        &self,
        outgoing: &Outgoing,
        progress: &Progress,
    ) -> Result<WireRequest, EncodeError> {
        let parts = CAPABILITIES.parts(ChannelKind::Max, outgoing)?;
        // Whatever is wrong with a file is found before the first part is sent.
        let mut files = Vec::with_capacity(outgoing.attachments.len());
        for (index, file) in outgoing.attachments.iter().enumerate() {
            let fault = |fault| EncodeError::File { number: index + 1, fault };
            let bytes = progress.files.get(index).and_then(Option::as_ref);
            let bytes = bytes.ok_or_else(|| fault(FileFault::NoBytes))?;
            files.push((route(file, bytes).map_err(fault)?, bytes));
        }
        let number = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
        let request = match parts.get(number).ok_or(EncodeError::Complete)? {
            Part::Text { text, is_last } => {
                let buttons: &[Button] = if *is_last { &outgoing.buttons } else { &[] };
                let attachments = keyboard(buttons).into_iter().collect();
                self.send(outgoing, progress, Some(text), attachments)
            }
            Part::File { index, .. } => {
                let (route, bytes) = files.get(*index).ok_or(EncodeError::Complete)?;
                match progress.prepared.as_slice() {
                    [] => self.call(Method::POST, "/uploads", &[("type", route)], &Value::Null),
                    [_] => None,
                    [_, address] => upload(bytes, address),
                    [_, _, payload, ..] => serde_json::from_str(payload).ok().and_then(|payload: Value| {
                        let file = json!({ "type": route, "payload": payload });
                        self.send(outgoing, progress, None, vec![file])
                    }),
                }
            }
        };
        request.ok_or_else(|| not_carried("such an upload"))
    }

    /// Without `format`, so that nothing in the text acts as markup.
    fn send(
        &self,
        outgoing: &Outgoing,
        progress: &Progress,
        text: Option<&str>,
        attachments: Vec<Value>,
    ) -> Option<WireRequest> {
        let mut body = Map::new();
        if let Some(text) = text {
            body.insert("text".to_owned(), json!(text));
        }
        if !attachments.is_empty() {
            body.insert("attachments".to_owned(), Value::Array(attachments));
        }
        // The quotation stands on the first part.
        if let Some(reply_to) = outgoing.reply_to.as_ref().filter(|_| progress.parts_done == 0) {
            body.insert("link".to_owned(), json!({ "type": "reply", "mid": reply_to }));
        }
        self.call(Method::POST, "/messages", &[("chat_id", &outgoing.chat)], &Value::Object(body))
    }
}

/// The upload itself goes to the address that MAX gave, and carries nothing but the file.
fn upload(bytes: &FileBytes, address: &str) -> Option<WireRequest> {
    let (content_type, body) = form::with_file::<&str>(&[], "data", bytes)?;
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
    Some(WireRequest { method: Method::POST, url: address.parse().ok()?, headers, body })
}

/// What the answer to an upload means: an image gives a list of photos, a file its token; for videos and sounds the
/// answer says only that it worked, and the token came before.
pub(super) fn uploaded(
    fault: Fault<'_>,
    progress: &Progress,
    response: &WireResponse,
    body: &serde_json_borrow::Value<'_>,
) -> Verdict {
    let status = response.status;
    let early = progress.prepared.first().filter(|token| !token.is_empty());
    if (200..300).contains(&status)
        && text(body, "error_code").is_none()
        && field(body, "error_code").is_none()
    {
        if let Some(photos) = field(body, "photos").filter(|photos| photos.is_object()) {
            return Verdict::More(progress.prepared_with(format!("{{\"photos\":{photos}}}")));
        }
        if let Some(token) = text(body, "token").or_else(|| early.cloned()) {
            return Verdict::More(progress.prepared_with(json!({ "token": token }).to_string()));
        }
    }
    let error = format!("HTTP {status} without an answer of MAX's upload server");
    match status {
        400..=428 | 430..=499 => fault.refused(Refusal::Permanent, &error),
        _ => fault.retry(retry_after_ms(&response.headers), &error),
    }
}

/// The buttons below the message: one per row as long as there are rows.
fn keyboard(buttons: &[Button]) -> Option<Value> {
    if buttons.is_empty() {
        return None;
    }
    let rows: Vec<Value> = buttons
        .chunks(buttons.len().div_ceil(ROWS_MAX))
        .map(|row| {
            row.iter()
                .map(|button| {
                    let title: String = button.title.chars().take(TITLE_MAX).collect();
                    json!({ "type": "callback", "text": title, "payload": button.data })
                })
                .collect()
        })
        .collect();
    Some(json!({ "type": "inline_keyboard", "payload": { "buttons": rows } }))
}
