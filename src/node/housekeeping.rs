//! Removing files that were kept long enough.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::shared::Shared;

/// How often. Content is kept for months: nobody misses the hour.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Removes what is too old, at once and then again and again until the daemon stops.
pub(super) async fn keep_house(shared: Shared, stop: CancellationToken) {
    loop {
        let retention_ms = shared.outside.load().limits.retention_ms;
        let now_ms = shared.handle.now_ms();
        match shared.files.on_disk(move |keeper| keeper.purge(retention_ms, now_ms)).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "Files were removed that were kept long enough."),
            Err(error) => tracing::warn!(%error, "Old files could not be removed."),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
