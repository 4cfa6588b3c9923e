//! Lines, and who waits on them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::model::decision::{CandidateVerdict, RoutingOutcome, Verdict};
use crate::model::dialog::Dialog;
use crate::model::id::{CalendarId, LineId, OperatorId};
use crate::model::line::Strategy;
use crate::store::queries::{Walk, decisions, queue};
use crate::store::{Store, StoreError};

use super::access::QUEUES;
use super::answers::{self, Name};
use super::auth::Principal;
use super::dialog_shape::DialogShape;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// How many of a dialog's last decisions are looked at for the last one about routing. Rules may
/// have decided since.
const LOOK_BACK: usize = 20;

/// A line.
#[derive(Debug, Serialize)]
struct LineShape {
    id: LineId,
    name: String,
    language: Option<String>,
    calendar: Option<CalendarId>,
    /// Whether it is within its hours now.
    open: bool,
    strategy: Strategy,
    operators: Vec<OperatorId>,
    /// How many dialogs wait.
    waiting: usize,
}

/// `GET /v1/lines`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(QUEUES)?;
    let taken = parameters.finish()?;
    let now_ms = api.shared.handle.now_ms();
    let items = api
        .read(move |store| {
            let mut items = Vec::new();
            for id in principal.lines_seen(scope) {
                let Some(line) = principal.live.line(&id) else { continue };
                items.push(LineShape {
                    name: line.name.clone(),
                    language: line.language.clone(),
                    calendar: line.calendar.clone(),
                    open: principal.live.is_open(line, now_ms),
                    strategy: line.routing.strategy,
                    operators: principal.live.members(&id, None).to_vec(),
                    waiting: queue::of_line(store, &id, 0)?.total,
                    id,
                });
            }
            Ok(items)
        })
        .await?;
    answers::page(&taken, &items, None)
}

#[derive(Debug, Serialize)]
struct QueueShape<'a> {
    line: &'a LineId,
    /// How many dialogs wait, seen or not.
    total: usize,
    items: Vec<WaitingShape<'a>>,
}

#[derive(Debug, Serialize)]
struct WaitingShape<'a> {
    /// From 1.
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
pub(super) async fn queue(
    State(api): State<Api>,
    principal: Principal,
    Name(id): Name<LineId>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(QUEUES)?;
    let limit = parameters.limit();
    parameters.finish()?;
    if !principal.lines_seen(scope).contains(&id) {
        return Err(Problem::not_found());
    }
    let now_ms = api.shared.handle.now_ms();
    let line = id.clone();
    let (total, waiting) = api
        .read(move |store| {
            let found = queue::of_line(store, &line, limit)?;
            let mut waiting = Vec::new();
            for (index, dialog) in found.dialogs.into_iter().enumerate() {
                if principal.reaches(scope, &dialog) {
                    let why = why_waiting(store, &dialog)?;
                    waiting.push((index + 1, why, dialog));
                }
            }
            Ok((found.total, waiting))
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
    answers::json(StatusCode::OK, &QueueShape { line: &id, total, items })
}

fn why_waiting(store: &Store, dialog: &Dialog) -> Result<Why, StoreError> {
    if !dialog.offers.is_empty() {
        return Ok(Why { reason: "offered", candidates: BTreeMap::new() });
    }
    let latest = decisions::of_dialog(store, dialog.id, Walk::Backward(None), LOOK_BACK)?;
    let routing = latest.items.into_iter().find_map(|decision| match decision.verdict {
        Verdict::Routing(routing) => Some(routing),
        Verdict::Rule(_) | Verdict::Transfer(_) => None,
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
    }
}
