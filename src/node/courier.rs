//! Trying claimed effects, each on a task of its own, and bringing their results to the writer.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::model::effect::Attempt;
use crate::model::entry::Cause;
use crate::model::input::Input;
use crate::observe::Metrics;
use crate::outbox::{self, Files, Outside};

use super::claims::{Claimed, Target};
use super::handle::{Handle, Submission};

/// Tries every effect that the writer claims, until the writer has ended.
pub(super) async fn run(
    mut claimed: mpsc::Receiver<Claimed>,
    outside: Arc<ArcSwap<Outside>>,
    files: Arc<Files>,
    handle: Handle,
    tracker: TaskTracker,
    metrics: Arc<Metrics>,
) {
    while let Some(claimed) = claimed.recv().await {
        let outside = outside.load_full();
        let (handle, metrics, attempts) = (handle.clone(), Arc::clone(&metrics), tracker.clone());
        let files = Arc::clone(&files);
        tracker.spawn(async move {
            let Claimed { effect, attempt } = claimed;
            let id = effect.id;
            let target = Target::of(&effect.lane).to_string();
            let now_ms = handle.now_ms();
            // A task of its own: should it break, its effect still gets a result.
            let tried =
                attempts.spawn(async move { outbox::deliver(&outside, &files, &effect, now_ms).await });
            let result = tried.await.unwrap_or_else(|_| Attempt::Ambiguous {
                error: "the attempt broke off; this is a mistake of ours".to_owned(),
                parts_done: 0,
            });
            metrics.delivery(&target, word(&result));
            if let Attempt::Refused { error, .. }
            | Attempt::Retry { error, .. }
            | Attempt::Ambiguous { error, .. } = &result
            {
                tracing::info!(effect = %id, attempt, target, error, "An attempt failed.");
            }
            let submission = Submission {
                input_id: format!("result/{id}/{attempt}"),
                cause: Cause::Outbox(id),
                input: Input::EffectResult { effect: id, attempt, result },
            };
            // A result is not dropped: the messenger may have the message already. Only the end of the daemon
            // can lose it, and the next start takes that as an uncertain attempt.
            drop(handle.submit_patiently(submission).await);
        });
    }
}

const fn word(result: &Attempt) -> &'static str {
    match result {
        Attempt::Delivered { .. } => "delivered",
        Attempt::Retry { .. } => "retry",
        Attempt::Refused { .. } => "refused",
        Attempt::Ambiguous { .. } => "ambiguous",
    }
}
