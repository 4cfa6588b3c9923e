//! What the engine asks for before it applies an entry.

use crate::engine::rows::{Archive, ArchiveError};
use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::{Client, Identity};
use crate::model::dialog::Dialog;
use crate::model::effect::Effect;
use crate::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId};
use crate::model::message::Message;
use crate::model::outcome::KnownInput;

use super::handle::Store;
use super::keys;
use super::known_input;
use super::message_page;

impl Archive for Store {
    fn known_input(&self, input_id: &str) -> Result<Option<KnownInput>, ArchiveError> {
        Ok(known_input::find(self, input_id)?)
    }

    fn dialog(&self, id: DialogId) -> Result<Option<Dialog>, ArchiveError> {
        Ok(self.row(&keys::dialog(id))?)
    }

    fn chat(&self, id: ChatId) -> Result<Option<Chat>, ArchiveError> {
        Ok(self.row(&keys::chat(id))?)
    }

    fn chat_at(&self, address: &ChatAddress) -> Result<Option<ChatId>, ArchiveError> {
        Ok(self.row_if_present(&keys::address(address))?)
    }

    fn client(&self, id: ClientId) -> Result<Option<Client>, ArchiveError> {
        Ok(self.row(&keys::client(id))?)
    }

    fn client_of(&self, identity: &Identity) -> Result<Option<ClientId>, ArchiveError> {
        Ok(self.row_if_present(&keys::identity(identity))?)
    }

    fn message(&self, dialog: DialogId, id: MessageId) -> Result<Option<Message>, ArchiveError> {
        Ok(message_page::find(self, dialog, id)?)
    }

    fn effect(&self, id: EffectId) -> Result<Option<Effect>, ArchiveError> {
        Ok(self.row(&keys::effect(id))?)
    }
}
