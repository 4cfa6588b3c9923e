//! Everything that happened in a dialog, in order.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::model::id::DialogId;
use crate::store::queries::timeline::{self, Item};

use super::answers::{self, Id};
use super::auth::Principal;
use super::dialogs::seen;
use super::event_shape::EventShape;
use super::message_shape::MessageShape;
use super::paging::cursor_within;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ItemShape<'a> {
    Message { message: MessageShape<'a> },
    Note { message: MessageShape<'a> },
    Event { event: EventShape<'a> },
}

/// `GET /v1/dialogs/{id}/timeline`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let order = parameters.order();
    let limit = parameters.limit();
    let cursor = parameters.cursor_within(id);
    let taken = parameters.finish()?;
    seen(&api, &principal, id).await?;
    let found =
        api.read(move |store| timeline::of_dialog(store, id, order.walk(cursor.as_deref()), limit)).await?;
    let items: Vec<ItemShape<'_>> = found
        .items
        .iter()
        .map(|item| match item {
            Item::Message(message) if message.note => ItemShape::Note { message: message.as_ref().into() },
            Item::Message(message) => ItemShape::Message { message: message.as_ref().into() },
            Item::Event(event) => ItemShape::Event { event: event.into() },
        })
        .collect();
    let next_cursor = found.next_cursor.map(|place| cursor_within(id, place));
    answers::page(&taken, &items, next_cursor.as_deref())
}
