//! Waiting for a condition, under a deadline.

use std::future::Future;
use std::time::Duration;

use super::messenger::{Call, Messenger};

/// Far above what anything here takes, so that it strikes only when something hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until there is something; fails at the deadline, naming `what`.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(found) => found,
        Err(_) => panic!("did not happen in {DEADLINE:?}: {what}"),
    }
}

/// Waits until the messenger has got a call that fits, whenever it came.
pub(crate) async fn call(messenger: &Messenger, what: &str, fits: impl Fn(&Call) -> bool) -> Call {
    let (before, mut coming) = messenger.follow();
    if let Some(call) = before.into_iter().find(|call| fits(call)) {
        return call;
    }
    let waiting = async {
        loop {
            let call = coming.recv().await.unwrap();
            if fits(&call) {
                return call;
            }
        }
    };
    match tokio::time::timeout(DEADLINE, waiting).await {
        Ok(call) => call,
        Err(_) => panic!("the messenger did not get it: {what}; it got {:#?}", messenger.follow().0),
    }
}
