//! Who waits on a line, in which place, and why.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::engine::routing::queue::Place;
use crate::model::decision::{CandidateVerdict, Routing, RoutingOutcome, Verdict};
use crate::model::dialog::Dialog;
use crate::model::id::{DialogId, LineId};
use crate::store::queries::{Walk, decisions, queue};
use crate::store::{Store, StoreError};

use super::access::QUEUES;
use super::answers::{self, Name};
use super::auth::Principal;
use super::dialog_shape::DialogShape;
use super::paging;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// How many of a dialog's last decisions are looked at for the last one about routing. Rules may
/// have decided since.
const LOOK_BACK: usize = 20;

/// The owner of cursors of a queue, with the line.
const QUEUE: &str = "queue";

#[derive(Debug, Serialize)]
struct QueueShape<'a> {
    line: &'a LineId,
    /// How many dialogs wait, seen or not.
    total: usize,
    items: Vec<WaitingShape<'a>>,
    next_cursor: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct WaitingShape<'a> {
    /// From 1; on later pages as if nobody had come or gone since the first one.
    position: usize,
    wait_seconds: u64,
    why: &'a Why,
    dialog: DialogShape<'a>,
}

/// Why a dialog waits.
#[derive(Debug, Serialize)]
struct Why {
    /// `offered`: it is proposed to somebody. `nobody_can`: nobody who serves it can take it now.
    /// `undecided`: the decision is still to come.
    reason: &'static str,
    /// How many of those who were considered last could not take it, by why not.
    candidates: BTreeMap<&'static str, u32>,
}

/// `GET /v1/lines/{id}/queue`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Name(id): Name<LineId>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(QUEUES)?;
    let limit = parameters.limit();
    let place = parameters.place_within(format_args!("{QUEUE}/{id}"), Begin::read);
    let taken = parameters.finish()?;
    if !principal.lines_seen(scope).contains(&id) {
        return Err(Problem::not_found());
    }
    let now_ms = api.shared.handle.now_ms();
    let line = id.clone();
    let begin = place.unwrap_or(Begin { before: 0, at_ms: now_ms, after: None });
    let (total, waiting, next) = api
        .read(move |store| {
            let ageing = principal.live.line(&line).and_then(|line| line.ageing);
            let page = queue::of_line(store, &line, ageing.as_ref(), begin.at_ms, begin.after, limit)?;
            let before = begin.before.saturating_add(page.dialogs.len());
            let next = page.next.map(|after| Begin { before, after: Some(after), ..begin });
            let mut seen = Vec::new();
            for (position, dialog) in (begin.before.saturating_add(1)..).zip(page.dialogs) {
                if principal.reaches(scope, &dialog) {
                    let why = why_waiting(store, &dialog)?;
                    seen.push((position, why, dialog));
                }
            }
            Ok((page.total, seen, next))
        })
        .await?;
    let items = waiting
        .iter()
        .map(|(position, why, dialog)| WaitingShape {
            position: *position,
            wait_seconds: now_ms.saturating_sub(dialog.queued_at_ms) / 1000,
            why,
            dialog: dialog.into(),
        })
        .collect();
    let next_cursor = next.map(|begin| paging::cursor_within(format_args!("{QUEUE}/{id}"), begin));
    let next_cursor = next_cursor.as_deref();
    let response = answers::json(StatusCode::OK, &QueueShape { line: &id, total, items, next_cursor })?;
    Ok(answers::with_next(response, &taken, next_cursor))
}

/// Where a page of a queue begins. Time moves dialogs past each other, so a later page goes on behind the last place
/// of the page before as of the moment of the first one: pages joined are the queue of that moment. Who came since is
/// met where they would have stood then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begin {
    /// How many were on the pages before.
    before: usize,
    /// The moment of the first page, in ms.
    at_ms: u64,
    /// The last place of the page before.
    after: Option<Place>,
}

impl Begin {
    /// Reads what [`Display`](fmt::Display) has written.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (before, at_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let score = parts.next()?.parse().ok()?;
        let deadline_ms = match parts.next()? {
            NO_DEADLINE => None,
            deadline_ms => Some(deadline_ms.parse().ok()?),
        };
        let (queued_at_ms, dialog) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let after = Some(Place::new(score, deadline_ms, queued_at_ms, dialog));
        parts.next().is_none().then_some(Self { before, at_ms, after })
    }
}

/// Stands in a cursor for the deadline that a dialog does not have.
const NO_DEADLINE: &str = "-";

impl fmt::Display for Begin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.before, self.at_ms)?;
        let Some(after) = &self.after else { return Ok(()) };
        write!(f, ".{}.", after.score())?;
        match after.deadline_ms() {
            Some(deadline_ms) => write!(f, "{deadline_ms}")?,
            None => f.write_str(NO_DEADLINE)?,
        }
        write!(f, ".{}.{}", after.queued_at_ms(), after.dialog)
    }
}

fn why_waiting(store: &Store, dialog: &Dialog) -> Result<Why, StoreError> {
    if !dialog.offers.is_empty() {
        return Ok(Why { reason: "offered", candidates: BTreeMap::new() });
    }
    let routing = last_routing(store, dialog.id)?;
    let Some(routing) = routing.filter(|routing| routing.outcome == RoutingOutcome::Waits) else {
        return Ok(Why { reason: "undecided", candidates: BTreeMap::new() });
    };
    let mut candidates = BTreeMap::new();
    for candidate in &routing.candidates {
        *candidates.entry(word(candidate.verdict)).or_insert(0) += 1;
    }
    Ok(Why { reason: "nobody_can", candidates })
}

/// The last decision about routing. It nearly always is the last one of all, and decisions are large, so they are read
/// one by one.
fn last_routing(store: &Store, dialog: DialogId) -> Result<Option<Routing>, StoreError> {
    let mut cursor: Option<String> = None;
    for _ in 0..LOOK_BACK {
        let page = decisions::of_dialog(store, dialog, Walk::Backward(cursor.as_deref()), 1)?;
        if let Some(Verdict::Routing(routing)) = page.items.into_iter().next().map(|one| one.verdict) {
            return Ok(Some(routing));
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(None)
}

const fn word(verdict: CandidateVerdict) -> &'static str {
    match verdict {
        CandidateVerdict::Eligible => "eligible",
        CandidateVerdict::Offline => "offline",
        CandidateVerdict::Full => "full",
        CandidateVerdict::Offered => "offered",
        CandidateVerdict::Declined => "declined",
        CandidateVerdict::Expired => "expired",
        CandidateVerdict::GaveBack => "gave_back",
        CandidateVerdict::OffShift => "off_shift",
        CandidateVerdict::OnLeave => "on_leave",
        CandidateVerdict::Skill => "skill",
        CandidateVerdict::Language => "language",
        CandidateVerdict::NotInStage => "not_in_stage",
        CandidateVerdict::Returning => "returning",
        CandidateVerdict::NotOnLine => "not_on_line",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for (score, deadline_ms) in [(7, None), (-3, Some(1_772_442_000_000))] {
            let after = Some(Place::new(score, deadline_ms, 1_772_441_000_000, DialogId::new(17, 2)));
            let begin = Begin { before: 50, at_ms: 1_772_441_500_000, after };
            assert_eq!(Begin::read(&begin.to_string()), Some(begin));
        }
        for wrong in ["", "x", "50", "50.1", "50.1.2.-.3", "50.1.2.-.3.d-1.4", "50.1.2.3.4.m-1"] {
            assert_eq!(Begin::read(wrong), None, "{wrong}");
        }
    }
}
