//! What became of messages: ours on their way to the client, and the client's that were taken back.

use std::sync::Arc;

use serde_json::json;

use crate::model::event::EventKind;
use crate::model::id::{ChannelId, DialogId, MessageId};
use crate::model::inbound::{ExternalChat, Fate};
use crate::model::input_id;
use crate::model::message::{MessageStatus, Revision};
use crate::model::outcome::{KnownInput, Outcome, Receipt};

use super::log;
use super::step::Step;

/// A messenger that tells fates took a message: from now on it is found by the messenger's id.
pub(super) fn remember(step: &mut Step<'_>, dialog: DialogId, message: MessageId, external: &str) {
    let Some(row) = step.dialog(dialog) else { return };
    let kind = step.live.config.channels.get(&row.channel).map(crate::model::channel::Channel::kind);
    if !kind.is_some_and(crate::model::channel::ChannelKind::tells_fates) {
        return;
    }
    let key = input_id::sent(&row.channel, &row.external_chat, external);
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
fn found(step: &Step<'_>, key: &str) -> Option<(DialogId, MessageId)> {
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
    let receipt = Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(message) });
    let at_ms = step.at_ms;
    let Some(row) = step.state.messages.get(&message) else { return receipt };
    let is_news = match fate {
        Fate::Delivered => row.status == MessageStatus::Sent,
        Fate::Read => matches!(row.status, MessageStatus::Sent | MessageStatus::Delivered),
        Fate::Failed { .. } => row.status == MessageStatus::Sent,
    };
    let Some(row) = step.state.messages.get_mut(&message).filter(|_| is_news) else { return receipt };
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
        Fate::Failed { reason } => {
            row.status = MessageStatus::Failed;
            row.lost_at_ms = Some(at_ms);
            row.error = Some(reason.clone());
            (EventKind::MessageFailed, json!({"message": message, "error": reason}))
        }
    };
    step.emit(kind, dialog, Some(message), data);
    receipt
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
