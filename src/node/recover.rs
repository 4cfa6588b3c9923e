//! Bringing the state up to where the journal ends.

use crate::engine::rows::Position;
use crate::engine::{self, State, UnusableRows};
use crate::journal::{Journal, JournalError};
use crate::model::entry::APPLY_VERSION;
use crate::model::outcome::{Outcome, Rejection};
use crate::store::{Store, StoreError};

/// Entries between two hand-overs to the store: enough to coalesce; sled gives memory back only between
/// batches, so a larger one takes hundreds of MB.
const HAND_OVER_EVERY: u64 = 1_000;

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
    /// A later version of this program wrote the entry.
    #[error(
        "entry {seq} was applied by a later version (meaning {version}); start that version or a later one"
    )]
    Newer {
        /// The entry.
        seq: u64,
        /// Its meaning.
        version: u32,
    },
    /// A configuration of the past cannot be compiled any more.
    #[error(
        "the configuration of entry {seq} cannot be used by this version ({reason}); start the version that wrote it"
    )]
    Config {
        /// The entry.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
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
    let mut count = 0;
    for recorded in journal.read_from(stored.seq.saturating_add(1))? {
        let recorded = recorded?;
        let entry = &recorded.entry;
        if entry.apply_version > APPLY_VERSION {
            return Err(RecoverError::Newer { seq: entry.seq, version: entry.apply_version });
        }
        engine::fetch(&mut state, store, entry)?;
        let applied = engine::apply(&mut state, entry, recorded.hash);
        // A configuration was compiled before it became an entry. When that fails now, this program reads it
        // in another way than the one that wrote it, and everything after it would come out differently.
        if let Outcome::Rejected(Rejection::UnusableConfig(reason)) = applied.outcome {
            return Err(RecoverError::Config { seq: entry.seq, reason });
        }
        count += 1;
        if count % HAND_OVER_EVERY == 0 {
            hand_over(&mut state, store)?;
            progress(Progress { applied: count, total });
        }
    }
    if count > 0 {
        hand_over(&mut state, store)?;
        progress(Progress { applied: count, total });
    }
    Ok(state)
}

fn hand_over(state: &mut State, store: &Store) -> Result<(), StoreError> {
    let (number, part) = state.hand_over();
    store.write(&part)?;
    state.stored(number);
    Ok(())
}
