//! A dialog that was over, or nearly, goes on: with its owner if they can, else in the queue.

use std::sync::Arc;

use serde_json::json;

use crate::model::decision::{CandidateVerdict, Return, Trigger, Verdict};
use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::outcome::{Receipt, Rejection};

use super::routing::candidates;
use super::step::Step;

/// Whether an operator who wishes to go on with a dialog must be there for it. Who asks is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    AsTheLineSays,
    Given,
}

/// A client wrote while their dialog was closing.
pub(super) fn return_from_closing(step: &mut Step<'_>, dialog: DialogId) {
    let owner = step.dialog(dialog).and_then(|row| row.owner.clone());
    go_on(step, dialog, owner, Trigger::Returned, Presence::AsTheLineSays);
}

/// Whether a message that comes now reopens a closed dialog rather than opening a new one.
pub(super) fn is_within_window(step: &Step<'_>, row: &Dialog) -> bool {
    let Some(line) = step.live.line(&row.line) else { return false };
    let is_over_for_good = matches!(row.close_reason, Some(CloseReason::Spam | CloseReason::Duplicate));
    let is_recent = row
        .closed_at_ms
        .is_some_and(|closed_at_ms| step.at_ms.saturating_sub(closed_at_ms) < line.reopen_window_ms);
    is_recent && !is_over_for_good
}

/// A client wrote soon after the close.
pub(super) fn reopen_by_message(step: &mut Step<'_>, dialog: DialogId) {
    let owner = step.dialog(dialog).and_then(|row| row.owner.clone());
    go_on(step, dialog, owner, Trigger::Reopened, Presence::AsTheLineSays);
}

/// Somebody wants a closed dialog back. An operator who asks gets it themself if they have room.
pub(super) fn reopen_by_hand(
    step: &mut Step<'_>,
    dialog: DialogId,
    by: Option<&OperatorId>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !matches!(row.state, DialogState::Closing | DialogState::Closed) {
        return Err(Rejection::WrongState { state: row.state });
    }
    if step.live.line(&row.line).is_none() {
        return Err(Rejection::UnknownLine);
    }
    if !step.live.config.channels.contains_key(&row.channel) {
        return Err(Rejection::UnknownChannel);
    }
    let other = step.state.chats.get(&row.chat).and_then(|chat| chat.open_dialog);
    if let Some(other) = other.filter(|other| *other != dialog) {
        return Err(Rejection::OtherDialogOpen { dialog: other });
    }
    let (operator, presence) = match by {
        Some(asker) => (Some(asker.clone()), Presence::Given),
        None => (row.owner.clone(), Presence::AsTheLineSays),
    };
    let trigger = if row.state == DialogState::Closing { Trigger::Returned } else { Trigger::Reopened };
    go_on(step, dialog, operator, trigger, presence);
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// The dialog goes on, with the operator or in the queue. The time in the queue begins anew: nobody waited
/// while it was over.
fn go_on(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: Option<OperatorId>,
    trigger: Trigger,
    presence: Presence,
) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let verdict = operator.as_ref().map(|operator| judge(step, row, operator, presence));
    let owner = operator.clone().filter(|_| verdict == Some(CandidateVerdict::Eligible));
    let team = row.team.clone().filter(|team| live.config.teams.contains_key(team));
    let is_reopened = row.state == DialogState::Closed;
    let at_ms = step.at_ms;
    let chat = step.change_dialog(dialog, |row| {
        row.state = if owner.is_some() { DialogState::Accepted } else { DialogState::Queued };
        row.owner.clone_from(&owner);
        row.team = team;
        row.accepted_at_ms = owner.as_ref().map(|_| at_ms);
        row.queued_at_ms = at_ms;
        row.closed_at_ms = None;
        row.close_reason = None;
        row.declined.clear();
        row.rounds = 0;
        row.route.reserved = None;
        row.route.owner_answered = false;
        row.route.stage = 0;
        row.route.otherwise_done = false;
        row.life.closing_until_ms = None;
        row.life.begin_silence(None);
        if is_reopened {
            row.life.reopened = row.life.reopened.saturating_add(1);
        }
        row.chat
    });
    if let Some(chat) = chat.filter(|_| is_reopened)
        && let Some(chat) = step.state.chats.get_mut(&chat)
    {
        chat.open_dialog = Some(dialog);
    }
    step.record(dialog, Verdict::Return(Return { trigger, operator, verdict }));
    let kind = if is_reopened { EventKind::DialogReopened } else { EventKind::DialogReturned };
    step.emit(kind, dialog, None, json!({"owner": owner}));
    if owner.is_none() {
        step.emit(EventKind::DialogQueued, dialog, None, json!({"reason": trigger}));
        step.decide(dialog, trigger);
    }
}

/// Whether an operator can go on with a dialog.
fn judge(step: &Step<'_>, row: &Dialog, operator: &OperatorId, presence: Presence) -> CandidateVerdict {
    let live = &step.live;
    let Some(line) = live.line(&row.line) else { return CandidateVerdict::NotOnLine };
    let serves = live.may_serve(operator, &row.line)
        || live
            .config
            .operators
            .get(operator)
            .is_some_and(|declared| row.team.as_ref().is_some_and(|team| declared.teams.contains(team)));
    let weight = live.weight_milli(&row.line, &row.channel);
    if !serves {
        CandidateVerdict::NotOnLine
    } else if presence == Presence::AsTheLineSays && !candidates::is_there(step.state, line, operator) {
        CandidateVerdict::Offline
    } else if !candidates::has_room(step.state, live, line, &row.line, operator, weight) {
        CandidateVerdict::Full
    } else {
        CandidateVerdict::Eligible
    }
}
