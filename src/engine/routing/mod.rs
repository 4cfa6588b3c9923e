//! Routing: who gets a waiting dialog. A pure function of state, configuration and entry.
//!
//! `queue` orders the dialogs, `candidates` judges and orders the operators, `settle` brings the two
//! together after everything that could help. After it no dialog waits while an operator who could
//! take it is free.

pub mod bits;
pub mod candidates;
pub mod people;
pub mod pool;
pub mod queue;
pub mod roster;
pub mod settle;
pub mod shifts;
pub mod slots;
