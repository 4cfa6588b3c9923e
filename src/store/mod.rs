//! The store: the state that is not in memory, and everything that people read.
//!
//! Lives here: one sled tree with the rows that the engine hands over, the indexes that lists need,
//! and the queries of the API. Nothing else in the product names sled. May be called by `node` (the
//! one writer), `api` and `cli` (readers) and the simulation (over [`Store::in_memory`], the same
//! code on a sorted map). May call `engine::rows`, the order of queues in `engine::routing` and `model`.
//!
//! Invariants: a [`crate::engine::rows::WriteSet`] becomes one atomic batch together with the
//! position, so the store is always at exactly one place of the journal. Index entries are a
//! function of the rows. The contents do not depend on how entries were grouped into write sets.
//! The store is disposable: it can be deleted and rebuilt from the journal.
//!
//! Reads of rows take no lock of ours and never wait for the writer's turn; they see whole batches only. A page of a
//! queue holds the lock of the queues, which are in memory, while its places are picked, never while rows are read.
//! They are synchronous: microseconds for a row, milliseconds for the longest page.

mod absence;
mod archive;
mod cursor;
mod dialog_index;
mod digest;
mod effect_index;
mod error;
mod event_page;
mod files;
mod handle;
mod hot;
mod key_value;
mod keys;
mod known_input;
mod memory;
mod message_list;
mod message_page;
mod message_walk;
pub mod queries;
mod queues;
mod removal;
mod rows;
mod write;

pub use error::StoreError;
pub use handle::{Settings, Store};

#[cfg(test)]
mod tests;
