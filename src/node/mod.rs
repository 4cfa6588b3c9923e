//! The running daemon: one writer, the store behind it, the outbox beside it.
//!
//! Lives here: the data folder, recovery at start, the writer's thread, the task that hands out its answers, the
//! store's thread, the claims of effects, the reload of the configuration. May be called by `api` and `cli`; calls `config`, `channels`,
//! `outbox`, `journal`, `store`, `observe` and `engine`.
//!
//! Invariant: nothing is answered before it is durable, and only the writer appends to the journal.

pub mod clock;
pub mod data;
pub mod handle;
pub mod memory;
mod pace;
pub mod recover;
pub mod start;
pub mod status;

mod answers;
mod claims;
mod courier;
mod housekeeping;
mod journal_time;
mod projection;
mod reload;
mod shared;
mod writer;

pub use clock::Clock;
pub use handle::{Answer, Handle, ReadError, Submission, SubmitError};
pub use shared::{ReloadUnavailable, Shared};
pub use start::{Node, Options, StartError, Watch};
pub use writer::WriterError;

pub use crate::outbox::{FileError, FileOf, Files, Outside};
