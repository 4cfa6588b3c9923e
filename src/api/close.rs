//! Closing a dialog, and opening it again.

use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::{CloseReason, Dialog};

use super::access::CLOSE;
use super::answers::Id;
use super::auth::Principal;
use super::fields::WORD_CHARS_MAX;
use super::problem::Problem;
use super::writes::{DialogWriting, Writing, names_nothing};

/// The reasons that a caller may give; the others are the daemon's own.
const REASONS: [(&str, CloseReason); 4] = [
    ("operator", CloseReason::Operator),
    ("supervisor", CloseReason::Supervisor),
    ("spam", CloseReason::Spam),
    ("duplicate", CloseReason::Duplicate),
];

/// `POST /v1/dialogs/{id}/close`
pub(super) async fn close(
    Writing { write, id: Id(id), mut body }: DialogWriting,
) -> Result<Response, Problem> {
    let given = body.optional_text("reason", WORD_CHARS_MAX).and_then(|word| {
        let reason = REASONS.iter().find(|(known, _)| *known == word).map(|(_, reason)| *reason);
        if reason.is_none() {
            body.complain("reason", "must be one of operator, supervisor, spam, duplicate");
        }
        reason
    });
    body.finish()?;
    let action = |row: &Dialog| {
        let reason = given.unwrap_or_else(|| reason_of(&write.principal, row));
        Ok(Action::Close { dialog: id, reason })
    };
    write.change_dialog(id, CLOSE, names_nothing, action).await
}

/// `POST /v1/dialogs/{id}/spam`
pub(super) async fn spam(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::Close { dialog: id, reason: CloseReason::Spam });
    write.change_dialog(id, CLOSE, names_nothing, action).await
}

/// `POST /v1/dialogs/{id}/reopen`
pub(super) async fn reopen(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::Reopen { dialog: id });
    write.change_dialog(id, CLOSE, names_nothing, action).await
}

/// Who closes somebody else's dialog does so as their supervisor.
fn reason_of(principal: &Principal, row: &Dialog) -> CloseReason {
    match principal.operator() {
        Some(operator) if row.owner.as_ref() != Some(operator) => CloseReason::Supervisor,
        _ => CloseReason::Operator,
    }
}
