//! Nobody is offered a dialog by what was over already when the offer was made.

use switchboard::engine::State;
use switchboard::model::timer::TimerKey;

/// Fails when an offer that routing made in the last entry should have waited for what was due at its instant.
pub(super) fn check(state: &State) {
    let seq = state.position().seq;
    for timer in state.overdue() {
        for dialog in state.dialogs() {
            let news = dialog.offers.iter().filter(|offer| offer.id.seq == seq && !offer.by_hand);
            for offer in news {
                let concerns = match &timer.key {
                    TimerKey::ReservationEnds { dialog: of }
                    | TimerKey::Overflow { dialog: of }
                    | TimerKey::Otherwise { dialog: of } => *of == dialog.id,
                    TimerKey::ShiftBorder { operator } => *operator == offer.operator,
                    _ => false,
                };
                assert!(!concerns, "I40: {} was made though {timer:?} was due", offer.id);
            }
        }
    }
}
