//! An explanation as a page of text.

use chrono::TimeZone;
use serde_json::Value;

use crate::cli::tail::event_line;
use crate::cli::terminal_text::{Tone, date_and_time, harmless, toned};
use crate::config::diagnostic::Paint;

use super::Explanation;
use super::decision::Printer;

/// The page for an explanation.
pub(super) fn of<Zone: TimeZone>(explanation: &Explanation, zone: &Zone, paint: Paint) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let mut page = String::new();
    if let Some(dialog) = &explanation.dialog {
        page.push_str(&head(dialog, zone, paint));
    }
    if explanation.kind != "dialog" {
        let title = format!("{} {}, entry {}:", explanation.kind, explanation.id, explanation.seq);
        page.push_str(&format!("\n{}\n", toned(&title, Tone::Heading, paint)));
        for event in &explanation.events {
            page.push_str(&format!("  {}\n", event_line::of(event, zone, paint)));
        }
    }
    if explanation.kind == "offer" {
        page.push_str(&offer_end(explanation, zone));
    }
    if explanation.dialog.is_none() {
        page.push_str(
            "\nThis event is about no dialog. What it led to is told by the dialogs of its entry.\n",
        );
        return page;
    }
    if explanation.decisions.is_empty() {
        page.push_str(match explanation.kind.as_str() {
            "dialog" => "\nNothing was decided about this dialog yet.\n",
            _ => "\nNothing was decided about the dialog in this entry.\n",
        });
    }
    let printer = Printer { zone, paint, configurations: &explanation.configurations };
    for decision in &explanation.decisions {
        page.push('\n');
        page.push_str(&printer.decision(decision));
    }
    if explanation.is_cut {
        page.push_str("\nThere are more decisions than are shown.\n");
    }
    page
}

/// The dialog in a few words.
fn head<Zone: TimeZone>(dialog: &Value, zone: &Zone, paint: Paint) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let text = |pointer: &str| dialog.pointer(pointer).and_then(Value::as_str).map(harmless);
    let words = |label: &str, pointer: &str| {
        text(pointer).map_or_else(String::new, |text| format!(", {label} {text}"))
    };
    let title = format!("dialog {}", text("/id").unwrap_or_default());
    let client = text("/client/name").unwrap_or_else(|| "a client without a name".to_owned());
    let priority = dialog.get("priority").and_then(Value::as_i64).filter(|priority| *priority != 0);
    let priority = priority.map_or_else(String::new, |priority| format!(", priority {priority}"));
    let times = [
        ("opened", "/opened_at"),
        ("accepted", "/accepted_at"),
        ("first answer", "/first_response_at"),
        ("closed", "/closed_at"),
    ];
    let times: Vec<String> = times
        .into_iter()
        .filter_map(|(label, pointer)| {
            Some(format!("{label} {}", date_and_time(dialog.pointer(pointer)?.as_str()?, zone)?))
        })
        .collect();
    format!(
        "{}: {client}, line {}{}\n  {}{}{}{}{}{priority}\n  {}\n",
        toned(&title, Tone::Heading, paint),
        text("/line").unwrap_or_default(),
        words("channel", "/channel"),
        text("/state").unwrap_or_default(),
        words("reason", "/close_reason"),
        words("owner", "/owner"),
        words("team", "/team"),
        words("topic", "/topic"),
        times.join(", "),
    )
}

fn offer_end<Zone: TimeZone>(explanation: &Explanation, zone: &Zone) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let text = |event: &Value, pointer: &str| {
        event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    match &explanation.offer_end {
        None => "  it has not ended\n".to_owned(),
        Some(event) => {
            let at = text(event, "/at");
            format!(
                "  it ended {}: {}\n",
                date_and_time(&at, zone).unwrap_or(at),
                harmless(&text(event, "/data/end").replace('_', " "))
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Moscow;
    use serde_json::json;

    use super::super::Configuration;
    use super::*;

    fn dialog() -> Value {
        json!({
            "id": "d-3", "line": "sales", "channel": "shop-telegram", "client": {"id": "c-3", "name": "Мария\u{1b}[2J"},
            "state": "waiting_client", "owner": "anna", "team": null, "topic": "refund", "priority": 10,
            "opened_at": "2026-03-02T09:00:00.000Z", "accepted_at": "2026-03-02T09:00:30.000Z",
            "first_response_at": null, "closed_at": null,
        })
    }

    fn routing() -> Value {
        json!({
            "seq": 3, "index": 0, "at": "2026-03-02T09:00:00.000Z", "dialog": "d-3",
            "config": "sha256:0123456789abcdef0123", "kind": "routing", "trigger": "capacity_freed", "line": "sales",
            "team": "seniors", "strategy": "least_loaded", "outcome": "offered", "winners": ["anna"],
            "offers": [{"id": "o-3", "operator": "anna"}], "expires_at": "2026-03-02T09:01:00.000Z",
            "candidates_omitted": 2,
            "candidates": [
                {"operator": "anna", "verdict": "eligible", "place": 0, "load": 0.0, "limit": 5.0, "line_load": 0.0,
                 "line_limit": null, "last_offered_at": null},
                {"operator": "boris", "verdict": "full", "place": 1, "load": 4.0, "limit": 4.0, "line_load": 3.5,
                 "line_limit": null, "last_offered_at": "2026-03-02T08:59:00.000Z", "missing": ["billing", "vip"]},
            ],
            "stage": 0, "rounds": 1, "language": "ru", "kept_for": null,
            "rank": {"score": 12, "aged": 2, "deadline": null, "queued_at": "2026-03-01T20:59:00.000Z"},
            "next": {"what": "reservation_ends", "at": "2026-03-02T09:02:00.000Z"},
        })
    }

    fn explanation(kind: &str, id: &str, decisions: Vec<Value>) -> Explanation {
        Explanation {
            id: id.to_owned(),
            kind: kind.to_owned(),
            seq: 3,
            dialog: Some(dialog()),
            events: Vec::new(),
            offer_end: None,
            decisions,
            is_cut: false,
            configurations: vec![Configuration {
                version: "sha256:0123456789abcdef0123".to_owned(),
                commit: Some("4f1c2d".to_owned()),
                activated_at: "2026-03-01T21:00:00.000Z".to_owned(),
            }],
        }
    }

    fn page(explanation: &Explanation) -> String {
        of(explanation, &Moscow, Paint::Plain)
    }

    #[test]
    fn a_dialog_is_explained_with_everybody_who_was_considered() {
        let waits = json!({
            "seq": 2, "index": 1, "at": "2026-03-02T08:59:00.000Z", "dialog": "d-3", "config": "sha256:ff", "kind": "routing",
            "trigger": "opened", "line": "sales", "team": null, "strategy": "in_order", "outcome": "waits", "winners": [],
            "offers": [], "expires_at": null, "candidates": [], "candidates_omitted": 0,
        });
        let rule = json!({
            "seq": 3, "index": 1, "at": "2026-03-02T09:00:00.000Z", "dialog": "d-3", "config": "sha256:ff", "kind": "rule",
            "rule": "refunds", "event": "message.received", "chain": 1,
            "when": {"all": [
                {"path": "message.text", "contains_any": ["refund"], "ignore_case": true},
                {"not": {"path": "dialog.tags", "has": "refund"}},
            ]},
            "actions": [
                {"action": "add_tags", "done": true, "reason": null},
                {"action": "reply", "done": false, "reason": "an automatic message is not answered automatically"},
            ],
        });
        let transfer = json!({
            "seq": 4, "index": 0, "at": "2026-03-02T09:05:00.000Z", "dialog": "d-3", "config": "sha256:ff",
            "kind": "transfer", "operator": "boris", "offer": "o-4", "by": {"kind": "operator", "id": "anna"},
            "load": 4.0, "limit": 4.0, "line_load": 4.0, "line_limit": null, "over_limit": true,
        });
        let later = json!({
            "seq": 5, "index": 0, "at": "2026-03-02T09:06:00.000Z", "dialog": "d-3", "config": "sha256:ff", "kind": "text",
            "text": "no_answer", "outcome": "cancelled", "why": null,
        });
        insta::assert_snapshot!(page(&explanation(
            "dialog",
            "d-3",
            vec![waits, routing(), rule, transfer, later]
        )));
    }

    /// A decision of this kind at noon in Moscow.
    fn decided(kind: &str, members: Value) -> Value {
        let mut decision = json!({
            "seq": 6, "index": 0, "at": "2026-03-02T09:00:00.000Z", "dialog": "d-3", "config": "sha256:ff", "kind": kind,
        });
        decision.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        decision
    }

    #[test]
    fn what_waiting_long_changed_is_told_in_sentences() {
        let overflow = |stage: Value, change: &str, more: Value| {
            let mut members = json!({
                "line": "sales", "since": "2026-03-02T08:58:00.000Z", "stage": stage, "change": change,
                "may_be_asked": null, "to": null, "reason": null, "actions": [],
            });
            members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            decided("overflow", members)
        };
        let decisions = vec![
            overflow(json!(1), "asks", json!({"may_be_asked": 7})),
            overflow(json!(2), "moved", json!({"to": "night"})),
            overflow(json!(2), "stayed", json!({"to": "night", "reason": "it was on that line already"})),
            overflow(
                json!(null),
                "acted",
                json!({"actions": [
                    {"action": "reply", "done": true, "reason": null},
                    {"action": "transfer", "done": false, "reason": "there is no such team"},
                ]}),
            ),
            overflow(json!(3), "sings_a_song", json!({})),
        ];
        insta::assert_snapshot!(page(&explanation("dialog", "d-3", decisions)));
    }

    #[test]
    fn who_has_a_dialog_after_it_was_over_is_told_with_the_reason() {
        let back = |trigger: &str, operator: Value, verdict: Value| {
            decided("return", json!({"trigger": trigger, "operator": operator, "verdict": verdict}))
        };
        let hindrances = [
            "offline",
            "full",
            "off_shift",
            "on_leave",
            "skill",
            "language",
            "not_in_stage",
            "returning",
            "offered",
            "declined",
            "expired",
            "gave_back",
            "not_on_line",
            "asleep",
        ];
        let mut decisions = vec![
            back("returned", json!("anna"), json!("eligible")),
            back("reopened", json!(null), json!(null)),
            back("called_back", json!("anna"), json!(null)),
        ];
        decisions.extend(hindrances.map(|verdict| back("reopened", json!("anna"), json!(verdict))));
        insta::assert_snapshot!(page(&explanation("dialog", "d-3", decisions)));
    }

    #[test]
    fn what_time_did_is_told_with_what_it_was_counted_from() {
        let timer = |timer: &str, done: &str| {
            decided(
                "timer",
                json!({
                    "timer": timer, "done": done, "since": "2026-03-01T20:00:00.000Z", "due_at": "2026-03-02T09:00:00.000Z",
                }),
            )
        };
        let decisions = vec![
            timer("no_answer", "text_sent"),
            timer("queue_position", "text_omitted"),
            timer("silence", "closed"),
            timer("closing", "closed"),
            timer("pause", "resumed"),
            timer("egg", "boiled_hard"),
        ];
        insta::assert_snapshot!(page(&explanation("dialog", "d-3", decisions)));
    }

    #[test]
    fn who_took_a_dialog_over_is_told_with_what_they_had() {
        let taken = |from: Value, is_over_limit: bool| {
            decided(
                "take_over",
                json!({
                    "operator": "vera", "from": from, "load": 2.5, "limit": 3.0, "line_load": 1.0, "line_limit": null,
                    "over_limit": is_over_limit,
                }),
            )
        };
        let decisions = vec![taken(json!("anna"), true), taken(json!(null), false)];
        insta::assert_snapshot!(page(&explanation("dialog", "d-3", decisions)));
    }

    #[test]
    fn who_was_left_with_an_abandoned_dialog_is_told() {
        let left =
            |owner: Value| decided("abandoned", json!({"since": "2026-03-02T08:59:00.000Z", "owner": owner}));
        let decisions = vec![left(json!("anna")), left(json!(null))];
        insta::assert_snapshot!(page(&explanation("dialog", "d-3", decisions)));
    }

    #[test]
    fn an_offer_is_explained_with_its_end() {
        let mut offer = explanation("offer", "o-3", vec![routing()]);
        offer.events = vec![json!({
            "seq": 3, "index": 1, "type": "dialog.offered", "at": "2026-03-02T09:00:00.000Z", "line": "sales",
            "dialog": "d-3", "data": {"offer": "o-3", "operator": "anna"},
        })];
        offer.offer_end = Some(json!({"at": "2026-03-02T09:01:00.000Z", "data": {"end": "expired"}}));
        insta::assert_snapshot!(page(&offer));
    }

    #[test]
    fn where_nothing_was_decided_the_page_says_so() {
        let message = explanation("message", "m-9", Vec::new());
        assert!(page(&message).ends_with("Nothing was decided about the dialog in this entry.\n"));
        let mut presence = explanation("event", "9.0", Vec::new());
        presence.dialog = None;
        assert!(page(&presence).contains("This event is about no dialog."));
    }

    #[test]
    fn a_decision_of_an_unknown_form_is_no_reason_to_fail() {
        let kinds = ["overflow", "return", "timer", "take_over", "abandoned", "transfer"]
            .map(|kind| json!({"kind": kind}));
        let routing = json!({"kind": "routing", "candidates": [7, {"operator": 8}], "rank": 7, "next": 7});
        for decision in [json!(7), json!({}), routing].into_iter().chain(kinds) {
            page(&explanation("dialog", "d-3", vec![decision]));
        }
    }
}
