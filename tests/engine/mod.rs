//! The pure parts of the engine against oracles that are plain and slow.

mod hours;
