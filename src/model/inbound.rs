//! What a messenger tells us, in one shape for all messengers.

use serde::{Deserialize, Serialize};

use super::effect::Refusal;
use super::id::ChannelId;
use super::message::{Attachment, Letter};

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
    /// How far all our messages up to one have come, where a messenger tells it of the last one alone. Only in
    /// chats with one person, whose id is that of the chat.
    FateUpTo {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// Up to which.
        up_to: UpTo,
        /// What became of them: delivered or read.
        fate: Fate,
    },
    /// A client answered a message with a sign.
    Reaction {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// Who.
        user: ExternalUser,
        /// The messenger's id of the message, ours or theirs.
        message: String,
        /// The sign; `None`: it was taken back.
        sign: Option<String>,
    },
    /// Somebody wrote to the client in our name elsewhere: in the messenger's own application, or with another
    /// program. Codecs leave out what they recognise as ours.
    Echo {
        /// The chat as the messenger knows it.
        chat: ExternalChat,
        /// To whom, by the messenger's id.
        user: ExternalUser,
        /// The messenger's id of the message.
        id: String,
        /// The text.
        text: String,
        /// Files, as references.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// What we gave the message along, where the messenger gives it back: the id of our effect.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking: Option<String>,
    },
    /// The client came by a link or an advertisement, and has not written (again) yet.
    Referral {
        /// Where.
        chat: ExternalChat,
        /// Who.
        user: ExternalUser,
        /// The parameter of the link or the advertisement.
        source: String,
    },
    /// The messenger knows the client, or the chat with them, by another id from now on.
    Moved {
        /// The chat as it was known.
        chat: ExternalChat,
        /// The person as they were known.
        user: ExternalUser,
        /// The new id of the chat.
        new_chat: String,
        /// The new id of the person.
        new_user: String,
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

/// Where a list of messages ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpTo {
    /// With this message, by the messenger's id.
    Message(String),
    /// With the last one at or before this time, in ms, by the messenger's clock.
    TimeMs(u64),
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
        /// Why, where it says more than that this message is lost: that the client cannot be written to, or not
        /// until they write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<Refusal>,
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
    /// What an e-mail has beside its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
}

/// A conversation as the messenger knows it. External ids are texts: some exceed 2^53.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalChat {
    /// The messenger's id of the conversation.
    pub id: String,
    /// What the codec wants to see again with each message to this chat, in its own words: the last subject and
    /// id of a letter. The newest replaces earlier ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl ExternalChat {
    /// A conversation without context.
    pub const fn of(id: String) -> Self {
        Self { id, context: None }
    }
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
    /// Their e-mail address, as the messenger gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their own phone number, as the messenger gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}
