//! What a messenger tells us, in one shape for all messengers.

use serde::{Deserialize, Serialize};

use super::id::ChannelId;
use super::message::Attachment;

/// One fact from a messenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// The channel binding that received it.
    pub channel: ChannelId,
    /// When it happened by the messenger's clock; used for show, never for decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_at_ms: Option<u64>,
    /// What happened.
    pub fact: Fact,
}

/// The kinds of facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A client wrote.
    Message(InboundMessage),
    /// A client changed a message.
    Edited {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// The messenger's id of the message that changed.
        message: String,
        /// The text as it is now.
        text: String,
    },
    /// A client took a message back.
    Deleted {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// The messenger's id of the message that is gone.
        message: String,
    },
    /// How far a message of ours has come.
    Fate {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// The messenger's id of our message.
        message: String,
        /// What became of it.
        fate: Fate,
    },
    /// A client pressed a button under one of our messages.
    Button {
        /// Where.
        chat: ExternalChat,
        /// Who.
        user: ExternalUser,
        /// The data that we gave the button.
        data: String,
        /// The label of the button, where the messenger tells.
        title: Option<String>,
        /// The messenger's id of the message that carried it.
        message: Option<String>,
        /// What the messenger wants to see again when we acknowledge the press.
        acknowledge: Option<String>,
    },
    /// The client stopped or allowed us writing to them.
    Subscription {
        /// Where.
        chat: ExternalChat,
        /// Who.
        user: ExternalUser,
        /// Whether we may write now.
        allowed: bool,
    },
    /// An authentic call that we do not understand. Kept with its raw body; nothing is lost in silence.
    Unsupported {
        /// What it was, in words.
        what: String,
        /// The body, as text.
        raw: String,
    },
}

/// What became of a message that the messenger took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The client's device has it.
    Delivered,
    /// The client saw it.
    Read,
    /// It will not reach the client after all.
    Failed {
        /// Why, in the messenger's words.
        reason: String,
    },
}

/// A message from a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// Where.
    pub chat: ExternalChat,
    /// Who.
    pub user: ExternalUser,
    /// The messenger's id of the message.
    pub id: String,
    /// The text, or the caption of a file. Empty when there is none.
    pub text: String,
    /// Files, as references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The messenger's id of the message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// How the client came: the parameter of a deep link or an advertisement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Set for a message of a kind that we cannot show: its raw form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// Written by a machine (an auto-reply): no automatic text answers it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

/// A conversation as the messenger knows it. External ids are texts: some exceed 2^53.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalChat {
    /// The messenger's id of the conversation.
    pub id: String,
}

/// A person as the messenger knows them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExternalUser {
    /// The messenger's id of the person.
    pub id: String,
    /// The name that they show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their public handle, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The language of their messenger, as an IETF tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Their own phone number, as the messenger gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}
