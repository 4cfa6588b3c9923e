//! The accept loop and the shutdown.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, EndSignals};
use super::limits::ServerLimits;
use super::serving::Serving;

/// The first pause after a failed accept. Out of file descriptors, accept fails again at once until some connection
/// closes, and would use a whole core.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause: new clients wait at most so long after descriptors are free again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Connections that were still busy at the drain deadline and were closed in the middle.
    pub cut_off: usize,
}

/// Serves a router on the listener until `shutdown` is cancelled, then drains.
///
/// At shutdown the listener closes, idle connections close, running requests may finish until the drain deadline,
/// and what is left is cut off. Handlers of endless answers (event streams) should watch the same token.
/// Every connection has ended when this returns.
pub async fn serve(
    listener: TcpListener,
    serving: impl Into<Serving>,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> Served {
    let serving = serving.into();
    let free = Arc::new(Semaphore::new(limits.max_connections.get().min(Semaphore::MAX_PERMITS)));
    let connections = TaskTracker::new();
    let signals = EndSignals { shutdown: shutdown.clone(), cut: CancellationToken::new() };
    let mut backoff = Backoff::default();

    loop {
        // The permit comes first: what cannot be served stays in the kernel's queue.
        let permit = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            permit = Arc::clone(&free).acquire_owned() => permit,
        };
        // Nobody closes the semaphore; if somebody did, nothing more could be served.
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff = Backoff::default();
                let connection = connection::run(stream, peer, serving.clone(), limits, signals.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                let Some(pause) = backoff.after(&error) else { continue };
                tracing::warn!(%error, pause_ms = pause.as_millis(), "Accepting connections pauses.");
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    drop(listener);
    connections.close();
    let cut_off = match tokio::time::timeout(limits.drain_deadline, connections.wait()).await {
        Ok(()) => 0,
        Err(_elapsed) => {
            let left = connections.len();
            tracing::warn!(connections = left, "Connections still busy at the drain deadline are cut off.");
            signals.cut.cancel();
            connections.wait().await;
            left
        }
    };
    Served { cut_off }
}

/// The pauses between failing accepts: doubling, bounded.
#[derive(Default)]
struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// The pause after this error; `None` when it concerns only the one connection that was being accepted.
    fn after(&mut self, error: &io::Error) -> Option<Duration> {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::Interrupted
        ) {
            return None;
        }
        let pause = self.last.map_or(FIRST_PAUSE, |last| last.saturating_mul(2).min(LONGEST_PAUSE));
        self.last = Some(pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        /// Too many open files.
        const EMFILE: i32 = 24;
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..9)
            .map(|_| backoff.after(&io::Error::from_raw_os_error(EMFILE)).unwrap().as_millis())
            .collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }

    #[test]
    fn an_error_of_one_connection_makes_no_pause() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(&io::ErrorKind::ConnectionAborted.into()), None);
    }
}
