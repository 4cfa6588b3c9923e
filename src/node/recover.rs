//! Bringing the state up to where the journal ends.

use crate::engine::rows::Position;
use crate::engine::{self, State, UnusableRows};
use crate::journal::{Journal, JournalError};
use crate::store::{Store, StoreError};

/// Entries between two hand-overs to the store: enough to coalesce, little enough to bound memory.
const HAND_OVER_EVERY: u64 = 10_000;

/// Why the state cannot be brought up.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal is damaged, or does not have what the store has applied.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store's rows cannot be used.
    #[error(transparent)]
    Rows(#[from] UnusableRows),
    /// A row could not be fetched.
    #[error(transparent)]
    Archive(#[from] engine::rows::ArchiveError),
}

/// How far the work is, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries applied so far.
    pub applied: u64,
    /// Entries to apply in all.
    pub total: u64,
}

/// Loads what the store has and applies the entries that it lacks. The store is up to date afterwards.
///
/// # Errors
/// When the journal is damaged or is not the one that the store was made from, or the store fails.
pub fn recover(
    journal: &dyn Journal,
    store: &Store,
    progress: &mut dyn FnMut(Progress),
) -> Result<State, RecoverError> {
    let stored: Position = store.position()?;
    journal.verify_contains(stored.seq, stored.hash)?;
    let mut state = State::load(store.hot_rows()?)?;
    let total = journal.head().seq.saturating_sub(stored.seq);
    let mut applied = 0;
    for recorded in journal.read_from(stored.seq.saturating_add(1))? {
        let recorded = recorded?;
        engine::fetch(&mut state, store, &recorded.entry)?;
        engine::apply(&mut state, &recorded.entry, recorded.hash);
        applied += 1;
        if applied % HAND_OVER_EVERY == 0 {
            hand_over(&mut state, store)?;
            progress(Progress { applied, total });
        }
    }
    if applied > 0 {
        hand_over(&mut state, store)?;
        progress(Progress { applied, total });
    }
    Ok(state)
}

fn hand_over(state: &mut State, store: &Store) -> Result<(), StoreError> {
    let (number, part) = state.hand_over();
    store.write(&part)?;
    state.stored(number);
    Ok(())
}
