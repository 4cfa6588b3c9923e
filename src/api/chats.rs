//! Writing first, in a chat that exists.

use axum::response::Response;

use crate::engine::rows::Archive;
use crate::model::command::{Action, ReplyContent};
use crate::model::id::ChatId;

use super::access::REPLY;
use super::answers::Id;
use super::messages::{answer_message, read_reply, require_carried, template_field, text_field};
use super::problem::{FieldError, Problem};
use super::supervision::operator_of;
use super::writes::Writing;

/// `POST /v1/chats/{id}/messages`
pub(super) async fn write_first(
    Writing { write, id: Id(id), body }: Writing<Id<ChatId>>,
) -> Result<Response, Problem> {
    let (content, answered) = read_reply(body)?;
    if answered.is_some() {
        return Err(Problem::invalid_fields(&[FieldError {
            field: "/reply_to".to_owned(),
            detail: "a first message answers none".to_owned(),
        }]));
    }
    let operator = operator_of(&write.principal, REPLY)?;
    let scope = write.principal.require(REPLY)?;
    // What the archive cannot read, no other query can: the next one says why.
    let chat = write.api.read(move |store| Ok(store.chat(id).ok().flatten())).await?;
    let live = &write.principal.live;
    let channel = chat.and_then(|chat| live.config.channels.get_key_value(&chat.address.channel));
    let channel = channel.filter(|(_, channel)| {
        write.principal.is_within_lines(&channel.line)
            && (write.principal.serves(&channel.line) || write.principal.reaches_line(scope, &channel.line))
    });
    let (name, _) = channel.ok_or_else(Problem::not_found)?;
    if let Some(Ok(connected)) = write.api.shared.outside.load_full().connections.channel(name.as_str()) {
        require_carried(connected.as_ref(), &content)?;
    }
    let field = match content {
        ReplyContent::Text { .. } => text_field,
        ReplyContent::Template { .. } => template_field,
    };
    let mut command = write.command(scope, Action::WriteFirst { chat: id, operator, content });
    // Who serves the line writes there, however far the right reaches beyond what is their own.
    command.lines.clone_from(&write.principal.lines);
    let done = write.submit(command, field).await?;
    let dialog = done.receipt.dialog.ok_or_else(Problem::not_found)?;
    answer_message(&write, dialog, &done).await
}
