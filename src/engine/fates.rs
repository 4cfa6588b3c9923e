//! What became of messages: ours on their way to the client, and the client's that were taken back.

use std::sync::Arc;

use serde_json::json;

use crate::model::channel::{Channel, ChannelKind};
use crate::model::chat::{Chat, Unseen};
use crate::model::effect::Refusal;
use crate::model::event::EventKind;
use crate::model::id::{ChannelId, DialogId, LineId, MessageId};
use crate::model::inbound::{ExternalChat, ExternalUser, Fate, UpTo};
use crate::model::input_id;
use crate::model::message::{MessageStatus, Revision};
use crate::model::outcome::{KnownInput, Outcome, Receipt};

use super::step::Step;
use super::{delivery, log};

/// A messenger that speaks of our messages took one: from now on it is found by the messenger's id. `since_ms` is
/// when the attempt began that brought it there.
pub(super) fn remember(
    step: &mut Step<'_>,
    dialog: DialogId,
    message: MessageId,
    external: &str,
    since_ms: u64,
) {
    let Some(row) = step.dialog(dialog) else { return };
    let Some(kind) = step.live.config.channels.get(&row.channel).map(Channel::kind) else { return };
    // Entries of earlier versions remembered messages for their fates alone.
    let is_spoken_of = if step.apply_version >= 3 { kind.speaks_of_ours() } else { kind.tells_fates() };
    if !is_spoken_of {
        return;
    }
    let (channel, chat) = (row.channel.clone(), row.chat);
    let Some(address) = step.state.chats.get(&chat).map(|chat| &chat.address) else { return };
    let key = input_id::sent(&channel, &address.chat, external);
    if ChannelKind::tells_fates_up_to(kind)
        && let Some(chat) = step.state.chats.get_mut(&chat)
    {
        chat.unseen.push(Unseen { dialog, message, since_ms });
        if chat.unseen.len() > Chat::UNSEEN_MAX {
            chat.unseen.remove(0);
        }
    }
    let receipt = Receipt { dialog: Some(dialog), message: Some(message) };
    let known = KnownInput {
        seq: step.seq,
        at_ms: step.at_ms,
        fingerprint: None,
        outcome: Outcome::Applied(receipt),
    };
    step.state.known_inputs.put(&key, known);
}

/// The dialog and message that a key leads to, if they are in memory.
pub(super) fn found(step: &Step<'_>, key: &str) -> Option<(DialogId, MessageId)> {
    match step.state.known_inputs.get(key).map(|known| &known.outcome) {
        Some(Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(message) })) => {
            step.state.messages.contains(message).then_some((*dialog, *message))
        }
        _ => None,
    }
}

/// The messenger tells how far a message of ours has come. Notices overtake one another: none takes a message
/// back to an earlier state.
pub(super) fn tell(
    step: &mut Step<'_>,
    channel: &ChannelId,
    chat: &ExternalChat,
    external: &str,
    fate: &Fate,
) -> Outcome {
    // What we never sent, or what another program sent under the same account, is nothing of ours.
    let Some((dialog, message)) = found(step, &input_id::sent(channel, &chat.id, external)) else {
        return Outcome::Applied(Receipt::default());
    };
    advance(step, dialog, message, fate);
    Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(message) })
}

/// The messenger tells that all messages of ours up to one have come so far. Only those are looked at that the
/// client has not seen yet.
pub(super) fn tell_up_to(
    step: &mut Step<'_>,
    channel: &ChannelId,
    external: &ExternalChat,
    up_to: &UpTo,
    fate: &Fate,
) -> Outcome {
    let user = ExternalUser { id: external.id.clone(), ..ExternalUser::default() };
    let chat = step.state.chat_at(channel, external, &user);
    let Some((chat, row)) = chat.and_then(|id| Some((id, step.state.chats.get(&id)?))) else {
        return Outcome::Applied(Receipt::default());
    };
    let reached = reached(step, channel, external, up_to, &row.unseen);
    let told: Vec<Unseen> = row.unseen.iter().take(reached).copied().collect();
    let Some(last) = told.last().copied() else { return Outcome::Applied(Receipt::default()) };
    for sent in told {
        advance(step, sent.dialog, sent.message, fate);
    }
    if *fate == Fate::Read
        && let Some(row) = step.state.chats.get_mut(&chat)
    {
        row.unseen.drain(..reached.min(row.unseen.len()));
    }
    Outcome::Applied(Receipt { dialog: Some(last.dialog), message: Some(last.message) })
}

/// How many of the messages that wait to be seen a notice reaches.
fn reached(
    step: &Step<'_>,
    channel: &ChannelId,
    chat: &ExternalChat,
    up_to: &UpTo,
    unseen: &[Unseen],
) -> usize {
    let up_to_last = |is_reached: &dyn Fn(&Unseen) -> bool| {
        unseen.iter().rposition(is_reached).map_or(0, |last| last.saturating_add(1))
    };
    match up_to {
        UpTo::TimeMs(until_ms) => up_to_last(&|sent| sent.since_ms <= *until_ms),
        UpTo::Message(external) => match found(step, &input_id::sent(channel, &chat.id, external)) {
            Some((_, message)) => up_to_last(&|sent| sent.message <= message),
            // The client's own message, or one that was written elsewhere: where messengers number the messages of
            // a chat, ours before it have smaller numbers.
            None => external.parse::<u64>().map_or(0, |number| {
                up_to_last(&|sent| {
                    let row = step.state.messages.get(&sent.message);
                    let ours = row.and_then(|row| row.external_id.as_deref()?.parse::<u64>().ok());
                    ours.is_some_and(|ours| ours <= number)
                })
            }),
        },
    }
}

/// Takes a message of ours to a later state.
fn advance(step: &mut Step<'_>, dialog: DialogId, message: MessageId, fate: &Fate) {
    let at_ms = step.at_ms;
    let Some(row) = step.state.messages.get(&message) else { return };
    let is_news = match fate {
        Fate::Delivered => row.status == MessageStatus::Sent,
        Fate::Read => matches!(row.status, MessageStatus::Sent | MessageStatus::Delivered),
        Fate::Failed { .. } => row.status == MessageStatus::Sent,
    };
    let Some(row) = step.state.messages.get_mut(&message).filter(|_| is_news) else { return };
    let row = Arc::make_mut(row);
    let (kind, data) = match fate {
        Fate::Delivered => {
            row.status = MessageStatus::Delivered;
            row.delivered_at_ms = Some(at_ms);
            (EventKind::MessageDelivered, json!({"message": message}))
        }
        Fate::Read => {
            row.status = MessageStatus::Read;
            row.read_at_ms = Some(at_ms);
            (EventKind::MessageRead, json!({"message": message}))
        }
        Fate::Failed { reason, .. } => {
            row.status = MessageStatus::Failed;
            row.lost_at_ms = Some(at_ms);
            row.error = Some(reason.clone());
            (EventKind::MessageFailed, json!({"message": message, "error": reason}))
        }
    };
    let written_at_ms = row.at_ms;
    step.emit(kind, dialog, Some(message), data);
    if let Fate::Failed { refusal: Some(refusal), .. } = fate {
        match refusal {
            Refusal::Blocked => delivery::forbid_writing(step, dialog),
            Refusal::WindowClosed => delivery::close_window(step, dialog, written_at_ms),
            Refusal::Permanent | Refusal::Gone => {}
        }
    }
}

/// A sign below a message.
pub(super) struct Reaction<'a> {
    pub(super) chat: &'a ExternalChat,
    pub(super) user: &'a ExternalUser,
    /// The messenger's id of the message.
    pub(super) message: &'a str,
    /// `None`: it was taken back.
    pub(super) sign: Option<&'a str>,
}

/// A client answered a message, ours or their own, with a sign. It is no message: it opens no dialog and changes
/// no turn.
pub(super) fn react(
    step: &mut Step<'_>,
    channel: &ChannelId,
    line: &LineId,
    reaction: &Reaction<'_>,
) -> Outcome {
    let Reaction { chat, user, message: external, sign } = *reaction;
    let known = found(step, &input_id::message(channel, &chat.id, external))
        .or_else(|| found(step, &input_id::sent(channel, &chat.id, external)));
    let message = known.map(|(_, message)| message);
    let dialog = known.map(|(dialog, _)| dialog).or_else(|| {
        // A message from before we were there, or one part of a long text.
        let chat = step.state.chats.get(&step.state.chat_at(channel, chat, user)?)?;
        chat.open_dialog.or(chat.last_dialog).filter(|dialog| step.state.dialogs.contains(dialog))
    });
    let data = json!({
        "message": message, "external_id": external, "sign": sign, "removed": sign.is_none(),
    });
    match dialog {
        Some(dialog) => step.emit(EventKind::MessageReacted, dialog, message, data),
        None => step.emit_general(EventKind::MessageReacted, Some(line.clone()), data),
    }
    Outcome::Applied(Receipt { dialog, message })
}

/// A client took a message back: its text goes to its history, and its place stays.
pub(super) fn delete(
    step: &mut Step<'_>,
    channel: &ChannelId,
    chat: &ExternalChat,
    external: &str,
) -> Outcome {
    let Some((dialog, message)) = found(step, &input_id::message(channel, &chat.id, external)) else {
        return Outcome::Applied(Receipt::default());
    };
    let receipt = Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(message) });
    let at_ms = step.at_ms;
    let is_news = step.state.messages.get(&message).is_some_and(|row| row.deleted_at_ms.is_none());
    let Some(row) = step.state.messages.get_mut(&message).filter(|_| is_news) else { return receipt };
    let row = Arc::make_mut(row);
    let text = std::mem::take(&mut row.text);
    row.revisions.push(Revision { text, until_ms: at_ms });
    row.deleted_at_ms = Some(at_ms);
    let shown = log::summary(row);
    step.change_dialog(dialog, |dialog| {
        if dialog.last_message.as_ref().is_some_and(|last| last.id == message) {
            dialog.last_message = Some(shown);
        }
    });
    step.emit(EventKind::MessageDeleted, dialog, Some(message), json!({"message": message}));
    receipt
}
