//! Accepting and declining an offered dialog.

use std::sync::Arc;

use serde_json::json;

use crate::model::decision::Trigger;
use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OfferId, OperatorId};
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Receipt, Rejection};

use super::offers;
use super::routing::candidates;
use super::step::Step;

/// An operator takes a dialog that is offered to them. The first to accept wins.
pub(super) fn accept(
    step: &mut Step<'_>,
    dialog: DialogId,
    operator: &OperatorId,
) -> Result<Receipt, Rejection> {
    let offer = live_offer(step, dialog, operator)?;
    let at_ms = step.at_ms;
    offers::end(step, dialog, offer, OfferEnd::Accepted);
    offers::end_all(step, dialog, OfferEnd::TakenByOther);
    step.change_dialog(dialog, |row| {
        row.owner = Some(operator.clone());
        row.accepted_at_ms = Some(at_ms);
        row.state = DialogState::Accepted;
        row.declined.clear();
        row.rounds = 0;
    });
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
    if let Some(row) = step.dialog(dialog)
        && !somebody_else_could(step, row, operator)
    {
        return Err(Rejection::OnlyAvailableOperator);
    }
    offers::end(step, dialog, offer, OfferEnd::Declined);
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

/// Whether another operator is there and has room, whatever they said in this round.
fn somebody_else_could(step: &Step<'_>, row: &Dialog, operator: &OperatorId) -> bool {
    let live = Arc::clone(&step.live);
    let Some(line) = live.line(&row.line) else { return true };
    let weight = live.weight_milli(&row.line, &row.channel);
    live.members(&row.line, row.team.as_ref()).iter().any(|other| {
        other != operator
            && candidates::is_there(step.state, &live, line, other)
            && (candidates::has_room(step.state, &live, line, &row.line, other, weight)
                || row.offers.iter().any(|offer| offer.operator == *other))
    })
}
