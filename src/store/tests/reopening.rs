//! Stores on disk: reopened, in use, of another format, damaged, removed.

use std::fs;
use std::sync::Arc;

use crate::engine::rows::{Archive, WriteSet};
use crate::model::dialog::DialogState;
use crate::model::event::EventKind;
use crate::store::files::Files;
use crate::store::key_value::{Batch, KeyValue};
use crate::store::queries::{dialogs, events, queue};
use crate::store::{Settings, Store, StoreError, keys};

use super::samples::*;

#[test]
fn a_reopened_store_is_what_it_was_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    assert!(!Store::exists(&path).unwrap());
    let store = Store::open(&path, Settings::default()).unwrap();
    let first = event(1, 0, EventKind::DialogOpened, None);
    store.write(&WriteSet { dialogs: vec![dialog(1)], events: shared([first.clone()]), ..up_to(1) }).unwrap();
    store.flush().unwrap();
    let digest = store.digest().unwrap();
    drop(store);
    assert!(Store::exists(&path).unwrap());
    let store = Store::open(&path, Settings::default()).unwrap();
    assert_eq!(store.position().unwrap(), position(1));
    assert_eq!(store.digest().unwrap(), digest);
    let second = event(2, 0, EventKind::DialogQueued, None);
    store.write(&WriteSet { events: shared([second.clone()]), ..up_to(2) }).unwrap();
    assert_eq!(events::after(&store, 0, 0, 9).unwrap(), [first, second]);
    assert!(store.size_on_disk().unwrap() > 0);
}

#[test]
fn a_reopened_store_finds_the_inputs_of_before_and_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let one = dialog(1);
    for start in [0, 100, 200] {
        let store = Store::open(folder.path(), Settings::default()).unwrap();
        let new = start + 1..=start + 100;
        store
            .write(&WriteSet {
                known_inputs: new.clone().map(|seq| brought(&one, seq)).collect(),
                messages: shared(new.clone().map(|seq| message(&one, seq, 0))),
                dialogs: vec![one.clone()],
                chats: vec![chat(1)],
                ..up_to(start + 100)
            })
            .unwrap();
        // Also once the keys that were there have been learned.
        while !store.is_absent(b"nothing") {
            std::thread::yield_now();
        }
        for seq in 1..=start + 100 {
            let (input_id, known) = brought(&one, seq);
            assert_eq!(store.known_input(&input_id).unwrap(), Some(known));
        }
        assert_eq!(store.known_input(&brought(&one, start + 101).0).unwrap(), None);
        store.flush().unwrap();
    }
}

#[test]
fn a_reopened_store_knows_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let queue = |store: &Store| queue::of_line(store, &"sales".into(), None, 0, None, 9).unwrap();
    let store = Store::open(folder.path(), Settings::default()).unwrap();
    let mut rows = [dialog(1), dialog(2), dialog(3)];
    rows[1].route.deadline_ms = Some(1);
    rows[2].state = DialogState::Closing;
    store.write(&WriteSet { dialogs: rows.to_vec(), ..up_to(3) }).unwrap();
    let before = queue(&store);
    assert_eq!(before.dialogs, [rows[1].clone(), rows[0].clone()]);
    store.flush().unwrap();
    drop(store);
    let store = Store::open(folder.path(), Settings::default()).unwrap();
    assert_eq!(queue(&store), before);
}

#[test]
fn a_store_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(&path, Settings::default()).unwrap();
    assert!(matches!(Store::open(&path, Settings::default()), Err(StoreError::InUse { .. })));
    assert!(matches!(Store::remove(&path), Err(StoreError::InUse { .. })));
    drop(store);
    Store::remove(&path).unwrap();
    assert!(!Store::exists(&path).unwrap());
    Store::remove(&path).unwrap();
    assert_eq!(Store::open(&path, Settings::default()).unwrap().position().unwrap().seq, 0);
}

#[test]
fn a_folder_that_holds_anything_else_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("holiday.jpg"), "x").unwrap();
    let refused = Store::remove(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("holiday.jpg"));
    assert!(folder.path().join("holiday.jpg").exists());
}

#[test]
fn another_format_asks_for_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    for (key, value) in [(keys::format(), "999"), (keys::position(), "{}")] {
        let path = folder.path().join(value.len().to_string());
        let files = Files::open(&path, 1 << 20).unwrap();
        let mut batch = Batch::default();
        batch.put(key, value.into());
        files.apply(batch).unwrap();
        drop(files);
        let refused = Store::open(&path, Settings::default()).unwrap_err();
        assert!(matches!(refused, StoreError::Format { wanted: keys::FORMAT, .. }), "{refused}");
        assert!(refused.to_string().contains("switchboard rebuild"), "{refused}");
    }
}

#[test]
fn a_row_that_does_not_read_back_names_its_key() {
    let files: Arc<dyn KeyValue> = Arc::new(Files::temporary(1 << 20).unwrap());
    let store = Store::over(Arc::clone(&files)).unwrap();
    let id = dialog(1).id;
    let mut batch = Batch::default();
    batch.put(keys::dialog(id), b"{\"id\":".to_vec());
    files.apply(batch).unwrap();
    let refused = dialogs::get(&store, id).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Damaged { key, .. } if key == "64000000000000000100000000"),
        "{refused}"
    );
}

#[test]
fn files_that_are_damaged_are_refused_and_the_process_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(Store::open(&path, Settings::default()).unwrap());
    fs::write(path.join("conf"), "no configuration of sled").unwrap();
    let refused = Store::open(&path, Settings::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Open { .. }), "{refused}");
    assert!(refused.to_string().contains("switchboard rebuild"));
    // What the message says can be done.
    Store::remove(&path).unwrap();
    Store::open(&path, Settings::default()).unwrap();
}
