//! Offers: made, ended, expired. An offer holds capacity from its making to its one end.

use serde_json::json;

use crate::model::decision::Trigger;
use crate::model::dialog::DialogState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OfferId, OperatorId};
use crate::model::offer::{Offer, OfferEnd};
use crate::model::operator::{OperatorStatus, Presence};
use crate::model::timer::TimerKey;

use super::step::Step;

/// Who chose the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChosenBy {
    /// The routing policy.
    Policy,
    /// A transfer to this operator by name. People may exceed the capacity by that; rules ask for room before.
    Hand,
}

/// Offers a waiting dialog to an operator.
pub(super) fn make(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId, by: ChosenBy) -> OfferId {
    let id = step.new_offer();
    let (seq, at_ms) = (step.seq, step.at_ms);
    let expires_at_ms = step
        .dialog(dialog)
        .and_then(|row| step.live.line(&row.line))
        .map(|line| line.routing.offer_timeout_ms)
        .filter(|timeout_ms| *timeout_ms > 0)
        .map(|timeout_ms| at_ms.saturating_add(timeout_ms));
    let offer = Offer {
        id,
        operator: operator.clone(),
        offered_at_ms: at_ms,
        expires_at_ms,
        by_hand: by == ChosenBy::Hand,
    };
    step.change_dialog(dialog, |row| {
        row.offers.push(offer);
        row.state = DialogState::Offered;
    });
    if let Some(due_ms) = expires_at_ms {
        step.state.timers.set(TimerKey::OfferExpires { dialog, offer: id }, due_ms);
    }
    let mut status = step.state.operators.get(operator).cloned().unwrap_or_else(|| OperatorStatus {
        id: operator.clone(),
        presence: Presence::Offline,
        since_ms: at_ms,
        last_offered_ms: 0,
        last_offered_seq: 0,
    });
    status.last_offered_ms = at_ms;
    status.last_offered_seq = seq;
    step.state.operators.put(operator.clone(), status);
    let data = json!({"offer": id, "operator": operator, "expires_at_ms": expires_at_ms});
    step.emit(EventKind::DialogOffered, dialog, None, data);
    id
}

/// Ends one offer. The dialog is `queued` again when it was the last one and nobody accepted.
pub(super) fn end(step: &mut Step<'_>, dialog: DialogId, offer: OfferId, end: OfferEnd) {
    let ended = step.change_dialog(dialog, |row| {
        let place = row.offers.iter().position(|live| live.id == offer)?;
        let ended = row.offers.remove(place);
        if matches!(end, OfferEnd::Declined | OfferEnd::Expired) {
            row.declined.insert(ended.operator.clone(), end);
        }
        if row.offers.is_empty() && row.state == DialogState::Offered {
            row.state = DialogState::Queued;
        }
        Some(ended)
    });
    let Some(Some(ended)) = ended else { return };
    step.state.timers.cancel(&TimerKey::OfferExpires { dialog, offer });
    let data = json!({"offer": offer, "operator": ended.operator, "end": end});
    step.emit(EventKind::DialogOfferEnded, dialog, None, data);
    step.route_for(&ended.operator);
}

/// Ends all offers of a dialog.
pub(super) fn end_all(step: &mut Step<'_>, dialog: DialogId, how: OfferEnd) {
    let offers: Vec<OfferId> =
        step.dialog(dialog).map(|row| row.offers.iter().map(|offer| offer.id).collect()).unwrap_or_default();
    for offer in offers {
        end(step, dialog, offer, how);
    }
}

/// The deadline of an offer has passed.
pub(super) fn expire(step: &mut Step<'_>, dialog: DialogId, offer: OfferId) {
    let is_live = step.dialog(dialog).is_some_and(|row| row.offers.iter().any(|live| live.id == offer));
    if is_live {
        end(step, dialog, offer, OfferEnd::Expired);
        step.decide(dialog, Trigger::Expired);
    }
}
