//! Clients.

use crate::model::client::{Client, Identity};
use crate::model::id::ClientId;
use crate::store::keys;
use crate::store::{Store, StoreError};

/// A client.
pub fn get(store: &Store, id: ClientId) -> Result<Option<Client>, StoreError> {
    store.row(&keys::client(id))
}

/// The client who has an identity.
pub fn of_identity(store: &Store, identity: &Identity) -> Result<Option<ClientId>, StoreError> {
    store.row(&keys::identity(identity))
}
