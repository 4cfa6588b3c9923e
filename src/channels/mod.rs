//! Codecs of the messengers: bytes in, facts out; effects in, requests out.
//!
//! One messenger per file, with the same steps in the same order:
//!
//! 1. **connect**: settings and secrets are checked once, when a configuration becomes the live one;
//! 2. **verify**: the head of the call can be authentic (`verify_head`, before its body is read), and then
//!    the raw call is; nothing of its body is parsed before that;
//! 3. **decode**: the call becomes facts, each with its deduplication key, and the answer that the
//!    messenger expects once they are durable;
//! 4. **encode**: an effect becomes the next request that it needs;
//! 5. **classify**: the answer to that request becomes progress, or the end of the attempt.
//!
//! A codec is pure: it opens no socket, reads no clock, starts no task and keeps no state, so that
//! every step can be tested with recorded payloads and replayed. `api` receives calls and passes them
//! to steps 2 and 3; `outbox` carries the requests of step 4 and returns the answers to step 5. This
//! room uses `model` and nothing else of the product.
//!
//! Invariants: an authentic call is never lost in silence (what is not understood becomes
//! [`Fact::Unsupported`](crate::model::inbound::Fact::Unsupported) with its raw form); no bytes from
//! outside make a codec panic; no secret appears in an error, a key or a `Debug` form.
//!
//! # How to add a messenger
//!
//! 1. Its settings become a variant of [`ChannelSettings`](crate::model::channel::ChannelSettings), with its
//!    rates in `ChannelKind::pace`; its keys are a table in `config/grammar/channels.rs`, and read in
//!    `config/decode/channels.rs`.
//! 2. Its codec is one file here (`viber.rs`), in the order above. Parts that are about it alone go
//!    to a folder of its name. Parts that serve all are in [`text`](split), `parts.rs`, `files.rs`, `form.rs`,
//!    `json.rs`, `person.rs`, `fault.rs` and `wire.rs`.
//! 3. One line in `registry.rs` connects it.
//! 4. Recorded payloads go to `tests/fixtures/channels/viber/`, and one row each to the tables of
//!    `tests/channels/conformance.rs` (each channel passes the same suite, and is fuzzed from the same row) and
//!    `tests/emulator/kinds.rs` (each lives through the same faults against the daemon).
//! 5. A section in `docs/channels.md` says what it can do and how it is set up.
//!
//! What the trait carries beyond a plain webhook:
//! - a handshake (`GET` with `hub.challenge`, VK's `confirmation`) is a verified call that decodes to
//!   no facts and an answer of its own;
//! - a secret inside the body (VK) is compared in `verify`, which sees the bytes;
//! - a batch decodes to several facts; one bad item never spoils the others;
//! - what does not go by HTTP is given in `outbound` (mail), and files that come within a call in `enclosed`;
//! - a send of several requests (a long text; upload, then send) is [`Progress`]: `encode` gives the
//!   request that comes next, `classify` moves it on.

mod codec;
mod email;
mod errors;
mod fault;
mod files;
mod form;
mod instagram;
mod json;
mod max;
mod messenger;
mod meta;
mod parts;
mod person;
mod registry;
mod setup;
mod start;
mod telegram;
mod text;
mod viber;
mod vk;
mod webhook;
mod whatsapp;
mod wire;

#[cfg(test)]
pub(crate) mod samples;

pub use codec::{
    ButtonFault, ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, MessagePart, Part,
    Progress, Received, Verdict, VerifyError,
};
pub use fault::retry_after_ms;
pub use files::{
    FetchError, Fetched, FileBytes, FileFault, FileRoute, answer as file_answer,
    by_address as file_by_address,
};
pub use registry::connect;
pub use setup::{Check, Finding};
pub use start::{ConnectError, ResolvedSecrets};
pub use text::{TextLimit, TextUnit, split};
pub use wire::{
    CALL_BYTES_MAX, CallHead, Mail, MailServer, Outbound, SMTP_STEP, SendFailure, SmtpStep, WebhookAnswer,
    WebhookCall, WireRequest, WireResponse,
};
