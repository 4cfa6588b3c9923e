//! What the day was like, for people to read: per line and hour, per team, and what came of what went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use switchboard::model::event::{Event, EventKind};
use switchboard::model::id::{DialogId, LineId};

use super::{Day, is_of_an_operator};

/// An hour of a line.
#[derive(Default, PartialEq, Eq)]
struct Hour {
    opened: u32,
    answered: u32,
    missed: u32,
    declined: u32,
    overflowed: u32,
    breached: u32,
    rated: u32,
    longest_wait_ms: u64,
}

pub(super) fn of(day: &Day) -> String {
    let mut told = String::new();
    let events = &day.ledger.events;
    let opened = events.iter().filter(|event| event.kind == EventKind::DialogOpened).count();
    writeln!(
        told,
        "{} in {}: {opened} dialogs, {} clients, {} entries\n",
        day.date.day,
        day.date.zone,
        day.clients.len(),
        day.world.journal.len()
    )
    .unwrap();
    lines(&mut told, day);
    teams(&mut told, day);
    shifts(&mut told, day);
    writeln!(told, "mishaps\n  {}\n", day.mishaps.join("\n  ")).unwrap();
    counts(&mut told, day);
    told
}

/// Since when dialogs wait, and which were answered.
#[derive(Default)]
struct Waiting {
    since_ms: BTreeMap<DialogId, u64>,
    answered: BTreeSet<DialogId>,
}

fn lines(told: &mut String, day: &Day) {
    let mut hours: BTreeMap<LineId, BTreeMap<(i64, String), Hour>> = BTreeMap::new();
    let mut waiting = Waiting::default();
    for event in &day.ledger.events {
        let (Some(line), Some(dialog)) = (&event.line, event.dialog) else { continue };
        let hour = hours.entry(line.clone()).or_default().entry(day.date.hour(event.at_ms)).or_default();
        count(hour, event, dialog, &mut waiting);
    }
    for (line, hours) in hours {
        let head = "hour      opened answered missed declined overflowed breached rated longest wait";
        writeln!(told, "{line}\n  {head}").unwrap();
        for ((_, clock), hour) in hours.into_iter().filter(|(_, hour)| *hour != Hour::default()) {
            let wait = hour.longest_wait_ms / 1_000;
            let wait = if wait == 0 { String::new() } else { format!("{}:{:02}", wait / 60, wait % 60) };
            let row = format!(
                "  {clock:9} {} {} {} {} {} {} {} {wait:>12}",
                cell(hour.opened, 6),
                cell(hour.answered, 8),
                cell(hour.missed, 6),
                cell(hour.declined, 8),
                cell(hour.overflowed, 10),
                cell(hour.breached, 8),
                cell(hour.rated, 5),
            );
            writeln!(told, "{}", row.trim_end()).unwrap();
        }
        writeln!(told).unwrap();
    }
}

/// What is nothing is left out, so that what is something is seen.
fn cell(number: u32, width: usize) -> String {
    let shown = if number == 0 { ".".to_owned() } else { number.to_string() };
    format!("{shown:>width$}")
}

fn count(hour: &mut Hour, event: &Event, dialog: DialogId, waiting: &mut Waiting) {
    match event.kind {
        EventKind::DialogOpened => hour.opened += 1,
        EventKind::DialogQueued => drop(waiting.since_ms.insert(dialog, event.at_ms)),
        EventKind::DialogAccepted => {
            if let Some(since_ms) = waiting.since_ms.remove(&dialog) {
                hour.longest_wait_ms = hour.longest_wait_ms.max(event.at_ms - since_ms);
            }
        }
        EventKind::MessageQueued if is_of_an_operator(event) => {
            hour.answered += u32::from(waiting.answered.insert(dialog));
        }
        EventKind::DialogOfferEnded if event.data["end"] == "expired" => hour.missed += 1,
        EventKind::DialogOfferEnded if event.data["end"] == "declined" => hour.declined += 1,
        EventKind::DialogOverflowed => hour.overflowed += 1,
        EventKind::SlaBreached => hour.breached += 1,
        EventKind::DialogRated => hour.rated += 1,
        _ => {}
    }
}

fn teams(told: &mut String, day: &Day) {
    writeln!(told, "{:7} people  {:38} fullest person", "team", "most in hand at once").unwrap();
    for (team, peak) in &day.ledger.teams {
        let at = day.date.clock(peak.at_ms);
        let most = format!(
            "{} at {at}, {} online with room for {}",
            dialogs(peak.load_milli),
            peak.online,
            dialogs(peak.room_milli)
        );
        let fullest = peak.fullest.as_ref().map_or_else(String::new, |one| {
            let (load, limit) = (dialogs(one.load_milli), dialogs(one.limit_milli));
            format!("{}: {load} of {limit} at {}", one.operator, day.date.clock(one.at_ms))
        });
        writeln!(told, "{team:7} {:6}  {most:38} {fullest}", peak.people).unwrap();
    }
    writeln!(told).unwrap();
}

/// Thousandths of a dialog as people write them.
fn dialogs(milli: u32) -> String {
    match milli % 1_000 {
        0 => (milli / 1_000).to_string(),
        rest => format!("{}.{}", milli / 1_000, rest / 100),
    }
}

/// When shifts began and ended: the night is where clocks change.
fn shifts(told: &mut String, day: &Day) {
    let mut borders: BTreeMap<u64, BTreeMap<&str, u32>> = BTreeMap::new();
    for event in day.ledger.events.iter().filter(|event| event.kind == EventKind::OperatorShift) {
        let duty = event.data["to"].as_str().unwrap();
        *borders.entry(event.at_ms).or_default().entry(duty).or_default() += 1;
    }
    writeln!(told, "shifts").unwrap();
    let mut before_ms = None;
    for (at_ms, duties) in borders {
        let duties: Vec<String> = duties.iter().map(|(duty, people)| format!("{people} {duty}")).collect();
        let later = before_ms.map_or_else(String::new, |before_ms| later(at_ms - before_ms));
        writeln!(told, "  {} {later:9} {}", day.date.day_and_clock(at_ms), duties.join(", ")).unwrap();
        before_ms = Some(at_ms);
    }
    writeln!(told).unwrap();
}

fn later(passed_ms: u64) -> String {
    let minutes = passed_ms / 60_000;
    format!("+{}h{:02}m", minutes / 60, minutes % 60)
}

/// What happened how often.
fn counts(told: &mut String, day: &Day) {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for event in &day.ledger.events {
        let word = |key: &str| event.data[key].as_str().unwrap_or("?").to_owned();
        let what = match event.kind {
            EventKind::DialogOfferEnded => format!("offer ended: {}", word("end")),
            EventKind::DialogQueued => format!("queued: {}", word("reason")),
            EventKind::DialogClosed => format!("closed: {}", word("reason")),
            EventKind::SlaBreached => format!("promise broken: {}", word("target")),
            EventKind::DialogOffered if !event.data["over_limit"].is_null() => {
                "offered beyond a limit".to_owned()
            }
            EventKind::DialogTransferred if !event.data["taken_over"].is_null() => "taken over".to_owned(),
            EventKind::DialogOverflowed if !event.data["to"].is_null() => {
                format!("moved from {} to {}", word("from"), word("to"))
            }
            EventKind::MessageQueued | EventKind::MessageSent | EventKind::MessageReceived => continue,
            kind => kind.as_str().to_owned(),
        };
        *counts.entry(what).or_default() += 1;
    }
    writeln!(told, "what happened").unwrap();
    for (what, number) in counts {
        writeln!(told, "  {number:5} {what}").unwrap();
    }
}
