//! Notes: what colleagues tell each other about a dialog. Clients never see them.

use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::Dialog;

use super::access::REPLY;
use super::answers::Id;
use super::fields::TEXT_CHARS_MAX;
use super::messages::{answer_message, text_field};
use super::problem::Problem;
use super::writes::{DialogWriting, Writing};

/// `POST /v1/dialogs/{id}/notes`
pub(super) async fn add(Writing { write, id: Id(id), mut body }: DialogWriting) -> Result<Response, Problem> {
    let text = body.text("text", TEXT_CHARS_MAX);
    body.finish()?;
    let action = move |_: &Dialog| Ok(Action::AddNote { dialog: id, text });
    let done = write.on_dialog(id, REPLY, text_field, action).await?;
    answer_message(&write, id, &done).await
}
