//! The HTTP surface on a real node: the router is called in-process, everything behind it is as in
//! the daemon.

mod accounts;
mod attachments;
mod authorization;
mod documentation;
mod events;
mod idempotency;
mod input;
mod life;
mod openapi;
mod path;
mod rig;
mod rule_conditions;
mod shapes;
mod subject;
mod webhooks;
