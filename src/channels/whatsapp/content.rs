//! What a message of WhatsApp holds.

use serde_json::Value;

use crate::channels::meta::batch::{array, id, text};
use crate::model::message::{Attachment, AttachmentKind, Contact, Location};

/// The most contact cards of one message that are kept.
const CARDS_MAX: usize = 100;

/// What a message says.
pub(super) struct Content {
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    /// False for a kind that cannot be shown.
    pub(super) is_known: bool,
}

/// Reads a message, of a client or of ours.
pub(super) fn of(message: &Value) -> Content {
    let words = words(message);
    let mut is_known = true;
    let attachments = match text(message, "/type").as_deref() {
        Some("text") => {
            is_known = words.is_some();
            Vec::new()
        }
        Some("image") => file(AttachmentKind::Image, message.get("image")),
        Some("video") => file(AttachmentKind::Video, message.get("video")),
        Some("document") => file(AttachmentKind::Document, message.get("document")),
        Some("sticker") => file(AttachmentKind::Sticker, message.get("sticker")),
        Some("audio") => {
            let is_voice = message.pointer("/audio/voice").and_then(Value::as_bool).unwrap_or(false);
            let kind = if is_voice { AttachmentKind::Voice } else { AttachmentKind::Audio };
            file(kind, message.get("audio"))
        }
        // What older payloads call a voice message.
        Some("voice") => file(AttachmentKind::Voice, message.get("voice")),
        Some("location") => message.get("location").and_then(place).into_iter().collect(),
        Some("contacts") => array(message, "contacts").iter().take(CARDS_MAX).map(card).collect(),
        _ => {
            is_known = false;
            Vec::new()
        }
    };
    let is_known = is_known && (words.is_some() || !attachments.is_empty());
    Content { text: words.unwrap_or_default(), attachments, is_known }
}

/// The text or the caption of a message, whatever its kind.
pub(super) fn words(message: &Value) -> Option<String> {
    let kind = text(message, "/type")?;
    let body = message.get(&kind)?;
    match kind.as_str() {
        "text" => text(body, "/body"),
        "order" => text(body, "/text"),
        _ => text(body, "/caption"),
    }
}

/// The data and the label of a pressed button, a chosen row, or a filled form.
pub(super) fn press(message: &Value) -> Option<(String, Option<String>)> {
    let pressed = |data: &str, title: &str| {
        let (data, title) = (text(message, data), text(message, title));
        Some((data.or_else(|| title.clone())?, title))
    };
    pressed("/button/payload", "/button/text")
        .or_else(|| pressed("/interactive/button_reply/id", "/interactive/button_reply/title"))
        .or_else(|| pressed("/interactive/list_reply/id", "/interactive/list_reply/title"))
        .or_else(|| pressed("/interactive/nfm_reply/response_json", "/interactive/nfm_reply/body"))
}

fn file(kind: AttachmentKind, body: Option<&Value>) -> Vec<Attachment> {
    let Some(body) = body else { return Vec::new() };
    // The address beside the id lives for five minutes; the id lives for days.
    let Some(reference) = id(body, "/id") else { return Vec::new() };
    vec![Attachment {
        reference: Some(reference),
        name: text(body, "/filename"),
        media_type: text(body, "/mime_type"),
        size: body.get("file_size").and_then(Value::as_u64),
        ..Attachment::of(kind)
    }]
}

fn place(body: &Value) -> Option<Attachment> {
    let degrees = |key: &str| match body.get(key)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            text.parse::<f64>().ok().filter(|degrees| degrees.is_finite()).map(|_| text.clone())
        }
        _ => None,
    };
    let title: Vec<String> = ["/name", "/address"].into_iter().filter_map(|key| text(body, key)).collect();
    Some(Attachment {
        location: Some(Location {
            latitude: degrees("latitude")?,
            longitude: degrees("longitude")?,
            title: (!title.is_empty()).then(|| title.join(", ")),
        }),
        ..Attachment::of(AttachmentKind::Location)
    })
}

/// A contact card. Anybody can send any card, so none is the sender's own; their number stands beside the message.
fn card(body: &Value) -> Attachment {
    Attachment {
        contact: Some(Contact {
            name: text(body, "/name/formatted_name").or_else(|| text(body, "/name/first_name")),
            phone: text(body, "/phones/0/phone").or_else(|| text(body, "/phones/0/wa_id")),
            own: false,
        }),
        ..Attachment::of(AttachmentKind::Contact)
    }
}
