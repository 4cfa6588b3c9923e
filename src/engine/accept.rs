//! Accepting and declining an offered dialog.

use std::sync::Arc;

use serde_json::json;

use crate::model::decision::Trigger;
use crate::model::dialog::DialogState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OfferId, OperatorId};
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Receipt, Rejection};

use super::routing::queue::Audience;
use super::step::Step;
use super::{offers, presence, waiting};

/// An operator takes a dialog that is offered to them. The first to accept wins.
pub(super) fn accept(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: &OperatorId,
) -> Result<Receipt, Rejection> {
    let offer = live_offer(step, dialog, operator)?;
    let at_ms = step.at_ms;
    offers::end(step, dialog, offer, OfferEnd::Accepted);
    presence::answered(step, operator);
    offers::end_all(step, dialog, OfferEnd::TakenByOther);
    step.change_dialog(dialog, |row| {
        row.owner = Some(operator.clone());
        row.accepted_at_ms = Some(at_ms);
        row.state = DialogState::Accepted;
        row.declined.clear();
        row.rounds = 0;
        row.route.reserved = None;
        row.route.owner_answered = row.route.others_answered.remove(operator);
    });
    waiting::accepted(step, dialog, operator);
    step.emit(EventKind::DialogAccepted, dialog, None, json!({"offer": offer, "operator": operator}));
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// An operator refuses a dialog that is offered to them.
pub(super) fn decline(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: &OperatorId,
) -> Result<Receipt, Rejection> {
    let offer = live_offer(step, dialog, operator)?;
    if !somebody_else_could(step, dialog, operator) {
        return Err(Rejection::OnlyAvailableOperator);
    }
    offers::end(step, dialog, offer, OfferEnd::Declined);
    presence::answered(step, operator);
    step.decide(dialog, Trigger::Declined);
    Ok(Receipt { dialog: Some(dialog), message: None })
}

fn live_offer(step: &Step<'_>, dialog: DialogId, operator: &OperatorId) -> Result<OfferId, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if row.state == DialogState::Closed {
        return Err(Rejection::DialogClosed);
    }
    row.offers
        .iter()
        .find(|offer| offer.operator == *operator)
        .map(|offer| offer.id)
        .ok_or_else(|| Rejection::NotOffered { owner: row.owner.clone() })
}

/// Whether another operator is there and has room, whatever they said in this round. A dialog that is kept
/// for one operator goes on to the others when they decline.
fn somebody_else_could(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId) -> bool {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return true };
    let mut audience = Audience::of(row, &live);
    audience.reserved = None;
    let pool = step.state.pool(&audience);
    let Some(row) = step.dialog(dialog) else { return true };
    let free = step.state.roster.free(pool.slot);
    let others = pool.set.iter().filter(|number| live.people.id(*number) != Some(operator));
    let is_asked = |number| {
        let other = live.people.id(number);
        row.offers.iter().any(|offer| Some(&offer.operator) == other)
    };
    let line = live.line(&row.line);
    let is_there = |number| {
        let seat = step.state.roster.seat(number);
        seat.zip(line).is_some_and(|(seat, line)| seat.is_there(line.routing.require_presence))
    };
    let mut able = others.filter(|number| free.has(*number) || (is_asked(*number) && is_there(*number)));
    able.next().is_some()
}
