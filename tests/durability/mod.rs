//! A message that got its 2xx is in exactly one dialog exactly once, and survives kill -9.
//!
//! Lives here: the proofs of docs/durability.md, one file per subject, and what they share: `site` (a
//! configuration and a data folder of its own), `daemon` (the real program as a child process), `node` (the
//! same without HTTP, in this process), `day` (what happens in it), `wire` (a client that knows exactly what was acknowledged),
//! `messenger` (a messenger that keeps the truth of what it was sent), `contents` (what a stopped
//! daemon has kept) and `deadline` (waiting without a fixed time).

mod contents;
mod daemon;
mod day;
mod deadline;
mod messenger;
mod node;
mod site;
mod wire;

mod crash;
mod disk;
mod flood;
mod kill;
mod outbox;
mod recovery;
mod repeats;
mod replay;
mod shutdown;
