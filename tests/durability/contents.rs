//! What a stopped daemon has kept: journal and store, opened and read in full.

use std::collections::BTreeMap;

use switchboard::journal::{self, FileJournal, Journal as _};
use switchboard::model::effect::{Effect, EffectState};
use switchboard::model::id::DialogId;
use switchboard::model::message::{Direction, Message};
use switchboard::store::queries::{LIMIT_MAX, Walk, deliveries, dialogs, messages};
use switchboard::store::{Settings, Store};

use super::site::Site;

/// Everything that matters in a data folder.
pub(super) struct Contents {
    /// The last entry of the journal.
    pub(super) head: u64,
    /// The last entry that the store has.
    pub(super) stored: u64,
    /// The digest of the store.
    pub(super) digest: String,
    /// The messages of each dialog, oldest first.
    pub(super) dialogs: BTreeMap<DialogId, Vec<Message>>,
    /// The outbox.
    pub(super) effects: Vec<Effect>,
}

impl Contents {
    /// Reads the data of a site; checks every byte of the journal, and that the store fits it.
    pub(super) fn of(site: &Site) -> Self {
        site.let_go();
        let (journal, recovery) = FileJournal::open(&site.journal(), journal::Settings::default()).unwrap();
        assert_eq!(recovery.cut, None, "a daemon that has ended leaves no torn tail");
        journal.verify(&mut |_, _| {}).unwrap();
        let store = Store::open(&site.store(), Settings::default()).unwrap();
        let position = store.position().unwrap();
        journal.verify_contains(position.seq, position.hash).unwrap();
        Self {
            head: journal.head().seq,
            stored: position.seq,
            digest: store.digest().unwrap(),
            dialogs: read_dialogs(&store),
            effects: read_effects(&store),
        }
    }

    /// Asserts the promise: each of these messages is in exactly one dialog exactly once, nothing is there
    /// twice, and each dialog has its messages in the order in which the client wrote them.
    pub(super) fn assert_kept<'a>(&self, acknowledged: impl IntoIterator<Item = &'a u64>) {
        let mut places: BTreeMap<u64, Vec<DialogId>> = BTreeMap::new();
        for (dialog, messages) in &self.dialogs {
            let ids: Vec<u64> = messages
                .iter()
                .filter(|message| message.direction == Direction::In)
                .map(|message| message.external_id.as_ref().unwrap().parse().unwrap())
                .collect();
            assert!(ids.is_sorted(), "the order of {dialog} is another one: {ids:?}");
            for id in ids {
                places.entry(id).or_default().push(*dialog);
            }
        }
        let doubled: Vec<_> = places.iter().filter(|(_, dialogs)| dialogs.len() > 1).collect();
        assert!(doubled.is_empty(), "kept more than once: {doubled:?}");
        let lost: Vec<_> = acknowledged.into_iter().filter(|id| !places.contains_key(id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }

    /// The effects that arrived.
    pub(super) fn delivered(&self) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(|effect| effect.state == EffectState::Delivered)
    }
}

fn read_dialogs(store: &Store) -> BTreeMap<DialogId, Vec<Message>> {
    let mut found = BTreeMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let filter = dialogs::DialogFilter::default();
        let page =
            dialogs::list(store, &filter, dialogs::Sort::Opened, cursor.as_deref(), LIMIT_MAX).unwrap();
        for dialog in page.items {
            assert!(found.insert(dialog.id, read_messages(store, dialog.id)).is_none());
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

fn read_messages(store: &Store, dialog: DialogId) -> Vec<Message> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let walk = Walk::Forward(cursor.as_deref());
        let page = messages::of_dialog(store, dialog, walk, LIMIT_MAX).unwrap();
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

fn read_effects(store: &Store) -> Vec<Effect> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let filter = deliveries::DeliveryFilter::default();
        let page = deliveries::list(store, &filter, cursor.as_deref(), LIMIT_MAX).unwrap();
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}
