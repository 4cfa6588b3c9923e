//! Messages of ours in WhatsApp's words.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value, json};

use crate::channels::codec::{Capabilities, EncodeError, Part};
use crate::channels::files::{FileBytes, FileFault};
use crate::channels::form as multipart;
use crate::channels::text::{TextLimit, TextUnit, split};
use crate::model::channel::{ChannelKind, WhatsappTemplate};
use crate::model::effect::Outgoing;
use crate::model::message::{Attachment, AttachmentKind, Button};

use super::inbound::GROUP;

/// The longest text above buttons.
const BODY: TextLimit = TextLimit { length: 1024, unit: TextUnit::Utf16 };

/// The most buttons that stand below a text as such; more become a list.
const REPLY_BUTTONS_MAX: usize = 3;

/// The longest label of a button, of a row, and of what stands below a row, in characters.
const BUTTON_TITLE_MAX: usize = 20;
const ROW_TITLE_MAX: usize = 24;
const ROW_DESCRIPTION_MAX: usize = 72;

/// What opens a list. It has no words, since nobody knows the client's language here.
const OPEN_LIST: &str = "☰";

/// The longest name of a file, in characters.
const NAME_MAX: usize = 240;

/// The largest files that WhatsApp takes, in bytes, by their kind.
const IMAGE_MAX: usize = 5 * 1024 * 1024;
const MEDIA_MAX: usize = 16 * 1024 * 1024;
const STICKER_MAX: usize = 100 * 1024;
const DOCUMENT_MAX: usize = 100 * 1024 * 1024;

/// The parts in which a message goes. Above buttons stands a shorter text, so the beginning of a longer one goes
/// before it.
pub(super) fn parts<'a>(
    capabilities: &Capabilities,
    outgoing: &'a Outgoing,
) -> Result<Vec<Part<'a>>, EncodeError> {
    let mut parts = capabilities.parts(ChannelKind::Whatsapp, outgoing)?;
    if outgoing.buttons.is_empty() {
        return Ok(parts);
    }
    let Some(at) = parts.iter().position(|part| matches!(part, Part::Text { is_last: true, .. })) else {
        return Ok(parts);
    };
    let Some(Part::Text { text: last, .. }) = parts.get(at).copied() else { return Ok(parts) };
    if let Some(tail) = split(last, BODY).pop().filter(|tail| tail.len() < last.len())
        && let Some(head) = last.get(..last.len().saturating_sub(tail.len()))
    {
        let split =
            [Part::Text { text: head.trim_end(), is_last: false }, Part::Text { text: tail, is_last: true }];
        parts.splice(at..=at, split);
    }
    Ok(parts)
}

/// What each message carries: to whom, and our own mark, which comes back with what becomes of it.
pub(super) fn envelope(outgoing: &Outgoing, tracking: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    let is_group = outgoing.context.as_deref() == Some(GROUP);
    body.insert("recipient_type".to_owned(), json!(if is_group { "group" } else { "individual" }));
    // People have an id of two letters, a dot and more, or a number.
    let to = if !is_group && outgoing.chat.contains('.') { "recipient" } else { "to" };
    body.insert(to.to_owned(), json!(outgoing.chat));
    body.insert("biz_opaque_callback_data".to_owned(), json!(tracking));
    body
}

/// A text, with its buttons if it is the last.
pub(super) fn text(body: &mut Map<String, Value>, text: &str, buttons: &[Button]) {
    if buttons.is_empty() {
        body.insert("type".to_owned(), json!("text"));
        body.insert("text".to_owned(), json!({ "body": text, "preview_url": false }));
        return;
    }
    let fits = |max: usize| buttons.iter().all(|button| button.title.chars().count() <= max);
    let interactive = if buttons.len() <= REPLY_BUTTONS_MAX && fits(BUTTON_TITLE_MAX) {
        let buttons: Value = buttons
            .iter()
            .map(|button| json!({ "type": "reply", "reply": { "id": button.data, "title": button.title } }))
            .collect();
        json!({ "type": "button", "body": { "text": text }, "action": { "buttons": buttons } })
    } else {
        let rows: Value = buttons.iter().map(row).collect();
        let action = json!({ "button": OPEN_LIST, "sections": [{ "rows": rows }] });
        json!({ "type": "list", "body": { "text": text }, "action": action })
    };
    body.insert("type".to_owned(), json!("interactive"));
    body.insert("interactive".to_owned(), interactive);
}

/// A row of a list. A longer label stands below its own beginning.
fn row(button: &Button) -> Value {
    if button.title.chars().count() <= ROW_TITLE_MAX {
        return json!({ "id": button.data, "title": button.title });
    }
    let (title, whole) = (cut(&button.title, ROW_TITLE_MAX), cut(&button.title, ROW_DESCRIPTION_MAX));
    json!({ "id": button.data, "title": title, "description": whole })
}

/// A text of at most `max` characters.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The template, with the text in its variable unless it has none.
pub(super) fn template(body: &mut Map<String, Value>, template: &WhatsappTemplate, text: Option<&str>) {
    let mut filled = json!({ "name": template.name, "language": { "code": template.language } });
    if let (Some(text), Some(fields)) = (text, filled.as_object_mut()) {
        let parameter = json!({ "type": "text", "text": one_line(text) });
        fields.insert("components".to_owned(), json!([{ "type": "body", "parameters": [parameter] }]));
    }
    body.insert("type".to_owned(), json!("template"));
    body.insert("template".to_owned(), filled);
}

/// Variables of templates have neither line ends nor long gaps.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A message whose file was uploaded under `reference`.
pub(super) fn uploaded(
    body: &mut Map<String, Value>,
    file: &FileBytes,
    kind: AttachmentKind,
    reference: &str,
) {
    media(
        body,
        form(kind, &file.media_type, file.bytes.len()),
        &json!({ "id": reference }),
        Some(&file.name),
    );
}

/// A message whose file WhatsApp fetches itself.
fn linked(body: &mut Map<String, Value>, file: &Attachment, url: &str) {
    let media_type = file.media_type.as_deref().unwrap_or_default();
    let size = file.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    media(body, form(file.kind, media_type, size), &json!({ "link": url }), file.name.as_deref());
}

fn media(body: &mut Map<String, Value>, form: &str, place: &Value, name: Option<&str>) {
    let mut place = place.clone();
    if form == "document"
        && let (Some(name), Some(fields)) = (name, place.as_object_mut())
    {
        fields.insert("filename".to_owned(), json!(cut(name, NAME_MAX)));
    }
    body.insert("type".to_owned(), json!(form));
    body.insert(form.to_owned(), place);
}

/// What goes without bytes: a place, a card, or a file that WhatsApp can fetch.
pub(super) fn without_bytes(
    body: &mut Map<String, Value>,
    number: usize,
    file: &Attachment,
) -> Result<(), EncodeError> {
    let refused = |fault| EncodeError::File { number, fault };
    match (file.kind, &file.location, &file.contact) {
        (AttachmentKind::Location, Some(location), _) => {
            body.insert("type".to_owned(), json!("location"));
            let mut place = json!({ "latitude": location.latitude, "longitude": location.longitude });
            if let (Some(title), Some(fields)) = (&location.title, place.as_object_mut()) {
                fields.insert("name".to_owned(), json!(title));
            }
            body.insert("location".to_owned(), place);
            Ok(())
        }
        (AttachmentKind::Contact, _, Some(contact)) => {
            let name = contact
                .name
                .as_deref()
                .or(contact.phone.as_deref())
                .ok_or_else(|| refused(FileFault::Kind))?;
            let phones: Vec<Value> = contact.phone.iter().map(|phone| json!({ "phone": phone })).collect();
            body.insert("type".to_owned(), json!("contacts"));
            let name = json!({ "formatted_name": name, "first_name": name });
            body.insert("contacts".to_owned(), json!([{ "name": name, "phones": phones }]));
            Ok(())
        }
        (AttachmentKind::Location | AttachmentKind::Contact, _, _) => Err(refused(FileFault::Kind)),
        _ => match file.url.as_deref().filter(|url| url.starts_with("https://")) {
            Some(url) => {
                linked(body, file, url);
                Ok(())
            }
            None => Err(refused(FileFault::NoBytes)),
        },
    }
}

/// In which form a file goes. What WhatsApp does not show as a picture or a film goes as a document.
fn form(kind: AttachmentKind, media_type: &str, bytes: usize) -> &'static str {
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "image/webp" if kind == AttachmentKind::Sticker && bytes <= STICKER_MAX => "sticker",
        "image/jpeg" | "image/png" if bytes <= IMAGE_MAX => "image",
        "video/mp4" | "video/3gpp" if bytes <= MEDIA_MAX => "video",
        "audio/aac" | "audio/mp4" | "audio/mpeg" | "audio/amr" | "audio/ogg" if bytes <= MEDIA_MAX => "audio",
        _ => "document",
    }
}

/// The upload of a file: the media type of its body, and the body.
pub(super) fn upload(number: usize, file: &FileBytes) -> Result<(HeaderValue, Bytes), EncodeError> {
    let bytes = file.bytes.len();
    if bytes > DOCUMENT_MAX {
        return Err(EncodeError::File { number, fault: FileFault::TooLarge { bytes, max: DOCUMENT_MAX } });
    }
    let fields = [("messaging_product", "whatsapp"), ("type", multipart::media_type(file))];
    multipart::with_file(&fields, "file", file).ok_or(EncodeError::File { number, fault: FileFault::Kind })
}
