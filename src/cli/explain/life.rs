//! Decisions about how a dialog lives: what waiting changed, what time did, who has it after it was over.

use chrono::TimeZone;

use crate::cli::tail::event_line::shown;
use crate::cli::terminal_text::{Tone, toned};

use super::decision::{Members, Printer, line, spaced};

impl<Zone: TimeZone> Printer<'_, Zone>
where
    Zone::Offset: std::fmt::Display,
{
    /// Waiting long changed something.
    pub(super) fn overflow(&self, members: &mut Members, day: &str) -> (String, String) {
        let title = match members.text("stage").as_str() {
            "" => "overflow, the last resort".to_owned(),
            stage => format!("overflow, stage {stage}"),
        };
        let mut body = String::new();
        let (line_id, since) = (members.text("line"), self.time(members, "since", day));
        line(&mut body, &format!("it waited on line {line_id} since {since}"));
        let (change, to) = (members.text("change"), members.text("to"));
        let (said, tone) = match change.as_str() {
            "asks" => (
                format!("operators who may be asked from now on: {}", members.text("may_be_asked")),
                Tone::Usual,
            ),
            "moved" => (format!("it moved to line {to}"), Tone::Good),
            "stayed" => (
                format!("it should have moved to line {to} and stays, because {}", members.text("reason")),
                Tone::Bad,
            ),
            "acted" => (String::new(), Tone::Usual),
            other if to.is_empty() => (spaced(other), Tone::Usual),
            other => (format!("{} (line {to})", spaced(other)), Tone::Usual),
        };
        if !said.is_empty() {
            line(&mut body, &toned(&said, tone, self.paint));
        }
        body.push_str(&self.actions(members));
        (title, body)
    }

    /// A dialog that was over, or nearly, goes on.
    pub(super) fn returned(&self, members: &mut Members) -> (String, String) {
        let trigger = members.text("trigger");
        let why = match trigger.as_str() {
            "returned" => "the client wrote while it was closing".to_owned(),
            "reopened" => "it was closed and is open again".to_owned(),
            other => spaced(other),
        };
        let (operator, verdict) = (members.text("operator"), members.text("verdict"));
        let (said, tone) = match (operator.as_str(), verdict.as_str()) {
            ("", _) => ("nobody had it before: it is in the queue".to_owned(), Tone::Waiting),
            (operator, "eligible") => (format!("{operator} has it now"), Tone::Good),
            (operator, "") => (format!("not to {operator}: it is in the queue"), Tone::Waiting),
            (operator, verdict) => {
                (format!("not to {operator}, who {}: it is in the queue", hindrance(verdict)), Tone::Waiting)
            }
        };
        let mut body = String::new();
        line(&mut body, &toned(&said, tone, self.paint));
        (format!("return, because: {why}"), body)
    }

    /// Time did something.
    pub(super) fn timer(&self, members: &mut Members, day: &str) -> (String, String) {
        let (since, due) = (self.time(members, "since", day), self.time(members, "due_at", day));
        let timer = members.text("timer");
        let counted = match timer.as_str() {
            "closing" => "it was closing",
            "silence" => "the client was silent",
            "pause" => "it was put aside",
            "no_answer" => "nobody accepted it",
            "queue_position" => "the client waited without news",
            _ => "it was counted",
        };
        let (said, tone) = match members.text("done").as_str() {
            "text_sent" => ("the text was sent".to_owned(), Tone::Good),
            "text_omitted" => (
                "the text was not sent: it does not fit the moment, or the client cannot be written to"
                    .to_owned(),
                Tone::Waiting,
            ),
            "closed" => ("the dialog was closed".to_owned(), Tone::Usual),
            "resumed" => ("the pause ended".to_owned(), Tone::Usual),
            other => (spaced(other), Tone::Usual),
        };
        let mut body = String::new();
        line(&mut body, &format!("{counted} from {since} to {due}"));
        line(&mut body, &toned(&said, tone, self.paint));
        (format!("timer, {}", spaced(&timer)), body)
    }

    /// Somebody made themself the owner.
    pub(super) fn take_over(&self, members: &mut Members, day: &str) -> (String, String) {
        let (operator, from) = (members.text("operator"), members.text("from"));
        let mut body = String::new();
        match from.as_str() {
            "" => line(&mut body, "nobody had it before"),
            from => line(&mut body, &format!("{from} had it before")),
        }
        self.loads(members, &mut body, day);
        (format!("taken over by {operator}"), body)
    }

    /// The client left before a person had written to them.
    pub(super) fn abandoned(&self, members: &mut Members, day: &str) -> (String, String) {
        let (since, owner) = (self.time(members, "since", day), members.text("owner"));
        let mut body = String::new();
        let said = format!("the client waited since {since} and left before anybody had written to them");
        line(&mut body, &toned(&said, Tone::Bad, self.paint));
        match owner.as_str() {
            "" => line(&mut body, "nobody had accepted it"),
            owner => line(&mut body, &format!("{owner} had accepted it")),
        }
        ("abandoned".to_owned(), body)
    }

    fn time(&self, members: &mut Members, name: &str, day: &str) -> String {
        members.take(name).map(|time| shown(&time, self.zone, day)).unwrap_or_default()
    }
}

/// Why somebody does not get a dialog, behind `who`.
fn hindrance(verdict: &str) -> String {
    let said = match verdict {
        "offline" => "is not online",
        "full" => "has no free capacity",
        "off_shift" => "is not on shift",
        "on_leave" => "is on vacation or works here no more",
        "skill" => "lacks a skill that the topic asks for",
        "language" => "does not answer in the client's language",
        "not_in_stage" => "is not asked at this stage",
        "returning" => "came online a short time ago and has as many offers as they may have",
        "offered" => "has an offer of it already",
        "declined" => "declined it in this round",
        "expired" => "let the offer expire in this round",
        "gave_back" => "gave it back in this round",
        "not_on_line" => "does not serve the line",
        other => return format!("cannot take it ({})", spaced(other)),
    };
    said.to_owned()
}
