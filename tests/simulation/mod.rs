//! Seeded simulation: clients, operators, reloads, clock jumps, crashes and an unreliable outside world.
//!
//! A seed is a whole history; a failure prints the seed, its length and the step. `SWITCHBOARD_SEEDS=2000..9000`
//! runs other seeds, `SWITCHBOARD_STEPS=500` longer histories: see CONTRIBUTING.md.

mod clients;
mod company;
mod configs;
mod elsewhere;
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

/// The seeds that run with each `cargo test`: what many short histories meet is rather what few long ones do not,
/// and a fault in a short one is found sooner.
const SEEDS: u64 = 1_000;
/// How much happens in a short history.
const STEPS: u64 = 40;
/// In each part every so many histories are long: dialogs in them are reopened, rated and forgotten.
const LONG_EVERY: u64 = 100;
/// How much happens in a long history.
const LONG_STEPS: u64 = 200;
/// In each part every so many histories are replayed, the long ones among them: replays take as long as all the rest.
const REPLAYED_EVERY: u64 = 5;
/// Seeds and lengths that once found something; they run forever.
const PINNED: &[(u64, u64)] = &[(2, 400)];

fn run(seed: u64, steps: u64, replays: Replays) {
    let mut company = Company::new(seed);
    let place = std::cell::Cell::new(0);
    let told = Told { seed, steps, step: &place };
    for number in 0..steps {
        place.set(number);
        company.act();
    }
    place.set(steps);
    company.drain();
    company.check_history();
    if replays == Replays::Compared {
        compare_replays(&company);
    }
    drop(told);
}

/// Whether a history is applied again in other ways.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replays {
    Compared,
    LeftOut,
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

/// Says which history failed, and where.
struct Told<'a> {
    seed: u64,
    steps: u64,
    step: &'a std::cell::Cell<u64>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, steps, step } = self;
            println!("simulation failed: seed {seed} of {steps} steps at step {}", step.get());
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

/// The parts that run beside each other.
const PARTS: u64 = 4;

/// Every fourth seed. Of seeds that were asked for, all are replayed.
fn part(number: u64) {
    let asked = std::env::var("SWITCHBOARD_SEEDS").ok();
    let seeds = asked.as_ref().map_or(0..SEEDS, |range| {
        let (from, to) = range.split_once("..").expect("SWITCHBOARD_SEEDS is written FROM..TO");
        from.parse().unwrap()..to.parse().unwrap()
    });
    let steps: Option<u64> = std::env::var("SWITCHBOARD_STEPS").ok().map(|steps| steps.parse().unwrap());
    for seed in seeds.filter(|seed| seed % PARTS == number) {
        let place = seed / PARTS;
        let is_replayed = asked.is_some() || place.is_multiple_of(REPLAYED_EVERY);
        let replays = if is_replayed { Replays::Compared } else { Replays::LeftOut };
        run(
            seed,
            steps.unwrap_or(if place.is_multiple_of(LONG_EVERY) { LONG_STEPS } else { STEPS }),
            replays,
        );
    }
}

#[test]
fn every_history_keeps_the_invariants_first_quarter_of_the_seeds() {
    part(0);
}

#[test]
fn every_history_keeps_the_invariants_second_quarter_of_the_seeds() {
    part(1);
}

#[test]
fn every_history_keeps_the_invariants_third_quarter_of_the_seeds() {
    part(2);
}

#[test]
fn every_history_keeps_the_invariants_last_quarter_of_the_seeds() {
    part(3);
}

#[test]
fn histories_that_once_failed_hold() {
    PINNED.iter().for_each(|(seed, steps)| run(*seed, *steps, Replays::Compared));
}
