//! What is promised: the deadline by which a dialog is ordered is that of its clocks.

use crate::engine::state::State;
use crate::model::sla::SlaTarget;

use super::{Found, open};

/// The clocks that stand for an operator who is awaited. The close of a dialog hurries nobody to accept it.
const AWAITED: [SlaTarget; 3] = [SlaTarget::FirstResponse, SlaTarget::NextResponse, SlaTarget::FirstAccept];

/// The deadline in the order of the queue is the least due time of the clocks that run.
pub(super) fn deadlines(state: &State, found: &mut Found) {
    for dialog in open(state) {
        let clocks = AWAITED.iter().filter_map(|target| dialog.sla.0.get(target));
        let running =
            clocks.filter(|clock| clock.stopped_at_ms.is_none() && clock.counting_since_ms.is_some());
        let earliest_ms = running.filter_map(|clock| clock.due_at_ms).min();
        found.check("I39", dialog.route.deadline_ms == earliest_ms, || {
            format!(
                "{} is ordered by {:?} and its clocks say {earliest_ms:?}",
                dialog.id, dialog.route.deadline_ms
            )
        });
        for (target, clock) in &dialog.sla.0 {
            let stands_still = clock.counting_since_ms.is_none() && clock.stopped_at_ms.is_none();
            found.check("I39", !stands_still || clock.due_at_ms.is_none(), || {
                format!("{target:?} of {} stands still and is due {:?}", dialog.id, clock.due_at_ms)
            });
            let is_early = clock.breached_at_ms.is_some_and(|at_ms| at_ms > state.position().at_ms);
            found
                .check("I39", !is_early, || format!("{target:?} of {} is broken before its time", dialog.id));
        }
    }
}
