//! Who waits on a line, in which place, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::engine::routing::queue::Place as Standing;
use crate::model::decision::{CandidateVerdict, RoutingOutcome, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::LineId;
use crate::model::line::Ageing;
use crate::store::queries::dialogs::{self, DialogFilter, Sort};
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
    let place = parameters.place_within(format_args!("{QUEUE}/{id}"), Place::read);
    let taken = parameters.finish()?;
    if !principal.lines_seen(scope).contains(&id) {
        return Err(Problem::not_found());
    }
    let now_ms = api.shared.handle.now_ms();
    let line = id.clone();
    let (total, waiting, next) = api
        .read(move |store| {
            let before = place.as_ref().map_or(0, |place| place.before);
            let ageing = principal.live.line(&line).and_then(|line| line.ageing);
            let now = Now { ageing, at_ms: now_ms };
            let Waiting { total, dialogs, next } = waiting(store, &line, place.as_ref(), limit, &now)?;
            let mut seen = Vec::new();
            for (position, dialog) in (before.saturating_add(1)..).zip(dialogs) {
                if principal.reaches(scope, &dialog) {
                    let why = why_waiting(store, &dialog)?;
                    seen.push((position, why, dialog));
                }
            }
            Ok((total, seen, next))
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
    let next_cursor = next.map(|place| paging::cursor_within(format_args!("{QUEUE}/{id}"), place));
    let next_cursor = next_cursor.as_deref();
    let response = answers::json(StatusCode::OK, &QueueShape { line: &id, total, items, next_cursor })?;
    Ok(answers::with_next(response, &taken, next_cursor))
}

/// Where a page of a queue begins: how many were on the pages before, and the store's cursor.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    before: usize,
    cursor: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (before, cursor) = text.split_once('.')?;
        Some(Self { before: before.parse().ok()?, cursor: cursor.to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.before, self.cursor)
    }
}

/// A part of a queue.
struct Waiting {
    total: usize,
    dialogs: Vec<Dialog>,
    next: Option<Place>,
}

/// What the order of a queue depends on besides its dialogs.
struct Now {
    ageing: Option<Ageing>,
    at_ms: u64,
}

/// The part of a line's queue that begins at a place. Nearly every queue fits into one page and is read from
/// its own index. Pages of a longer one are walked in the list of all open dialogs by priority, which has
/// the same order and gives out cursors. Where waiting or deadlines move dialogs, the queue is put in order as
/// a whole.
fn waiting(
    store: &Store,
    line: &LineId,
    place: Option<&Place>,
    limit: usize,
    now: &Now,
) -> Result<Waiting, StoreError> {
    if now.ageing.is_some() || place.is_some_and(|place| place.cursor == MOVING) {
        return moving(store, line, place, limit, now);
    }
    let wanted = if place.is_none() { limit } else { 0 };
    let queue::Queue { total, dialogs } = queue::of_line(store, line, wanted)?;
    if dialogs.iter().any(|dialog| dialog.route.deadline_ms.is_some()) {
        return moving(store, line, place, limit, now);
    }
    if place.is_none() && dialogs.len() >= total {
        return Ok(Waiting { total, dialogs, next: None });
    }
    let filter = DialogFilter {
        lines: Some(BTreeSet::from([line.clone()])),
        states: Some(DialogState::ALL.into_iter().filter(|state| state.is_waiting()).collect()),
        ..DialogFilter::default()
    };
    let cursor = place.map(|place| place.cursor.as_str());
    let page = dialogs::list(store, &filter, Sort::Priority, cursor, limit)?;
    let before = place.map_or(0, |place| place.before).saturating_add(page.items.len());
    let next = page.next_cursor.map(|cursor| Place { before, cursor });
    Ok(Waiting { total, dialogs: page.items, next })
}

/// The cursor of queues whose order changes with time: the number of those before is all there is to it.
const MOVING: &str = "moving";

/// The part of a queue whose order changes with time: by score, deadline and waiting time, as routing does.
fn moving(
    store: &Store,
    line: &LineId,
    place: Option<&Place>,
    limit: usize,
    now: &Now,
) -> Result<Waiting, StoreError> {
    let queue::Queue { total, mut dialogs } = queue::whole(store, line)?;
    dialogs.sort_by_cached_key(|dialog| Standing::of(dialog, now.ageing.as_ref(), now.at_ms));
    let before = place.map_or(0, |place| place.before);
    let dialogs: Vec<Dialog> = dialogs.into_iter().skip(before).take(limit).collect();
    let before = before.saturating_add(dialogs.len());
    let next = (before < total && !dialogs.is_empty()).then(|| Place { before, cursor: MOVING.to_owned() });
    Ok(Waiting { total, dialogs, next })
}

fn why_waiting(store: &Store, dialog: &Dialog) -> Result<Why, StoreError> {
    if !dialog.offers.is_empty() {
        return Ok(Why { reason: "offered", candidates: BTreeMap::new() });
    }
    let latest = decisions::of_dialog(store, dialog.id, Walk::Backward(None), LOOK_BACK)?;
    let routing = latest.items.into_iter().find_map(|decision| match decision.verdict {
        Verdict::Routing(routing) => Some(routing),
        _ => None,
    });
    let Some(routing) = routing.filter(|routing| routing.outcome == RoutingOutcome::Waits) else {
        return Ok(Why { reason: "undecided", candidates: BTreeMap::new() });
    };
    let mut candidates = BTreeMap::new();
    for candidate in &routing.candidates {
        *candidates.entry(word(candidate.verdict)).or_insert(0) += 1;
    }
    Ok(Why { reason: "nobody_can", candidates })
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
