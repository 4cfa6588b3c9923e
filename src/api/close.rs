//! Closing a dialog.

use axum::extract::State;
use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::{CloseReason, Dialog};
use crate::model::id::DialogId;

use super::access::CLOSE;
use super::answers::Id;
use super::auth::Principal;
use super::fields::{Fields, WORD_CHARS_MAX};
use super::problem::Problem;
use super::state::Api;
use super::writes::{Write, WriteHeaders, answer_dialog, names_nothing};

/// The reasons that a caller may give; the others are the daemon's own.
const REASONS: [(&str, CloseReason); 3] = [
    ("operator", CloseReason::Operator),
    ("supervisor", CloseReason::Supervisor),
    ("spam", CloseReason::Spam),
];

/// `POST /v1/dialogs/{id}/close`
pub(super) async fn close(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    headers: WriteHeaders,
    mut body: Fields,
) -> Result<Response, Problem> {
    let given = body.optional_text("reason", WORD_CHARS_MAX).and_then(|word| {
        let reason = REASONS.iter().find(|(known, _)| *known == word).map(|(_, reason)| *reason);
        if reason.is_none() {
            body.complain("reason", "must be one of operator, supervisor, spam");
        }
        reason
    });
    body.finish()?;
    let write = Write { api: &api, principal: &principal, headers };
    let action = |row: &Dialog| {
        let reason = given.unwrap_or_else(|| reason_of(&principal, row));
        Ok(Action::Close { dialog: id, reason })
    };
    let done = write.on_dialog(id, CLOSE, names_nothing, action).await?;
    answer_dialog(&api, &principal, id, &done).await
}

/// Who closes somebody else's dialog does so as their supervisor.
fn reason_of(principal: &Principal, row: &Dialog) -> CloseReason {
    match principal.operator() {
        Some(operator) if row.owner.as_ref() != Some(operator) => CloseReason::Supervisor,
        _ => CloseReason::Operator,
    }
}
