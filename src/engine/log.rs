//! A dialog's log: messages and notes in the order in which they came.

use std::sync::Arc;

use crate::model::dialog::{Dialog, LastMessage};
use crate::model::message::Message;

use super::step::Step;

/// Adds a message or note to its dialog, which `also` changes along with it.
pub(super) fn append(step: &mut Step<'_>, message: Message, also: impl FnOnce(&mut Dialog)) {
    let shown = (!message.note).then(|| summary(&message));
    step.change_dialog(message.dialog, |dialog| {
        dialog.messages = dialog.messages.saturating_add(1);
        if shown.is_some() {
            dialog.last_message = shown;
        }
        also(dialog);
    });
    step.state.messages.put(message.id, Arc::new(message));
}

/// A message as lists show it.
pub(super) fn summary(message: &Message) -> LastMessage {
    LastMessage {
        id: message.id,
        direction: message.direction,
        author: message.author.clone(),
        text: beginning(&message.text).to_owned(),
        at_ms: message.at_ms,
    }
}

/// As much of a text as lists show.
fn beginning(text: &str) -> &str {
    match text.char_indices().nth(LastMessage::TEXT_CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}
