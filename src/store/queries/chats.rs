//! Chats.

use crate::model::chat::{Chat, ChatAddress};
use crate::model::id::ChatId;
use crate::store::keys;
use crate::store::{Store, StoreError};

/// A chat.
pub fn get(store: &Store, id: ChatId) -> Result<Option<Chat>, StoreError> {
    store.row(&keys::chat(id))
}

/// The chat at an address.
pub fn at(store: &Store, address: &ChatAddress) -> Result<Option<ChatId>, StoreError> {
    store.row(&keys::address(address))
}
