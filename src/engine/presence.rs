//! Operators come, step away and go; who lets offers expire is set away.

use serde_json::json;

use crate::model::decision::Trigger;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::offer::OfferEnd;
use crate::model::operator::{OperatorStatus, Presence};
use crate::model::outcome::{Receipt, Rejection};

use super::routing::shifts;
use super::step::Step;

/// An operator says how they are.
pub(super) fn set(
    step: &mut Step<'_>,
    operator: &OperatorId,
    presence: Presence,
) -> Result<Receipt, Rejection> {
    if !step.live.config.operators.contains_key(operator) {
        return Err(Rejection::UnknownOperator);
    }
    let before = step.state.presence(operator);
    if before == presence && step.state.operators.contains(operator) {
        return Ok(Receipt::default());
    }
    change(step, operator, presence, None);
    Ok(Receipt::default())
}

fn change(step: &mut Step<'_>, operator: &OperatorId, presence: Presence, reason: Option<&str>) {
    let before = step.state.presence(operator);
    let known = step.state.operators.get(operator);
    let status = OperatorStatus {
        presence,
        since_ms: step.at_ms,
        missed: 0,
        ..known.cloned().unwrap_or_else(|| OperatorStatus::unknown(operator.clone(), step.at_ms))
    };
    step.state.put_status(status);
    step.presence_changed = true;
    let mut data = json!({"operator": operator, "from": before, "to": presence});
    if let (Some(reason), Some(data)) = (reason, data.as_object_mut()) {
        data.insert("reason".to_owned(), json!(reason));
    }
    step.emit_general(EventKind::OperatorPresence, None, data);
    if presence == Presence::Online {
        ask_again(step, operator);
    } else {
        shifts::withdraw(step, operator, OfferEnd::OperatorAway, Trigger::OperatorGone);
    }
    step.route_for(operator);
}

/// Who comes back may be asked about dialogs of which everybody has had enough: something has changed.
fn ask_again(step: &mut Step<'_>, operator: &OperatorId) {
    let declined = |dialog: &&DialogId| {
        step.state.dialogs.get(*dialog).is_some_and(|row| row.declined.contains_key(operator))
    };
    let tired: Vec<DialogId> = step.state.tired.iter().filter(declined).copied().collect();
    for dialog in tired {
        step.change_dialog(dialog, |row| row.declined.remove(operator));
    }
}

/// An operator let an offer expire: after too many in a row on a line that counts them they are set away.
pub(super) fn missed(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId) {
    let max = step
        .dialog(dialog)
        .and_then(|row| step.live.line(&row.line))
        .and_then(|line| line.routing.max_missed);
    let (Some(max), Some(status)) = (max, step.state.operators.get(operator)) else { return };
    let mut status = status.clone();
    status.missed = status.missed.saturating_add(1);
    let is_too_much = status.missed >= max && status.presence == Presence::Online;
    step.state.put_status(status);
    if is_too_much {
        change(step, operator, Presence::Away, Some("missed_offers"));
    }
}

/// An operator answered an offer: they are there.
pub(super) fn answered(step: &mut Step<'_>, operator: &OperatorId) {
    if let Some(status) = step.state.operators.get(operator).filter(|status| status.missed > 0) {
        let status = OperatorStatus { missed: 0, ..status.clone() };
        step.state.put_status(status);
    }
}
