//! One chat with several open dialogs: that never comes about, and is repaired all the same.
//!
//! A store of an earlier mistake must not leave chats whose messages go where nobody looks.

use crate::model::dialog::CloseReason;
use crate::model::id::{ChatId, DialogId};
use crate::model::offer::OfferEnd;

use super::step::Step;
use super::{close, offers};

/// Closes every open dialog that is not the one its chat goes on in. A chat that knows no open dialog goes on
/// in its newest.
pub(super) fn duplicates(step: &mut Step<'_>) {
    let open: Vec<(DialogId, ChatId)> = step
        .state
        .dialogs
        .iter()
        .filter(|(_, row)| row.closed_at_ms.is_none())
        .map(|(id, row)| (*id, row.chat))
        .collect();
    for (dialog, chat) in open.into_iter().rev() {
        let known = step.state.chats.get(&chat).map(|chat| chat.open_dialog);
        let is_open = |other: DialogId| step.dialog(other).is_some_and(|row| row.closed_at_ms.is_none());
        match known {
            Some(Some(other)) if other == dialog => {}
            Some(Some(other)) if is_open(other) => {
                offers::end_all(step, dialog, OfferEnd::DialogClosed);
                close::finish(step, dialog, CloseReason::Duplicate);
            }
            Some(_) => {
                if let Some(chat) = step.state.chats.get_mut(&chat) {
                    chat.open_dialog = Some(dialog);
                }
            }
            None => {}
        }
    }
}
