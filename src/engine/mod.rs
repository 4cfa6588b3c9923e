//! The verbs, pure: what each input does to the state.
//!
//! `apply(state, entry)` reads no clock, no random source, no environment, no file and no network:
//! all it needs is in the entry or in the state. The same journal gives the same state on every
//! machine. May be called by `node`, `config` (to compile conditions and templates) and tests; uses
//! only `model`. A test reads these sources and fails when that is broken.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod rows;
