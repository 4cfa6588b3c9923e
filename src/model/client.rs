//! A person outside.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{ChannelId, ClientId};

/// A client with what we know of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// The name that they show in the messenger.
    pub name: Option<String>,
    /// The public handle.
    pub username: Option<String>,
    /// The language of their messenger, as an IETF tag.
    pub language: Option<String>,
    /// Phone numbers that the messenger vouched for, as given.
    pub phones: BTreeSet<String>,
    /// Who they are in each channel.
    pub identities: BTreeSet<Identity>,
    /// Labels.
    pub tags: BTreeSet<String>,
    /// Fields of the company's own.
    pub custom: BTreeMap<String, serde_json::Value>,
    /// How they came first: the parameter of a deep link.
    pub source: Option<String>,
    /// When the last automatic mails went to them: a machine that answers ours is not answered for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub automatic_mails_ms: Vec<u64>,
    /// When we first heard of them.
    pub created_at_ms: u64,
}

impl Client {
    /// Somebody of whom nothing is known.
    pub const fn new(id: ClientId, created_at_ms: u64) -> Self {
        Self {
            id,
            name: None,
            username: None,
            language: None,
            phones: BTreeSet::new(),
            identities: BTreeSet::new(),
            tags: BTreeSet::new(),
            custom: BTreeMap::new(),
            source: None,
            automatic_mails_ms: Vec::new(),
            created_at_ms,
        }
    }
}

/// A person in one channel. An identity belongs to one client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The channel binding.
    pub channel: ChannelId,
    /// The messenger's id of the person.
    pub user: String,
}
