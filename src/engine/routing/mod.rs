//! Routing: who gets a waiting dialog. A pure function of state, configuration and entry.
//!
//! `queue` orders the dialogs and says for whom they wait, `pool` says who that is by the configuration,
//! `roster` and `shifts` how those people are right now, `candidates` judges and orders them, and `settle`
//! brings dialogs and people together after everything that could help. After it no dialog waits while an
//! operator who could take it is free.
//!
//! A decision compares sets of numbers (`bits`, `people`, `slots`): it looks through no list of dialogs, and
//! asks no operator who is not in the set. May be called by the verbs of `engine`; calls `offers` and
//! `transfer`.

pub mod bits;
pub mod candidates;
pub mod people;
pub mod pool;
pub mod queue;
pub mod roster;
pub mod settle;
pub mod shifts;
pub mod slots;
