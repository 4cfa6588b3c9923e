//! Notes: what colleagues tell each other about a dialog. Clients never see them.

use axum::extract::State;
use axum::response::Response;

use crate::model::command::Action;
use crate::model::dialog::Dialog;
use crate::model::id::DialogId;

use super::access::REPLY;
use super::answers::Id;
use super::auth::Principal;
use super::fields::{Fields, TEXT_CHARS_MAX};
use super::messages::answer_message;
use super::problem::Problem;
use super::state::Api;
use super::writes::{Write, WriteHeaders, names_nothing};

/// `POST /v1/dialogs/{id}/notes`
pub(super) async fn add(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    headers: WriteHeaders,
    mut body: Fields,
) -> Result<Response, Problem> {
    let text = body.text("text", TEXT_CHARS_MAX);
    body.finish()?;
    let write = Write { api: &api, principal: &principal, headers };
    let action = move |_: &Dialog| Ok(Action::AddNote { dialog: id, text });
    let done = write.on_dialog(id, REPLY, names_nothing, action).await?;
    answer_message(&api, &principal, id, &done).await
}
