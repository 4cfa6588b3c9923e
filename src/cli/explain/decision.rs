//! One decision, as people read it.

use std::fmt::Write as _;

use chrono::TimeZone;
use serde_json::{Map, Value};

use crate::cli::explain::Configuration;
use crate::cli::tail::event_line::shown;
use crate::cli::terminal_text::{Tone, date_and_time, harmless, toned};
use crate::config::diagnostic::Paint;

use super::table::{self, Row};

/// The columns of candidates that have an order of their own; what else the API says of them comes behind.
const CANDIDATE_COLUMNS: &[&str] =
    &["operator", "verdict", "place", "load", "limit", "line_load", "line_limit", "last_offered_at"];

/// How a decision's text is indented below its heading.
const INDENT: &str = "  ";

/// What a decision is printed by.
pub(super) struct Printer<'a, Zone> {
    pub(super) zone: &'a Zone,
    pub(super) paint: Paint,
    pub(super) configurations: &'a [Configuration],
}

impl<Zone: TimeZone> Printer<'_, Zone>
where
    Zone::Offset: std::fmt::Display,
{
    /// A decision with its heading. Every member is printed somewhere: those known in words, the others as they come.
    pub(super) fn decision(&self, decision: &Value) -> String {
        let mut members = Members(decision.as_object().cloned().unwrap_or_default());
        // The dialog stands above all of them.
        members.take("dialog");
        let (seq, index) = (members.text("seq"), members.text("index"));
        let at = members.text("at");
        let at = date_and_time(&at, self.zone).unwrap_or(at);
        let day = at.split(' ').next().unwrap_or_default();
        let kind = members.text("kind");
        let (title, mut body) = match kind.as_str() {
            "routing" => self.routing(&mut members, day),
            "rule" => self.rule(&mut members),
            "transfer" => self.transfer(&mut members, day),
            "overflow" => self.overflow(&mut members, day),
            "return" => self.returned(&mut members),
            "timer" => self.timer(&mut members, day),
            "take_over" => self.take_over(&mut members, day),
            "abandoned" => self.abandoned(&mut members, day),
            _ => (kind, String::new()),
        };
        let config = members.text("config");
        for (name, value) in members.0.iter().filter(|(_, value)| !value.is_null()) {
            line(&mut body, &format!("{}: {}", spaced(name), shown(value, self.zone, day)));
        }
        if !config.is_empty() {
            line(&mut body, &toned(&self.configuration(&config), Tone::Quiet, self.paint));
        }
        let place = toned(&format!("{seq}.{index}  {at}"), Tone::Quiet, self.paint);
        format!("{place}  {}\n{body}", toned(&title, Tone::Heading, self.paint))
    }

    fn routing(&self, members: &mut Members, day: &str) -> (String, String) {
        let trigger = members.text("trigger");
        let title = if trigger.is_empty() {
            "routing".to_owned()
        } else {
            format!("routing, because: {}", spaced(&trigger))
        };
        let mut body = String::new();
        let (line_id, team) = (members.text("line"), members.text("team"));
        let team = if team.is_empty() { String::new() } else { format!(", team {team}") };
        line(&mut body, &format!("line {line_id}{team}, strategy {}", members.text("strategy")));
        let (outcome, winners) = (members.text("outcome"), members.texts("winners"));
        let offers: Vec<String> = members
            .list("offers")
            .iter()
            .map(|offer| format!("{} ({})", text_of(offer.get("operator")), text_of(offer.get("id"))))
            .collect();
        let until = members.text("expires_at");
        let until =
            date_and_time(&until, self.zone).map_or_else(String::new, |time| format!(", until {time}"));
        let (said, tone) = match (outcome.as_str(), offers.is_empty()) {
            ("offered", false) => (format!("offered to {}{until}", offers.join(", ")), Tone::Good),
            ("waits", _) => ("nobody can take it: it waits in its place".to_owned(), Tone::Waiting),
            (other, _) => (format!("{}{until}", spaced(other)), Tone::Usual),
        };
        line(&mut body, &toned(&said, tone, self.paint));
        let candidates = members.list("candidates");
        if !candidates.is_empty() {
            body.push_str(&self.candidates(&candidates, &winners, day));
        }
        match members.take("candidates_omitted").and_then(|count| count.as_u64()).unwrap_or(0) {
            0 => {}
            count => line(&mut body, &format!("and {count} more, left out of the record")),
        }
        // Of these, nothing is the usual case.
        for name in ["stage", "rounds"] {
            if members.0.get(name) == Some(&Value::from(0)) {
                members.take(name);
            }
        }
        if let Some(rank) = members.take("rank").filter(|rank| !rank.is_null()) {
            line(&mut body, &self.rank(&rank, day));
        }
        if let Some(next) = members.take("next").filter(|next| !next.is_null()) {
            let said = match (next.get("what").and_then(Value::as_str), next.get("at")) {
                (Some(what), Some(at)) => format!("{}, {}", spaced(what), shown(at, self.zone, day)),
                _ => shown(&next, self.zone, day),
            };
            line(&mut body, &format!("next, by itself: {said}"));
        }
        (title, body)
    }

    /// The table of everybody who was considered; winners have a star.
    fn candidates(&self, candidates: &[Value], winners: &[String], day: &str) -> String {
        let is_told = |name: &str| {
            candidates.iter().any(|candidate| candidate.get(name).is_some_and(|value| !value.is_null()))
        };
        let mut columns: Vec<&str> = CANDIDATE_COLUMNS.iter().copied().filter(|name| is_told(name)).collect();
        for name in candidates.iter().filter_map(Value::as_object).flat_map(Map::keys) {
            if !columns.contains(&name.as_str()) && is_told(name) {
                columns.push(name);
            }
        }
        let head =
            std::iter::once(String::new()).chain(columns.iter().map(|name| spaced(name))).collect::<Vec<_>>();
        let rows: Vec<Row> = candidates
            .iter()
            .map(|candidate| {
                let has_won =
                    winners.iter().any(|winner| candidate.get("operator") == Some(&winner.as_str().into()));
                let cell = |name: &&str| match candidate.get(*name) {
                    None | Some(Value::Null) => "-".to_owned(),
                    Some(value) => shown(value, self.zone, day),
                };
                Row {
                    cells: std::iter::once(if has_won { "*" } else { " " }.to_owned())
                        .chain(columns.iter().map(cell))
                        .collect(),
                    tone: if has_won { Tone::Good } else { Tone::Usual },
                }
            })
            .collect();
        table::lines(&head, &rows, INDENT, self.paint)
    }

    fn rule(&self, members: &mut Members) -> (String, String) {
        let title = format!("rule {} on {}", members.text("rule"), members.text("event"));
        let mut body = String::new();
        match members.take("chain").and_then(|chain| chain.as_u64()).unwrap_or(0) {
            0 => {}
            chain => line(
                &mut body,
                &format!("another rule caused the event; rules before this one in the chain: {chain}"),
            ),
        }
        if let Some(when) = members.take("when").filter(|when| !when.is_null()) {
            body.push_str(&conditions(&when, 1));
        }
        body.push_str(&self.actions(members));
        (title, body)
    }

    /// The place of a dialog among those that wait.
    fn rank(&self, rank: &Value, day: &str) -> String {
        let told = |name: &str| rank.get(name).filter(|value| !value.is_null());
        let said = |name: &str| told(name).map(|value| shown(value, self.zone, day)).unwrap_or_default();
        let aged = told("aged").filter(|aged| aged.as_i64() != Some(0));
        let aged = aged.map_or_else(String::new, |_| format!(" ({} of it for waiting)", said("aged")));
        let deadline = told("deadline").map_or_else(String::new, |_| format!(", due {}", said("deadline")));
        format!("place: score {}{aged}{deadline}, in the queue since {}", said("score"), said("queued_at"))
    }

    /// What actions came to.
    pub(super) fn actions(&self, members: &mut Members) -> String {
        let mut body = String::new();
        for action in members.list("actions") {
            let name = text_of(action.get("action"));
            let (said, tone) = if action.get("done") == Some(&Value::Bool(true)) {
                (format!("{name}: done"), Tone::Good)
            } else {
                (format!("{name}: not done, because {}", text_of(action.get("reason"))), Tone::Bad)
            };
            line(&mut body, &toned(&said, tone, self.paint));
        }
        body
    }

    fn transfer(&self, members: &mut Members, day: &str) -> (String, String) {
        let by = members.take("by").map(|by| shown(&by, self.zone, day)).unwrap_or_default();
        let title = format!("transfer to {} by {by}", members.text("operator"));
        let mut body = String::new();
        line(&mut body, &format!("offered as {}", members.text("offer")));
        self.loads(members, &mut body, day);
        (title, body)
    }

    /// What somebody had who got a dialog without being asked whether they have room.
    pub(super) fn loads(&self, members: &mut Members, body: &mut String, day: &str) {
        for (label, load, limit) in
            [("load", "load", "limit"), ("load on the line", "line_load", "line_limit")]
        {
            let (load, limit) = (members.take(load), members.take(limit).filter(|limit| !limit.is_null()));
            if let Some(load) = load {
                let of =
                    limit.map_or_else(String::new, |limit| format!(" of {}", shown(&limit, self.zone, day)));
                line(body, &format!("{label} {}{of}", shown(&load, self.zone, day)));
            }
        }
        if members.take("over_limit") == Some(Value::Bool(true)) {
            line(body, &toned("beyond a limit of the operator", Tone::Waiting, self.paint));
        }
    }

    /// The configuration that decided, with its commit where it is known.
    fn configuration(&self, version: &str) -> String {
        let known = self.configurations.iter().find(|known| known.version == version);
        let more = known.map_or_else(String::new, |known| {
            let commit = known
                .commit
                .as_deref()
                .map_or_else(String::new, |commit| format!("commit {}, ", harmless(commit)));
            let since = date_and_time(&known.activated_at, self.zone);
            format!(" ({commit}live since {})", since.unwrap_or_else(|| harmless(&known.activated_at)))
        });
        format!("configuration {}{more}", short(version))
    }
}

/// Members that are taken out one by one, so that what nobody took is seen.
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        text_of(self.take(name).as_ref())
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        }
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        self.list(name).iter().map(|item| text_of(Some(item))).collect()
    }
}

/// A condition as it is written in the files: a line for each test, indented below what joins them.
fn conditions(condition: &Value, depth: usize) -> String {
    let indent = INDENT.repeat(depth);
    let Some(members) = condition.as_object() else {
        return format!("{indent}{}\n", harmless(&condition.to_string()));
    };
    if let Some(path) = members.get("path") {
        let tests = members.iter().filter(|(name, _)| !matches!(name.as_str(), "path" | "ignore_case"));
        let tests: Vec<String> = tests.map(|(name, value)| format!("{} {value}", spaced(name))).collect();
        let case = if members.contains_key("ignore_case") { ", whatever the case" } else { "" };
        return format!(
            "{indent}{}\n",
            harmless(&format!("{} {}{case}", text_of(Some(path)), tests.join(" and ")))
        );
    }
    members
        .iter()
        .map(|(name, below)| match below {
            Value::Array(list) => {
                let below: String = list.iter().map(|condition| conditions(condition, depth + 1)).collect();
                format!("{indent}{} of:\n{below}", spaced(name))
            }
            below => format!("{indent}{}:\n{}", spaced(name), conditions(below, depth + 1)),
        })
        .collect()
}

/// The first digits of a version are enough to tell it from others.
fn short(version: &str) -> String {
    const DIGITS: usize = 12;
    match version.split_once(':') {
        Some((algorithm, digest)) => {
            format!("{algorithm}:{}", digest.chars().take(DIGITS).collect::<String>())
        }
        None => harmless(version),
    }
}

pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(other) => harmless(&other.to_string()),
    }
}

/// A name of the API as words.
pub(super) fn spaced(name: &str) -> String {
    harmless(&name.replace('_', " "))
}

pub(super) fn line(body: &mut String, text: &str) {
    // Writing to a `String` cannot fail.
    writeln!(body, "{INDENT}{text}").unwrap_or_default();
}
