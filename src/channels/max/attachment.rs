//! What comes with a message of MAX.

use serde_json_borrow::Value;

use crate::model::message::{Attachment, AttachmentKind, Contact, Location};

use crate::channels::json::{at, decimal, field, id, items, number, text};

/// The most attachments that are read of one message. MAX itself allows a dozen.
const ATTACHMENTS_MAX: usize = 32;

/// The longest card that is read for a phone number, in bytes.
const CARD_MAX: usize = 16 * 1024;

/// What came along, and whether something of it cannot be shown.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) attachments: Vec<Attachment>,
    pub(super) links: Vec<String>,
    pub(super) has_unknown: bool,
}

/// Reads the attachments of a message that `sender` wrote.
pub(super) fn read(message: &Value<'_>, sender: &str) -> Attached {
    let mut attached = Attached::default();
    let all = items(message, "attachments");
    attached.has_unknown = all.len() > ATTACHMENTS_MAX;
    for item in all.iter().take(ATTACHMENTS_MAX) {
        match text(item, "type").as_deref() {
            // Buttons are no content of their own.
            Some("inline_keyboard" | "reply_keyboard") => {}
            Some("share") => match at(item, &["payload", "url"]).and_then(Value::as_str) {
                Some(link) if !link.is_empty() => attached.links.push(link.to_owned()),
                _ => attached.has_unknown = true,
            },
            Some(kind) => match one(kind, item, sender) {
                Some(attachment) => attached.attachments.push(attachment),
                None => attached.has_unknown = true,
            },
            None => attached.has_unknown = true,
        }
    }
    attached
}

fn one(kind: &str, item: &Value<'_>, sender: &str) -> Option<Attachment> {
    if kind == "location" {
        let place = Location {
            latitude: decimal(item, "latitude")?,
            longitude: decimal(item, "longitude")?,
            title: None,
        };
        return Some(Attachment { location: Some(place), ..Attachment::of(AttachmentKind::Location) });
    }
    let payload = field(item, "payload")?;
    if kind == "contact" {
        return card(payload, sender);
    }
    let kind = match kind {
        "image" => AttachmentKind::Image,
        "video" => AttachmentKind::Video,
        // What people record is a sound like any other.
        "audio" => AttachmentKind::Audio,
        "file" => AttachmentKind::Document,
        "sticker" => AttachmentKind::Sticker,
        _ => return None,
    };
    let reference = text(payload, "token").or_else(|| text(payload, "code"));
    let url = text(payload, "url");
    if reference.is_none() && url.is_none() {
        return None;
    }
    Some(Attachment {
        reference,
        url,
        name: text(item, "filename"),
        size: number(item, "size"),
        ..Attachment::of(kind)
    })
}

/// A contact card. It is the sender's own only when MAX says whose it is: anybody can send any card.
fn card(payload: &Value<'_>, sender: &str) -> Option<Attachment> {
    let written = text(payload, "vcf_info").filter(|card| card.len() <= CARD_MAX).unwrap_or_default();
    let owner = field(payload, "max_info").filter(|owner| owner.is_object());
    let of_owner = owner.and_then(|owner| {
        let names: Vec<String> =
            ["first_name", "last_name"].into_iter().filter_map(|key| text(owner, key)).collect();
        if names.is_empty() { text(owner, "name") } else { Some(names.join(" ")) }
    });
    let (name, phone) = (line(&written, "FN").or(of_owner), line(&written, "TEL"));
    if name.is_none() && phone.is_none() {
        return None;
    }
    let own = owner.and_then(|owner| id(owner, "user_id")).is_some_and(|owner| owner == sender);
    Some(Attachment {
        contact: Some(Contact { name, phone, own }),
        ..Attachment::of(AttachmentKind::Contact)
    })
}

/// The value of the first line of a vCard with this name: `NAME;PARAMETERS:VALUE`, perhaps in a group (`item1.NAME`).
fn line(card: &str, name: &str) -> Option<String> {
    card.lines().find_map(|line| {
        let (head, value) = line.split_once(':')?;
        let head = head.split(';').next().unwrap_or_default();
        let head = head.rsplit('.').next().unwrap_or_default();
        let value = value.trim();
        // RFC 6350 writes phone numbers as addresses, too.
        let value = value.strip_prefix("tel:").unwrap_or(value);
        (head.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The address of a video, the best first, from what MAX tells about it.
pub(super) fn video_address(body: &Value<'_>) -> Option<String> {
    const SIZES: [&str; 6] = ["mp4_1080", "mp4_720", "mp4_480", "mp4_360", "mp4_240", "mp4_144"];
    let urls = field(body, "urls")?;
    SIZES.into_iter().find_map(|size| text(urls, size))
}
