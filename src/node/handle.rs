//! How the rest of the daemon talks to the writer: submit inputs, read the store, follow events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use tokio::sync::{broadcast, oneshot, watch};

use crate::model::entry::Cause;
use crate::model::event::Event;
use crate::model::input::Input;
use crate::model::outcome::Outcome;
use crate::store::{Store, StoreError};

use super::clock::Clock;

/// Inputs that may wait for the writer. At 50,000 inputs a second this is a sixth of a second of work:
/// who comes later is told to come back rather than kept waiting.
pub const QUEUE_MAX: usize = 8192;

/// Groups of events that a follower may fall behind before it is dropped.
pub const EVENT_GROUPS_MAX: usize = 1024;

/// How long what must not be given up waits when the writer has no room for it: a third of a full queue is
/// done by then.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Something that wants to become an entry.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The deduplication key.
    pub input_id: String,
    /// Who or what brings it.
    pub cause: Cause,
    /// What it is.
    pub input: Input,
}

/// What a submission came to. It is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The entry that applied it first.
    pub seq: u64,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether the same input was applied before.
    pub repeated: bool,
}

/// A submission was not taken. Nothing of it will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too many wait already.
    #[error("too many inputs wait; try again in a second")]
    Busy,
    /// The daemon stops.
    #[error("the daemon is stopping")]
    Stopping,
    /// The input cannot be written into the journal: too large, or nested too deeply.
    #[error("the input is too large or nested too deeply to be kept")]
    Unwritable,
    /// The daemon stopped before the answer: it is not known whether the input was taken in. Submitting it
    /// again under the same key is safe.
    #[error("the daemon stopped before it answered; ask again with the same key")]
    Unanswered,
}

/// The store could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The daemon stops.
    #[error("the daemon is stopping")]
    Stopping,
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Take an input in. Boxed: the queue holds room for thousands of these even when it is empty.
    Submit(Box<Submission>, oneshot::Sender<Result<Answer, SubmitError>>),
    /// Somebody wants to read: bring the store up to date now.
    Publish,
    /// The store has something new; hand the next part over if there is one.
    Stored,
    /// Begin no more attempts on effects: the daemon is about to stop.
    Drain,
    /// Finish what waits, bring the store up to date and end.
    Stop,
}

/// A connection to the writer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) writer: SyncSender<Message>,
    pub(super) store: Store,
    pub(super) applied_seq: Arc<AtomicU64>,
    pub(super) stored_seq: watch::Receiver<u64>,
    pub(super) events: broadcast::Sender<Arc<[Arc<Event>]>>,
    pub(super) clock: Clock,
}

impl Handle {
    /// Submits an input and waits until it is durable and applied.
    ///
    /// # Errors
    /// When it is not taken, or the daemon stops before it answers.
    pub async fn submit(&self, submission: Submission) -> Result<Answer, SubmitError> {
        self.enqueue(submission)?.await.unwrap_or(Err(SubmitError::Unanswered))
    }

    /// The same for what must not be given up because clients write a lot: waits until the writer has room.
    ///
    /// # Errors
    /// As [`Handle::submit`], but never [`SubmitError::Busy`].
    pub(super) async fn submit_patiently(&self, submission: Submission) -> Result<Answer, SubmitError> {
        loop {
            match self.submit(submission.clone()).await {
                Err(SubmitError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
                answered => return answered,
            }
        }
    }

    /// Submits an input without waiting; the receiver gets the answer.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn enqueue(
        &self,
        submission: Submission,
    ) -> Result<oneshot::Receiver<Result<Answer, SubmitError>>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        match self.writer.try_send(Message::Submit(Box::new(submission), reply)) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(SubmitError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(SubmitError::Stopping),
        }
    }

    /// Reads the store as it is after everything that was answered before this call.
    ///
    /// The query runs on a thread that may block; it must not hold what it reads for long.
    ///
    /// # Errors
    /// When the store cannot be read or brought up to date.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.catch_up().await?;
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || query(&store)).await {
            Ok(found) => Ok(found?),
            Err(_) => Err(ReadError::Stopping),
        }
    }

    /// Waits until the store has everything that was answered before this call.
    async fn catch_up(&self) -> Result<(), ReadError> {
        let wanted = self.applied_seq.load(Ordering::Acquire);
        let mut stored = self.stored_seq.clone();
        if *stored.borrow_and_update() >= wanted {
            return Ok(());
        }
        match self.writer.try_send(Message::Publish) {
            // When the queue is full the writer is awake and hands over in its own time.
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return Err(ReadError::Stopping),
        }
        stored.wait_for(|seq| *seq >= wanted).await.map(drop).map_err(|_| ReadError::Stopping)
    }

    /// Follows the events from now on, in groups. A follower that falls behind gets an error and can read
    /// what it missed from the store.
    pub fn follow(&self) -> broadcast::Receiver<Arc<[Arc<Event>]>> {
        self.events.subscribe()
    }

    /// The last entry that was applied.
    pub fn applied_seq(&self) -> u64 {
        self.applied_seq.load(Ordering::Acquire)
    }

    /// The last entry that the store has.
    pub fn stored_seq(&self) -> u64 {
        *self.stored_seq.borrow()
    }

    /// The time now, in ms since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
