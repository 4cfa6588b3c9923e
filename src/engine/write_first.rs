//! Writing first: a dialog that we open, or take, in a chat that exists and may be written to.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{ChatId, DialogId, LineId, OperatorId};
use crate::model::message::Author;
use crate::model::outcome::{Receipt, Rejection};

use super::commands::Written;
use super::outgoing::{Draft, WrittenBy, is_nothing, send};
use super::step::Step;
use super::{comeback, commands, intake, supervision, texts};

/// The dialog that is open in a chat.
pub(super) fn open_dialog(step: &Step<'_>, chat: ChatId) -> Option<DialogId> {
    step.state.chats.get(&chat).and_then(|chat| chat.open_dialog)
}

/// Whether an operator may take a dialog that nobody owns in order to write in it.
pub(super) fn may_take(step: &Step<'_>, row: &Dialog, operator: &OperatorId) -> Result<(), Rejection> {
    if !step.live.config.operators.contains_key(operator) {
        return Err(Rejection::UnknownOperator);
    }
    if !step.live.may_serve(operator, &row.line) {
        return Err(Rejection::OperatorNotOnLine);
    }
    if !texts::may_be_written_to(step, row) {
        return Err(Rejection::ClientBlocked);
    }
    Ok(())
}

/// An operator takes a dialog that nobody owns, as when writing first: beyond their capacity too, which the
/// record says.
pub(super) fn take(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId) -> Result<(), Rejection> {
    let is_closing = step.dialog(dialog).is_some_and(|row| row.state == DialogState::Closing);
    if is_closing {
        comeback::reopen_by_hand(step, dialog, Some(operator))?;
    }
    if step.dialog(dialog).is_some_and(|row| row.owner.as_ref() != Some(operator)) {
        supervision::take_over(step, dialog, operator)?;
    }
    Ok(())
}

/// An operator opens a dialog, owns it and writes its first message. Everything that can be refused is looked
/// at before anything changes. `lines`: those that the right of the asker reaches; `None`: all.
pub(super) fn write(
    step: &mut Step<'_>,
    chat: ChatId,
    operator: &OperatorId,
    written: Written<'_>,
    lines: Option<&BTreeSet<LineId>>,
) -> Result<Receipt, Rejection> {
    let live = Arc::clone(&step.live);
    let row = step.state.chats.get(&chat).ok_or(Rejection::UnknownChat)?;
    let channel_id = row.address.channel.clone();
    let channel = live.config.channels.get(&channel_id).ok_or(Rejection::UnknownChannel)?;
    if !live.config.operators.contains_key(operator) {
        return Err(Rejection::UnknownOperator);
    }
    let is_within_reach = lines.is_none_or(|lines| lines.contains(&channel.line));
    if !is_within_reach || !live.may_serve(operator, &channel.line) {
        return Err(Rejection::OperatorNotOnLine);
    }
    if let Some(dialog) = row.open_dialog {
        return Err(Rejection::OtherDialogOpen { dialog });
    }
    if !row.allowed {
        return Err(Rejection::ClientBlocked);
    }
    let mut dialog = intake::new_dialog(step, &channel_id, channel, chat).ok_or(Rejection::UnknownLine)?;
    dialog.state = DialogState::Accepted;
    dialog.owner = Some(operator.clone());
    dialog.accepted_at_ms = Some(step.at_ms);
    dialog.route.reserved = None;
    dialog.life.written_first = true;
    let (text, buttons) = commands::words(step, &dialog, written.content)?;
    if is_nothing(&text, written.attachments) {
        return Err(Rejection::EmptyText);
    }
    let verdict = supervision::verdict(step, &dialog, operator, None);
    let id = dialog.id;
    intake::add_dialog(step, dialog);
    texts::somebody_answers(step, id);
    if let Some(verdict) = verdict {
        step.record(id, verdict);
    }
    let author = Author::Operator(operator.clone());
    step.emit(EventKind::DialogOpened, id, None, json!({"first_contact": false, "by": author}));
    step.emit(EventKind::DialogAccepted, id, None, json!({"offer": null, "operator": operator}));
    let draft = Draft {
        author,
        text,
        buttons,
        attachments: written.attachments.to_vec(),
        reply_to: None,
        written_by: WrittenBy::Person,
        even_if_closed: false,
    };
    let message = send(step, id, draft)?;
    Ok(Receipt { dialog: Some(id), message: Some(message) })
}
