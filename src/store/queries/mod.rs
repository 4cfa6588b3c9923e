//! What people read: one file per subject, each a few functions over a [`super::Store`].
//!
//! May be called by `api` and `cli`. A page never walks without bound: it looks at no more than
//! [`EXAMINED_MAX`] rows and hands back a cursor that goes on from there, so a page may be short or
//! even empty while there is more. Rights are the caller's business.
//!
//! A query sees whole write sets, but not all its steps see the same one: a dialog that changes
//! meanwhile may be missing from a list, and never appears twice or in a place that is not its own.

pub mod clients;
pub mod configs;
pub mod decisions;
pub mod deliveries;
mod dialog_filter;
pub mod dialogs;
pub mod events;
pub mod lines;
pub mod messages;
pub mod operators;
mod page;
pub mod queue;
pub mod timeline;

pub use page::{EXAMINED_MAX, LIMIT_MAX, Page, Walk};
