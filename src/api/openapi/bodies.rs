//! What bodies of requests look like.

use serde_json::{Map, Value, json};

use super::schemas::{free, object, object_with, or_null, text, words};

/// A body with members that we do not know is refused.
pub(super) fn closed(mut schema: Value) -> Value {
    if schema.get("properties").is_some()
        && let Some(members) = schema.as_object_mut()
    {
        members.insert("additionalProperties".to_owned(), false.into());
    }
    schema
}

/// Bytes, as they are.
pub(super) fn binary() -> Value {
    json!({"type": "string", "format": "binary"})
}

pub(super) fn limited_text(chars_max: u32) -> Value {
    json!({"type": "string", "maxLength": chars_max})
}

pub(super) fn changes() -> Value {
    let priority = json!({"anyOf": [
        words(&["low", "normal", "high", "urgent"]),
        {"type": "integer", "minimum": -1_000_000, "maximum": 1_000_000},
    ]});
    let tags = json!({"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 256}});
    object_with(
        [],
        [
            ("priority", priority),
            ("topic", or_null(text())),
            ("tags", tags),
            ("paused", json!({"type": "boolean"})),
            ("custom", or_null(free())),
        ],
    )
}

pub(super) fn change_example() -> Value {
    json!({"priority": "high", "topic": "billing", "tags": ["vip"], "custom": {"order": 17, "old": null}})
}

pub(super) fn target() -> Value {
    let one = |name: &str| closed(object([(name, text())]));
    json!({"oneOf": [one("operator"), one("team"), one("line")]})
}

pub(super) fn first_message() -> Value {
    forms_of_message(&[], &[])
}

pub(super) fn message_to_client() -> Value {
    forms_of_message(&["channel", "client"], &[])
}

fn buttons() -> Value {
    let button = closed(object([("title", limited_text(256)), ("data", limited_text(256))]));
    json!({"type": "array", "maxItems": 100, "items": button})
}

pub(super) fn reply() -> Value {
    forms_of_message(&[], &["reply_to"])
}

/// The forms of a message: a text, perhaps with files; files alone; a template, perhaps with files. Each with
/// these further texts.
fn forms_of_message(needed: &[&'static str], optional: &[&'static str]) -> Value {
    let form = |own: &[(&'static str, Value)], further: &[(&'static str, Value)]| {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, schema) in needed.iter().map(|name| (*name, text())).chain(own.iter().cloned()) {
            properties.insert(name.to_owned(), schema);
            required.push(name);
        }
        for (name, schema) in optional.iter().map(|name| (*name, text())).chain(further.iter().cloned()) {
            properties.insert(name.to_owned(), or_null(schema));
        }
        closed(json!({"type": "object", "properties": properties, "required": required}))
    };
    let files = ("attachments", enclosures(0));
    let by_text = form(&[("text", limited_text(20_000))], &[("buttons", buttons()), files.clone()]);
    let by_files = form(&[("attachments", enclosures(1))], &[]);
    let by_template = form(&[("template", text())], &[("vars", free()), files]);
    json!({"oneOf": [by_text, by_files, by_template]})
}

/// Files that are to be sent.
fn enclosures(items_min: u32) -> Value {
    let kind = words(&["image", "video", "audio", "voice", "document"]);
    let further = [("name", or_null(limited_text(256))), ("kind", or_null(kind))];
    let by_upload = closed(object_with([("id", text())], further.clone()));
    let by_address = closed(object_with([("url", limited_text(2_048))], further));
    json!({
        "type": "array", "minItems": items_min, "maxItems": 10,
        "items": {"oneOf": [by_upload, by_address]},
    })
}
