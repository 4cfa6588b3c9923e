//! The daemon as a process, with a messenger beside it: what people run is what is tested.
//!
//! Nothing here sleeps for a fixed time: each test waits for a condition, under a deadline.

pub(crate) mod daemon;
pub(crate) mod http;
#[path = "../../examples/messenger/server.rs"]
pub(crate) mod messenger;
pub(crate) mod waiting;

mod configuration;
mod delivery;
mod independent_peer;
mod life;
mod mail;
mod path;
mod watching;
