//! What a message of Messenger or Instagram holds.

use serde_json::Value;

use crate::model::message::{Attachment, AttachmentKind, Location};

use super::batch::{array, text};

/// The most files of one message that are kept: an album has up to thirty.
const FILES_MAX: usize = 100;

/// What a message says.
pub(super) struct Content {
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    /// False when something in it cannot be shown.
    pub(super) is_known: bool,
}

/// Reads a message, of a client or of the account.
pub(super) fn of(message: &Value) -> Content {
    let mut lines: Vec<String> = text(message, "/text").into_iter().collect();
    let mut attachments = Vec::new();
    let mut is_known = true;
    for attachment in array(message, "attachments").iter().take(FILES_MAX) {
        let kind = attachment.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_sticker = kind == "sticker" || attachment.pointer("/payload/sticker_id").is_some();
        match kind {
            "image" | "sticker" if is_sticker => {
                attachments.extend(file(AttachmentKind::Sticker, attachment))
            }
            "image" => attachments.extend(file(AttachmentKind::Image, attachment)),
            "video" => attachments.extend(file(AttachmentKind::Video, attachment)),
            "audio" => attachments.extend(file(AttachmentKind::Audio, attachment)),
            "file" => attachments.extend(file(AttachmentKind::Document, attachment)),
            "location" => attachments.extend(place(attachment)),
            "like_heart" => lines.push("❤".to_owned()),
            // A story is a picture or a film; which, only its content says. The note that something cannot be shown
            // says that it is no ordinary file.
            "story_mention" => {
                attachments.extend(file(AttachmentKind::Document, attachment));
                is_known = false;
            }
            // Shared posts, reels, links and products: what they lead to is shown, not fetched.
            _ => match shared(attachment) {
                Some(shared) if lines.iter().any(|line| line.contains(&shared)) => {}
                // A preview of a link that stands in the text says nothing new.
                Some(_) if kind == "fallback" && !lines.is_empty() => {}
                Some(shared) => lines.push(shared),
                None => is_known = false,
            },
        }
    }
    let is_empty = lines.is_empty() && attachments.is_empty();
    Content { text: lines.join("\n"), attachments, is_known: is_known && !is_empty }
}

fn file(kind: AttachmentKind, attachment: &Value) -> Option<Attachment> {
    let url = text(attachment, "/payload/url")?;
    let name = (kind == AttachmentKind::Document).then(|| name(&url)).flatten();
    Some(Attachment { url: Some(url), name, ..Attachment::of(kind) })
}

/// The name of a file stands only in its address.
fn name(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let (_, name) = path.rsplit_once('/')?;
    (name.contains('.') && name.len() <= 255).then(|| name.to_owned())
}

fn place(attachment: &Value) -> Option<Attachment> {
    let degrees = |key: &str| {
        let value = attachment.pointer("/payload/coordinates")?.get(key)?;
        value.is_number().then(|| value.to_string())
    };
    Some(Attachment {
        location: Some(Location {
            latitude: degrees("lat")?,
            longitude: degrees("long")?,
            title: text(attachment, "/title"),
        }),
        ..Attachment::of(AttachmentKind::Location)
    })
}

/// The title and the address of something shared.
fn shared(attachment: &Value) -> Option<String> {
    let of = |key: &str| {
        text(attachment, &format!("/payload/{key}")).or_else(|| text(attachment, &format!("/{key}")))
    };
    let url = of("url").filter(|url| url.starts_with("https://"));
    let lines: Vec<String> = of("title").into_iter().chain(url).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
