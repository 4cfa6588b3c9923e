//! Offers: made, ended, expired. An offer holds capacity from its making to its one end.

use serde_json::json;

use crate::model::decision::Trigger;
use crate::model::dialog::DialogState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OfferId, OperatorId};
use crate::model::offer::{Offer, OfferEnd};
use crate::model::operator::OperatorStatus;
use crate::model::timer::TimerKey;

use super::presence;
use super::step::Step;

/// Who chose the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChosenBy {
    /// The routing policy.
    Policy,
    /// A transfer to this operator by name. People may exceed the capacity by that; rules ask for room before.
    Hand {
        /// Whether it goes beyond a limit of the operator.
        over_limit: bool,
    },
}

/// Offers a waiting dialog to an operator.
pub(super) fn make(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId, by: ChosenBy) -> OfferId {
    let id = step.new_offer();
    let (seq, at_ms) = (step.seq, step.at_ms);
    let row = step.dialog(dialog);
    // Who the dialog is kept for has no longer than that.
    let kept_until_ms = row.and_then(|row| row.route.reserved.as_ref()).map(|kept| kept.until_ms);
    let timeout_ms = row
        .and_then(|row| step.live.line(&row.line))
        .map(|line| line.routing.offer_timeout_ms)
        .filter(|timeout_ms| *timeout_ms > 0);
    let expires_at_ms =
        timeout_ms.map(|timeout_ms| at_ms.saturating_add(timeout_ms)).into_iter().chain(kept_until_ms).min();
    let offer = Offer {
        id,
        operator: operator.clone(),
        offered_at_ms: at_ms,
        expires_at_ms,
        by_hand: by != ChosenBy::Policy,
    };
    let mut status = step
        .state
        .operators
        .get(operator)
        .cloned()
        .unwrap_or_else(|| OperatorStatus::unknown(operator.clone(), at_ms));
    status.last_offered_ms = at_ms;
    status.last_offered_seq = seq;
    step.state.operators.put(operator.clone(), status);
    // The seat is brought up to date with the dialog.
    step.change_dialog(dialog, |row| {
        row.offers.push(offer);
        row.state = DialogState::Offered;
    });
    if let Some(due_ms) = expires_at_ms {
        step.state.timers.set(TimerKey::OfferExpires { dialog, offer: id }, due_ms);
    }
    let mut data = json!({"offer": id, "operator": operator, "expires_at_ms": expires_at_ms});
    if let (ChosenBy::Hand { over_limit: true }, Some(data)) = (by, data.as_object_mut()) {
        data.insert("over_limit".to_owned(), json!(true));
    }
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
        // Who had the chance and did not take it is waited for no longer.
        if row.route.reserved.as_ref().is_some_and(|kept| kept.operator == ended.operator) {
            row.route.reserved = None;
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
    end_those(step, dialog, how, |_| true);
}

/// Ends the offers of a dialog that are of this kind.
pub(super) fn end_those(
    step: &mut Step<'_>,
    dialog: DialogId,
    how: OfferEnd,
    which: impl Fn(&Offer) -> bool,
) {
    let offers: Vec<OfferId> = step
        .dialog(dialog)
        .map(|row| row.offers.iter().filter(|offer| which(offer)).map(|offer| offer.id).collect())
        .unwrap_or_default();
    for offer in offers {
        end(step, dialog, offer, how);
    }
}

/// The deadline of an offer has passed.
pub(super) fn expire(step: &mut Step<'_>, dialog: DialogId, offer: OfferId) {
    let live = step.dialog(dialog).and_then(|row| row.offers.iter().find(|live| live.id == offer));
    let Some(operator) = live.map(|live| live.operator.clone()) else { return };
    end(step, dialog, offer, OfferEnd::Expired);
    step.decide(dialog, Trigger::Expired);
    presence::missed(step, dialog, &operator);
}
