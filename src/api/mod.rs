//! The HTTP surface of the daemon.
//!
//! What lives here: the server loop (`server`).
//! Who may call it: `node`. What it may call: `model` and the libraries.
//! The invariant: a client, however slow, large or numerous, can use only bounded memory, time and connections.

pub mod server;

/// All routes of the daemon.
pub fn router(_shared: crate::node::Shared) -> axum::Router {
    axum::Router::new()
}
