//! Clients.

use crate::model::client::Client;
use crate::model::id::ClientId;
use crate::store::keys;
use crate::store::{Store, StoreError};

/// A client.
pub fn get(store: &Store, id: ClientId) -> Result<Option<Client>, StoreError> {
    store.row(&keys::client(id))
}
