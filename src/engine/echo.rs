//! Messages that somebody wrote to a client in our name elsewhere: in the messenger's own application, or with
//! another program under the same account.
//!
//! They are kept where the client sees them, in the dialog. They are no answer of a person by our count: nobody can
//! tell a colleague on a telephone from an auto-reply of the messenger, and a client whom only an auto-reply has
//! answered still waits. So the turn, the clocks and what counts as unread stay as they are.

use serde_json::json;

use crate::model::effect::{Effect, EffectAction, EffectState, Lane, Outgoing};
use crate::model::event::EventKind;
use crate::model::id::{ChannelId, ChatId, DialogId, EffectId, LineId};
use crate::model::inbound::{ExternalChat, ExternalUser};
use crate::model::input_id;
use crate::model::message::{Attachment, Author, Direction, Message, MessageStatus};
use crate::model::outcome::{Outcome, Receipt};

use super::step::Step;
use super::{delivery, fates, log};

/// A text of at least so many bytes is a part of a longer text of ours when it stands in it. Messengers that are
/// given texts in parts take at least 1000 bytes at a time, so no part but the last is shorter.
const PART_MIN: usize = 200;

/// What was written.
pub(super) struct Echo<'a> {
    pub(super) channel: &'a ChannelId,
    pub(super) line: &'a LineId,
    pub(super) external_at_ms: Option<u64>,
    pub(super) chat: &'a ExternalChat,
    pub(super) user: &'a ExternalUser,
    /// The messenger's id of the message.
    pub(super) id: &'a str,
    pub(super) text: &'a str,
    pub(super) attachments: &'a [Attachment],
    /// The id of an effect of ours, where the messenger gives it back.
    pub(super) tracking: Option<&'a str>,
}

/// Keeps what was written elsewhere, and recognises what was written here.
pub(super) fn take(step: &mut Step<'_>, echo: &Echo<'_>) -> Outcome {
    if let Some(effect) = ours_by_tracking(step, echo).or_else(|| ours_on_its_way(step, echo)) {
        return reconcile(step, echo, effect);
    }
    let key = input_id::sent(echo.channel, &echo.chat.id, echo.id);
    if let Some((dialog, message)) = fates::found(step, &key) {
        return Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(message) });
    }
    let place = step.state.chat_at(echo.channel, echo.chat, echo.user);
    let place = place.and_then(|id| {
        let chat = step.state.chats.get(&id)?;
        // It opens no dialog: there is nothing to be done. It belongs to the last one.
        Some((id, chat.open_dialog.or(chat.last_dialog)?))
    });
    match place.filter(|(_, dialog)| step.state.dialogs.contains(dialog)) {
        Some((_, dialog)) if is_part_of_last(step, dialog, echo) => {
            Outcome::Applied(Receipt { dialog: Some(dialog), message: None })
        }
        Some((chat, dialog)) => keep(step, echo, chat, dialog),
        None => {
            let what = "message that was written elsewhere to somebody who never wrote";
            let data = json!({"channel": echo.channel, "what": what, "raw": echo.text});
            step.emit_general(EventKind::MessageUnsupported, Some(echo.line.clone()), data);
            Outcome::Applied(Receipt::default())
        }
    }
}

/// The effect whose id the messenger gave back.
fn ours_by_tracking(step: &Step<'_>, echo: &Echo<'_>) -> Option<EffectId> {
    let effect = step.state.effects.get(&echo.tracking?.parse::<EffectId>().ok()?)?;
    let outgoing = sent(effect)?;
    let is_it =
        outgoing.channel == *echo.channel && (outgoing.chat == echo.chat.id || outgoing.user == echo.user.id);
    is_it.then_some(effect.id)
}

/// The message of ours that is on its way in this chat, if it is the one: its answer may come after its echo.
fn ours_on_its_way(step: &Step<'_>, echo: &Echo<'_>) -> Option<EffectId> {
    let lane = Lane::Chat { channel: echo.channel.clone(), chat: echo.chat.id.clone() };
    let effect = step.state.effects.get(step.state.lanes.get(&lane)?.open.first()?)?;
    if matches!(effect.state, EffectState::Pending) && effect.attempts == 0 {
        return None;
    }
    let outgoing = sent(effect)?;
    let is_last_part = outgoing.text.len() > 2 * PART_MIN && outgoing.text.ends_with(echo.text.trim());
    let is_text = !echo.text.trim().is_empty() && (is_part(&outgoing.text, echo.text) || is_last_part);
    let is_file = echo.text.is_empty() && !echo.attachments.is_empty() && !outgoing.attachments.is_empty();
    (is_whole(outgoing, echo) || is_text || is_file).then_some(effect.id)
}

/// An echo of a message of ours adds nothing. One that shows the whole message has reached the client: an attempt
/// whose answer never came is delivered, and is not tried again.
fn reconcile(step: &mut Step<'_>, echo: &Echo<'_>, id: EffectId) -> Outcome {
    let Some(effect) = step.state.effects.get(&id) else { return Outcome::Applied(Receipt::default()) };
    let Some(outgoing) = sent(effect) else { return Outcome::Applied(Receipt::default()) };
    let receipt = Receipt { dialog: Some(effect.dialog), message: Some(outgoing.message) };
    if is_whole(outgoing, echo) {
        delivery::arrived(step, id, Some(echo.id.to_owned()));
    }
    Outcome::Applied(receipt)
}

/// Adds it to a dialog, as a message that the messenger has taken.
fn keep(step: &mut Step<'_>, echo: &Echo<'_>, chat: ChatId, dialog: DialogId) -> Outcome {
    let id = step.new_message();
    let message = Message {
        id,
        dialog,
        chat,
        direction: Direction::Out,
        author: Author::Elsewhere,
        text: echo.text.to_owned(),
        attachments: echo.attachments.to_vec(),
        buttons: Vec::new(),
        status: MessageStatus::Sent,
        error: None,
        external_id: Some(echo.id.to_owned()),
        at_ms: step.at_ms,
        external_at_ms: echo.external_at_ms,
        edited_at_ms: None,
        external_edited_at_ms: None,
        deleted_at_ms: None,
        delivered_at_ms: None,
        read_at_ms: None,
        lost_at_ms: None,
        revisions: Vec::new(),
        note: false,
        automatic: false,
        reply_to: None,
        button: None,
        unsupported: None,
        effect: None,
        letter: None,
    };
    log::append(step, message, |_| {});
    fates::remember(step, dialog, id, echo.id, echo.external_at_ms.unwrap_or(step.at_ms).min(step.at_ms));
    step.emit(EventKind::MessageEchoed, dialog, Some(id), json!({"message": id}));
    Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(id) })
}

const fn sent(effect: &Effect) -> Option<&Outgoing> {
    match &effect.action {
        EffectAction::Send(outgoing) => Some(outgoing),
        EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => None,
    }
}

/// Whether an echo shows all of a message.
fn is_whole(outgoing: &Outgoing, echo: &Echo<'_>) -> bool {
    let (ours, theirs) = (outgoing.text.trim(), echo.text.trim());
    let files = outgoing.attachments.len();
    ours == theirs && if ours.is_empty() { files == 1 && !echo.attachments.is_empty() } else { files == 0 }
}

/// Whether a text is a part of a longer one.
fn is_part(whole: &str, part: &str) -> bool {
    let part = part.trim();
    part.len() >= PART_MIN && part.len() < whole.len() && whole.contains(part)
}

/// Whether it is a part of what we wrote last: of the parts of a long text only one has an id that we keep.
fn is_part_of_last(step: &Step<'_>, dialog: DialogId, echo: &Echo<'_>) -> bool {
    let last = step.dialog(dialog).and_then(|row| row.last_message.as_ref());
    let last = last.and_then(|last| step.state.messages.get(&last.id));
    last.is_some_and(|row| row.effect.is_some() && is_part(&row.text, echo.text))
}
