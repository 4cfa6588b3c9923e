//! The outbox: what is on its way outside, what did not arrive, and what to do about it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::model::command::Action;
use crate::model::effect::{Effect, EffectAction, EffectState, Lane};
use crate::model::id::{ChannelId, DialogId, EffectId, EndpointId, LineId, MessageId};
use crate::model::role::Scope;
use crate::store::queries::deliveries::{self, DeliveryFilter, DeliveryState};

use super::access::ADMINISTER;
use super::answers::{self, Id, Made, WithSeq};
use super::auth::Principal;
use super::fields::is_name;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;
use super::time::Time;
use super::writes::{Write, Writing, names_nothing};

/// A delivery.
#[derive(Debug, Serialize)]
struct DeliveryShape<'a> {
    id: EffectId,
    kind: &'static str,
    state: &'static str,
    attempts: u32,
    target: TargetShape<'a>,
    line: &'a LineId,
    dialog: DialogId,
    message: Option<MessageId>,
    last_error: Option<&'a str>,
    created_at: Time,
    updated_at: Time,
    next_attempt_at: Option<Time>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum TargetShape<'a> {
    Channel(&'a ChannelId),
    Endpoint(&'a EndpointId),
}

impl<'a> From<&'a Effect> for DeliveryShape<'a> {
    fn from(effect: &'a Effect) -> Self {
        let (kind, message) = match &effect.action {
            EffectAction::Send(outgoing) => ("message", Some(outgoing.message)),
            EffectAction::AcknowledgeButton { .. } => ("button_acknowledgement", None),
            EffectAction::Notify(_) => ("notification", None),
        };
        let target = match &effect.lane {
            Lane::Chat { channel, .. } => TargetShape::Channel(channel),
            Lane::Endpoint { endpoint, .. } => TargetShape::Endpoint(endpoint),
        };
        let next_attempt_at = match effect.state {
            EffectState::Waiting { until_ms } => Some(Time(until_ms)),
            _ => None,
        };
        Self {
            id: effect.id,
            kind,
            state: effect.state.as_str(),
            attempts: effect.attempts,
            target,
            line: &effect.line,
            dialog: effect.dialog,
            message,
            last_error: effect.last_error.as_deref(),
            created_at: Time(effect.created_at_ms),
            updated_at: Time(effect.updated_at_ms),
            next_attempt_at,
        }
    }
}

/// `GET /v1/deliveries`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(ADMINISTER)?;
    let states = "one of pending, waiting, in_flight, delivered, failed, dead, cancelled";
    let mut filter = DeliveryFilter {
        state: parameters.read("state", states, |text| {
            DeliveryState::ALL.into_iter().find(|state| state.as_str() == text)
        }),
        dialog: parameters.parse("dialog", "the id of a dialog, such as d-17"),
        channel: parameters
            .read("channel", "the id of a channel", |text| is_name(text).then(|| ChannelId::from(text))),
        lines: None,
    };
    let limit = parameters.limit();
    let cursor = parameters.cursor();
    let taken = parameters.finish()?;
    if !principal.reaches_all(scope) {
        filter.lines = Some(principal.lines_seen(scope));
    }
    let found = api.read(move |store| deliveries::list(store, &filter, cursor.as_deref(), limit)).await?;
    let items: Vec<DeliveryShape<'_>> = found.items.iter().map(DeliveryShape::from).collect();
    answers::page(&taken, &items, found.next_cursor.as_deref())
}

/// `GET /v1/deliveries/{id}`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<EffectId>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let effect = seen(&api, &principal, id).await?;
    answers::json(StatusCode::OK, &DeliveryShape::from(&effect))
}

async fn seen(api: &Api, principal: &Principal, id: EffectId) -> Result<Effect, Problem> {
    let scope = principal.require(ADMINISTER)?;
    let effect = api.read(move |store| deliveries::get(store, id)).await?;
    effect
        .filter(|effect| principal.reaches_all(scope) || principal.reaches_line(scope, &effect.line))
        .ok_or_else(Problem::not_found)
}

/// `POST /v1/deliveries/{id}/retry`
pub(super) async fn retry(
    Writing { write, id: Id(id), body }: Writing<Id<EffectId>>,
) -> Result<Response, Problem> {
    body.finish()?;
    act(&write, id, Action::RetryDelivery { effect: id }).await
}

/// `POST /v1/deliveries/{id}/cancel`
pub(super) async fn cancel(
    Writing { write, id: Id(id), body }: Writing<Id<EffectId>>,
) -> Result<Response, Problem> {
    body.finish()?;
    act(&write, id, Action::CancelDelivery { effect: id }).await
}

async fn act(write: &Write, id: EffectId, action: Action) -> Result<Response, Problem> {
    seen(&write.api, &write.principal, id).await?;
    let command = write.command(Scope::Any, action);
    let done = write.submit(command, names_nothing).await?;
    let make = async {
        let effect = seen(&write.api, &write.principal, id).await?;
        Made::json(StatusCode::OK, &WithSeq { state: DeliveryShape::from(&effect), seq: done.seq })
    };
    write.answer(&done, make).await
}
