//! What is sent to Telegram, piece by piece.

use serde_json::{Map, Value, json};

use crate::channels::codec::{EncodeError, Part, Progress};
use crate::channels::files::{FileBytes, FileFault};
use crate::channels::text::TextUnit;
use crate::model::channel::ChannelKind;
use crate::model::effect::Outgoing;
use crate::model::message::{Attachment, AttachmentKind, Button};

use super::CAPABILITIES;

/// The longest caption of a file, in UTF-16 code units.
const CAPTION_MAX: usize = 1024;

/// The largest file, in bytes.
const FILE_MAX: usize = 50 * 1024 * 1024;

/// The largest picture that is shown as one, in bytes; larger ones go as documents.
const PHOTO_MAX: usize = 10 * 1024 * 1024;

/// One message of Telegram's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// A text.
    Text(&'a str),
    /// A file.
    File { index: usize, file: &'a Attachment, caption: Option<&'a str> },
}

/// A request: the method, its parameters, and the field and content of a file.
pub(super) struct Request<'a> {
    pub(super) method: &'static str,
    pub(super) parameters: Map<String, Value>,
    pub(super) file: Option<(&'static str, &'a FileBytes)>,
}

/// The messages that one of ours becomes. The text of a single file is its caption where it fits; otherwise it goes
/// before the files.
pub(super) fn pieces(outgoing: &Outgoing) -> Result<Vec<Piece<'_>>, EncodeError> {
    let parts = CAPABILITIES.parts(ChannelKind::Telegram, outgoing)?;
    if let [Part::Text { text, .. }, Part::File { index, file }] = parts.as_slice()
        && TextUnit::Utf16.measure(text) <= CAPTION_MAX
    {
        return Ok(vec![Piece::File { index: *index, file, caption: Some(text) }]);
    }
    let pieces = parts.into_iter().map(|part| match part {
        Part::Text { text, .. } => Piece::Text(text),
        Part::File { index, file } => Piece::File { index, file, caption: None },
    });
    Ok(pieces.collect())
}

/// The request for the piece that comes next, to `chat`. Texts go plain (no `parse_mode`), so that nothing in them
/// can act as markup.
pub(super) fn request<'a>(
    outgoing: &'a Outgoing,
    progress: &'a Progress,
    chat: &str,
) -> Result<Request<'a>, EncodeError> {
    let pieces = pieces(outgoing)?;
    // All files before the first piece: nothing is found wrong after a part was sent.
    let files: Vec<&FileBytes> = outgoing
        .attachments
        .iter()
        .enumerate()
        .map(|(index, file)| content(progress, index, file))
        .collect::<Result<_, _>>()?;
    let at = usize::try_from(progress.parts_done).unwrap_or(usize::MAX);
    let piece = pieces.get(at).ok_or(EncodeError::Complete)?;
    let is_last_text = !matches!(pieces.get(at.saturating_add(1)), Some(Piece::Text(_)));
    let mut parameters = Map::new();
    parameters.insert("chat_id".to_owned(), number_or_text(chat));
    let (method, file) = match piece {
        Piece::Text(text) => {
            parameters.insert("text".to_owned(), json!(text));
            ("sendMessage", None)
        }
        Piece::File { index, file, caption } => {
            let bytes = files.get(*index).ok_or(EncodeError::Complete)?;
            if let Some(caption) = caption {
                parameters.insert("caption".to_owned(), json!(caption));
            }
            let (method, field) = way_of(file.kind, bytes);
            (method, Some((field, *bytes)))
        }
    };
    // The quotation stands on the first part and the buttons under the text, where a reader looks for them.
    if at == 0
        && let Some(reply_to) = outgoing.reply_to.as_ref().and_then(|id| id.parse::<i64>().ok())
    {
        // A quotation is an ornament: it must not prevent the message (the quoted one may be deleted).
        let reply = json!({ "message_id": reply_to, "allow_sending_without_reply": true });
        parameters.insert("reply_parameters".to_owned(), reply);
    }
    let carries_text = matches!(piece, Piece::Text(_) | Piece::File { caption: Some(_), .. });
    if carries_text && is_last_text && !outgoing.buttons.is_empty() {
        parameters
            .insert("reply_markup".to_owned(), json!({ "inline_keyboard": keyboard(&outgoing.buttons) }));
    }
    Ok(Request { method, parameters, file })
}

/// The bytes of a file that Telegram takes.
fn content<'a>(
    progress: &'a Progress,
    index: usize,
    file: &Attachment,
) -> Result<&'a FileBytes, EncodeError> {
    let refused = |fault| EncodeError::File { number: index.saturating_add(1), fault };
    if matches!(file.kind, AttachmentKind::Location | AttachmentKind::Contact) {
        return Err(refused(FileFault::Kind));
    }
    let content = progress.files.get(index).and_then(Option::as_ref);
    let content = content.ok_or_else(|| refused(FileFault::NoBytes))?;
    let bytes = content.bytes.len();
    if bytes > FILE_MAX {
        return Err(refused(FileFault::TooLarge { bytes, max: FILE_MAX }));
    }
    Ok(content)
}

/// The method for a file, and the field that carries it. What Telegram would not show as its kind goes as a document.
fn way_of(kind: AttachmentKind, file: &FileBytes) -> (&'static str, &'static str) {
    let document = ("sendDocument", "document");
    match (kind, file.media_type.as_str()) {
        (AttachmentKind::Image, "image/jpeg" | "image/png" | "image/webp")
            if file.bytes.len() <= PHOTO_MAX =>
        {
            ("sendPhoto", "photo")
        }
        (AttachmentKind::Video, "video/mp4") => ("sendVideo", "video"),
        (AttachmentKind::Audio, "audio/mpeg" | "audio/mp4") => ("sendAudio", "audio"),
        (AttachmentKind::Voice, "audio/ogg" | "audio/mpeg" | "audio/mp4") => ("sendVoice", "voice"),
        _ => document,
    }
}

/// One button per row: titles stay readable on a telephone.
fn keyboard(buttons: &[Button]) -> Value {
    buttons.iter().map(|button| json!([{ "text": button.title, "callback_data": button.data }])).collect()
}

/// Chats are numbers; public channels are `@names`.
pub(super) fn number_or_text(chat: &str) -> Value {
    chat.parse::<i64>().map_or_else(|_| json!(chat), |number| json!(number))
}
