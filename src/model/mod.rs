//! The nouns: plain data that the whole product speaks in.
//!
//! Lives here: what a journal entry carries, what the store keeps, what the linked configuration
//! says. May be used by every room; uses none of them. Knows no clock, no randomness, no I/O: a
//! test reads these sources and fails when that is broken.
//!
//! Times are milliseconds since the Unix epoch in UTC and end in `_ms`; so do durations.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod attachment_id;
pub mod bounded_text;
pub mod calendar;
pub mod channel;
pub mod chat;
pub mod client;
pub mod command;
pub mod config;
pub mod decision;
mod defaults;
pub mod dialog;
pub mod effect;
pub mod entry;
pub mod event;
pub mod hexadecimal;
pub mod id;
pub mod inbound;
pub mod input;
pub mod input_id;
pub mod json_path;
pub mod life;
pub mod line;
pub mod mail;
pub mod message;
pub mod offer;
pub mod operator;
pub mod outcome;
pub mod role;
pub mod rule;
pub mod secret;
pub mod sla;
pub mod template;
pub mod timer;
