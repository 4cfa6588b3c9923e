//! Writing to a client.

use serde_json::json;

use crate::model::channel::{Channel, ChannelKind};
use crate::model::dialog::DialogState;
use crate::model::effect::{EffectAction, Lane, Outgoing};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, MessageId};
use crate::model::line::Counts;
use crate::model::message::{Attachment, Author, Button, Direction, Message, MessageStatus};
use crate::model::outcome::Rejection;

use super::step::Step;
use super::{delivery, identity, log, mail_loop, silence};

/// Something to be written to a client.
pub(super) struct Draft {
    pub(super) author: Author,
    pub(super) text: String,
    pub(super) buttons: Vec<Button>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) reply_to: Option<String>,
    pub(super) written_by: WrittenBy,
    /// A last word: it may be said when the dialog is closed already.
    pub(super) even_if_closed: bool,
}

impl Draft {
    /// Whether there is nothing in it to be sent.
    pub(super) fn is_empty(&self) -> bool {
        is_nothing(&self.text, &self.attachments)
    }
}

/// Whether a text with files is nothing to be sent: a file needs no words.
pub(super) fn is_nothing(text: &str, attachments: &[Attachment]) -> bool {
    text.trim().is_empty() && attachments.is_empty()
}

/// Whether a person or a machine wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenBy {
    Person,
    Machine,
}

/// Puts a message into the log and the outbox.
pub(super) fn send(step: &mut Step<'_>, dialog: DialogId, draft: Draft) -> Result<MessageId, Rejection> {
    if draft.is_empty() {
        return Err(Rejection::EmptyText);
    }
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    match row.state {
        DialogState::Closed if !draft.even_if_closed => return Err(Rejection::DialogClosed),
        // The work is done. Who wants to go on with it reopens it.
        DialogState::Closing if draft.written_by == WrittenBy::Person => {
            return Err(Rejection::WrongState { state: row.state });
        }
        _ => {}
    }
    let (channel, chat_id, line) = (row.channel.clone(), row.chat, row.line.clone());
    let chat = step.state.chats.get(&chat_id).ok_or(Rejection::UnknownDialog)?;
    if !chat.allowed {
        return Err(Rejection::ClientBlocked);
    }
    let client = chat.client;
    // Where the chat is now: it may have moved since the dialog began.
    let (external_chat, user) = (chat.address.chat.clone(), chat.address.user.clone());
    let context = chat.context.clone();
    let kind = step.live.config.channels.get(&channel).map(Channel::kind);
    if draft.written_by == WrittenBy::Machine {
        if kind == Some(ChannelKind::Email) && step.apply_version >= 4 {
            mail_loop::count(step, client)?;
        }
        silence::keep_start(step, dialog);
    }
    let id = step.new_message();
    let sender = step.dialog(dialog).and_then(|row| identity::sender(&step.live, row, &draft.author));
    let text = match &sender {
        // Where the messenger has no place for a name, it stands above the text; a file alone goes without.
        Some(name) if !draft.text.trim().is_empty() && !kind.is_some_and(ChannelKind::shows_sender) => {
            format!("{name}:\n{}", draft.text)
        }
        _ => draft.text.clone(),
    };
    let lane = Lane::Chat { channel: channel.clone(), chat: external_chat.clone() };
    let action = EffectAction::Send(Outgoing {
        channel,
        chat: external_chat,
        user,
        message: id,
        text,
        sender,
        buttons: draft.buttons.clone(),
        attachments: draft.attachments.clone(),
        reply_to: draft.reply_to.clone(),
        // Entries of version 1 did not tell: their effects stay as they were.
        automatic: draft.written_by == WrittenBy::Machine && step.apply_version >= 2,
        context,
    });
    let effect = delivery::emit_effect(step, dialog, lane, action);
    let by_operator = matches!(draft.author, Author::Operator(_));
    log::append(
        step,
        Message {
            id,
            dialog,
            chat: chat_id,
            direction: Direction::Out,
            author: draft.author.clone(),
            text: draft.text,
            attachments: draft.attachments,
            buttons: draft.buttons,
            status: MessageStatus::Queued,
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
            note: false,
            automatic: draft.written_by == WrittenBy::Machine,
            reply_to: draft.reply_to,
            button: None,
            unsupported: None,
            effect: Some(effect),
            letter: None,
        },
        |_| {},
    );
    if by_operator && draft.written_by == WrittenBy::Person {
        let open = step.live.line(&line).is_none_or(|line| step.live.is_open(line, step.at_ms));
        let at_ms = step.at_ms;
        let counts = step.live.line(&line).map(|line| line.routing.counts).unwrap_or_default();
        let remembers = counts == Counts::UntilFirstAnswer && step.apply_version >= 2;
        let owner = step.change_dialog(dialog, |dialog| {
            if remembers
                && let Author::Operator(operator) = &draft.author
                && dialog.owner.as_ref() != Some(operator)
            {
                dialog.route.others_answered.insert(operator.clone());
            }
            dialog.route.owner_answered |= counts == Counts::UntilFirstAnswer && dialog.state.is_owned();
            dialog.first_response_at_ms.get_or_insert(at_ms);
            dialog.unread = 0;
            dialog.life.begin_silence(None);
            if open {
                dialog.out_of_hours_told = false;
            }
            if matches!(dialog.state, DialogState::Accepted | DialogState::WaitingOperator) {
                dialog.state = DialogState::WaitingClient;
            }
            dialog.owner.clone()
        });
        // An answer may free capacity.
        if counts != Counts::UntilClosed
            && let Some(Some(owner)) = owner
        {
            step.route_for(&owner);
        }
    }
    let data = json!({"message": id, "author": draft.author, "delivery": effect});
    step.emit(EventKind::MessageQueued, dialog, Some(id), data);
    Ok(id)
}
