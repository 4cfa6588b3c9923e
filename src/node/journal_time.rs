//! The time that entries get: never earlier than the last one, and never standing still.
//!
//! A machine whose clock was once far ahead, or is set back, would otherwise freeze all timers until its
//! clock has caught up: the journal goes on from its last time by as much as passes.

use super::clock::Clock;

/// How far the journal may be ahead of the clock before somebody should know.
const AHEAD_MS_MAX: u64 = 60_000;

/// The time of the journal.
#[derive(Debug)]
pub(super) struct JournalTime {
    clock: Clock,
    last_clock_ms: u64,
    last_ms: u64,
}

impl JournalTime {
    /// Goes on from the journal's last entry.
    pub(super) fn after(head_at_ms: u64, clock: Clock) -> Self {
        let last_clock_ms = clock.now_ms();
        if head_at_ms.saturating_sub(last_clock_ms) > AHEAD_MS_MAX {
            tracing::warn!(
                ahead_ms = head_at_ms - last_clock_ms,
                "The journal is ahead of the machine's clock: times shown are too late by that much; set the clock.",
            );
        }
        Self { clock, last_clock_ms, last_ms: head_at_ms }
    }

    /// The time now, in ms since the Unix epoch.
    pub(super) fn now_ms(&mut self) -> u64 {
        let clock_ms = self.clock.now_ms();
        let passed_ms = clock_ms.saturating_sub(self.last_clock_ms);
        self.last_clock_ms = clock_ms;
        self.last_ms = clock_ms.max(self.last_ms.saturating_add(passed_ms));
        self.last_ms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_or_was_far_ahead_stops_no_timer() {
        let clock = Arc::new(AtomicU64::new(1_000));
        let mut time = JournalTime::after(9_000, Clock::by_hand(Arc::clone(&clock)));
        assert_eq!(time.now_ms(), 9_000, "never before the last entry");
        clock.store(1_500, Ordering::SeqCst);
        assert_eq!(time.now_ms(), 9_500, "time passes all the same");
        clock.store(200, Ordering::SeqCst);
        assert_eq!(time.now_ms(), 9_500, "set back");
        clock.store(300, Ordering::SeqCst);
        assert_eq!(time.now_ms(), 9_600);
        clock.store(20_000, Ordering::SeqCst);
        assert_eq!(time.now_ms(), 29_300, "it keeps its lead rather than skipping what passed");
    }

    #[test]
    fn a_clock_that_is_right_is_followed() {
        let clock = Arc::new(AtomicU64::new(10_000));
        let mut time = JournalTime::after(9_000, Clock::by_hand(Arc::clone(&clock)));
        assert_eq!(time.now_ms(), 10_000);
        clock.store(10_250, Ordering::SeqCst);
        assert_eq!(time.now_ms(), 10_250);
    }
}
