//! All tests of the product in one binary: one folder per kind.
//!
//! The modules are marked `cfg(test)` although nothing else is built here: that is how clippy knows that
//! unwrapping and indexing are fine in them.

#[cfg(test)]
mod api;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod config;
#[cfg(test)]
mod day;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod world;
