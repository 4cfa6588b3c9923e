//! The shapes of decisions: why something was done to a dialog.

use serde_json::{Value, json};

use super::schemas::{flag, free, list, number, object, or_null, shape, strategies, text, time, words};

/// A decision of any kind.
pub(super) fn decision() -> Value {
    let verdicts = [
        "eligible",
        "offline",
        "full",
        "offered",
        "declined",
        "expired",
        "gave_back",
        "off_shift",
        "on_leave",
        "skill",
        "language",
        "not_in_stage",
        "returning",
        "not_on_line",
    ];
    let candidate = json!({"allOf": [shape("Load"), object([
        ("operator", text()),
        ("verdict", words(&verdicts)),
        ("place", number()),
        ("last_offered_at", or_null(time())),
    ])]});
    let rank = object([
        // A low priority is below nothing.
        ("score", json!({"type": "integer"})),
        ("aged", number()),
        ("deadline", or_null(time())),
        ("queued_at", time()),
    ]);
    let next = object([("what", words(&["reservation_ends", "overflow", "otherwise"])), ("at", time())]);
    let routing = object([
        ("kind", words(&["routing"])),
        ("trigger", text()),
        ("line", text()),
        ("team", or_null(text())),
        ("strategy", strategies()),
        ("outcome", words(&["offered", "waits"])),
        ("winners", list(text())),
        ("offers", list(object([("id", text()), ("operator", text())]))),
        ("expires_at", or_null(time())),
        ("candidates", list(candidate)),
        ("candidates_omitted", number()),
        ("topic", or_null(text())),
        ("stage", number()),
        ("language", or_null(text())),
        ("kept_for", or_null(text())),
        ("rounds", number()),
        ("rank", or_null(rank)),
        ("next", or_null(next)),
    ]);
    let action = object([("action", text()), ("done", flag()), ("reason", or_null(text()))]);
    let rule = object([
        ("kind", words(&["rule"])),
        ("rule", text()),
        ("event", text()),
        ("chain", number()),
        ("when", or_null(free())),
        ("actions", list(action.clone())),
    ]);
    let overflow = object([
        ("kind", words(&["overflow"])),
        ("line", text()),
        ("since", time()),
        ("stage", or_null(number())),
        ("change", words(&["asks", "moved", "stayed", "acted"])),
        ("may_be_asked", or_null(number())),
        ("to", or_null(text())),
        ("reason", or_null(text())),
        ("actions", list(action)),
    ]);
    let transfer = json!({"allOf": [shape("Load"), object([
        ("kind", words(&["transfer"])),
        ("operator", text()),
        ("offer", text()),
        ("by", shape("Author")),
        ("over_limit", flag()),
    ])]});
    let common = object([
        ("seq", number()),
        ("index", number()),
        ("at", time()),
        ("dialog", text()),
        ("config", text()),
    ]);
    let back = object([
        ("kind", words(&["return"])),
        ("trigger", text()),
        ("operator", or_null(text())),
        ("verdict", or_null(words(&verdicts))),
    ]);
    let timer = object([
        ("kind", words(&["timer"])),
        ("timer", words(&["closing", "silence", "pause", "no_answer", "queue_position"])),
        ("due_at", time()),
        ("since", time()),
        ("done", words(&["text_sent", "text_omitted", "closed", "resumed"])),
    ]);
    let take_over = json!({"allOf": [shape("Load"), object([
        ("kind", words(&["take_over"])),
        ("operator", text()),
        ("from", or_null(text())),
        ("over_limit", flag()),
    ])]});
    let abandoned = object([("kind", words(&["abandoned"])), ("since", time()), ("owner", or_null(text()))]);
    let kinds = [routing, rule, transfer, overflow, back, timer, take_over, abandoned];
    json!({"allOf": [common, {"oneOf": kinds}]})
}
