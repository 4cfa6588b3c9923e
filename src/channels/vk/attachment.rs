//! What comes with a message of VK.

use serde_json_borrow::Value;

use crate::model::message::{Attachment, AttachmentKind, Location};

use crate::channels::json::{at, field, id, items, number, text};

use super::coordinates;

/// The most attachments that are read of one message. VK itself allows ten.
const ATTACHMENTS_MAX: usize = 32;

/// What came along, and whether something of it cannot be shown.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) attachments: Vec<Attachment>,
    pub(super) links: Vec<String>,
    pub(super) has_unknown: bool,
}

/// Reads the attachments and the place of a message.
pub(super) fn read(message: &Value<'_>) -> Attached {
    let mut attached = Attached::default();
    let all = items(message, "attachments");
    attached.has_unknown = all.len() > ATTACHMENTS_MAX;
    for item in all.iter().take(ATTACHMENTS_MAX) {
        let kind = text(item, "type").unwrap_or_default();
        let body = field(item, &kind);
        if kind == "link"
            && let Some(link) = body.and_then(|body| text(body, "url"))
        {
            attached.links.push(link);
        } else if let Some(attachment) = body.and_then(|body| one(&kind, body)) {
            attached.attachments.push(attachment);
        } else {
            attached.has_unknown = true;
        }
    }
    if let Some(place) = field(message, "geo").filter(|geo| !geo.is_null()) {
        match self::place(place) {
            Some(place) => attached.attachments.push(place),
            None => attached.has_unknown = true,
        }
    }
    attached
}

fn one(kind: &str, body: &Value<'_>) -> Option<Attachment> {
    let by = |kind, url: Option<String>, media_type: Option<&str>| {
        Some(Attachment {
            url: Some(url?),
            reference: reference(body),
            media_type: media_type.map(str::to_owned),
            ..Attachment::of(kind)
        })
    };
    match kind {
        "photo" => by(AttachmentKind::Image, original(body).or_else(|| largest(body, "sizes")), None),
        "graffiti" => by(AttachmentKind::Image, text(body, "url"), None),
        "sticker" => Some(Attachment {
            reference: id(body, "sticker_id"),
            url: Some(largest(body, "images")?),
            ..Attachment::of(AttachmentKind::Sticker)
        }),
        "audio_message" => match text(body, "link_ogg") {
            Some(ogg) => by(AttachmentKind::Voice, Some(ogg), Some("audio/ogg")),
            None => by(AttachmentKind::Voice, text(body, "link_mp3"), Some("audio/mpeg")),
        },
        "audio" => {
            let names: Vec<String> =
                ["artist", "title"].into_iter().filter_map(|key| text(body, key)).collect();
            let track = by(AttachmentKind::Audio, text(body, "url"), None)?;
            Some(Attachment { name: (!names.is_empty()).then(|| names.join(" - ")), ..track })
        }
        "doc" => {
            let file = by(AttachmentKind::Document, text(body, "url"), None)?;
            Some(Attachment { name: text(body, "title"), size: number(body, "size"), ..file })
        }
        // VK plays videos itself and gives no address of theirs.
        "video" => Some(Attachment {
            reference: Some(reference(body)?),
            name: text(body, "title"),
            ..Attachment::of(AttachmentKind::Video)
        }),
        _ => None,
    }
}

/// How VK names an object: whose it is, its number, and the key that opens it for us.
fn reference(body: &Value<'_>) -> Option<String> {
    let (owner, number) = (id(body, "owner_id")?, id(body, "id")?);
    Some(match text(body, "access_key") {
        Some(key) => format!("{owner}_{number}_{key}"),
        None => format!("{owner}_{number}"),
    })
}

fn original(photo: &Value<'_>) -> Option<String> {
    at(photo, &["orig_photo", "url"]).and_then(Value::as_str).filter(|url| !url.is_empty()).map(str::to_owned)
}

/// The address of the largest of several sizes. Old ones have no measures; the last is the largest then.
fn largest(body: &Value<'_>, sizes: &str) -> Option<String> {
    let area = |size: &Value<'_>| {
        let side = |key| number(size, key).unwrap_or(0);
        side("width").saturating_mul(side("height"))
    };
    let with_address = items(body, sizes).iter().filter_map(|size| Some((area(size), text(size, "url")?)));
    with_address.max_by_key(|(area, _)| *area).map(|(_, url)| url)
}

fn place(geo: &Value<'_>) -> Option<Attachment> {
    let (latitude, longitude) = coordinates(geo)?;
    let title = at(geo, &["place", "title"]).and_then(Value::as_str).filter(|title| !title.is_empty());
    Some(Attachment {
        location: Some(Location { latitude, longitude, title: title.map(str::to_owned) }),
        ..Attachment::of(AttachmentKind::Location)
    })
}
