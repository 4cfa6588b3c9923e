//! Broken promises over time: what was broken stays so as long as its clock.

use std::collections::BTreeMap;

use switchboard::engine::State;
use switchboard::model::id::DialogId;
use switchboard::model::sla::{SlaState, SlaTarget};

/// The promises that were broken before an entry.
pub(super) struct Broken(BTreeMap<(DialogId, SlaTarget), SlaState>);

impl Broken {
    pub(super) fn of(state: &State) -> Self {
        let clocks = state.dialogs().flat_map(|row| row.sla.0.iter().map(move |clock| (row.id, clock)));
        let broken = clocks.filter(|(_, (_, clock))| clock.breached_at_ms.is_some());
        Self(broken.map(|(dialog, (target, clock))| ((dialog, *target), clock.clone())).collect())
    }

    /// Fails when one of them is forgotten or was broken at another time. Only a clock of what comes again makes
    /// room for the next, and only after it has stopped.
    pub(super) fn check(&self, after: &State) {
        for row in after.dialogs() {
            for target in SlaTarget::ALL {
                let Some(before) = self.0.get(&(row.id, target)) else { continue };
                let about = format!("I39: {target:?} of {} was {before:?}", row.id);
                let clock = row.sla.0.get(&target).unwrap_or_else(|| panic!("{about} and is gone"));
                let makes_room = target == SlaTarget::NextResponse && before.stopped_at_ms.is_some();
                if makes_room && clock.stopped_at_ms.is_none() {
                    assert!(clock.started_at_ms >= before.started_at_ms, "{about} and is {clock:?}");
                    continue;
                }
                assert_eq!(clock.breached_at_ms, before.breached_at_ms, "{about} and is {clock:?}");
                assert_eq!(clock.started_at_ms, before.started_at_ms, "{about} and is {clock:?}");
            }
        }
    }
}
