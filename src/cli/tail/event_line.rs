//! An event as one line for people. What the API adds later is shown as it comes.

use chrono::TimeZone;
use serde_json::Value;

use crate::cli::terminal_text::{Tone, cut, date_and_time, harmless, padded, toned};
use crate::config::diagnostic::Paint;

/// A raw message of a messenger may have megabytes; what is longer than this is cut.
const VALUE_COLUMNS_MAX: usize = 100;
/// Most names of lines fit; a longer one moves the rest of its line.
const LINE_COLUMNS: usize = 10;
/// `d-1234567`.
const DIALOG_COLUMNS: usize = 9;
/// `message.unsupported`.
const KIND_COLUMNS: usize = 19;

/// An event of the API as a line.
pub(in crate::cli) fn of<Zone: TimeZone>(event: &Value, zone: &Zone, paint: Paint) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = date_and_time(text("at"), zone).unwrap_or_else(|| harmless(text("at")));
    let day = at.split(' ').next().unwrap_or_default();
    let kind = text("type");
    let named = |name: &str, columns: usize| match text(name) {
        "" => padded("-", columns),
        name => padded(&harmless(name), columns),
    };
    let mut line = format!(
        "{}  {}  {}  {}",
        toned(&at, Tone::Quiet, paint),
        named("line", LINE_COLUMNS),
        named("dialog", DIALOG_COLUMNS),
        toned(&padded(&harmless(kind), KIND_COLUMNS), tone(kind), paint),
    );
    if let Some(Value::Object(data)) = event.get("data") {
        for (name, value) in data.iter().filter(|(_, value)| !value.is_null()) {
            line.push_str("  ");
            line.push_str(&toned(&format!("{}=", harmless(name)), Tone::Quiet, paint));
            line.push_str(&shown(value, zone, day));
        }
    }
    line.trim_end().to_owned()
}

/// How good or bad the news is.
fn tone(kind: &str) -> Tone {
    match kind {
        "dialog.accepted" | "message.sent" | "config.activated" => Tone::Good,
        "message.failed"
        | "delivery.dead"
        | "rule.tripped"
        | "sla.breached"
        | "text.not_sent"
        | "message.unsupported"
        | "client.blocked" => Tone::Bad,
        "dialog.opened" | "dialog.queued" | "sla.warning" => Tone::Waiting,
        _ => Tone::Usual,
    }
}

/// A value on one line: times in local time, without the date where that is `day`; authors and small objects in words.
pub(in crate::cli) fn shown<Zone: TimeZone>(value: &Value, zone: &Zone, day: &str) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let text = match value {
        Value::String(text) => match date_and_time(text, zone) {
            Some(time) => time.strip_prefix(day).map_or(time.as_str(), str::trim_start).to_owned(),
            None if text.is_empty() || text.contains(char::is_whitespace) => format!("\"{text}\""),
            None => text.clone(),
        },
        Value::Object(members) => author(value).unwrap_or_else(|| {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> =
                members.map(|(name, value)| format!("{name}={}", shown(value, zone, day))).collect();
            format!("{{{}}}", members.join(" "))
        }),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(|item| shown(item, zone, day)).collect::<Vec<_>>().join(",")
        }
        // Loads have fractions and mostly do not use them.
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or(number.to_string(), |it| it.to_string())
        }
        other => other.to_string(),
    };
    cut(&harmless(&text), VALUE_COLUMNS_MAX)
}

/// Who did something, as people say it: `anna`, `rule vip-refund`, `system`.
fn author(value: &Value) -> Option<String> {
    // Other things have kinds too.
    let members =
        value.as_object().filter(|members| members.keys().all(|name| name == "kind" || name == "id"))?;
    let kind = members.get("kind")?.as_str()?;
    let id = members.get("id").and_then(Value::as_str);
    Some(match (kind, id) {
        ("operator", Some(id)) => id.to_owned(),
        (kind, Some(id)) => format!("{kind}:{id}"),
        (kind, None) => kind.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Moscow;
    use serde_json::json;

    use super::*;

    fn line(event: &Value) -> String {
        of(event, &Moscow, Paint::Plain)
    }

    #[test]
    fn events_are_lines_in_columns_and_in_local_time() {
        let event = |kind: &str, line: Value, dialog: Value, data: Value| {
            json!({"seq": 17, "index": 0, "type": kind, "at": "2026-03-02T09:00:00.000Z", "line": line, "dialog": dialog,
                   "data": data})
        };
        let events = [
            event("dialog.opened", json!("sales"), json!("d-3"), json!({"first_contact": true})),
            event(
                "dialog.offered",
                json!("sales"),
                json!("d-3"),
                json!({"expires_at": "2026-03-02T09:01:00.000Z", "offer": "o-4", "operator": "anna"}),
            ),
            event(
                "note.added",
                json!("sales"),
                json!("d-3"),
                json!({"message": "m-7", "author": {"kind": "operator", "id": "anna"}}),
            ),
            event(
                "message.failed",
                json!("sales"),
                json!("d-3"),
                json!({"message": "m-8", "error": "blocked by the client"}),
            ),
            event(
                "operator.presence",
                Value::Null,
                Value::Null,
                json!({"operator": "anna", "from": null, "to": "online"}),
            ),
            event(
                "tomorrow.comes",
                json!("sales"),
                Value::Null,
                json!({"list": ["a", "b"], "deep": {"x": [1]}}),
            ),
        ];
        insta::assert_snapshot!(events.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_a_stranger_wrote_is_one_harmless_line_of_bounded_length() {
        let event =
            json!({"type": "message.unsupported", "at": "x\u{1b}[2J", "data": {"raw": "a\n".repeat(500)}});
        let shown = line(&event);
        assert!(!shown.contains('\n') && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.chars().count() < 200, "{shown}");
    }

    #[test]
    fn what_has_no_form_of_an_event_is_no_reason_to_fail() {
        assert_eq!(line(&json!({})), "  -           -");
        assert_eq!(line(&json!({"data": 7, "type": 8})), "  -           -");
    }
}
