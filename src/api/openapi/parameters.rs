//! The parameters of routes.

use serde_json::{Value, json};

use crate::model::event::EventKind;

use super::schemas::{text, time, words};

/// The parameters of a path.
pub(super) fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next()).map(|name| {
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
    })
}

/// A parameter of the query.
pub(super) fn query(name: &str, about: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": about, "schema": schema})
}

/// A header of the request.
pub(super) fn header(name: &str, about: &str, schema: Value) -> Value {
    json!({"name": name, "in": "header", "description": about, "schema": schema})
}

/// The order of a history.
pub(super) fn order() -> Value {
    query("order", "Oldest first (the default) or newest first.", words(&["asc", "desc"]))
}

/// What a list of dialogs is narrowed and sorted by.
pub(super) fn dialog_filters() -> Vec<Value> {
    let several = "Several may be listed, separated by commas.";
    vec![
        query("line", several, text()),
        query("status", "States, separated by commas; `open` is all but closed.", text()),
        query("owner", "Owned by this operator.", text()),
        query("team", "Given to this team.", text()),
        query("channel", "Of this channel.", text()),
        query("client", "Of this client.", text()),
        query("chat", "Of this chat.", text()),
        query("topic", "With this topic.", text()),
        query("tag", "With this tag.", text()),
        query("priority", "Of this priority: a number, or low, normal, high, urgent.", text()),
        query("opened_from", "Opened at this time or later.", time()),
        query("opened_to", "Opened before this time.", time()),
        query("sort", "The order.", words(&["opened", "updated", "waiting", "priority"])),
    ]
}

/// What a stream of events is narrowed by.
pub(super) fn event_filters() -> Vec<Value> {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let about = format!("Types, separated by commas, of: {}.", kinds.join(", "));
    vec![
        query("line", "Lines, separated by commas.", text()),
        query("dialog", "Dialogs, separated by commas.", text()),
        query("type", &about, text()),
        query("after", "Begins after this event, or after this `seq`.", text()),
        header("Last-Event-ID", "Goes on after this event.", text()),
    ]
}
