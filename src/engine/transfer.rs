//! Giving a dialog to somebody else, and putting it back into its queue.

use serde_json::json;

use crate::model::command::TransferTarget;
use crate::model::decision::{Transfer, Trigger, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::message::Author;
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Receipt, Rejection};

use super::offers::ChosenBy;
use super::routing::candidates;
use super::step::Step;
use super::{commands, offers, overflow};

/// Answers the row of a dialog that a person may give to somebody else: one that is neither over nor about to be.
pub(super) fn may_be_given<'s>(step: &'s Step<'_>, dialog: DialogId) -> Result<&'s Dialog, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    match row.state {
        DialogState::Closed => Err(Rejection::DialogClosed),
        DialogState::Closing => Err(Rejection::WrongState { state: row.state }),
        _ => Ok(row),
    }
}

/// Gives a dialog to an operator, a team or a line. The owner lets go of it; an operator gets an offer
/// that may exceed their capacity, because a person chose them.
pub(super) fn transfer(
    step: &mut Step<'_>,
    dialog: DialogId,
    to: &TransferTarget,
    comment: Option<&str>,
    author: &Author,
) -> Result<Receipt, Rejection> {
    may_be_given(step, dialog)?;
    check(step, dialog, to)?;
    if let Some(comment) = comment.filter(|comment| !comment.trim().is_empty()) {
        commands::note(step, dialog, author.clone(), comment.to_owned())?;
    }
    let from = release(step, dialog, OfferEnd::Transferred);
    let (live, at_ms) = (std::sync::Arc::clone(&step.live), step.at_ms);
    let (line, team) = match to {
        TransferTarget::Operator(_) => (None, None),
        TransferTarget::Team(team) => (None, Some(team.clone())),
        TransferTarget::Line(line) => (Some(line.clone()), None),
    };
    step.change_dialog(dialog, |row| {
        row.team = team;
        row.declined.clear();
        row.rounds = 0;
        row.route.reserved = None;
        if let Some(line) = line {
            row.line = line;
        }
        overflow::begin(row, &live, at_ms);
    });
    let data = json!({"from": from, "to": to, "by": author});
    step.emit(EventKind::DialogTransferred, dialog, None, data);
    match to {
        TransferTarget::Operator(operator) => offer_to_chosen(step, dialog, operator, author),
        TransferTarget::Team(_) | TransferTarget::Line(_) => {
            step.emit(EventKind::DialogQueued, dialog, None, json!({"reason": "transferred"}));
            step.decide(dialog, Trigger::Transferred);
        }
    }
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// Makes the offer, with a record of who chose and whether it goes beyond a limit.
fn offer_to_chosen(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId, author: &Author) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(line) = live.line(&row.line) else { return };
    let place = live.members(&row.line, None).iter().position(|member| member == operator);
    let place = place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
    let order = candidates::ordering_keys(step.state, &live, line, &row.line, operator, place);
    let weight = live.weight_milli(&row.line, &row.channel);
    let over_limit = !candidates::has_room(step.state, &live, line, &row.line, operator, weight);
    let offer = offers::make(step, dialog, operator, ChosenBy::Hand { over_limit });
    let transfer = Transfer { offer, operator: operator.clone(), by: author.clone(), order, over_limit };
    step.record(dialog, Verdict::Transfer(transfer));
}

/// Puts a dialog back into its queue. It keeps the place it had; who had it is asked last.
pub(super) fn requeue(
    step: &mut Step<'_>,
    dialog: DialogId,
    why: OfferEnd,
    trigger: Trigger,
    comment: Option<&str>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !row.state.is_owned() {
        return Err(Rejection::WrongState { state: row.state });
    }
    let from = release(step, dialog, why);
    if let Some(owner) = &from {
        step.change_dialog(dialog, |row| row.declined.insert(owner.clone(), why));
    }
    let mut data = json!({"reason": trigger, "from": from});
    if let (Some(comment), Some(data)) = (comment, data.as_object_mut()) {
        data.insert("comment".to_owned(), json!(comment));
    }
    step.emit(EventKind::DialogQueued, dialog, None, data);
    step.decide(dialog, trigger);
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// Whether the receiver exists and can take it.
fn check(step: &Step<'_>, dialog: DialogId, to: &TransferTarget) -> Result<(), Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    let config = &step.live.config;
    match to {
        TransferTarget::Operator(operator) => {
            if !config.operators.contains_key(operator) {
                return Err(Rejection::UnknownOperator);
            }
            if row.owner.as_ref() == Some(operator) {
                return Err(Rejection::OwnedAlready);
            }
            if !step.live.may_serve(operator, &row.line) {
                return Err(Rejection::OperatorNotOnLine);
            }
            let line = step.live.line(&row.line).ok_or(Rejection::UnknownLine)?;
            if !candidates::is_there(step.state, line, operator) {
                return Err(Rejection::OperatorUnavailable);
            }
            Ok(())
        }
        TransferTarget::Team(team) if !config.teams.contains_key(team) => Err(Rejection::UnknownTeam),
        TransferTarget::Line(line) if !config.lines.contains_key(line) => Err(Rejection::UnknownLine),
        TransferTarget::Team(_) | TransferTarget::Line(_) => Ok(()),
    }
}

/// Takes a dialog from its owner and ends its offers: it is `queued` afterwards. Returns the owner.
fn release(step: &mut Step<'_>, dialog: DialogId, how: OfferEnd) -> Option<OperatorId> {
    offers::end_all(step, dialog, how);
    let owner = step.change_dialog(dialog, |row| {
        if row.state.is_owned() {
            row.state = DialogState::Queued;
        }
        row.accepted_at_ms = None;
        row.route.owner_answered = false;
        row.route.reserved = None;
        row.life.paused = None;
        row.life.begin_silence(None);
        row.owner.take()
    })?;
    if let Some(owner) = &owner {
        step.route_for(owner);
    }
    owner
}
