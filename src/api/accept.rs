//! Accepting and declining an offered dialog.

use axum::response::Response;
use serde_json::Value;

use crate::model::command::Action;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::role::Scope;
use crate::store::queries::{Walk, dialogs, timeline};
use crate::store::{Store, StoreError};

use super::access::REPLY;
use super::answers::Id;
use super::auth::Principal;
use super::problem::Problem;
use super::writes::{DialogWriting, Write, Writing, names_nothing};

/// How far back an offer is looked for, in things that happened in the dialog. Who lost an offer asks
/// at once, if at all.
const LOOK_BACK: usize = 200;

/// `POST /v1/dialogs/{id}/accept`
pub(super) async fn accept(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let operator = operator_of(&write.principal)?;
    answer_offer(&write, id, Action::Accept { dialog: id, operator }).await
}

/// `POST /v1/dialogs/{id}/decline`
pub(super) async fn decline(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let operator = operator_of(&write.principal)?;
    answer_offer(&write, id, Action::Decline { dialog: id, operator }).await
}

/// Offers are answered by the operator to whom they are made, with their own token.
fn operator_of(principal: &Principal) -> Result<OperatorId, Problem> {
    principal.require(REPLY)?;
    principal.operator().cloned().ok_or_else(|| {
        Problem::new(
            http::StatusCode::FORBIDDEN,
            "operator_token_required",
            "offers are answered with the token of the operator to whom they are made",
        )
    })
}

async fn answer_offer(write: &Write, id: DialogId, action: Action) -> Result<Response, Problem> {
    let scope = write.principal.require(REPLY)?;
    let asker = write.principal.clone();
    // Of several who are offered a dialog the first to accept wins; the others do not see it any more,
    // and yet are told who has it.
    let is_known = write
        .api
        .read(move |store| match (dialogs::get(store, id)?, asker.operator()) {
            (Some(row), _) if asker.sees(&row) || asker.reaches(scope, &row) => Ok(true),
            (Some(_), Some(operator)) => was_offered(store, id, operator),
            _ => Ok(false),
        })
        .await?;
    let command = write.command(Scope::Own, action);
    let done = if is_known {
        write.submit(command, names_nothing).await?
    } else {
        write.again(command, names_nothing).await?
    };
    write.answer_dialog(id, &done).await
}

fn was_offered(store: &Store, id: DialogId, operator: &OperatorId) -> Result<bool, StoreError> {
    let latest = timeline::of_dialog(store, id, Walk::Backward(None), LOOK_BACK)?;
    Ok(latest.items.iter().any(|item| match item {
        timeline::Item::Event(event) => {
            event.kind == EventKind::DialogOffered
                && event.data.get("operator").and_then(Value::as_str) == Some(operator.as_str())
        }
        timeline::Item::Message(_) => false,
    }))
}
