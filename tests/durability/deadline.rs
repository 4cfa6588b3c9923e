//! Waiting for something to become true: often asked, never longer than a deadline.

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until there is an answer. Panics with `what` when there is none in time.
pub(super) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

#[expect(clippy::disallowed_methods, reason = "deadlines of real processes go by the real clock")]
fn now() -> Instant {
    Instant::now()
}
