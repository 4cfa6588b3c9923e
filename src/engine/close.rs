//! Closing a dialog: at once, or by way of `closing`, while the client may rate it.

use serde_json::json;

use crate::model::decision::{Abandoned, TimerDone, TimerVerdict, Verdict};
use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::DialogId;
use crate::model::offer::OfferEnd;
use crate::model::outcome::Rejection;
use crate::model::timer::LifeTimer;

use super::deadlines::Due;
use super::step::Step;
use super::{offers, rating, texts};

/// Ends the work on a dialog: its offers end, its owner has room again. Where the client is asked for a rating
/// it is `closing` until the vote or the end of the window, otherwise closed: the next message opens a new
/// one. What is in the outbox is still delivered.
pub(super) fn close(step: &mut Step<'_>, dialog: DialogId, reason: CloseReason) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    let reason = reason_of(step, row, reason);
    match row.state {
        DialogState::Closed => return Err(Rejection::DialogClosed),
        DialogState::Closing => {
            // Nobody waits for the vote any longer. The work was done for the first reason, unless this one says
            // that there was nothing to work on.
            let first = row.close_reason.filter(|_| reason.is_rated());
            finish(step, dialog, first.unwrap_or(reason));
            return Ok(());
        }
        _ => {}
    }
    if matches!(reason, CloseReason::Operator | CloseReason::Client) {
        texts::closing(step, dialog);
    }
    offers::end_all(step, dialog, OfferEnd::DialogClosed);
    match rating::ask(step, dialog, reason) {
        Some(asked) => wait_for_vote(step, dialog, reason, asked),
        None => finish(step, dialog, reason),
    }
    Ok(())
}

/// What a reason to close comes to.
pub(super) fn reason_of(step: &Step<'_>, row: &Dialog, reason: CloseReason) -> CloseReason {
    if step.apply_version >= 2 { row.reason_to_close(reason) } else { reason }
}

/// A client forbade us to write before a person has written to them: whoever took the dialog could not
/// answer. Should they come back, they write.
pub(super) fn abandon(step: &mut Step<'_>, dialog: DialogId) {
    let is_abandoned = step
        .dialog(dialog)
        .is_some_and(|row| row.first_response_at_ms.is_none() && row.state != DialogState::Closing);
    if is_abandoned && step.apply_version >= 2 {
        // A rule may have closed it before.
        drop(close(step, dialog, CloseReason::Abandoned));
    }
}

/// The work is done, the client may vote.
fn wait_for_vote(
    step: &mut Step<'_>,
    dialog: DialogId,
    reason: CloseReason,
    asked: crate::model::life::Rating,
) {
    let until_ms = asked.until_ms;
    let owner = step.change_dialog(dialog, |row| {
        row.state = DialogState::Closing;
        row.close_reason = Some(reason);
        row.life.closing_until_ms = Some(until_ms);
        row.life.rating = Some(asked);
        row.life.paused = None;
        row.owner.clone()
    });
    let Some(owner) = owner else { return };
    step.undecided.remove(&dialog);
    let data = json!({"reason": reason, "owner": owner, "closes_at_ms": until_ms});
    step.emit(EventKind::DialogClosing, dialog, None, data);
    if let Some(owner) = owner {
        step.route_for(&owner);
    }
}

/// The dialog is over.
pub(super) fn finish(step: &mut Step<'_>, dialog: DialogId, reason: CloseReason) {
    let at_ms = step.at_ms;
    if reason == CloseReason::Abandoned
        && let Some(row) = step.dialog(dialog)
    {
        let abandoned = Abandoned { since_ms: row.queued_at_ms, owner: row.owner.clone() };
        step.record(dialog, Verdict::Abandoned(abandoned));
    }
    let closed = step.change_dialog(dialog, |row| {
        row.state = DialogState::Closed;
        row.closed_at_ms = Some(at_ms);
        row.close_reason = Some(reason);
        row.life.closing_until_ms = None;
        row.life.paused = None;
        (row.chat, row.owner.clone())
    });
    let Some((chat, owner)) = closed else { return };
    if let Some(chat) = step.state.chats.get_mut(&chat)
        && chat.open_dialog == Some(dialog)
    {
        chat.open_dialog = None;
        chat.last_dialog = Some(dialog);
    }
    step.undecided.remove(&dialog);
    step.emit(EventKind::DialogClosed, dialog, None, json!({"reason": reason, "owner": owner}));
    if let Some(owner) = owner {
        step.route_for(&owner);
    }
}

/// The window for the vote is over.
pub(super) fn vote_never_came(step: &mut Step<'_>, dialog: DialogId, due: Due) {
    let reason = step.dialog(dialog).and_then(|row| row.close_reason).unwrap_or(CloseReason::Operator);
    let verdict = TimerVerdict {
        timer: LifeTimer::Closing,
        due_ms: due.at_ms,
        since_ms: due.since_ms,
        done: TimerDone::Closed,
    };
    step.record(dialog, Verdict::Timer(verdict));
    finish(step, dialog, reason);
}
