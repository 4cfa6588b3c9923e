//! What must hold beyond form: between values, between files, and inside texts that are programs of
//! their own (templates, regular expressions, JSONPaths, conditions).
//!
//! Functions that take a [`Walk`](super::grammar::walk::Walk) are reached from the tables of
//! `grammar`; [`set`] runs once over all files. [`run`] is the whole of `switchboard check`.

pub mod actions;
pub mod addresses;
pub mod calendars;
pub mod channels;
pub mod comparison;
pub mod conditions;
pub mod contradictions;
pub mod jsonpaths;
pub mod life;
pub mod mail;
pub mod operators;
pub mod routing;
pub mod rules;
mod run;
pub mod secrets;
pub mod set;
pub mod sla;
pub mod templates;

pub use run::{Verdict, Warnings, run};
