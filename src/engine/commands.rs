//! What people and integrations ask for, one verb per function; larger verbs have files of their own.

use serde_json::json;

use crate::model::command::{Action, Actor, Command, DialogChanges, ReplyContent};
use crate::model::decision::Trigger;
use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, MessageId, OperatorId};
use crate::model::message::{Attachment, Author, Button, Direction, Message, MessageStatus};
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Outcome, Receipt, Rejection};
use crate::model::role::Scope;

use super::outgoing::{Draft, WrittenBy, is_nothing, send};
use super::render::{Missing, RenderError};
use super::rules::facts::{self, Wanted};
use super::step::Step;
use super::{
    accept, close, comeback, delivery, identity, log, pause, presence, supervision, topics, transfer,
    write_first,
};

pub(super) fn apply(step: &mut Step<'_>, command: &Command) -> Outcome {
    let done = match &command.action {
        Action::Accept { dialog, operator } => {
            current(step, command, *dialog).and_then(|()| accept::accept(step, *dialog, operator))
        }
        Action::Decline { dialog, operator } => {
            current(step, command, *dialog).and_then(|()| accept::decline(step, *dialog, operator))
        }
        Action::Reply { dialog, content, attachments, reply_to } => {
            let written = Written { content, attachments, reply_to: reply_to.as_ref() };
            permit(step, command, *dialog, Needs::Voice).and_then(|()| reply(step, command, *dialog, written))
        }
        Action::AddNote { dialog, text } => permit(step, command, *dialog, Needs::Part).and_then(|()| {
            let id = note(step, *dialog, author(command), text.clone())?;
            Ok(Receipt { dialog: Some(*dialog), message: Some(id) })
        }),
        Action::Transfer { dialog, to, comment } => permit(step, command, *dialog, Needs::Owner)
            .and_then(|()| transfer::transfer(step, *dialog, to, comment.as_deref(), &author(command))),
        Action::Requeue { dialog, reason } => permit(step, command, *dialog, Needs::Owner).and_then(|()| {
            transfer::requeue(step, *dialog, OfferEnd::Requeued, Trigger::Requeued, reason.as_deref())
        }),
        Action::Close { dialog, reason } => {
            permit(step, command, *dialog, Needs::Owner).and_then(|()| close_by_hand(step, *dialog, *reason))
        }
        Action::Reopen { dialog } => permit_over(step, command, *dialog, Needs::Owner).and_then(|()| {
            let by = match &command.actor {
                Actor::Operator(operator) => Some(operator),
                Actor::Integration(_) => None,
            };
            comeback::reopen_by_hand(step, *dialog, by)
        }),
        Action::Pause { dialog, until_ms } => {
            permit(step, command, *dialog, Needs::Owner).and_then(|()| pause::pause(step, *dialog, *until_ms))
        }
        Action::Resume { dialog } => {
            permit(step, command, *dialog, Needs::Owner).and_then(|()| pause::resume(step, *dialog))
        }
        Action::TakeOver { dialog, operator } => permit(step, command, *dialog, Needs::Owner)
            .and_then(|()| supervision::take_over(step, *dialog, operator)),
        Action::Join { dialog, operator } => permit(step, command, *dialog, Needs::Part)
            .and_then(|()| supervision::set_joined(step, *dialog, operator, true)),
        Action::Leave { dialog, operator } => permit(step, command, *dialog, Needs::Part)
            .and_then(|()| supervision::set_joined(step, *dialog, operator, false)),
        Action::RateWork { dialog, score, comment } => permit_over(step, command, *dialog, Needs::Owner)
            .and_then(|()| supervision::rate_work(step, *dialog, *score, comment.clone(), author(command))),
        Action::WriteFirst { chat, operator, content, attachments, into_open } => {
            let written = Written { content, attachments, reply_to: None };
            match write_first::open_dialog(step, *chat).filter(|_| *into_open) {
                Some(dialog) => write_into(step, command, dialog, operator, written),
                None => write_first::write(step, *chat, operator, written, command.lines.as_ref()),
            }
        }
        Action::Update { dialog, changes } => {
            permit(step, command, *dialog, Needs::Part).and_then(|()| update(step, *dialog, changes))
        }
        Action::SetPresence { operator, presence } => presence::set(step, operator, *presence),
        Action::RetryDelivery { effect } => return delivery::retry_by_hand(step, *effect),
        Action::CancelDelivery { effect } => return delivery::cancel_by_hand(step, *effect),
    };
    match done {
        Ok(receipt) => Outcome::Applied(receipt),
        Err(rejection) => Outcome::Rejected(rejection),
    }
}

/// What a command needs of the one who asks by a right that reaches only their own dialogs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// To own the dialog.
    Owner,
    /// To own it or to have joined it.
    Voice,
    /// To own it or be offered it, or to see the queue in which it waits.
    Part,
}

/// Checks what is the same for every wish about a dialog: that it is within reach (a foreign one answers
/// like a missing one), goes on, and is as the asker saw it.
fn current(step: &Step<'_>, command: &Command, dialog: DialogId) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !is_within_reach(step, command, row) {
        return Err(Rejection::UnknownDialog);
    }
    if row.state == DialogState::Closed {
        return Err(Rejection::DialogClosed);
    }
    as_seen(command, row)
}

/// Checks that a dialog is as the asker saw it.
fn as_seen(command: &Command, row: &Dialog) -> Result<(), Rejection> {
    if command.expected_version.is_some_and(|expected| expected != row.version) {
        return Err(Rejection::VersionMismatch { current: row.version });
    }
    Ok(())
}

/// Whether a dialog is on a line that the right reaches. A right that reaches the lines of a team reaches
/// also, on other lines, what a narrower one would: what the operator has in hand, and the queues that
/// they serve.
fn is_within_reach(step: &Step<'_>, command: &Command, row: &Dialog) -> bool {
    let Some(lines) = &command.lines else { return true };
    if lines.contains(&row.line) {
        return true;
    }
    match (&command.actor, command.scope) {
        (Actor::Operator(operator), Scope::Team | Scope::Line) => {
            has_part(row, operator) || (row.state.is_waiting() && step.live.may_serve(operator, &row.line))
        }
        _ => false,
    }
}

/// Whether an operator owns a dialog, has joined it or is offered it.
fn has_part(row: &Dialog, operator: &OperatorId) -> bool {
    row.owner.as_ref() == Some(operator)
        || row.life.joined.contains(operator)
        || row.offers.iter().any(|offer| offer.operator == *operator)
}

/// Checks once more, now that the order of things is settled, what was checked before the journal.
fn permit(step: &Step<'_>, command: &Command, dialog: DialogId, needs: Needs) -> Result<(), Rejection> {
    current(step, command, dialog)?;
    in_scope(step, command, dialog, needs)
}

/// The same for what can be done to a dialog that is over, too.
fn permit_over(step: &Step<'_>, command: &Command, dialog: DialogId, needs: Needs) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !is_within_reach(step, command, row) {
        return Err(Rejection::UnknownDialog);
    }
    as_seen(command, row)?;
    in_scope(step, command, dialog, needs)
}

fn in_scope(step: &Step<'_>, command: &Command, dialog: DialogId, needs: Needs) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    let Actor::Operator(operator) = &command.actor else { return Ok(()) };
    let owns = row.owner.as_ref() == Some(operator);
    let has_part = has_part(row, operator);
    let may = match (command.scope, needs) {
        (Scope::Team | Scope::Line | Scope::Any, _) => true,
        (Scope::Own | Scope::OwnAndQueue, Needs::Owner) => owns,
        (Scope::Own | Scope::OwnAndQueue, Needs::Voice) => owns || row.life.joined.contains(operator),
        (Scope::Own, Needs::Part) => has_part,
        (Scope::OwnAndQueue, Needs::Part) => has_part || row.state.is_waiting(),
    };
    if may { Ok(()) } else { Err(Rejection::NotOwner { owner: row.owner.clone() }) }
}

fn author(command: &Command) -> Author {
    match &command.actor {
        Actor::Operator(operator) => Author::Operator(operator.clone()),
        Actor::Integration(token) => Author::Integration(token.clone()),
    }
}

/// What somebody writes to a client.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    /// The words.
    pub(super) content: &'a ReplyContent,
    /// Files along with them.
    pub(super) attachments: &'a [Attachment],
    /// The messenger's id of the message that it answers.
    pub(super) reply_to: Option<&'a String>,
}

fn reply(
    step: &mut Step<'_>,
    command: &Command,
    dialog: DialogId,
    written: Written<'_>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    let (text, buttons) = words(step, row, written.content)?;
    let written_by = match &command.actor {
        Actor::Operator(_) => WrittenBy::Person,
        Actor::Integration(_) => WrittenBy::Machine,
    };
    let draft = Draft {
        author: author(command),
        text,
        buttons,
        attachments: written.attachments.to_vec(),
        reply_to: written.reply_to.cloned(),
        written_by,
        even_if_closed: false,
    };
    let message = send(step, dialog, draft)?;
    Ok(Receipt { dialog: Some(dialog), message: Some(message) })
}

/// Writes into the dialog that a client has open. Who owns it or has joined it just writes; out of the queue,
/// or out of closing, an operator takes it by that.
fn write_into(
    step: &mut Step<'_>,
    command: &Command,
    dialog: DialogId,
    operator: &OperatorId,
    written: Written<'_>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if row.state.is_owned() {
        permit(step, command, dialog, Needs::Voice)?;
    } else {
        current(step, command, dialog)?;
        write_first::may_take(step, row, operator)?;
        let (text, _) = words(step, row, written.content)?;
        if is_nothing(&text, written.attachments) {
            return Err(Rejection::EmptyText);
        }
        write_first::take(step, dialog, operator)?;
    }
    reply(step, command, dialog, written)
}

/// Fills in what somebody writes in a dialog.
pub(super) fn words(
    step: &Step<'_>,
    row: &Dialog,
    content: &ReplyContent,
) -> Result<(String, Vec<Button>), Rejection> {
    match content {
        ReplyContent::Text { text, buttons } => Ok((text.clone(), buttons.clone())),
        ReplyContent::Template { template, vars } => {
            let mut known =
                facts::document_of(step, EventKind::MessageQueued, Some(row), None, &Wanted::all());
            if let Some(known) = known.as_object_mut() {
                known.insert("vars".to_owned(), json!(vars));
            }
            identity::show(step, row, &mut known);
            let languages = facts::languages_of(step, row);
            match step.live.templates.render(template, &languages, &known, Missing::Refuse) {
                Ok(rendered) => Ok((rendered.text, rendered.buttons)),
                Err(RenderError::Unknown) => Err(Rejection::UnknownTemplate),
                Err(RenderError::Failed(reason)) => Err(Rejection::TemplateFailed(reason)),
            }
        }
    }
}

/// Writes something into the log that the client never sees.
pub(super) fn note(
    step: &mut Step<'_>,
    dialog: DialogId,
    author: Author,
    text: String,
) -> Result<MessageId, Rejection> {
    if text.trim().is_empty() {
        return Err(Rejection::EmptyText);
    }
    let chat = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?.chat;
    let id = step.new_message();
    let automatic = !matches!(author, Author::Operator(_));
    log::append(
        step,
        Message {
            id,
            dialog,
            chat,
            direction: Direction::Out,
            author: author.clone(),
            text,
            attachments: Vec::new(),
            buttons: Vec::new(),
            status: MessageStatus::Received,
            error: None,
            external_id: None,
            at_ms: step.at_ms,
            external_at_ms: None,
            edited_at_ms: None,
            external_edited_at_ms: None,
            deleted_at_ms: None,
            delivered_at_ms: None,
            read_at_ms: None,
            lost_at_ms: None,
            revisions: Vec::new(),
            note: true,
            automatic,
            reply_to: None,
            button: None,
            unsupported: None,
            effect: None,
            letter: None,
        },
        |_| {},
    );
    step.emit(EventKind::NoteAdded, dialog, Some(id), json!({"message": id, "author": author}));
    Ok(id)
}

fn close_by_hand(step: &mut Step<'_>, dialog: DialogId, reason: CloseReason) -> Result<Receipt, Rejection> {
    close::close(step, dialog, reason)?;
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// The most that the own fields of a dialog take together, in bytes of JSON. They are read and written with
/// each change of the dialog.
const CUSTOM_BYTES_MAX: usize = 64 * 1024;

/// Changes fields of a dialog; a change that changes nothing states nothing.
pub(super) fn update(
    step: &mut Step<'_>,
    dialog: DialogId,
    changes: &DialogChanges,
) -> Result<Receipt, Rejection> {
    let before = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?.clone();
    if changes.paused == Some(true) && !before.state.is_owned() {
        return Err(Rejection::WrongState { state: before.state });
    }
    let mut after = before.clone();
    change_fields(&mut after, changes);
    if after.custom != before.custom && json!(after.custom).to_string().len() > CUSTOM_BYTES_MAX {
        return Err(Rejection::CustomTooLarge { max: CUSTOM_BYTES_MAX });
    }
    if after != before {
        topics::change_audience(step, dialog, |step| {
            step.change_dialog(dialog, |row| change_fields(row, changes));
        });
        let mut data = serde_json::Map::new();
        if before.priority != after.priority {
            data.insert("priority".to_owned(), json!(after.priority));
        }
        if before.topic != after.topic {
            data.insert("topic".to_owned(), json!(after.topic));
        }
        if before.tags != after.tags {
            data.insert("tags".to_owned(), json!(after.tags));
        }
        if before.custom != after.custom {
            data.insert("custom".to_owned(), json!(after.custom));
        }
        step.emit(EventKind::DialogUpdated, dialog, None, data.into());
    }
    match changes.paused {
        Some(true) if before.life.paused.is_none() => pause::pause(step, dialog, None),
        Some(false) => pause::resume(step, dialog),
        Some(true) | None => Ok(Receipt { dialog: Some(dialog), message: None }),
    }
}

fn change_fields(dialog: &mut Dialog, changes: &DialogChanges) {
    if let Some(priority) = changes.priority {
        dialog.priority = priority;
    }
    if let Some(topic) = &changes.topic {
        dialog.topic.clone_from(topic);
    }
    if let Some(tags) = &changes.tags {
        dialog.tags.clone_from(tags);
    }
    for (field, value) in &changes.custom {
        if value.is_null() {
            dialog.custom.remove(field);
        } else {
            dialog.custom.insert(field.clone(), value.clone());
        }
    }
}
