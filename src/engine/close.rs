//! Closing a dialog.

use serde_json::json;

use crate::model::dialog::{CloseReason, DialogState};
use crate::model::event::EventKind;
use crate::model::id::DialogId;
use crate::model::offer::OfferEnd;
use crate::model::outcome::Rejection;

use super::step::Step;
use super::{offers, texts};

/// Closes a dialog: its offers end, its owner has room again, the next message opens a new one. What
/// is in the outbox is still delivered.
pub(super) fn close(step: &mut Step<'_>, dialog: DialogId, reason: CloseReason) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if row.state == DialogState::Closed {
        return Err(Rejection::DialogClosed);
    }
    if reason == CloseReason::Operator {
        texts::closing(step, dialog);
    }
    offers::end_all(step, dialog, OfferEnd::DialogClosed);
    let at_ms = step.at_ms;
    let closed = step.change_dialog(dialog, |row| {
        row.state = DialogState::Closed;
        row.closed_at_ms = Some(at_ms);
        row.close_reason = Some(reason);
        (row.chat, row.owner.clone())
    });
    let Some((chat, owner)) = closed else { return Ok(()) };
    if let Some(chat) = step.state.chats.get_mut(&chat) {
        chat.open_dialog = None;
        chat.last_dialog = Some(dialog);
    }
    step.undecided.remove(&dialog);
    step.emit(EventKind::DialogClosed, dialog, None, json!({"reason": reason, "owner": owner}));
    if let Some(owner) = owner {
        step.route_for(&owner);
    }
    Ok(())
}
