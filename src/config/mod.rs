//! Files → spanned trees → one linked, immutable [`model::config::Config`](crate::model::config::Config).
//!
//! Lives here: reading the set of files ([`source`], [`file_kind`]), the YAML profile ([`tree`]), what may stand
//! where ([`grammar`]), what must hold between files ([`link`], [`check`]), the typed result
//! ([`decode`], [`load`]), everything that is said to the author of the files ([`diagnostic`]),
//! secrets ([`secret`]) and the watch for changes ([`watch`]).
//!
//! May be called by `node`, `cli` and tests; uses `model` and `engine` only.
//!
//! Invariants: every fault of every file is found in one pass; a fault never yields a half-read
//! configuration; no diagnostic, error or `Debug` output contains the value of a secret.

pub mod canonical;
pub mod check;
pub mod decode;
pub mod diagnostic;
pub mod facts;
pub mod file_kind;
pub mod git;
pub mod grammar;
pub mod link;
pub mod load;
pub mod scalar;
pub mod secret;
pub mod source;
pub mod suggest;
pub mod tree;
pub mod watch;
