//! Things that happen when time passes. Kept in the store, so they survive a restart.

use serde::{Deserialize, Serialize};

use super::id::{DialogId, EffectId, OfferId, OperatorId};

/// A timer. Unique by what it is for; checked again when it fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    /// What it is for.
    pub key: TimerKey,
    /// When it fires: at the first tick that is not earlier.
    pub due_ms: u64,
}

/// What a timer is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKey {
    /// An offer's deadline.
    OfferExpires {
        /// The dialog offered.
        dialog: DialogId,
        /// The offer.
        offer: OfferId,
    },
    /// The next attempt of an effect.
    EffectRetry {
        /// The effect.
        effect: EffectId,
    },
    /// An attempt is uncertain from then on.
    EffectDeadline {
        /// The effect.
        effect: EffectId,
    },
    /// A dialog is kept for one operator no longer.
    ReservationEnds {
        /// The dialog.
        dialog: DialogId,
    },
    /// A dialog has waited long enough for the next overflow stage.
    Overflow {
        /// The dialog.
        dialog: DialogId,
    },
    /// A dialog has waited long enough for the last resort.
    Otherwise {
        /// The dialog.
        dialog: DialogId,
    },
    /// A warning or a deadline of a dialog's clocks is due.
    Sla {
        /// The dialog.
        dialog: DialogId,
    },
    /// A shift or a vacation begins or ends.
    ShiftBorder {
        /// Whose.
        operator: OperatorId,
    },
    /// Something in the life of a dialog is due.
    Life {
        /// The dialog.
        dialog: DialogId,
        /// What.
        kind: LifeTimer,
    },
}

impl TimerKey {
    /// Whether what it does decides who may be offered a dialog now. That an offer expires does not: until the
    /// clock says so it can be accepted.
    pub const fn changes_who_is_asked(&self) -> bool {
        matches!(
            self,
            Self::ReservationEnds { .. }
                | Self::Overflow { .. }
                | Self::Otherwise { .. }
                | Self::ShiftBorder { .. }
        )
    }
}

/// What can be due in the life of a dialog. When, follows from its row and the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeTimer {
    /// It has waited for the client's vote long enough.
    Closing,
    /// The client is silent: a reminder, or the close.
    Silence,
    /// A pause ends.
    Pause,
    /// Nobody has answered.
    NoAnswer,
    /// The client is told the place in the queue.
    QueuePosition,
}

impl LifeTimer {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Closing, Self::Silence, Self::Pause, Self::NoAnswer, Self::QueuePosition];
}
