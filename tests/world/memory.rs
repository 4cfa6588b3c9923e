//! An archive in memory, fed by write sets: the smallest thing that keeps the store's promise.

use std::collections::BTreeMap;

use switchboard::engine::rows::{ActiveConfig, Archive, ArchiveError, HotRows, Position, WriteSet};
use switchboard::model::chat::{Chat, ChatAddress};
use switchboard::model::client::{Client, Identity};
use switchboard::model::decision::Decision;
use switchboard::model::dialog::Dialog;
use switchboard::model::effect::Effect;
use switchboard::model::event::Event;
use switchboard::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId, OperatorId};
use switchboard::model::message::Message;
use switchboard::model::operator::OperatorStatus;
use switchboard::model::outcome::KnownInput;
use switchboard::model::timer::{Timer, TimerKey};

/// All rows, as a store would have them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Memory {
    pub(crate) position: Position,
    pub(crate) known_inputs: BTreeMap<String, KnownInput>,
    pub(crate) dialogs: BTreeMap<DialogId, Dialog>,
    pub(crate) chats: BTreeMap<ChatId, Chat>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) messages: BTreeMap<(DialogId, MessageId), Message>,
    pub(crate) effects: BTreeMap<EffectId, Effect>,
    pub(crate) operators: BTreeMap<OperatorId, OperatorStatus>,
    pub(crate) timers: BTreeMap<TimerKey, u64>,
    pub(crate) events: Vec<Event>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) configs: Vec<ActiveConfig>,
    addresses: BTreeMap<ChatAddress, ChatId>,
    identities: BTreeMap<Identity, ClientId>,
}

impl Memory {
    /// Takes in what changed.
    pub(crate) fn store(&mut self, rows: WriteSet) {
        assert!(self.position.seq <= rows.position.seq, "a write set goes back in time");
        self.position = rows.position;
        self.known_inputs.extend(rows.known_inputs.into_iter().map(|(id, known)| (id.to_string(), known)));
        self.dialogs.extend(rows.dialogs.into_iter().map(|row| (row.id, row)));
        self.messages.extend(rows.messages.iter().map(|row| ((row.dialog, row.id), row.as_ref().clone())));
        self.effects.extend(rows.effects.into_iter().map(|row| (row.id, row)));
        self.operators.extend(rows.operators.into_iter().map(|row| (row.id.clone(), row)));
        for chat in rows.chats {
            self.addresses.insert(chat.address.clone(), chat.id);
            for former in &chat.former {
                self.addresses.entry(former.clone()).or_insert(chat.id);
            }
            self.chats.insert(chat.id, chat);
        }
        for client in &rows.clients {
            let old = self.clients.get(&client.id).into_iter().flat_map(|old| &old.identities);
            for identity in old.filter(|old| !client.identities.contains(*old)) {
                if self.identities.get(identity) == Some(&client.id) {
                    self.identities.remove(identity);
                }
            }
        }
        for client in rows.clients {
            self.identities.extend(client.identities.iter().map(|identity| (identity.clone(), client.id)));
            self.clients.insert(client.id, client);
        }
        for (key, due_ms) in rows.timers {
            match due_ms {
                Some(due_ms) => self.timers.insert(key, due_ms),
                None => self.timers.remove(&key),
            };
        }
        self.events.extend(rows.events.iter().map(|event| event.as_ref().clone()));
        self.decisions.extend(rows.decisions);
        self.configs.extend(rows.configs);
    }

    /// What a start needs.
    pub(crate) fn hot(&self) -> HotRows {
        let open = || self.dialogs.values().filter(|dialog| dialog.closed_at_ms.is_none());
        let clients: BTreeMap<ClientId, &Client> =
            open().filter_map(|dialog| Some((dialog.client, self.clients.get(&dialog.client)?))).collect();
        HotRows {
            position: self.position,
            config: self.configs.last().cloned(),
            dialogs: open().cloned().collect(),
            chats: open().filter_map(|dialog| self.chats.get(&dialog.chat).cloned()).collect(),
            clients: clients.into_values().cloned().collect(),
            effects: self.effects.values().filter(|effect| !effect.state.is_terminal()).cloned().collect(),
            operators: self.operators.values().cloned().collect(),
            timers: self
                .timers
                .iter()
                .map(|(key, due_ms)| Timer { key: key.clone(), due_ms: *due_ms })
                .collect(),
        }
    }
}

impl Archive for Memory {
    fn known_input(&self, input_id: &str) -> Result<Option<KnownInput>, ArchiveError> {
        Ok(self.known_inputs.get(input_id).cloned())
    }

    fn dialog(&self, id: DialogId) -> Result<Option<Dialog>, ArchiveError> {
        Ok(self.dialogs.get(&id).cloned())
    }

    fn chat(&self, id: ChatId) -> Result<Option<Chat>, ArchiveError> {
        Ok(self.chats.get(&id).cloned())
    }

    fn chat_at(&self, address: &ChatAddress) -> Result<Option<ChatId>, ArchiveError> {
        Ok(self.addresses.get(address).copied())
    }

    fn client(&self, id: ClientId) -> Result<Option<Client>, ArchiveError> {
        Ok(self.clients.get(&id).cloned())
    }

    fn client_of(&self, identity: &Identity) -> Result<Option<ClientId>, ArchiveError> {
        Ok(self.identities.get(identity).copied())
    }

    fn message(&self, dialog: DialogId, id: MessageId) -> Result<Option<Message>, ArchiveError> {
        Ok(self.messages.get(&(dialog, id)).cloned())
    }

    fn effect(&self, id: EffectId) -> Result<Option<Effect>, ArchiveError> {
        Ok(self.effects.get(&id).cloned())
    }
}
