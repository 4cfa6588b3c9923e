//! Switchboard: a headless open-lines daemon.
//!
//! Everything that can change its state is an [`model::input::Input`]. Inputs are appended to a
//! journal; a pure engine applies them in order; the engine's answer is changes (to the store),
//! effects (for the outbox) and events (for people and machines that watch).

pub mod api;
pub mod attachments;
pub mod channels;
pub mod cli;
pub mod config;
pub mod engine;
pub mod journal;
pub mod model;
pub mod node;
pub mod observe;
pub mod outbox;
pub mod store;
