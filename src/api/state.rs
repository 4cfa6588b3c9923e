//! What all handlers share.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::node::{ReadError, Shared};
use crate::store::{Store, StoreError};

use super::call_memory::CallMemory;
use super::first_answers::FirstAnswers;
use super::problem::Problem;
use super::rate::Rates;
use super::request_id::RequestIds;
use super::typing::Indicators;

/// Reads at the same time. Each holds a thread that may block; more would only wait for the disk.
const READS_MAX: usize = 256;

/// Event streams at the same time. Each holds a connection (of 4,096) and a task.
const STREAMS_MAX: usize = 2_048;

/// Files read at the same time. Each holds an open file and 64 KiB.
const FILES_READ_MAX: usize = 256;

/// Files uploaded at the same time. Each may take as much memory as a file may have.
const UPLOADS_MAX: usize = 4;

/// The daemon as handlers see it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Api(Arc<Inner>);

/// What [`Api`] shares.
pub(super) struct Inner {
    /// The running daemon.
    pub(super) shared: Shared,
    /// Places for reads.
    pub(super) reads: Arc<Semaphore>,
    /// Places for event streams.
    pub(super) streams: Arc<Semaphore>,
    /// Memory for webhook calls.
    pub(super) calls: CallMemory,
    /// How often tokens asked.
    pub(super) rates: Rates,
    /// Ids for requests.
    pub(super) request_ids: RequestIds,
    /// Answers for wishes that come again.
    pub(super) first_answers: FirstAnswers,
    /// Places for those who read files.
    pub(super) file_places: Arc<Semaphore>,
    /// Places for those who upload files.
    pub(super) upload_places: Arc<Semaphore>,
    /// Who is typing.
    pub(super) typing: Indicators,
}

impl Api {
    /// The state of a router.
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(Inner {
            shared,
            reads: Arc::new(Semaphore::new(READS_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            calls: CallMemory::new(),
            rates: Rates::new(),
            request_ids: RequestIds::new(),
            first_answers: FirstAnswers::new(),
            file_places: Arc::new(Semaphore::new(FILES_READ_MAX)),
            upload_places: Arc::new(Semaphore::new(UPLOADS_MAX)),
            typing: Indicators::new(),
        }))
    }

    /// Reads the store as it is after everything that was answered before.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.shared.handle.read(query).await.map_err(|error: ReadError| error.into())
    }
}

impl Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
