//! What a client who waits can be told: the place in the queue and how long it may take.
//!
//! How long is estimated from the pace of those who are there: how much time passes between two dialogs that
//! an operator takes while others wait. Nothing is estimated before somebody has taken two in a row.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::id::{DialogId, OperatorId};
use crate::model::operator::Pace;

use super::routing::candidates;
use super::routing::queue::Place;
use super::step::Step;
use super::texts;

/// Places are counted up to here. Whoever is further behind learns that they are this far: nobody waits for
/// an exact number, and counting must not grow with the queue.
const POSITION_MAX: usize = 1_000;

/// A longer time between two accepts is a break, not a pace.
const INTERVAL_MS_MAX: u64 = 4 * 60 * 60 * 1000;

/// How much of the average a new interval leaves: three of four parts.
const KEPT: u64 = 3;

/// An operator has accepted a dialog out of the queue.
pub(super) fn accepted(step: &mut Step<'_>, dialog: DialogId, operator: &OperatorId) {
    texts::somebody_answers(step, dialog);
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    if live.line(&row.line).is_none_or(|line| line.texts.queue_position.is_none()) {
        return;
    }
    let (queued_at_ms, at_ms) = (row.queued_at_ms, step.at_ms);
    let Some(status) = step.state.operators.get_mut(operator) else { return };
    let interval_ms = match status.pace {
        // This dialog waited already when they took the last one: the time between is what one takes.
        Some(pace) if queued_at_ms <= pace.accepted_ms => {
            let sample_ms = at_ms.saturating_sub(pace.accepted_ms).clamp(1, INTERVAL_MS_MAX);
            match pace.interval_ms {
                0 => sample_ms,
                known_ms => known_ms.saturating_mul(KEPT).saturating_add(sample_ms) / (KEPT + 1),
            }
        }
        Some(pace) => pace.interval_ms,
        None => 0,
    };
    status.pace = Some(Pace { accepted_ms: at_ms, interval_ms });
}

/// `queue`, as templates see it: `position`, from 1, and `wait_minutes`, from 1, where it can be estimated.
pub(super) fn facts(step: &Step<'_>, dialog: DialogId) -> Value {
    let Some(position) = position(step, dialog) else { return json!({}) };
    match wait_ms(step, dialog, position) {
        Some(wait_ms) => json!({"position": position, "wait_minutes": wait_ms.div_ceil(60_000).max(1)}),
        None => json!({"position": position}),
    }
}

/// The place among those who wait on the line, from 1; at most [`POSITION_MAX`].
fn position(step: &Step<'_>, dialog: DialogId) -> Option<u64> {
    let row = step.dialog(dialog)?;
    let ageing = step.live.line(&row.line).and_then(|line| line.ageing.as_ref());
    let place = Place::of(row, ageing, step.at_ms);
    let before = step.state.waiting.get(&row.line)?.range(..place).take(POSITION_MAX - 1).count();
    u64::try_from(before + 1).ok()
}

/// How long it may take until somebody is free for the dialog at a place, in ms.
fn wait_ms(step: &Step<'_>, dialog: DialogId, position: u64) -> Option<u64> {
    /// Fine enough for an accept in hours, with room for thousands of operators.
    const SCALE: u64 = 1_000_000_000_000;
    let row = step.dialog(dialog)?;
    let line = step.live.line(&row.line)?;
    let members = step.live.members(&row.line, row.team.as_ref());
    let rate = members
        .iter()
        .filter(|operator| candidates::is_there(step.state, line, operator))
        .filter_map(|operator| step.state.operators.get(operator)?.pace)
        .filter_map(|pace| SCALE.checked_div(pace.interval_ms))
        .fold(0_u64, u64::saturating_add);
    position.saturating_mul(SCALE).checked_div(rate)
}
