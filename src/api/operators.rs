//! Operators: how they are, what they have in hand, and changes of their presence.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::engine::live::Live;
use crate::engine::routing::shifts::duty_at;
use crate::model::command::Action;
use crate::model::dialog::DialogState;
use crate::model::id::{OperatorId, TeamId};
use crate::model::operator::{Operator, OperatorStatus, Presence};
use crate::model::role::Scope;
use crate::store::queries::{dialogs, operators};
use crate::store::{Store, StoreError};

use super::access::{QUEUES, SEE};
use super::answers::{self, Made, Name, WithSeq};
use super::auth::Principal;
use super::explain::dialogs_of;
use super::fields::WORD_CHARS_MAX;
use super::paging::{self, NamePage};
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;
use super::time::Time;
use super::writes::{Writing, names_nothing};

/// The owner of cursors.
const LIST: &str = "operators";

/// An operator.
#[derive(Debug, Serialize)]
struct OperatorShape {
    id: OperatorId,
    name: String,
    teams: Vec<TeamId>,
    status: Presence,
    since: Option<Time>,
    /// What calendar and vacation say: `on_shift`, `off_shift` or `on_leave`.
    duty: &'static str,
    /// In dialogs, with the weights of their channels; offers hold capacity too.
    load: f64,
    /// In dialogs; null: only the lines limit it.
    capacity: Option<f64>,
    /// Free slots; null: only the lines limit it.
    free: Option<f64>,
    /// How many dialogs they own.
    dialogs: usize,
    /// How many dialogs are offered to them.
    offers: usize,
}

/// `GET /v1/operators`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(QUEUES)?;
    let seen =
        principal.live.config.operators.keys().filter(|id| principal.sees_operator(scope, id)).cloned();
    let NamePage { names, next_cursor, taken } = paging::of_names(LIST, seen, parameters)?;
    let now_ms = api.shared.handle.now_ms();
    let items = api
        .read(move |store| {
            let statuses: BTreeMap<OperatorId, OperatorStatus> =
                operators::statuses(store)?.into_iter().map(|status| (status.id.clone(), status)).collect();
            let live = &principal.live;
            names
                .iter()
                .filter_map(|id| Some((id, live.config.operators.get(id)?)))
                .map(|(id, declared)| shape(store, live, id, declared, statuses.get(id), now_ms))
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    answers::page(&taken, &items, next_cursor.as_deref())
}

fn shape(
    store: &Store,
    live: &Live,
    id: &OperatorId,
    declared: &Operator,
    status: Option<&OperatorStatus>,
    now_ms: u64,
) -> Result<OperatorShape, StoreError> {
    let in_hand = operators::load(store, id)?;
    let mut load_milli = 0u32;
    let mut owned = 0;
    for dialog in in_hand.owned.iter().chain(&in_hand.offered) {
        // While the client rates a dialog, the work on it is done.
        let row = dialogs::get(store, *dialog)?.filter(|row| row.state != DialogState::Closing);
        let Some(row) = row else { continue };
        owned += usize::from(row.owner.as_ref() == Some(id));
        let how = live.line(&row.line).map(|line| line.routing.counts).unwrap_or_default();
        if row.owner.is_none() || row.counts(how) {
            load_milli = load_milli.saturating_add(live.weight_milli(&row.line, &row.channel));
        }
    }
    let free_milli = declared.capacity_milli.map(|capacity| capacity.saturating_sub(load_milli));
    Ok(OperatorShape {
        id: id.clone(),
        name: declared.name.clone(),
        teams: declared.teams.iter().cloned().collect(),
        status: status.map_or(Presence::Offline, |status| status.presence),
        since: status.map(|status| Time(status.since_ms)),
        duty: duty_at(live, declared, now_ms).as_str(),
        load: dialogs_of(load_milli),
        capacity: declared.capacity_milli.map(dialogs_of),
        free: free_milli.map(dialogs_of),
        dialogs: owned,
        offers: in_hand.offered.len(),
    })
}

/// `PUT /v1/operators/{id}/presence`
pub(super) async fn set_presence(
    Writing { write, id: Name(id), mut body }: Writing<Name<OperatorId>>,
) -> Result<Response, Problem> {
    let word = body.text("status", WORD_CHARS_MAX);
    let presence = match word.as_str() {
        "online" => Some(Presence::Online),
        "away" => Some(Presence::Away),
        "offline" => Some(Presence::Offline),
        // Nothing was given: there was a complaint already.
        "" => None,
        _ => {
            body.complain("status", "must be one of online, away, offline");
            None
        }
    };
    body.finish()?;
    let presence = presence.ok_or_else(|| Problem::invalid_fields(&[]))?;
    let principal = write.principal.clone();
    let is_declared = principal.live.config.operators.contains_key(&id);
    if !is_declared || !principal.may_set_presence(&id) {
        let seen = principal.scope(SEE).max(principal.scope(QUEUES));
        let is_seen = is_declared && seen.is_some_and(|scope| principal.sees_operator(scope, &id));
        return Err(if is_seen {
            Problem::forbidden("setting this operator's presence")
        } else {
            Problem::not_found()
        });
    }
    let scope = if principal.operator() == Some(&id) { Scope::Own } else { Scope::Any };
    let command = write.command(scope, Action::SetPresence { operator: id.clone(), presence });
    let done = write.submit(command, names_nothing).await?;
    let now_ms = write.api.shared.handle.now_ms();
    let make = async {
        let state = write
            .api
            .read(move |store| {
                let Some(declared) = principal.live.config.operators.get(&id) else { return Ok(None) };
                let statuses = operators::statuses(store)?;
                let status = statuses.iter().find(|status| status.id == id);
                shape(store, &principal.live, &id, declared, status, now_ms).map(Some)
            })
            .await?
            .ok_or_else(Problem::not_found)?;
        Made::json(StatusCode::OK, &WithSeq { state, seq: done.seq })
    };
    write.answer(&done, make).await
}
