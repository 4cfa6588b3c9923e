//! From a write set to one batch: rows, the index entries that follow from them, and the position.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::rows::{ActiveConfig, Position, WriteSet};
use crate::model::client::Client;
use crate::model::dialog::Dialog;
use crate::model::effect::Effect;
use crate::model::event::{Event, EventKind};
use crate::model::id::{ChatId, ClientId, DialogId};
use crate::model::timer::Timer;

use super::dialog_index::IndexedDialog;
use super::effect_index::IndexedEffect;
use super::error::StoreError;
use super::event_page;
use super::handle::{Store, decode, encode};
use super::key_value::Batch;
use super::keys::{self, Key};
use super::message_list::{Additions, AdditionsByDialog};
use super::message_page;
use super::queues::Change;
use super::rows::{ConfigRow, PositionRow, pieces};

/// What the one writer knows between two write sets.
#[derive(Debug, Default)]
pub(super) struct Writer {
    position: Position,
    last_events: event_page::LastPage,
    last_messages: message_page::LastPage,
    stopped: bool,
}

impl Writer {
    /// The writer of a store that was just opened.
    pub(super) fn at(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            position: store.position()?,
            last_events: event_page::LastPage::of(store)?,
            last_messages: message_page::LastPage::of(store)?,
            stopped: false,
        })
    }

    /// Stores a write set. After an error every later one is refused.
    pub(super) fn write(&mut self, store: &Store, set: &WriteSet) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        self.stopped = true;
        if set.position.seq < self.position.seq {
            return Err(StoreError::OutOfOrder { stored: self.position.seq, given: set.position.seq });
        }
        let mut staged =
            Staged { store, batch: Batch::default(), open: Batch::default(), waiting: Vec::new() };
        staged.take(set, Additions::of(set, self.last_messages.last()))?;
        self.last_messages.put(store, &set.messages, &mut staged.batch)?;
        self.last_events.add(&set.events, &mut staged.batch)?;
        store.apply(staged.batch, staged.open, staged.waiting)?;
        self.position = set.position;
        self.stopped = false;
        Ok(())
    }
}

/// A batch in the making, over the store as it is.
struct Staged<'a> {
    store: &'a Store,
    batch: Batch,
    /// Places among the open dialogs by last change.
    open: Batch,
    /// How dialogs stood that wait, and stand.
    waiting: Vec<Change>,
}

impl Staged<'_> {
    fn take(&mut self, set: &WriteSet, mut additions: Additions) -> Result<(), StoreError> {
        self.take_inputs(set, &mut additions)?;
        let mut additions = additions.by_dialog();
        for dialog in &set.dialogs {
            self.take_dialog(dialog, &mut additions)?;
        }
        if let Some(dialog) = additions.without_row() {
            return Err(StoreError::damaged(&keys::dialog(dialog), "a message came without its dialog"));
        }
        for chat in &set.chats {
            let address = keys::address(&chat.address);
            // The address of a chat changes hardly ever and the row does with each dialog. One that another chat
            // left is this one's now.
            if self.current::<ChatId>(&address)? != Some(chat.id) {
                self.put(address, &chat.id)?;
            }
            // What came to an earlier address is found by it, until somebody else has it.
            for former in &chat.former {
                let address = keys::address(former);
                if self.value(&address)?.is_none() {
                    self.put(address, &chat.id)?;
                }
            }
            self.put(keys::chat(chat.id), chat)?;
        }
        self.take_clients(&set.clients)?;
        for effect in &set.effects {
            self.take_effect(effect)?;
        }
        for status in &set.operators {
            self.put(keys::operator(&status.id), status)?;
        }
        for (timer, due_ms) in &set.timers {
            let key = keys::timer(timer);
            match *due_ms {
                Some(due_ms) => self.put(key, &Timer { key: timer.clone(), due_ms })?,
                None => self.batch.delete(key),
            }
        }
        for decision in &set.decisions {
            self.put(keys::decision(decision.dialog, decision.seq, decision.index), decision)?;
        }
        for event in &set.events {
            self.take_timeline_event(event)?;
        }
        for config in &set.configs {
            self.take_config(config)?;
        }
        self.put(keys::position(), &PositionRow::from(set.position))
    }

    /// What lists of messages say of an input needs no row.
    fn take_inputs(&mut self, set: &WriteSet, additions: &mut Additions) -> Result<(), StoreError> {
        let chats: BTreeMap<DialogId, (&str, &str)> = set
            .dialogs
            .iter()
            .map(|dialog| (dialog.id, (dialog.channel.as_str(), dialog.external_chat.as_str())))
            .collect();
        for (input_id, known) in &set.known_inputs {
            let key = keys::known_input(input_id);
            if additions.cover(input_id, known, &chats) {
                self.store.expect(&key);
            } else {
                self.put(key, known)?;
            }
        }
        Ok(())
    }

    fn take_dialog(&mut self, dialog: &Dialog, additions: &mut AdditionsByDialog) -> Result<(), StoreError> {
        let key = keys::dialog(dialog.id);
        let before = self.value(&key)?;
        let old: Option<IndexedDialog> = before.as_deref().map(|row| decode(&key, row)).transpose()?;
        let new = IndexedDialog::from(dialog);
        if let Some(place) = old.as_ref().and_then(IndexedDialog::place_while_open) {
            self.open.delete(place);
        }
        if let Some(place) = new.place_while_open() {
            self.open.put(place, Vec::new());
        }
        let (stood, stands) = (old.as_ref().and_then(IndexedDialog::standing), new.standing());
        if stood != stands {
            self.waiting.push((stood, stands));
        }
        match old {
            Some(old) if old.has_entries_of(&new) => {}
            old => self.reindex(old.map(|old| old.entries()), new.entries()),
        }
        let row = additions.row(dialog.id, encode(dialog)?, before.as_deref(), &mut self.batch);
        self.batch.put(key, row);
        Ok(())
    }

    /// Clients first lose the identities that they had and then get those that they have, so that
    /// an identity may move between two clients of one write set.
    fn take_clients(&mut self, clients: &[Client]) -> Result<(), StoreError> {
        for client in clients {
            let Some(old) = self.current::<Client>(&keys::client(client.id))? else { continue };
            for identity in old.identities.difference(&client.identities) {
                let key = keys::identity(identity);
                if self.current::<ClientId>(&key)? == Some(client.id) {
                    self.batch.delete(key);
                }
            }
        }
        for client in clients {
            for identity in &client.identities {
                self.put(keys::identity(identity), &client.id)?;
            }
            self.put(keys::client(client.id), client)?;
        }
        Ok(())
    }

    fn take_effect(&mut self, effect: &Effect) -> Result<(), StoreError> {
        let key = keys::effect(effect.id);
        let old: Option<IndexedEffect> = self.current(&key)?;
        self.reindex(old.map(|old| old.entries()), IndexedEffect::from(effect).entries());
        self.put(key, effect)
    }

    /// A timeline shows messages and notes as what they are, so their events are left out of it.
    fn take_timeline_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let shown = !matches!(
            event.kind,
            EventKind::MessageReceived
                | EventKind::MessageQueued
                | EventKind::MessageSent
                | EventKind::MessageEchoed
                | EventKind::NoteAdded
        );
        match event.dialog {
            Some(dialog) if shown => self.put(keys::timeline_event(dialog, event.seq, event.index), event),
            _ => Ok(()),
        }
    }

    fn take_config(&mut self, config: &ActiveConfig) -> Result<(), StoreError> {
        let mut count = 0;
        for piece in pieces(&config.canonical) {
            self.put(keys::config_piece(config.seq, count), piece)?;
            count += 1;
        }
        self.put(keys::config(config.seq), &ConfigRow::of(config, count))
    }

    /// Replaces the index entries of a row.
    fn reindex(&mut self, old: Option<Vec<Key>>, new: Vec<Key>) {
        let old = old.unwrap_or_default();
        let added: Vec<Key> = new.iter().filter(|entry| !old.contains(entry)).cloned().collect();
        for entry in old {
            if !new.contains(&entry) {
                self.batch.delete(entry);
            }
        }
        for entry in added {
            self.batch.put(entry, Vec::new());
        }
    }

    fn put<T: Serialize + ?Sized>(&mut self, key: Key, row: &T) -> Result<(), StoreError> {
        self.batch.put(key, encode(row)?);
        Ok(())
    }

    /// The value of a key as this batch leaves it.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.batch.change(key) {
            Some(change) => Ok(change.map(<[u8]>::to_vec)),
            None => self.store.value(key),
        }
    }

    /// The row of a key as this batch leaves it.
    fn current<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.value(key)?.map(|value| decode(key, &value)).transpose()
    }
}
