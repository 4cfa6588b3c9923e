//! Calendars: the zone is known, no day is given twice, no hours overlap.

use std::str::FromStr as _;

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::lines::CALENDAR;
use crate::config::grammar::shape::Shape;
use crate::config::grammar::walk::{Walk, shown};
use crate::config::scalar;
use crate::config::suggest::nearest;
use crate::config::tree::{Node, Span};
use crate::model::calendar::Day;

/// Minutes of a week.
const WEEK: u32 = 7 * 1440;

/// Checks a calendar.
pub fn calendar(walk: &mut Walk<'_>, node: &Node) {
    walk.node(node, &Shape::Mapping(CALENDAR));
    week(walk, node);
    if let Some(open) = node.get("open") {
        for entry in open.entries() {
            if Day::from_str(&entry.key.text).is_err() {
                walk.push(
                    Finding::new(
                        Code::InvalidValue,
                        entry.key.span,
                        format!("`{}` is not a day", shown(&entry.key.text)),
                    )
                    .label("expected a day that exists, such as \"2026-12-31\", or \"12-31\" (month and day) for each year"),
                );
            }
            let hours: Vec<_> =
                hours(&entry.value).map(|(from, to, span)| (u32::from(from), end(from, to), span)).collect();
            overlaps(walk, hours, None);
        }
    }
}

fn week(walk: &mut Walk<'_>, node: &Node) {
    let Some(week) = node.get("week") else { return };
    let mut days: [Option<Span>; 7] = [None; 7];
    let mut all = Vec::new();
    for entry in week.entries() {
        let numbers = match scalar::weekdays(&entry.key.text) {
            Ok(numbers) => numbers,
            Err(unfit) => {
                walk.push(
                    Finding::new(
                        Code::InvalidValue,
                        entry.key.span,
                        format!("`{}` is not a day", shown(&entry.key.text)),
                    )
                    .label(format!("expected {unfit}"))
                    .maybe_help(
                        nearest(&entry.key.text, scalar::WEEKDAYS)
                            .map(|day| format!("did you mean `{day}`?")),
                    ),
                );
                continue;
            }
        };
        for number in numbers {
            let Some(slot) = days.get_mut(number) else { continue };
            if let Some(first) = *slot {
                let day = scalar::WEEKDAYS.get(number).copied().unwrap_or_default();
                walk.push(
                    Finding::new(Code::OverlappingHours, entry.key.span, format!("`{day}` is given twice"))
                        .label("again here")
                        .related(first, "first here")
                        .help("give each day once; several hours of a day are a list"),
                );
                break;
            }
            *slot = Some(entry.key.span);
            let base = u32::try_from(number).unwrap_or(0) * 1440;
            all.extend(
                hours(&entry.value)
                    .map(|(from, to, span)| (base + u32::from(from), base + end(from, to), span)),
            );
        }
    }
    let opens = node
        .get("open")
        .is_some_and(|open| open.entries().iter().any(|entry| !entry.value.items().is_empty()));
    if all.is_empty() && !opens && !walk.report.has_errors() {
        walk.push(Finding::new(Code::NeverOpen, node.head(), "this calendar is never open").help(
            "give hours, such as `mon-fri: [\"09:00-18:00\"]`; a line without a calendar is always open",
        ));
    }
    overlaps(walk, all, Some(WEEK));
}

/// Hours with their places; what cannot be read was reported before.
fn hours(node: &Node) -> impl Iterator<Item = (u16, u16, Span)> {
    node.items().iter().filter_map(|item| {
        let (from, to) = scalar::interval(item.text()?).ok()?;
        Some((from, to, item.span))
    })
}

/// The end in minutes from the midnight that the day begins with.
fn end(from: u16, to: u16) -> u32 {
    if to > from { u32::from(to) } else { u32::from(to) + 1440 }
}

/// Reports hours that overlap, on a line or on a circle.
fn overlaps(walk: &mut Walk<'_>, mut hours: Vec<(u32, u32, Span)>, circle: Option<u32>) {
    hours.sort_unstable();
    let wrapped = circle
        .zip(hours.first().copied())
        .map(|(length, (from, to, span))| (from + length, to + length, span));
    let mut next = hours.iter().copied().skip(1).chain(wrapped);
    for (_, until, span) in &hours {
        let Some((from, _, other)) = next.next() else { break };
        if from < *until && (*span != other || hours.len() == 1) {
            walk.push(
                Finding::new(Code::OverlappingHours, other, "these hours overlap others")
                    .label("begins before the others end")
                    .related(*span, "the others")
                    .help("join the two"),
            );
            return;
        }
    }
}

/// Checks the name of a time zone.
pub fn timezone(walk: &mut Walk<'_>, node: &Node) {
    let Some(text) = walk.text(node) else { return };
    if chrono_tz::Tz::from_str(text).is_err() {
        let known = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
        // `MSK` is not a slip of `MST`: abbreviations are not compared by their letters.
        let near = nearest(text, known().filter(|name| name.contains('/')))
            .or_else(|| known().find(|name| city(name) == city(text)));
        walk.push(
            Finding::new(
                Code::UnknownTimezone,
                node.span,
                format!("there is no time zone `{}`", shown(text)),
            )
            .help(near.map_or_else(
                || "use an IANA name such as `Europe/Moscow`, not an abbreviation or an offset".to_owned(),
                |zone| format!("did you mean `{zone}`?"),
            )),
        );
    }
}
