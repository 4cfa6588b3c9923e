//! What WhatsApp, Messenger and Instagram share, since all of them are Meta's: how calls are proven and webhooks
//! confirmed (`account.rs`, `query.rs`), how batches are read one item after another (`batch.rs`), what errors of the
//! Graph API mean (`error.rs`), where files may be fetched (`hosts.rs`), and how an account is examined (`setup.rs`).
//!
//! Messenger and Instagram are nearly one: `events.rs` and `content.rs` read what both tell, and `page.rs` is the channel
//! of both.
//!
//! For the three codecs alone; uses the words of this room and `model`.
//!
//! Invariant: requests carry the token in a header and go to the configured API, or to hosts that keep Meta's files.

pub(super) mod account;
pub(super) mod batch;
mod content;
pub(super) mod error;
mod events;
pub(super) mod hosts;
pub(super) mod page;
mod query;
pub(super) mod setup;
