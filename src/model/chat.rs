//! One client in one channel: the endless thread.

use serde::{Deserialize, Serialize};

use super::id::{ChannelId, ChatId, ClientId, DialogId};
use super::inbound::{ExternalChat, ExternalUser};

/// A chat. Unique by its address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    /// Its identifier.
    pub id: ChatId,
    /// Where it is in the messenger's world.
    pub address: ChatAddress,
    /// The client who writes here.
    pub client: ClientId,
    /// The open dialog, if there is one. At most one dialog of a chat is open.
    pub open_dialog: Option<DialogId>,
    /// The dialog that was closed last.
    pub last_dialog: Option<DialogId>,
    /// How many dialogs this chat has had.
    pub dialogs: u32,
    /// False after the client blocked us.
    pub allowed: bool,
    /// True after the client was told what becomes of their data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consent_told: bool,
    /// What the codec gave along last; see [`ExternalChat::context`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// When the chat began.
    pub created_at_ms: u64,
}

/// What makes a chat unique: channel, conversation and person, as the messenger knows them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChatAddress {
    /// The channel binding.
    pub channel: ChannelId,
    /// The messenger's id of the conversation.
    pub chat: String,
    /// The messenger's id of the person.
    pub user: String,
}

impl ChatAddress {
    /// The address of a person in a conversation.
    pub fn of(channel: &ChannelId, chat: &ExternalChat, user: &ExternalUser) -> Self {
        Self { channel: channel.clone(), chat: chat.id.clone(), user: user.id.clone() }
    }
}
