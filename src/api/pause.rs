//! Pinning a dialog, so that silence does not close it.

use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::Dialog;
use crate::model::outcome::Rejection;

use super::access::REPLY;
use super::answers::Id;
use super::fields::WORD_CHARS_MAX;
use super::problem::Problem;
use super::time;
use super::writes::{DialogWriting, Writing, names_nothing};

/// `POST /v1/dialogs/{id}/pause`
pub(super) async fn pause(
    Writing { write, id: Id(id), mut body }: DialogWriting,
) -> Result<Response, Problem> {
    let until_ms = body.optional_text("until", WORD_CHARS_MAX).and_then(|text| {
        let until_ms = time::parse(&text);
        if until_ms.is_none() {
            body.complain("until", "must be a time such as 2026-03-01T09:00:00Z");
        }
        until_ms
    });
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::Pause { dialog: id, until_ms });
    write.change_dialog(id, REPLY, until_field, action).await
}

fn until_field(rejection: &Rejection) -> Option<&'static str> {
    matches!(rejection, Rejection::PauseBeyondLimit { .. }).then_some("/until")
}

/// `POST /v1/dialogs/{id}/resume`
pub(super) async fn resume(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::Resume { dialog: id });
    write.change_dialog(id, REPLY, names_nothing, action).await
}
