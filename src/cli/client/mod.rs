//! The command line's way to a running daemon: its HTTP API.
//!
//! Lives here: where the daemon is and with which token ([`address`]), one request and its answer ([`request`]),
//! the form of an event stream ([`server_events`]) and a stream that is taken up again ([`follow`]). May be called by
//! the commands that ask a running daemon; calls `config` for secrets and settings.
//!
//! Invariant: a token comes from a file or from the environment, goes to the daemon alone, and is never printed.

pub(super) mod address;
pub(super) mod error;
pub(super) mod follow;
pub(super) mod request;
pub(super) mod server_events;

pub(super) use address::{Daemon, base_of, listening};
pub(super) use error::ClientError;
pub(super) use follow::{Followed, Follower};
pub(super) use request::Client;
