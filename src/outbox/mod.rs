//! Everything that leaves the daemon.
//!
//! Lives here: the one outbound HTTP client ([`http`]), the carrier of mail ([`mail`]), the connected channels and
//! endpoints ([`connections`]), one attempt on one effect ([`deliver`]), the files of messages ([`files`]) and the signed form
//! of notifications. May be called by `node` and, to set a channel up, by `cli`; calls `attachments`, `channels` and
//! `model`.
//!
//! Invariant: no other room of the daemon opens an outgoing connection, so every target passes the same guard. When an
//! effect is tried, in which order and how often, is the engine's matter.

pub mod connections;
pub mod files;
pub mod http;
pub mod mail;

mod deliver;
mod enclose;
mod notify;
mod outside;

pub use connections::Connections;
pub use deliver::deliver;
pub use files::{FileError, FileOf, Files};
pub use outside::Outside;
