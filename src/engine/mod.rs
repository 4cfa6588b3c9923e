//! The verbs, pure: what each input does to the state.
//!
//! `apply(state, entry)` reads no clock, no random source, no environment, no file and no network:
//! all it needs is in the entry or in the state. The same journal gives the same state on every
//! machine. May be called by `node`, `config` (to compile conditions and templates), `store` (which keeps
//! its rows), `api` (which asks the live configuration for rights), `cli` and tests; uses only `model`. A test
//! reads these sources and fails when that is broken.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod hours;
pub mod live;
pub mod routing;
pub mod rows;
pub mod rules;

mod accept;
mod activate;
mod apply;
mod backoff;
mod close;
mod comeback;
mod commands;
mod deadlines;
mod delivery;
mod derived;
mod digest;
mod echo;
mod fates;
mod fetch;
mod identity;
mod intake;
mod invariants;
mod known_inputs;
mod log;
mod lookup;
mod mail_loop;
mod moved;
mod offers;
mod outgoing;
mod overflow;
mod pause;
mod phrases;
mod placing;
mod presence;
mod rating;
mod render;
mod repair;
mod silence;
mod sla;
mod state;
mod step;
mod supervision;
mod table;
mod texts;
mod timers;
mod topics;
mod transfer;
mod waiting;
mod write_first;

pub use apply::{Applied, apply, fingerprint, repeated};
pub use fetch::{fetch, fetch_for};
pub use invariants::Violation;
pub use state::{State, UnusableRows};
