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
    /// When we first heard of them.
    pub created_at_ms: u64,
}

/// A person in one channel. An identity belongs to one client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The channel binding.
    pub channel: ChannelId,
    /// The messenger's id of the person.
    pub user: String,
}
