//! What supervisors do with the dialogs of others: take them over, join them, rate the work.

use std::sync::Arc;

use serde_json::json;

use crate::model::decision::{TakeOver, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::life::SupervisorRating;
use crate::model::message::Author;
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Receipt, Rejection};

use super::routing::candidates;
use super::step::Step;
use super::{offers, texts, transfer};

/// The most people who listen to one dialog: the row is kept in memory as a whole.
const JOINED_MAX: usize = 20;

/// An operator takes a dialog from whoever has it, or out of the queue. Like a transfer by hand it may exceed
/// a capacity, and the record says so.
pub(super) fn take_over(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: &OperatorId,
) -> Result<Receipt, Rejection> {
    let row = transfer::may_be_given(step, dialog)?;
    if !step.live.config.operators.contains_key(operator) {
        return Err(Rejection::UnknownOperator);
    }
    if row.owner.as_ref() == Some(operator) {
        return Err(Rejection::OwnedAlready);
    }
    let from = row.owner.clone();
    let verdict = verdict(step, row, operator, from.clone());
    offers::end_all(step, dialog, OfferEnd::TakenByOther);
    let at_ms = step.at_ms;
    step.change_dialog(dialog, |row| {
        row.owner = Some(operator.clone());
        row.accepted_at_ms = Some(at_ms);
        if !row.state.is_owned() {
            row.state = DialogState::Accepted;
        }
        row.declined.clear();
        row.rounds = 0;
        row.route.reserved = None;
        row.route.owner_answered = row.route.others_answered.remove(operator);
        row.life.joined.remove(operator);
    });
    step.undecided.remove(&dialog);
    texts::somebody_answers(step, dialog);
    if let Some(verdict) = verdict {
        step.record(dialog, verdict);
    }
    let by = Author::Operator(operator.clone());
    let data = json!({"from": from, "to": {"operator": operator}, "by": by, "taken_over": true});
    step.emit(EventKind::DialogTransferred, dialog, None, data);
    step.emit(EventKind::DialogAccepted, dialog, None, json!({"offer": null, "operator": operator}));
    if let Some(from) = from {
        step.route_for(&from);
    }
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// The record of somebody who makes themself the owner.
pub(super) fn verdict(
    step: &Step<'_>,
    row: &Dialog,
    operator: &OperatorId,
    from: Option<OperatorId>,
) -> Option<Verdict> {
    let live = Arc::clone(&step.live);
    let line = live.line(&row.line)?;
    let place = live.members(&row.line, None).iter().position(|member| member == operator);
    let place = place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
    let weight = live.weight_milli(&row.line, &row.channel);
    Some(Verdict::TakeOver(TakeOver {
        operator: operator.clone(),
        from,
        order: candidates::ordering_keys(step.state, &live, line, &row.line, operator, place),
        over_limit: !candidates::has_room(step.state, &live, line, &row.line, operator, weight),
    }))
}

/// An operator listens to a dialog, or stops.
pub(super) fn set_joined(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: &OperatorId,
    joins: bool,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !step.live.config.operators.contains_key(operator) {
        return Err(Rejection::UnknownOperator);
    }
    if row.owner.as_ref() == Some(operator) && joins {
        return Err(Rejection::OwnedAlready);
    }
    if joins && !row.life.joined.contains(operator) && row.life.joined.len() >= JOINED_MAX {
        return Err(Rejection::TooManyJoined { max: JOINED_MAX });
    }
    if row.life.joined.contains(operator) != joins {
        step.change_dialog(dialog, |row| {
            if joins {
                row.life.joined.insert(operator.clone());
            } else {
                row.life.joined.remove(operator);
            }
        });
        let data = json!({"operator": operator, "joined": joins});
        step.emit(EventKind::DialogJoined, dialog, None, data);
    }
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// Somebody rates the operator's work.
pub(super) fn rate_work(
    step: &mut Step<'_>,
    dialog: DialogId,
    score: u8,
    comment: Option<String>,
    by: Author,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !(1..=5).contains(&score) {
        return Err(Rejection::WrongScore);
    }
    let before = row.life.supervisor_rating.as_ref().map(|rating| rating.score);
    let owner = row.owner.clone();
    let comment = comment.filter(|comment| !comment.trim().is_empty());
    let rating = SupervisorRating { score, comment, by: by.clone(), at_ms: step.at_ms };
    step.change_dialog(dialog, |row| row.life.supervisor_rating = Some(rating));
    let data = json!({"score": score, "before": before, "by": by, "operator": owner});
    step.emit(EventKind::DialogReviewed, dialog, None, data);
    Ok(Receipt { dialog: Some(dialog), message: None })
}
