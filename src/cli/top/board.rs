//! What the board shows, read from the API's answers. Members that this version does not know are left alone, and
//! those that an older daemon does not have are not shown.

use serde_json::Value;

use crate::cli::terminal_text::harmless;

/// Everything at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Board {
    /// In the order of their ids.
    pub(super) lines: Vec<Line>,
    /// Those who are there first.
    pub(super) operators: Vec<Operator>,
    pub(super) waiting: Waiting,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_open: bool,
    pub(super) waiting: u64,
    pub(super) offered: u64,
    pub(super) active: u64,
    /// `None`: nobody waits.
    pub(super) longest_wait_seconds: Option<u64>,
    /// The ids of those who serve it.
    pub(super) operators: Vec<String>,
    /// Whatever the daemon says of its service level, where it says anything.
    pub(super) service_level: Option<String>,
}

/// How an operator is. In the order of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    Online,
    Away,
    Offline,
}

impl Presence {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

/// An operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operator {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) presence: Presence,
    /// In dialogs.
    pub(super) load: f64,
    /// In dialogs; `None`: only the lines limit it.
    pub(super) capacity: Option<f64>,
    pub(super) dialogs: u64,
    pub(super) offers: u64,
    /// When they came or went, in ms.
    pub(super) since_ms: Option<u64>,
}

/// Who waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Waiting {
    pub(super) dialogs: Vec<WaitingDialog>,
    /// Why the list is empty although somebody may wait; `None`: it is as it is.
    pub(super) hidden: Option<String>,
}

/// A dialog that waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct WaitingDialog {
    pub(super) id: String,
    pub(super) line: String,
    pub(super) client: String,
    pub(super) topic: Option<String>,
    pub(super) priority: i64,
    pub(super) queued_at_ms: u64,
    /// The ids of those to whom it is offered.
    pub(super) offered_to: Vec<String>,
    /// Why nobody has it, where the daemon was asked.
    pub(super) why: Option<String>,
    /// When the service level is broken, in ms, where the daemon says so.
    pub(super) deadline_ms: Option<u64>,
}

impl Board {
    /// The operators who serve a line; without one, all.
    pub(super) fn operators_of(&self, line: Option<&str>) -> Vec<&Operator> {
        let members =
            line.and_then(|id| self.lines.iter().find(|line| line.id == id)).map(|line| &line.operators);
        self.operators
            .iter()
            .filter(|operator| members.is_none_or(|members| members.contains(&operator.id)))
            .collect()
    }

    /// The dialogs that wait on a line; without one, on all.
    pub(super) fn waiting_on(&self, line: Option<&str>) -> Vec<&WaitingDialog> {
        self.waiting.dialogs.iter().filter(|dialog| line.is_none_or(|line| dialog.line == line)).collect()
    }

    /// All lines together.
    pub(super) fn sum(&self) -> Line {
        let mut sum = Line { is_open: self.lines.iter().any(|line| line.is_open), ..Line::default() };
        for line in &self.lines {
            sum.waiting = sum.waiting.saturating_add(line.waiting);
            sum.offered = sum.offered.saturating_add(line.offered);
            sum.active = sum.active.saturating_add(line.active);
            sum.longest_wait_seconds = sum.longest_wait_seconds.max(line.longest_wait_seconds);
        }
        sum
    }
}

impl Line {
    /// From an item of `GET /v1/lines`.
    pub(super) fn read(item: &Value) -> Option<Self> {
        Some(Self {
            id: text(item, "/id")?,
            name: text(item, "/name").unwrap_or_default(),
            is_open: item.get("open").and_then(Value::as_bool).unwrap_or(true),
            waiting: number(item, "waiting"),
            offered: number(item, "offered"),
            active: number(item, "active"),
            longest_wait_seconds: item.get("longest_wait_seconds").and_then(Value::as_u64),
            operators: texts(item.get("operators")),
            service_level: item.get("sla").filter(|sla| !sla.is_null()).map(|sla| match sla {
                Value::String(text) => harmless(text),
                other => harmless(&other.to_string()),
            }),
        })
    }
}

impl Operator {
    /// From an item of `GET /v1/operators`.
    pub(super) fn read(item: &Value) -> Option<Self> {
        Some(Self {
            id: text(item, "/id")?,
            name: text(item, "/name").unwrap_or_default(),
            presence: match item.get("status").and_then(Value::as_str) {
                Some("online") => Presence::Online,
                Some("away") => Presence::Away,
                _ => Presence::Offline,
            },
            load: item.get("load").and_then(Value::as_f64).unwrap_or_default(),
            capacity: item.get("capacity").and_then(Value::as_f64),
            dialogs: number(item, "dialogs"),
            offers: number(item, "offers"),
            since_ms: time(item.get("since")),
        })
    }
}

impl WaitingDialog {
    /// From a dialog of the API.
    pub(super) fn read(dialog: &Value) -> Option<Self> {
        let offers = dialog.get("offers").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: text(dialog, "/id")?,
            line: text(dialog, "/line")?,
            client: text(dialog, "/client/name").or_else(|| text(dialog, "/client/id")).unwrap_or_default(),
            topic: text(dialog, "/topic"),
            priority: dialog.get("priority").and_then(Value::as_i64).unwrap_or_default(),
            queued_at_ms: time(dialog.get("queued_at"))?,
            offered_to: offers.filter_map(|offer| text(offer, "/operator")).collect(),
            why: None,
            deadline_ms: time(dialog.get("sla_deadline")),
        })
    }

    /// From an item of `GET /v1/lines/{id}/queue`.
    pub(super) fn read_queued(item: &Value) -> Option<Self> {
        let mut read = Self::read(item.get("dialog")?)?;
        read.deadline_ms = time(item.get("sla_deadline")).or(read.deadline_ms);
        read.why = why(item);
        Some(read)
    }
}

/// Why a dialog of a queue waits, in a few words.
fn why(item: &Value) -> Option<String> {
    let reason = text(item, "/why/reason")?;
    if reason == "offered" {
        return None;
    }
    let counts = item.pointer("/why/candidates").and_then(Value::as_object).into_iter().flatten();
    let counts: Vec<String> =
        counts.map(|(verdict, count)| format!("{count} {}", harmless(&verdict.replace('_', " ")))).collect();
    match reason.as_str() {
        "nobody_can" if counts.is_empty() => Some("nobody serves it".to_owned()),
        "nobody_can" => Some(counts.join(", ")),
        _ => Some(reason.replace('_', " ")),
    }
}

fn text(item: &Value, pointer: &str) -> Option<String> {
    item.pointer(pointer)?.as_str().map(harmless)
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(harmless).collect()
}

fn number(item: &Value, name: &str) -> u64 {
    item.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn time(value: Option<&Value>) -> Option<u64> {
    let time = chrono::DateTime::parse_from_rfc3339(value?.as_str()?).ok()?;
    u64::try_from(time.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_older_or_newer_daemon_says_is_read_as_far_as_it_goes() {
        let line = Line::read(&json!({"id": "sales", "waiting": 2, "colour": "red"})).unwrap();
        assert_eq!((line.waiting, line.offered, line.is_open), (2, 0, true));
        assert_eq!(Line::read(&json!({"name": "no id"})), None);
        assert_eq!(
            Line::read(&json!({"id": "sales", "sla": {"met": 0.9}})).unwrap().service_level.as_deref(),
            Some("{\"met\":0.9}")
        );
        let operator = Operator::read(&json!({"id": "anna", "status": "dancing"})).unwrap();
        assert_eq!((operator.presence, operator.capacity), (Presence::Offline, None));
    }

    #[test]
    fn a_queue_says_why_each_dialog_waits() {
        let item = |why: Value| {
            let dialog = json!({"id": "d-3", "line": "sales", "queued_at": "2026-03-02T09:00:00.000Z",
                                "client": {"id": "c-3", "name": null}});
            WaitingDialog::read_queued(&json!({"why": why, "dialog": dialog})).unwrap()
        };
        let told = |why: Value| item(why).why;
        assert_eq!(
            told(json!({"reason": "nobody_can", "candidates": {"offline": 2, "gave_back": 1}})).as_deref(),
            Some("1 gave back, 2 offline")
        );
        assert_eq!(
            told(json!({"reason": "nobody_can", "candidates": {}})).as_deref(),
            Some("nobody serves it")
        );
        assert_eq!(told(json!({"reason": "undecided"})).as_deref(), Some("undecided"));
        assert_eq!(told(json!({"reason": "offered"})), None);
        assert_eq!(item(json!({})).client, "c-3");
    }
}
