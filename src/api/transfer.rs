//! Giving a dialog to somebody else, and putting it back into its queue.

use axum::response::Response;

use crate::model::command::{Action, TransferTarget};
use crate::model::dialog::Dialog;
use crate::model::outcome::Rejection;

use super::access::{REQUEUE, TRANSFER};
use super::answers::Id;
use super::fields::Fields;
use super::problem::Problem;
use super::writes::{DialogWriting, Writing, names_nothing};

/// The longest word to the next operator, in characters.
const COMMENT_CHARS_MAX: usize = 4_000;

/// The longest reason for putting a dialog back, in characters: it stands in an event.
const REASON_CHARS_MAX: usize = 200;

/// `POST /v1/dialogs/{id}/transfer`
pub(super) async fn transfer(
    Writing { write, id: Id(id), mut body }: DialogWriting,
) -> Result<Response, Problem> {
    let to = body.object("to", read_target);
    let comment = body.optional_text("comment", COMMENT_CHARS_MAX);
    body.finish()?;
    // Without a target there was a complaint, and the reading ended with it.
    let to = to.ok_or_else(|| Problem::invalid_fields(&[]))?;
    let action = move |_: &Dialog| Ok(Action::Transfer { dialog: id, to, comment });
    write.change_dialog(id, TRANSFER, target_field, action).await
}

fn read_target(to: &mut Fields) -> Option<TransferTarget> {
    let operator = to.optional_name("operator").map(TransferTarget::Operator);
    let team = to.optional_name("team").map(TransferTarget::Team);
    let line = to.optional_name("line").map(TransferTarget::Line);
    let mut targets = [operator, team, line].into_iter().flatten();
    match (targets.next(), targets.next()) {
        (Some(target), None) => Some(target),
        _ => {
            to.complain_of_all("must have exactly one of `operator`, `team` and `line`");
            None
        }
    }
}

fn target_field(rejection: &Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::UnknownOperator => Some("/to/operator"),
        Rejection::UnknownTeam => Some("/to/team"),
        Rejection::UnknownLine => Some("/to/line"),
        _ => None,
    }
}

/// `POST /v1/dialogs/{id}/requeue`
pub(super) async fn requeue(
    Writing { write, id: Id(id), mut body }: DialogWriting,
) -> Result<Response, Problem> {
    let reason = body.optional_text("reason", REASON_CHARS_MAX);
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::Requeue { dialog: id, reason });
    write.change_dialog(id, REQUEUE, names_nothing, action).await
}
