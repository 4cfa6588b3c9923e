//! Bringing the store along behind the journal, on a thread of its own.
//!
//! The writer hands over what changed, at most one part at a time: while the store is busy, changes of
//! the same rows pile up into one. So the store may lag, but it never holds the journal up for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::engine::State;
use crate::engine::rows::WriteSet;
use crate::store::{Store, StoreError};

use super::handle::Message;

/// When so many rows wait for a busy store, the writer waits too: memory is bounded.
const ROWS_WAITING_MAX: usize = 200_000;

/// Parts between two flushes of the store: what a killed process left unflushed is applied again from the
/// journal at the next start.
const FLUSH_EVERY: u32 = 8;

/// The writer's end.
#[derive(Debug)]
pub(super) struct Projection {
    parts: SyncSender<(u64, WriteSet)>,
    stored: Arc<AtomicU64>,
    collected: u64,
    handed_over_seq: u64,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// The store's thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot be written any more")]
pub(super) struct ProjectionEnded;

/// The store could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(super) enum FinishError {
    /// It says why.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its thread ended before.
    #[error(transparent)]
    Ended(#[from] ProjectionEnded),
}

impl Projection {
    /// Starts the thread. `handed_over` is how many parts the state has handed over before, while it was
    /// recovered; all of them are stored.
    pub(super) fn start(
        store: Store,
        handed_over: u64,
        stored_seq: watch::Sender<u64>,
        writer: SyncSender<Message>,
    ) -> std::io::Result<Self> {
        let (parts, incoming) = sync_channel(1);
        let stored = Arc::new(AtomicU64::new(handed_over));
        let handed_over_seq = *stored_seq.borrow();
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn({
            let stored = Arc::clone(&stored);
            move || write_parts(&store, &incoming, &stored, &stored_seq, &writer)
        })?;
        Ok(Self { parts, stored, collected: handed_over, handed_over_seq, thread })
    }

    /// Lets rows leave the state that are stored by now.
    pub(super) fn collect(&mut self, state: &mut State) {
        let stored = self.stored.load(Ordering::Acquire);
        if stored > self.collected {
            self.collected = stored;
            state.stored(stored);
        }
    }

    /// Whether the state is ahead of what was handed over.
    pub(super) fn is_behind(&self, state: &State) -> bool {
        state.position().seq > self.handed_over_seq
    }

    /// Hands over what changed, unless the store still works on the part before. Returns whether it did.
    pub(super) fn hand_over(&mut self, state: &mut State) -> Result<bool, ProjectionEnded> {
        let is_idle = self.stored.load(Ordering::Acquire) == state.hand_overs();
        if !is_idle && state.changed_rows() < ROWS_WAITING_MAX {
            return Ok(false);
        }
        self.handed_over_seq = state.position().seq;
        let part = state.hand_over();
        match self.parts.try_send(part) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(part)) => {
                self.parts.send(part).map(|()| true).map_err(|_| ProjectionEnded)
            }
            Err(TrySendError::Disconnected(_)) => Err(ProjectionEnded),
        }
    }

    /// Hands over what is left, waits for the store and ends the thread.
    pub(super) fn finish(self, state: &mut State) -> Result<(), FinishError> {
        let Self { parts, thread, .. } = self;
        // A store that has ended says why when it is joined.
        let sent = parts.send(state.hand_over());
        drop(parts);
        match thread.join() {
            Ok(ended) => ended?,
            Err(_) => return Err(ProjectionEnded.into()),
        }
        sent.map_err(|_| ProjectionEnded.into())
    }
}

fn write_parts(
    store: &Store,
    incoming: &Receiver<(u64, WriteSet)>,
    stored: &AtomicU64,
    stored_seq: &watch::Sender<u64>,
    writer: &SyncSender<Message>,
) -> Result<(), StoreError> {
    let mut unflushed = 0;
    while let Ok((number, part)) = incoming.recv() {
        store.write(&part)?;
        unflushed += 1;
        if unflushed >= FLUSH_EVERY {
            store.flush()?;
            unflushed = 0;
        }
        stored.store(number, Ordering::Release);
        stored_seq.send_replace(part.position.seq);
        // A full queue means that the writer is awake and sees for itself.
        match writer.try_send(Message::Stored) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => break,
        }
    }
    store.flush()
}
