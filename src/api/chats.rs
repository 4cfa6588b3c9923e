//! Writing first: in a chat, or to a client on a channel.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::engine::rows::Archive;
use crate::model::channel::ChannelKind;
use crate::model::command::{Action, ReplyContent};
use crate::model::dialog::Dialog;
use crate::model::id::{ChannelId, ChatId, ClientId, OperatorId};
use crate::model::message::Attachment;
use crate::model::role::Scope;
use crate::store::queries::clients;
use crate::store::queries::dialogs::{self, DialogFilter, Sort};

use super::access::{CLIENTS, REPLY};
use super::answers::Id;
use super::auth::Principal;
use super::enclosures;
use super::fields::WORD_CHARS_MAX;
use super::messages::{Reply, answer_message, read_reply, require_carried, template_field, text_field};
use super::problem::{FieldError, Problem};
use super::state::Api;
use super::supervision::operator_of;
use super::writes::{Write, Writing};

/// `POST /v1/chats/{id}/messages`
pub(super) async fn write_first(
    Writing { write, id: Id(id), body }: Writing<Id<ChatId>>,
) -> Result<Response, Problem> {
    let Reply { content, answered, enclosures } = read_reply(body)?;
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
    let attachments = enclosures::find(&write.api, &write.principal, enclosures).await?;
    let first = First { chat: id, operator, scope, into_open: false };
    first.write(&write, name, content, attachments).await
}

/// What is written by, and where.
struct First {
    chat: ChatId,
    operator: OperatorId,
    scope: Scope,
    /// Whether to go on with a dialog that is open.
    into_open: bool,
}

impl First {
    async fn write(
        self,
        write: &Write,
        channel: &ChannelId,
        content: ReplyContent,
        attachments: Vec<Attachment>,
    ) -> Result<Response, Problem> {
        require_carried(&write.api.shared.outside.load(), channel, &content, &attachments)?;
        let field = match content {
            ReplyContent::Text { .. } => text_field,
            ReplyContent::Template { .. } => template_field,
        };
        let Self { chat, operator, scope, into_open } = self;
        let action = Action::WriteFirst { chat, operator, content, attachments, into_open };
        let mut command = write.command(scope, action);
        // Who serves the line writes there, however far the right reaches beyond what is their own.
        command.lines.clone_from(&write.principal.lines);
        let done = write.submit(command, field).await?;
        let dialog = done.receipt.dialog.ok_or_else(Problem::not_found)?;
        answer_message(write, dialog, &done).await
    }
}

/// A path that names nothing.
pub(super) struct NamesNothing;

impl FromRequestParts<Api> for NamesNothing {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Ok(Self)
    }
}

/// `POST /v1/chats`: to a client on a channel. Their chat there is found; a dialog that is open in it is gone on
/// with.
pub(super) async fn write_to_client(
    Writing { write, id: NamesNothing, mut body }: Writing<NamesNothing>,
) -> Result<Response, Problem> {
    let operator = operator_of(&write.principal, REPLY)?;
    let scope = write.principal.require(REPLY)?;
    let channel = body.optional_name::<ChannelId>("channel");
    if channel.is_none() {
        body.complain("channel", "must be the id of a channel");
    }
    let client = body.optional_text("client", WORD_CHARS_MAX).and_then(|text| text.parse::<ClientId>().ok());
    if client.is_none() {
        body.complain("client", "must be the id of a client, such as c-17");
    }
    if body.has("reply_to") {
        body.complain("reply_to", "a first message answers none");
    }
    // Whatever else is wrong is told along with it.
    let Reply { content, enclosures, .. } = read_reply(body)?;
    let (Some(channel), Some(client)) = (channel, client) else { return Err(Problem::not_found()) };
    let live = &write.principal.live;
    let declared = live.config.channels.get(&channel).filter(|declared| {
        write.principal.is_within_lines(&declared.line)
            && (write.principal.serves(&declared.line) || write.principal.reaches_line(scope, &declared.line))
    });
    let declared = declared.ok_or_else(|| unknown("/channel", "there is no such channel"))?;
    let filter =
        DialogFilter { client: Some(client), channel: Some(channel.clone()), ..DialogFilter::default() };
    let newest = write.api.read(move |store| dialogs::list(store, &filter, Sort::Opened, None, 1)).await?;
    match newest.items.first() {
        Some(newest) => {
            let attachments = enclosures::find(&write.api, &write.principal, enclosures).await?;
            let first = First { chat: newest.chat, operator, scope, into_open: true };
            first.write(&write, &channel, content, attachments).await
        }
        None if is_known(&write, client).await? => Err(cannot_write_first(declared.kind())),
        None => Err(unknown("/client", "there is no such client")),
    }
}

/// Whether the caller may know of a client: as for looking at them.
async fn is_known(write: &Write, client: ClientId) -> Result<bool, Problem> {
    let Some(scope) = write.principal.scope(CLIENTS) else { return Ok(false) };
    let principal: Principal = write.principal.clone();
    write
        .api
        .read(move |store| {
            if principal.reaches_all(scope) {
                return Ok(clients::get(store, client)?.is_some());
            }
            let filter = DialogFilter { client: Some(client), ..DialogFilter::default() };
            let reached = |dialog: &Dialog| principal.reaches(scope, dialog);
            Ok(!dialogs::list_where(store, &filter, Sort::Opened, None, 1, &reached)?.items.is_empty())
        })
        .await
}

fn unknown(field: &str, detail: &str) -> Problem {
    Problem::invalid_fields(&[FieldError { field: field.to_owned(), detail: detail.to_owned() }])
}

/// Of the messengers that are served, none lets us write to somebody who never wrote there.
fn cannot_write_first(kind: ChannelKind) -> Problem {
    let detail = format!(
        "through a channel of the kind {} nobody can be written to who has not written there before",
        kind.as_str()
    );
    Problem::new(StatusCode::CONFLICT, "cannot_write_first", detail)
}
