//! Everything that leaves the daemon.
//!
//! Lives here: the one outbound HTTP client ([`http`]), the connected channels and endpoints
//! ([`connections`]), one attempt on one effect ([`deliver`]) and the signed form of notifications.
//! May be called by `node`; calls `channels` and `model`.
//!
//! Invariant: no other room of the daemon opens an outgoing connection, so every target passes the same guard. When an
//! effect is tried, in which order and how often, is the engine's matter.

pub mod connections;
pub mod http;

mod deliver;
mod notify;

pub use connections::Connections;
pub use deliver::deliver;
