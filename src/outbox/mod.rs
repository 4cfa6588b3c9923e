//! Everything that leaves the daemon.
//!
//! What lives here: the one outbound HTTP client (`http`).
//! Who may call it: `node`. What it may call: `model` and the libraries.
//! The invariant: no other room opens an outgoing connection, so every target passes the same guard.

pub mod http;
