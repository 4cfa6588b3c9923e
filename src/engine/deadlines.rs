//! When something in the life of a dialog is due: a function of its row and the configuration.
//!
//! No verb sets these timers. After each change of a dialog they are compared with what is due now, so a timer
//! never disagrees with its dialog, and a changed configuration counts from the original start.

use std::sync::Arc;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::DialogId;
use crate::model::timer::{LifeTimer, TimerKey};

use super::live::Live;
use super::step::Step;
use super::{close, pause, silence, texts};

/// When a timer of a dialog is due and from when that is counted, in ms; `None`: it is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at_ms: u64,
    pub(super) since_ms: u64,
}

impl Due {
    /// So long after its start. Never at once, or a timer could fire without end.
    pub(super) fn after(since_ms: u64, time_ms: u64) -> Self {
        Self { at_ms: since_ms.saturating_add(time_ms.max(1)), since_ms }
    }
}

/// When a timer of a dialog is due.
pub(super) fn due(live: &Live, dialog: &Dialog, kind: LifeTimer) -> Option<Due> {
    match kind {
        LifeTimer::Closing => {
            let at_ms = dialog.life.closing_until_ms.filter(|_| dialog.state == DialogState::Closing)?;
            Some(Due {
                at_ms,
                since_ms: dialog.life.rating.as_ref().map_or(at_ms, |asked| asked.asked_at_ms),
            })
        }
        LifeTimer::Silence => silence::due(live, dialog),
        LifeTimer::Pause => {
            let pause = dialog.life.paused.as_ref().filter(|_| dialog.state.is_owned())?;
            Some(Due { at_ms: pause.until_ms, since_ms: pause.since_ms })
        }
        LifeTimer::NoAnswer => texts::no_answer_due(live, dialog),
        LifeTimer::QueuePosition => texts::queue_position_due(live, dialog),
    }
}

/// Sets and cancels the timers of the dialogs that changed.
pub(super) fn arm(step: &mut Step<'_>) {
    let live = Arc::clone(&step.live);
    for dialog in std::mem::take(&mut step.changed) {
        for kind in LifeTimer::ALL {
            let key = TimerKey::Life { dialog, kind };
            match step.dialog(dialog).and_then(|row| due(&live, row, kind)) {
                Some(due) => step.state.timers.keep(key, due.at_ms),
                None => step.state.timers.cancel(&key),
            }
        }
    }
}

/// A timer fired. It is looked at once more: whatever it was set for may have passed.
pub(super) fn fire(step: &mut Step<'_>, dialog: DialogId, kind: LifeTimer) {
    step.changed.insert(dialog);
    let live = Arc::clone(&step.live);
    let Some(due) = step.dialog(dialog).and_then(|row| due(&live, row, kind)) else { return };
    if due.at_ms > step.at_ms {
        return;
    }
    match kind {
        LifeTimer::Closing => close::vote_never_came(step, dialog, due),
        LifeTimer::Silence => silence::fire(step, dialog),
        LifeTimer::Pause => pause::ended(step, dialog, due),
        LifeTimer::NoAnswer => texts::no_answer(step, dialog, due),
        LifeTimer::QueuePosition => texts::queue_position(step, dialog, due),
    }
}
