//! What supervisors do with the dialogs of others: take them over, join them, rate the work.

use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::Dialog;
use crate::model::id::OperatorId;
use crate::model::outcome::Rejection;

use super::access::{JOIN, Needed, RATE, TAKE_OVER};
use super::answers::Id;
use super::auth::Principal;
use super::problem::Problem;
use super::writes::{DialogWriting, Writing, names_nothing};

/// The longest comment on a rating, in characters.
const COMMENT_CHARS_MAX: usize = 4_000;

/// `POST /v1/dialogs/{id}/take-over`
pub(super) async fn take_over(
    Writing { write, id: Id(id), body }: DialogWriting,
) -> Result<Response, Problem> {
    body.finish()?;
    let operator = operator_of(&write.principal, TAKE_OVER)?;
    let action = move |_: &Dialog| Ok(Action::TakeOver { dialog: id, operator });
    write.change_dialog(id, TAKE_OVER, names_nothing, action).await
}

/// `POST /v1/dialogs/{id}/join`
pub(super) async fn join(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let operator = operator_of(&write.principal, JOIN)?;
    let action = move |_: &Dialog| Ok(Action::Join { dialog: id, operator });
    write.change_dialog(id, JOIN, names_nothing, action).await
}

/// `POST /v1/dialogs/{id}/leave`
pub(super) async fn leave(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let operator = operator_of(&write.principal, JOIN)?;
    let action = move |_: &Dialog| Ok(Action::Leave { dialog: id, operator });
    write.change_dialog(id, JOIN, names_nothing, action).await
}

/// Only a person can own a dialog or listen to it.
pub(super) fn operator_of(principal: &Principal, needed: Needed) -> Result<OperatorId, Problem> {
    principal.require(needed)?;
    principal.operator().cloned().ok_or_else(|| {
        Problem::new(
            http::StatusCode::FORBIDDEN,
            "operator_token_required",
            "this is done with the token of the operator who is to do it",
        )
    })
}

/// `POST /v1/dialogs/{id}/supervisor-rating`
pub(super) async fn rate(
    Writing { write, id: Id(id), mut body }: DialogWriting,
) -> Result<Response, Problem> {
    let score = match body.take("score") {
        Some(value) => {
            let score = value.as_u64().filter(|score| (1..=5).contains(score));
            score.and_then(|score| u8::try_from(score).ok())
        }
        None => None,
    };
    if score.is_none() {
        body.complain("score", "must be a whole number from 1 to 5");
    }
    let comment = body.optional_text("comment", COMMENT_CHARS_MAX);
    body.finish()?;
    // Without a score there was a complaint, and the reading ended with it.
    let score = score.ok_or_else(|| Problem::invalid_fields(&[]))?;
    let action = move |_: &Dialog| Ok(Action::RateWork { dialog: id, score, comment });
    write.change_dialog(id, RATE, score_field, action).await
}

fn score_field(rejection: &Rejection) -> Option<&'static str> {
    matches!(rejection, Rejection::WrongScore).then_some("/score")
}
