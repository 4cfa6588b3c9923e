//! Messages of a dialog: reading them, and answering the client.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::channels::{EncodeError, MessagePart};
use crate::model::command::{Action, ReplyContent};
use crate::model::dialog::Dialog;
use crate::model::id::{ChannelId, DialogId, MessageId, TemplateId};
use crate::model::message::{Attachment, Button, Message};
use crate::model::outcome::Rejection;
use crate::node::Outside;
use crate::store::queries::{dialogs, messages};
use crate::store::{Store, StoreError};

use super::access::REPLY;
use super::answers::{self, Id, Made, WithSeq};
use super::auth::Principal;
use super::dialogs::seen;
use super::enclosures::{self, Enclosure};
use super::fields::{Fields, TEXT_CHARS_MAX, WORD_CHARS_MAX};
use super::message_shape::MessageShape;
use super::paging::cursor_within;
use super::parameters::Parameters;
use super::problem::{FieldError, Problem};
use super::state::Api;
use super::writes::{DialogWriting, Done, Write, Writing};

/// The most buttons of a reply; messengers take fewer and refuse more.
const BUTTONS_MAX: usize = 100;

/// The most variables of a template.
const VARS_MAX: usize = 100;

/// `GET /v1/dialogs/{id}/messages`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let whole_chat = parameters.flag("whole_chat");
    let order = parameters.order();
    let limit = parameters.limit();
    let cursor = parameters.cursor_within(id);
    let taken = parameters.finish()?;
    let row = seen(&api, &principal, id).await?;
    let found = api
        .read(move |store| {
            let walk = order.walk(cursor.as_deref());
            if !whole_chat {
                return messages::of_dialog(store, id, walk, limit);
            }
            let mut page = messages::of_chat(store, row.chat, walk, limit)?;
            page.items = readable(store, &principal, page.items)?;
            Ok(page)
        })
        .await?;
    let items: Vec<MessageShape<'_>> = found.items.iter().map(MessageShape::from).collect();
    let next_cursor = found.next_cursor.map(|place| cursor_within(id, place));
    answers::page(&taken, &items, next_cursor.as_deref())
}

/// Leaves out the messages of earlier dialogs of the chat that belong to lines of others.
fn readable(store: &Store, principal: &Principal, found: Vec<Message>) -> Result<Vec<Message>, StoreError> {
    let mut may_be_read: BTreeMap<DialogId, bool> = BTreeMap::new();
    let mut kept = Vec::with_capacity(found.len());
    for message in found {
        let may = match may_be_read.get(&message.dialog) {
            Some(may) => *may,
            None => {
                let row = dialogs::get(store, message.dialog)?;
                let may = row.is_some_and(|row| principal.may_read_history(&row));
                may_be_read.insert(message.dialog, may);
                may
            }
        };
        if may {
            kept.push(message);
        }
    }
    Ok(kept)
}

/// `POST /v1/dialogs/{id}/messages`
pub(super) async fn reply(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    let Reply { content, answered, enclosures } = read_reply(body)?;
    let attachments = enclosures::find(&write.api, &write.principal, enclosures).await?;
    let reply_to = match answered {
        Some(message) => Some(external_id(&write.api, id, message).await?),
        None => None,
    };
    let field = match content {
        ReplyContent::Text { .. } => text_field,
        ReplyContent::Template { .. } => template_field,
    };
    let outside = write.api.shared.outside.load_full();
    // Whether the dialog may be seen, and whether the wish was fulfilled before, is asked first.
    let action = move |row: &Dialog| {
        require_carried(&outside, &row.channel, &content, &attachments)?;
        let reply_to = reply_to.map(|known| known.ok_or_else(unknown_to_messenger)).transpose()?;
        Ok(Action::Reply { dialog: id, content, attachments, reply_to })
    };
    let done = write.on_dialog(id, REPLY, field, action).await?;
    answer_message(&write, id, &done).await
}

/// What a request says that is to be written.
pub(super) struct Reply {
    pub(super) content: ReplyContent,
    pub(super) answered: Option<MessageId>,
    pub(super) enclosures: Vec<Enclosure>,
}

pub(super) fn read_reply(mut body: Fields) -> Result<Reply, Problem> {
    let enclosures = enclosures::read(&mut body);
    let answered = body.optional_text("reply_to", WORD_CHARS_MAX).and_then(|text| {
        let id = text.parse().ok();
        if id.is_none() {
            body.complain("reply_to", "must be the id of a message of this dialog, such as m-17");
        }
        id
    });
    let content = match body.optional_name::<TemplateId>("template") {
        Some(template) => ReplyContent::Template { template, vars: body.optional_object("vars", VARS_MAX) },
        None => {
            // A file needs no words, but buttons stand under some.
            let text = if enclosures.is_empty() || body.has("buttons") {
                body.text("text", TEXT_CHARS_MAX)
            } else {
                body.optional_text("text", TEXT_CHARS_MAX).unwrap_or_default()
            };
            let buttons = body.optional_list("buttons", BUTTONS_MAX, |button| Button {
                title: button.text("title", WORD_CHARS_MAX),
                data: button.text("data", WORD_CHARS_MAX),
            });
            ReplyContent::Text { text, buttons }
        }
    };
    body.finish()?;
    Ok(Reply { content, answered, enclosures })
}

/// The messenger's id of the message that is answered; `None` when it has none, or there is no such message.
async fn external_id(api: &Api, dialog: DialogId, message: MessageId) -> Result<Option<String>, Problem> {
    let found = api.read(move |store| messages::get(store, dialog, message)).await?;
    Ok(found.and_then(|message| message.external_id))
}

fn unknown_to_messenger() -> Problem {
    Problem::invalid_fields(&[FieldError {
        field: "/reply_to".to_owned(),
        detail: "must be a message of this dialog that the messenger knows".to_owned(),
    }])
}

/// Refuses what the dialog's messenger would refuse: the writer learns it now, and not from a delivery that
/// failed. What a template makes is known only when the engine has filled it in.
pub(super) fn require_carried(
    outside: &Outside,
    channel: &ChannelId,
    content: &ReplyContent,
    attachments: &[Attachment],
) -> Result<(), Problem> {
    // What is not connected now may be when the message is sent.
    let Some(Ok(channel)) = outside.connections.channel(channel.as_str()) else { return Ok(()) };
    let refused = match content {
        ReplyContent::Text { text, buttons } => channel.capabilities().refused(channel.kind(), text, buttons),
        ReplyContent::Template { .. } => Vec::new(),
    };
    let mut errors: Vec<FieldError> = refused
        .into_iter()
        // That a text is empty is for the engine to say: it holds for every messenger.
        .filter(|(_, error)| *error != EncodeError::EmptyText)
        .map(|(part, error)| FieldError { field: place_of(part), detail: error.to_string() })
        .collect();
    errors.extend(enclosures::refused(channel.as_ref(), attachments, outside.public_url.is_some()));
    if errors.is_empty() {
        return Ok(());
    }
    let detail = "the messenger of this dialog does not take the message as it is; see `errors`";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_carried", detail).with_errors(&errors))
}

fn place_of(part: MessagePart) -> String {
    match part {
        MessagePart::Text => "/text".to_owned(),
        MessagePart::Buttons => "/buttons".to_owned(),
        MessagePart::ButtonTitle(index) => format!("/buttons/{index}/title"),
        MessagePart::ButtonData(index) => format!("/buttons/{index}/data"),
    }
}

/// The field of a reply or note by text that a rejection concerns.
pub(super) fn text_field(rejection: &Rejection) -> Option<&'static str> {
    matches!(rejection, Rejection::EmptyText).then_some("/text")
}

pub(super) fn template_field(rejection: &Rejection) -> Option<&'static str> {
    let concerns =
        matches!(rejection, Rejection::UnknownTemplate | Rejection::EmptyText | Rejection::TemplateFailed(_));
    concerns.then_some("/template")
}

/// Answers with the message that a write made.
pub(super) async fn answer_message(
    write: &Write,
    dialog: DialogId,
    done: &Done,
) -> Result<Response, Problem> {
    let written = done.receipt.message;
    let make = async {
        let (row, message) = write
            .api
            .read(move |store| {
                let message = match written {
                    Some(id) => messages::get(store, dialog, id)?,
                    None => None,
                };
                Ok((dialogs::get(store, dialog)?, message))
            })
            .await?;
        let is_seen = row.is_some_and(|row| write.principal.sees(&row));
        match message {
            Some(message) if is_seen || !done.repeated => {
                let body = WithSeq { state: MessageShape::from(&message), seq: done.seq };
                Made::json(StatusCode::CREATED, &body)
            }
            _ => Made::json(StatusCode::CREATED, &serde_json::json!({"id": written, "seq": done.seq})),
        }
    };
    write.answer(done, make).await
}
