//! What WhatsApp, Messenger and Instagram share, since all of them are Meta's: how calls are proven and webhooks
//! confirmed (`account.rs`, `query.rs`), how batches are read one item after another (`batch.rs`), what errors of the
//! Graph API mean (`error.rs`), where files may be fetched (`hosts.rs`), and how an account is examined (`setup.rs`).
//!
//! Messenger and Instagram are nearly one: `events.rs` reads what both tell, `send.rs` writes what both take, and
//! `page.rs` is the channel of both.
//!
//! For the three codecs alone; uses the words of this room and `model`.
//!
//! Invariant: requests carry the token in a header and go to the configured API, or to hosts that keep Meta's files.

pub(super) mod account;
pub(super) mod batch;
pub(super) mod error;
pub(super) mod hosts;
mod query;
pub(super) mod setup;
