//! Seeded simulation: clients, operators, reloads, clock jumps, crashes and an unreliable outside world.
//!
//! A seed is a whole history; a failure prints the seed and the step. Run other seeds with
//! `SWITCHBOARD_SEEDS=1000..2000 cargo test --test suite simulation`.

mod clients;
mod company;
mod configs;
mod history;
mod operators;
mod workers;

use std::collections::BTreeSet;

use switchboard::engine::State;
use switchboard::engine::rows::Archive as _;
use switchboard::model::entry::{Entry, EntryHash};
use switchboard::model::event::EventKind;

use crate::world::memory::Memory;
use crate::world::{replay, step};
use company::Company;

/// The seeds that run with each `cargo test`, in as many parts as there are tests below.
const SEEDS: u64 = 100;
const STEPS: u64 = 120;
/// Seeds that once found something; they run forever.
const PINNED: &[u64] = &[];

fn run(seed: u64) {
    let mut company = Company::new(seed);
    let place = std::cell::Cell::new(0);
    let told = Told { seed, step: &place };
    for number in 0..STEPS {
        place.set(number);
        company.act();
    }
    place.set(STEPS);
    company.drain();
    company.check_history();
    compare_replays(&company);
    drop(told);
}

/// The journal of a company's history, some steps long and not finished: something of everything is under way.
/// With it, the kinds of events in it.
pub(crate) fn history_of(seed: u64, steps: u64) -> (Vec<Vec<u8>>, BTreeSet<EventKind>) {
    let mut company = Company::new(seed);
    (0..steps).for_each(|_| company.act());
    let events = company.applied.iter().flat_map(|applied| &applied.events);
    let kinds = events.map(|event| event.kind).collect();
    (company.world.journal, kinds)
}

/// Says which seed and step failed.
struct Told<'a> {
    seed: u64,
    step: &'a std::cell::Cell<u64>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("simulation failed: seed {} at step {}", self.seed, self.step.get());
        }
    }
}

/// The journal again gives the same: with nothing ever stored, with everything stored and gone from
/// memory after each entry, and from a snapshot on.
fn compare_replays(company: &Company) {
    let world = &company.world;
    let mut kept = State::default();
    let mut never_stored = Memory::default();
    let applied = replay(&mut kept, &never_stored, &world.journal);
    for (number, (live, again)) in company.applied.iter().zip(&applied).enumerate() {
        assert_eq!(live, again, "I34: entry {} differs on replay", number + 1);
    }
    assert_eq!(applied.len(), company.applied.len());
    assert_eq!(kept.digest(), world.state.digest(), "I34: live and replay differ");
    never_stored.store(kept.hand_over().1);
    same(&world.archive, &never_stored);

    let mut evicted = State::default();
    let mut store = Memory::default();
    let mut snapshot = None;
    for (number, bytes) in world.journal.iter().enumerate() {
        let entry: Entry = serde_json::from_slice(bytes).unwrap();
        let again = step(&mut evicted, &store, &entry, EntryHash::of(bytes));
        assert_eq!(company.applied[number], again, "entry {} differs when rows leave early", number + 1);
        let (handed, rows) = evicted.hand_over();
        store.store(rows);
        evicted.stored(handed);
        if number == world.journal.len() / 2 {
            snapshot = Some(store.clone());
        }
    }
    assert_eq!(evicted.digest(), world.state.digest());
    same(&world.archive, &store);

    let mut store = snapshot.unwrap();
    let mut rest = State::load(store.hot()).unwrap();
    let from = usize::try_from(store.position.seq).unwrap();
    replay(&mut rest, &store, &world.journal[from..]);
    assert_eq!(rest.digest(), world.state.digest(), "I36: snapshot and rest differ from live");
    store.store(rest.hand_over().1);
    same(&world.archive, &store);
}

fn same(ours: &Memory, theirs: &Memory) {
    if ours == theirs {
        return;
    }
    for (id, row) in &ours.dialogs {
        assert_eq!(Some(row), theirs.dialog(*id).unwrap().as_ref(), "dialog {id}");
    }
    for (id, row) in &ours.clients {
        assert_eq!(Some(row), theirs.client(*id).unwrap().as_ref(), "client {id}");
    }
    for (id, row) in &ours.effects {
        assert_eq!(Some(row), theirs.effect(*id).unwrap().as_ref(), "effect {id}");
    }
    for (id, row) in &ours.messages {
        assert_eq!(Some(row), theirs.messages.get(id), "message {id:?}");
    }
    assert_eq!(ours.decisions, theirs.decisions);
    assert_eq!(ours, theirs);
}

fn part(number: u64) {
    match std::env::var("SWITCHBOARD_SEEDS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").expect("SWITCHBOARD_SEEDS is written FROM..TO");
            let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
            (from..to).filter(|seed| seed % 2 == number).for_each(run);
        }
        Err(_) => (0..SEEDS).filter(|seed| seed % 2 == number).for_each(run),
    }
}

#[test]
fn every_history_keeps_the_invariants_even_seeds() {
    part(0);
}

#[test]
fn every_history_keeps_the_invariants_odd_seeds() {
    part(1);
}

#[test]
fn seeds_that_once_failed_hold() {
    PINNED.iter().copied().for_each(run);
}
