//! The shapes of bodies, as JSON Schema (2020-12, as OpenAPI 3.1 has it).
//!
//! Every member that an answer always has is required, null included. Readers must not mind further ones:
//! later versions add some.

use serde_json::{Map, Value, json};

use crate::model::dialog::{CloseReason, DialogState, Missed};
use crate::model::event::EventKind;
use crate::model::sla::SlaTarget;
use crate::store::queries::deliveries::DeliveryState;

use super::decisions;

/// A text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A whole number that is not negative.
pub(super) fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A time.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn fraction() -> Value {
    json!({"type": "number"})
}

/// `true` or `false`.
pub(super) fn flag() -> Value {
    json!({"type": "boolean"})
}

/// One of a closed list.
pub(super) fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// This or null.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// Several of these.
pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// Members of any names.
pub(super) fn free() -> Value {
    json!({"type": "object", "additionalProperties": true})
}

/// A named shape.
pub(super) fn shape(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object that always has these members.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    object_with(members, [])
}

/// An object that always has the first and may have the second members.
pub(super) fn object_with<const N: usize, const M: usize>(
    members: [(&str, Value); N],
    optional: [(&str, Value); M],
) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        members.into_iter().chain(optional).map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// What a write answers with: the new state and its place in history.
pub(super) fn with_seq(name: &str) -> Value {
    json!({"allOf": [shape(name), object([("seq", number())])]})
}

/// A page of a list.
pub(super) fn page_of(name: &str) -> Value {
    object([("items", list(shape(name))), ("next_cursor", or_null(text()))])
}

/// The states of dialogs.
fn dialog_states() -> Value {
    words(&DialogState::ALL.map(DialogState::as_str))
}

/// The states of deliveries.
pub(super) fn delivery_states() -> Value {
    words(&DeliveryState::ALL.map(DeliveryState::as_str))
}

/// Presences.
pub(super) fn presences() -> Value {
    words(&["online", "away", "offline"])
}

/// All named shapes.
pub(super) fn all() -> Value {
    json!({
        "Author": author(),
        "Client": client(),
        "Config": config(),
        "ConfigAttempt": config_attempt(),
        "Decision": decisions::decision(),
        "Delivery": delivery(),
        "Dialog": dialog(),
        "Event": event(),
        "Line": line(),
        "Load": load(),
        "Message": message(),
        "Operator": operator(),
        "Problem": problem(),
        "TimelineItem": timeline_item(),
        "Waiting": waiting(),
    })
}

fn author() -> Value {
    let kinds = ["client", "operator", "rule", "scenario", "system"];
    object([("kind", words(&kinds)), ("id", or_null(text()))])
}

fn dialog() -> Value {
    let offer = object([
        ("id", text()),
        ("operator", text()),
        ("offered_at", time()),
        ("expires_at", or_null(time())),
    ]);
    let last = object([
        ("id", text()),
        ("direction", words(&["in", "out"])),
        ("author", shape("Author")),
        ("text", text()),
        ("at", time()),
    ]);
    object([
        ("id", text()),
        ("line", text()),
        ("channel", text()),
        ("chat", object([("id", text()), ("external_id", text())])),
        ("client", object([("id", text()), ("name", or_null(text()))])),
        ("state", dialog_states()),
        ("owner", or_null(text())),
        ("team", or_null(text())),
        ("topic", or_null(text())),
        ("priority", json!({"type": "integer"})),
        ("tags", list(text())),
        ("opened_at", time()),
        ("queued_at", time()),
        ("accepted_at", or_null(time())),
        ("first_response_at", or_null(time())),
        ("closed_at", or_null(time())),
        ("close_reason", or_null(close_reasons())),
        ("missed", or_null(words(&Missed::ALL.map(Missed::as_str)))),
        ("offers", list(offer)),
        ("last_message", or_null(last)),
        ("unread", number()),
        ("messages", number()),
        ("custom", free()),
        ("source", or_null(text())),
        ("reopened", number()),
        ("paused", or_null(object([("since", time()), ("until", time())]))),
        ("window_closed", flag()),
        ("joined", list(text())),
        ("rating", or_null(rating())),
        ("supervisor_rating", or_null(supervisor_rating())),
        ("sla_deadline", or_null(time())),
        ("sla", list(sla())),
        ("updated_at", time()),
        ("version", number()),
    ])
}

/// Why dialogs close.
fn close_reasons() -> Value {
    words(&CloseReason::ALL.map(CloseReason::as_str))
}

fn score() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 5})
}

fn rating() -> Value {
    object([
        ("scale", words(&["like_dislike", "1..5"])),
        ("asked_at", time()),
        ("until", time()),
        ("operator", or_null(text())),
        ("score", or_null(score())),
        ("rated_at", or_null(time())),
    ])
}

fn supervisor_rating() -> Value {
    object([("score", score()), ("comment", or_null(text())), ("by", shape("Author")), ("at", time())])
}

fn message() -> Value {
    let button = object([("title", text()), ("data", text())]);
    let kinds = ["image", "video", "audio", "voice", "document", "sticker", "location", "contact"];
    let location = object_with([("latitude", text()), ("longitude", text())], [("title", text())]);
    let contact = object_with([], [("name", text()), ("phone", text()), ("own", flag())]);
    let attachment = object([
        ("id", or_null(text())),
        ("kind", words(&kinds)),
        ("name", or_null(text())),
        ("media_type", or_null(text())),
        ("size", or_null(number())),
        ("location", or_null(location)),
        ("contact", or_null(contact)),
    ]);
    object([
        ("id", text()),
        ("dialog", text()),
        ("direction", words(&["in", "out"])),
        ("author", shape("Author")),
        ("text", text()),
        ("subject", or_null(text())),
        ("full_text", or_null(text())),
        ("attachments", list(attachment)),
        ("buttons", list(button)),
        ("status", words(&["received", "queued", "sent", "delivered", "read", "failed"])),
        ("error", or_null(text())),
        ("external_id", or_null(text())),
        ("at", time()),
        ("external_at", or_null(time())),
        ("edited_at", or_null(time())),
        ("deleted_at", or_null(time())),
        ("delivered_at", or_null(time())),
        ("read_at", or_null(time())),
        ("revisions", list(object([("text", text()), ("until", time())]))),
        ("note", flag()),
        ("automatic", flag()),
        ("reply_to_external_id", or_null(text())),
        ("button", or_null(text())),
        ("unsupported", flag()),
        ("delivery", or_null(text())),
    ])
}

fn event() -> Value {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    object([
        ("seq", number()),
        ("index", number()),
        ("type", words(&kinds)),
        ("at", time()),
        ("line", or_null(text())),
        ("dialog", or_null(text())),
        ("data", json!({"description": "What else there is to know, by type."})),
    ])
}

fn timeline_item() -> Value {
    json!({"oneOf": [
        object([("kind", words(&["message", "note"])), ("message", shape("Message"))]),
        object([("kind", words(&["event"])), ("event", shape("Event"))]),
    ]})
}

fn load() -> Value {
    object([
        ("load", fraction()),
        ("limit", or_null(fraction())),
        ("line_load", fraction()),
        ("line_limit", or_null(fraction())),
    ])
}

fn sla() -> Value {
    object([
        ("target", words(&SlaTarget::ALL.map(SlaTarget::as_str))),
        ("state", words(&["running", "paused", "met", "breached"])),
        ("target_seconds", number()),
        ("started_at", time()),
        ("due_at", or_null(time())),
        ("breached_at", or_null(time())),
        ("stopped_at", or_null(time())),
    ])
}

pub(super) fn strategies() -> Value {
    words(&["in_order", "round_robin", "least_loaded", "broadcast"])
}

fn operator() -> Value {
    object([
        ("id", text()),
        ("name", text()),
        ("teams", list(text())),
        ("status", presences()),
        ("since", or_null(time())),
        ("duty", words(&["on_shift", "off_shift", "on_leave"])),
        ("load", fraction()),
        ("capacity", or_null(fraction())),
        ("free", or_null(fraction())),
        ("dialogs", number()),
        ("offers", number()),
    ])
}

fn line() -> Value {
    object([
        ("id", text()),
        ("name", text()),
        ("language", or_null(text())),
        ("calendar", or_null(text())),
        ("open", flag()),
        ("strategy", strategies()),
        ("operators", list(text())),
        ("waiting", number()),
        ("offered", number()),
        ("active", number()),
        ("longest_wait_seconds", or_null(number())),
    ])
}

fn waiting() -> Value {
    let counts = json!({"type": "object", "additionalProperties": number()});
    let reasons = ["offered", "nobody_can", "undecided"];
    object([
        ("position", json!({"type": "integer", "minimum": 1})),
        ("wait_seconds", number()),
        ("why", object([("reason", words(&reasons)), ("candidates", counts)])),
        ("dialog", shape("Dialog")),
    ])
}

fn client() -> Value {
    object([
        ("id", text()),
        ("name", or_null(text())),
        ("username", or_null(text())),
        ("language", or_null(text())),
        ("phones", list(text())),
        ("identities", list(object([("channel", text()), ("user", text())]))),
        ("tags", list(text())),
        ("custom", free()),
        ("source", or_null(text())),
        ("created_at", time()),
    ])
}

fn delivery() -> Value {
    object([
        ("id", text()),
        ("kind", words(&["message", "button_acknowledgement", "notification"])),
        ("state", delivery_states()),
        ("attempts", number()),
        ("target", object_with([], [("channel", text()), ("endpoint", text())])),
        ("line", text()),
        ("dialog", text()),
        ("message", or_null(text())),
        ("last_error", or_null(text())),
        ("created_at", time()),
        ("updated_at", time()),
        ("next_attempt_at", or_null(time())),
    ])
}

fn config() -> Value {
    let version = object([
        ("version", text()),
        ("commit", or_null(text())),
        ("seq", number()),
        ("activated_at", time()),
    ]);
    object([
        ("active", or_null(version.clone())),
        ("last_attempt", or_null(shape("ConfigAttempt"))),
        ("problems", list(object([("what", text()), ("reason", text())]))),
        ("history", list(version)),
    ])
}

fn config_attempt() -> Value {
    object([
        ("at", time()),
        ("result", words(&["activated", "unchanged", "refused"])),
        ("version", or_null(text())),
        ("reason", or_null(text())),
        ("diagnostics", list(free())),
    ])
}

fn problem() -> Value {
    let mut problem = object([
        ("type", text()),
        ("title", text()),
        ("status", number()),
        ("code", text()),
        ("detail", text()),
        ("errors", list(free())),
    ]);
    if let Some(members) = problem.as_object_mut() {
        // Some problems have members of their own: `owner`, `state`, `current`.
        members.insert("additionalProperties".to_owned(), true.into());
    }
    problem
}
