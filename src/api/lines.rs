//! Lines, as they are declared, with how much goes on at each.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::model::id::{CalendarId, LineId, OperatorId};
use crate::model::line::Strategy;
use crate::store::queries::lines;

use super::access::QUEUES;
use super::answers;
use super::auth::Principal;
use super::paging::{self, NamePage};
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// The owner of cursors.
const LIST: &str = "lines";

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
    /// How many dialogs wait, offered ones included.
    waiting: usize,
    /// How many of those are offered to somebody.
    offered: usize,
    /// How many an operator has.
    active: usize,
    /// How long the one has waited that waits longest; null: nobody waits.
    longest_wait_seconds: Option<u64>,
}

/// `GET /v1/lines`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(QUEUES)?;
    let seen = principal.lines_seen(scope);
    let NamePage { names, next_cursor, taken } = paging::of_names(LIST, seen, parameters)?;
    let now_ms = api.shared.handle.now_ms();
    let items = api
        .read(move |store| {
            let mut items = Vec::new();
            for id in names {
                let Some(line) = principal.live.line(&id) else { continue };
                let counts = lines::counts(store, &id)?;
                items.push(LineShape {
                    name: line.name.clone(),
                    language: line.language.clone(),
                    calendar: line.calendar.clone(),
                    open: principal.live.is_open(line, now_ms),
                    strategy: line.routing.strategy,
                    operators: principal.live.members(&id, None).to_vec(),
                    waiting: counts.waiting,
                    offered: counts.offered,
                    active: counts.active,
                    longest_wait_seconds: counts
                        .waiting_since_ms
                        .map(|since_ms| now_ms.saturating_sub(since_ms) / 1000),
                    id,
                });
            }
            Ok(items)
        })
        .await?;
    answers::page(&taken, &items, next_cursor.as_deref())
}
