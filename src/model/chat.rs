//! One client in one channel: the endless thread.

use serde::{Deserialize, Serialize};

use super::id::{ChannelId, ChatId, ClientId, DialogId, MessageId};
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
    /// How the client came last, by a link or an advertisement, as long as no dialog was opened since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Messages of ours that the messenger took and the client has not seen yet, in the order in which it took
    /// them, where the messenger tells only up to which one the client has come. At most [`Chat::UNSEEN_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// Where it was before, oldest first. At most [`Chat::FORMER_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<ChatAddress>,
    /// When the chat began.
    pub created_at_ms: u64,
}

impl Chat {
    /// The most messages of which is remembered that the client has not seen them. Whoever has left so many
    /// unread has left; the older ones stay `sent`.
    pub const UNSEEN_MAX: usize = 32;
    /// The most earlier addresses that are kept: nobody changes their number more often within the days in which
    /// a messenger repeats what it told.
    pub const FORMER_MAX: usize = 8;
}

/// A message of ours on its way from the messenger to the client's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Its dialog.
    pub dialog: DialogId,
    /// The message.
    pub message: MessageId,
    /// When the attempt that brought it to the messenger began: the messenger's own time is later.
    pub since_ms: u64,
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
