//! A message as requests to Viber.

use http::Uri;
use serde_json::{Map, Value, json};

use crate::model::channel::{ChannelKind, ViberSender};
use crate::model::effect::Outgoing;
use crate::model::message::{Attachment, AttachmentKind, Button};

use crate::channels::codec::{EncodeError, Part};
use crate::channels::files::FileFault;

use super::{CAPABILITIES, REQUEST_MAX};

/// The largest picture, in bytes. Larger ones go as files.
const PICTURE_MAX: u64 = 1024 * 1024;

/// The largest video, in bytes. Larger ones go as files.
const VIDEO_MAX: u64 = 26 * 1024 * 1024;

/// The largest file, in bytes. Larger ones go as links.
const FILE_MAX: u64 = 50 * 1024 * 1024;

/// The longest name of a file, in characters.
const FILE_NAME_MAX: usize = 256;

/// The longest address of a link, in characters.
const LINK_MAX: usize = 2000;

/// The longest title of a button, in characters; the rest is not shown anyway.
const TITLE_MAX: usize = 250;

/// The bodies of all requests of a message, in their order: so nothing is found wrong after the first was sent.
/// `pressed` makes the text that a button sends from its title and data.
pub(super) fn messages(
    outgoing: &Outgoing,
    sender: &ViberSender,
    pressed: &dyn Fn(&str, &str) -> String,
) -> Result<Vec<Value>, EncodeError> {
    let parts = CAPABILITIES.parts(ChannelKind::Viber, outgoing)?;
    let last = parts.len().saturating_sub(1);
    let mut messages = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let mut body = match part {
            Part::Text { text, .. } => Map::from_iter([pair("type", "text"), pair("text", text)]),
            Part::File { index, file } => {
                self::file(file).map_err(|fault| EncodeError::File { number: index + 1, fault })?
            }
        };
        body.insert("receiver".to_owned(), json!(outgoing.chat));
        body.insert("min_api_version".to_owned(), json!(1));
        let mut from = Map::from_iter([pair("name", sender.name.as_str())]);
        if let Some(avatar) = &sender.avatar {
            from.insert("avatar".to_owned(), json!(avatar));
        }
        body.insert("sender".to_owned(), Value::Object(from));
        // A keyboard is shown until the next message comes, so it belongs to the last part, be it a file.
        if at == last && !outgoing.buttons.is_empty() {
            body.insert("keyboard".to_owned(), keyboard(&outgoing.buttons, pressed));
        }
        let message = Value::Object(body);
        if message.to_string().len() > REQUEST_MAX {
            return Err(EncodeError::TooLarge { max: REQUEST_MAX });
        }
        messages.push(message);
    }
    Ok(messages)
}

/// A file, which Viber fetches itself: as a picture or a video where it takes it as such, as a file when its name
/// and size are known, and as a link otherwise.
fn file(file: &Attachment) -> Result<Map<String, Value>, FileFault> {
    if matches!(file.kind, AttachmentKind::Location | AttachmentKind::Contact) {
        return Err(FileFault::Kind);
    }
    let address = file.url.as_deref().ok_or(FileFault::NoAddress)?;
    let uri: Uri = address.parse().map_err(|_| FileFault::NoAddress)?;
    if uri.scheme_str() != Some("https") || address.chars().count() > LINK_MAX {
        return Err(FileFault::NoAddress);
    }
    let path = uri.path().to_ascii_lowercase();
    let ends_with = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    let fits = |max| file.size.is_none_or(|size| size <= max);
    let media = pair("media", address);
    if file.kind == AttachmentKind::Image
        && ends_with(&[".jpg", ".jpeg", ".png", ".gif"])
        && fits(PICTURE_MAX)
    {
        return Ok(Map::from_iter([pair("type", "picture"), pair("text", ""), media]));
    }
    let Some(size) = file.size else {
        return Ok(Map::from_iter([pair("type", "url"), media]));
    };
    if file.kind == AttachmentKind::Video && ends_with(&[".mp4"]) && fits(VIDEO_MAX) {
        return Ok(Map::from_iter([pair("type", "video"), media, ("size".to_owned(), json!(size))]));
    }
    match &file.name {
        Some(name) if fits(FILE_MAX) && name.contains('.') && name.chars().count() <= FILE_NAME_MAX => {
            Ok(Map::from_iter([
                pair("type", "file"),
                media,
                pair("file_name", name.as_str()),
                ("size".to_owned(), json!(size)),
            ]))
        }
        _ => Ok(Map::from_iter([pair("type", "url"), media])),
    }
}

/// One button per row: titles stay readable on a telephone. What a button sends is not shown in the chat.
fn keyboard(buttons: &[Button], pressed: &dyn Fn(&str, &str) -> String) -> Value {
    let rows: Vec<Value> = buttons
        .iter()
        .map(|button| {
            json!({
                "Columns": 6,
                "Rows": 1,
                "ActionType": "reply",
                "ActionBody": pressed(&button.title, &button.data),
                "Silent": true,
                "Text": shown(&button.title),
            })
        })
        .collect();
    json!({ "Type": "keyboard", "DefaultHeight": false, "Buttons": rows })
}

/// A title as it is shown: some tags of HTML would act in it.
fn shown(title: &str) -> String {
    title.chars().take(TITLE_MAX).collect::<String>().replace('<', "&lt;")
}

fn pair(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), json!(value))
}
