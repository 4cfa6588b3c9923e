//! The HTTP surface of the daemon: messengers call in, people and machines work with dialogs.
//!
//! What lives here: the server loop (`server`) and what it answers before the daemon is there (`starting`),
//! the table of routes (`routes`) and its description (`openapi`), who calls, how often and what they may
//! do (`auth`, `rate`, `access`), the reading of requests (`parameters`, `fields`, `writes`, `paging`),
//! answers and errors (`answers`, `first_answers`, `problem`, the `_shape` files), and one file per resource.
//! Who may call it: `cli`, which composes the daemon. What it may call: `node`, the queries of `store`,
//! `channels` for intake, `attachments` for files, `engine::live` for rights, `model`.
//!
//! The invariants: a client, however slow, large or numerous, can use only bounded memory, time and
//! connections. A handler decides nothing about dialogs: it checks rights, submits a command or a fact,
//! waits until that is durable, and answers with the new state. What may not be seen answers like what
//! does not exist. No error shows what a client sent, a secret, or the inside of the daemon.

pub mod server;

mod accept;
mod access;
mod answers;
mod attachments;
mod auth;
mod call_memory;
mod chats;
mod clients;
mod close;
mod config;
mod deliveries;
mod dialog_shape;
mod dialogs;
mod enclosed;
mod enclosures;
mod event_shape;
mod event_stream;
mod events;
mod explain;
mod fields;
mod first_answers;
mod health;
mod layers;
mod lines;
mod links;
mod message_shape;
mod messages;
mod notes;
mod openapi;
mod operators;
mod paging;
mod parameters;
mod pause;
mod problem;
mod queue;
mod rate;
mod request_id;
mod routes;
mod rule_conditions;
mod starting;
mod state;
mod subject;
mod supervision;
mod time;
mod timeline;
mod transfer;
mod typing;
mod webhooks;
mod writes;

pub use routes::{Access, Metrics, Route, metrics_router, router, router_with, table};
pub use starting::Opening;
