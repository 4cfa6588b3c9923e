//! What the running daemon offers to the API: one value, shared by all requests.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::engine::live::Live;
use crate::observe::Metrics;
use crate::outbox::{Files, Outside};

use super::handle::Handle;
use super::status::{ConfigStatus, ReloadReport};

/// Reloads that may wait for the one that runs; who comes later waits for a place.
pub(super) const RELOADS_MAX: usize = 16;

/// The running daemon as the API sees it. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The way to the writer and the store.
    pub handle: Handle,
    /// The live configuration.
    pub live: Arc<ArcSwap<Live>>,
    /// Connected channels and endpoints.
    pub outside: Arc<ArcSwap<Outside>>,
    /// Files of messages.
    pub files: Arc<Files>,
    /// How the configuration is.
    pub config_status: Arc<ArcSwap<ConfigStatus>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the daemon begins to stop: streams end then.
    pub stopping: CancellationToken,
    pub(super) reloads: mpsc::Sender<oneshot::Sender<ReloadReport>>,
}

/// Nobody loads configurations any more: the daemon stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the daemon is stopping")]
pub struct ReloadUnavailable;

impl Shared {
    /// Loads the files and makes them live if they have no errors. Answers when that is done.
    ///
    /// # Errors
    /// When the daemon stops.
    pub async fn reload(&self) -> Result<ReloadReport, ReloadUnavailable> {
        let (reply, report) = oneshot::channel();
        self.reloads.send(reply).await.map_err(|_| ReloadUnavailable)?;
        report.await.map_err(|_| ReloadUnavailable)
    }
}
