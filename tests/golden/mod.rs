//! Journals of earlier days. Each must be readable for ever, and lead to what it led to.
//!
//! `tests/golden/NAME/journal` is a journal as a daemon left it; `expected.json` says what it came to. A
//! failure means that the format or the meaning of entries has changed: docs/journal.md says what to do when
//! that is intended. `SWITCHBOARD_GOLDEN=expected` writes what is expected anew, `SWITCHBOARD_GOLDEN=NAME`
//! makes another journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use switchboard::engine::State;
use switchboard::journal::{self, FileJournal, Journal as _};
use switchboard::model::entry::{Entry, EntryHash};
use switchboard::model::event::EventKind;
use switchboard::node::data::{journal_folder, open_data};

use crate::simulation::history_of;
use crate::world::memory::Memory;
use crate::world::{check, step};

/// The seeds and the length of a new journal: of their histories the one with most kinds of events is kept.
const SEEDS: std::ops::Range<u64> = 100..200;
const STEPS: u64 = 600;
/// Small, so that there are sealed segments.
const SEGMENT_BYTES: u64 = 32 * 1024;
/// A digest is kept for each so many entries, to say where two histories part.
const DIGEST_EVERY: u64 = 16;

/// What a journal comes to.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    /// The hash of the last entry.
    head: String,
    entries: u64,
    /// Events by kind.
    events: BTreeMap<String, u64>,
    /// The digest of the outcomes and events of all entries.
    answers: String,
    /// The digest of the state after each [`DIGEST_EVERY`] entries and after the last, by `seq`.
    states: BTreeMap<u64, String>,
    /// The digest of all rows at the end, those that left the memory included. Not of the store's files: the
    /// store is disposable, and may keep the same rows in another way tomorrow.
    rows: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn journals() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("journal").is_dir())
        .collect();
    found.sort();
    found
}

/// Reads, verifies and replays a journal, and builds a store from it.
fn come_to(golden: &Path) -> Expected {
    let data = tempfile::tempdir().unwrap();
    let copy = journal_folder(data.path());
    fs::create_dir_all(&copy).unwrap();
    for file in fs::read_dir(golden.join("journal")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let (journal, recovery) = FileJournal::open(&copy, journal::Settings::default()).unwrap();
    assert_eq!(recovery.cut, None, "{} is cut off", golden.display());
    journal.verify(&mut |_, _| {}).unwrap();
    let head = journal.head();

    let (mut state, mut archive) = (State::default(), Memory::default());
    let (mut states, mut events, mut answers) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for recorded in journal.read_from(1).unwrap() {
        let recorded = recorded.unwrap();
        let applied = step(&mut state, &archive, &recorded.entry, recorded.hash);
        check(&state, &recorded.entry.input);
        for event in &applied.events {
            *events.entry(event.kind.as_str().to_owned()).or_insert(0) += 1;
        }
        answers.extend(serde_json::to_vec(&(&applied.outcome, applied.first_seq, &applied.events)).unwrap());
        if recorded.entry.seq % DIGEST_EVERY == 0 || recorded.entry.seq == head.seq {
            states.insert(recorded.entry.seq, state.digest().to_string());
        }
        let (handed, rows) = state.hand_over();
        archive.store(rows);
        state.stored(handed);
    }
    drop(journal);
    let opened = open_data(data.path(), &mut |_| {}).unwrap();
    assert_eq!(opened.store.position().unwrap().hash, head.hash, "a store can be built from it");
    assert_eq!(opened.state.digest(), state.digest(), "the store is no other way to the same state");
    let rows = (
        archive.dialogs.values().collect::<Vec<_>>(),
        archive.clients.values().collect::<Vec<_>>(),
        archive.messages.values().collect::<Vec<_>>(),
        archive.effects.values().collect::<Vec<_>>(),
        archive.operators.values().collect::<Vec<_>>(),
        &archive.decisions,
    );
    let digest = |bytes: &[u8]| EntryHash::of(bytes).to_string();
    Expected {
        head: head.hash.to_string(),
        entries: head.seq,
        events,
        answers: digest(&answers),
        states,
        rows: digest(&serde_json::to_vec(&rows).unwrap()),
    }
}

/// Makes a journal of a simulated company.
fn make(name: &str) {
    let golden = folder().join(name);
    assert!(!golden.exists(), "{name} exists: journals are never changed, only added");
    let settings = journal::Settings { segment_bytes: SEGMENT_BYTES, spare: false };
    let (mut journal, _) = FileJournal::open(&golden.join("journal"), settings).unwrap();
    let histories = SEEDS.map(|seed| history_of(seed, STEPS));
    let (history, _) = histories.max_by_key(|(_, kinds)| kinds.len()).unwrap();
    for bytes in history {
        let entry: Entry = serde_json::from_slice(&bytes).unwrap();
        let sealed = journal::seal(&entry).unwrap();
        assert_eq!(sealed.bytes(), bytes, "an entry is written in one way only");
        journal.append(journal.head().seq, &[sealed]).unwrap();
    }
    drop(journal);
    fs::remove_file(golden.join("journal/lock")).unwrap();
}

fn write_expected(golden: &Path) {
    let text = serde_json::to_string_pretty(&come_to(golden)).unwrap();
    fs::write(golden.join("expected.json"), text + "\n").unwrap();
}

#[test]
fn every_journal_leads_to_what_it_led_to() {
    match std::env::var("SWITCHBOARD_GOLDEN").as_deref() {
        Ok("expected") | Err(_) => {}
        Ok(name) => {
            make(name);
            write_expected(&folder().join(name));
        }
    }
    let journals = journals();
    assert!(!journals.is_empty(), "the journals were not found");
    for golden in journals {
        if std::env::var("SWITCHBOARD_GOLDEN").as_deref() == Ok("expected") {
            write_expected(&golden);
        }
        let expected: Expected =
            serde_json::from_str(&fs::read_to_string(golden.join("expected.json")).unwrap()).unwrap();
        let found = come_to(&golden);
        let parted = expected.states.iter().find(|(seq, digest)| found.states.get(seq) != Some(digest));
        if let Some((seq, _)) = parted {
            panic!(
                "{}: the state is another one at entry {seq}, or up to {} entries before; docs/journal.md, \
                 \"Golden journals\", says what to do if that is intended",
                golden.display(),
                DIGEST_EVERY - 1
            );
        }
        assert_eq!(found, expected, "{}", golden.display());
    }
}

#[test]
fn the_journals_hold_most_of_what_can_happen() {
    let mut kinds = BTreeSet::new();
    for golden in journals() {
        let text = fs::read_to_string(golden.join("expected.json")).unwrap();
        kinds.extend(serde_json::from_str::<Expected>(&text).unwrap().events.into_keys());
    }
    let missing: Vec<_> =
        EventKind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.len() <= 3, "make a longer journal: {missing:?} never happen");
}
