//! Something to be done outside, kept until it has one terminal state.

use serde::{Deserialize, Serialize};

use super::id::{ChannelId, DialogId, EffectId, EndpointId, LineId, MessageId};
use super::message::{Attachment, Button};

/// An effect with its progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Its identifier: made from the entry that caused it. Also the stable key for receivers.
    pub id: EffectId,
    /// Effects of one lane are done one after another, in the order of their identifiers.
    pub lane: Lane,
    /// The line it belongs to.
    pub line: LineId,
    /// The dialog it belongs to.
    pub dialog: DialogId,
    /// What is to be done.
    pub action: EffectAction,
    /// Where it stands.
    pub state: EffectState,
    /// How many attempts were claimed.
    pub attempts: u32,
    /// How many parts the receiver has: a long text goes as several messages, and another attempt
    /// begins with the first one that is missing.
    #[serde(default)]
    pub parts_done: u32,
    /// What the last failed attempt said. Never contains a secret.
    pub last_error: Option<String>,
    /// When it was caused.
    pub created_at_ms: u64,
    /// When its state last changed.
    pub updated_at_ms: u64,
}

/// Keeps order: effects of one chat in one channel, or of one dialog at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Messages to one conversation.
    Chat {
        /// The channel binding.
        channel: ChannelId,
        /// The messenger's id of the conversation.
        chat: String,
    },
    /// Notifications about one dialog to one endpoint.
    Endpoint {
        /// The endpoint.
        endpoint: EndpointId,
        /// The dialog.
        dialog: DialogId,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectAction {
    /// Send a message to the client.
    Send(Outgoing),
    /// Tell the messenger that a pressed button was noticed.
    AcknowledgeButton {
        /// The channel binding.
        channel: ChannelId,
        /// The messenger's reference of the press.
        reference: String,
    },
    /// Post a notification to an endpoint.
    Notify(Notification),
}

/// A message on its way to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The channel binding.
    pub channel: ChannelId,
    /// The messenger's id of the conversation.
    pub chat: String,
    /// The messenger's id of the person.
    pub user: String,
    /// Our message.
    pub message: MessageId,
    /// Its text.
    pub text: String,
    /// The name of the operator, where the line shows one to clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Its buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The messenger's id of the message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// True when a machine wrote it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What the codec gave along with the chat; see [`super::inbound::ExternalChat::context`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// A notification on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The type of the event that it is about, such as `rule.notify`.
    pub event: String,
    /// The `seq` of the entry that caused it.
    pub seq: u64,
    /// When that was.
    pub at_ms: u64,
    /// The payload's `data`.
    pub data: serde_json::Value,
}

/// Where an effect stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// Waits for its turn in the lane.
    Pending,
    /// Waits for a later attempt.
    Waiting {
        /// Not before this time.
        until_ms: u64,
    },
    /// A worker of this epoch tries it.
    InFlight {
        /// The epoch of the entry that claimed it.
        epoch: u64,
        /// Uncertain after this time.
        deadline_ms: u64,
    },
    /// Terminal: it arrived.
    Delivered,
    /// Terminal: the other side refused it for good.
    Failed,
    /// Terminal: attempts are used up; a person may retry it.
    Dead,
    /// Terminal: a person cancelled it, or it has no receiver any more.
    Cancelled,
}

impl EffectState {
    /// Whether nothing will happen any more by itself.
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Dead | Self::Cancelled)
    }

    /// The word used in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting { .. } => "waiting",
            Self::InFlight { .. } => "in_flight",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// It arrived.
    Delivered {
        /// The receiver's id of what was delivered.
        external_id: Option<String>,
    },
    /// Surely not delivered; worth another attempt.
    Retry {
        /// What the receiver asked us to wait, in ms.
        after_ms: Option<u64>,
        /// What it said. Never contains a secret.
        error: String,
        /// How many parts surely arrived, those of earlier attempts included.
        #[serde(default)]
        parts_done: u32,
        /// Whom the wait concerns.
        #[serde(default, skip_serializing_if = "Scope::is_chat")]
        scope: Scope,
    },
    /// Refused for good.
    Refused {
        /// Why.
        reason: Refusal,
        /// What it said. Never contains a secret.
        error: String,
        /// How many parts surely arrived, those of earlier attempts included: another attempt by hand goes on
        /// behind them.
        #[serde(default)]
        parts_done: u32,
    },
    /// It may have been delivered: the answer never came.
    Ambiguous {
        /// What happened. Never contains a secret.
        error: String,
        /// How many parts surely arrived, those of earlier attempts included. The next one is in doubt.
        #[serde(default)]
        parts_done: u32,
    },
}

/// Whom a wait concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The one conversation.
    #[default]
    Chat,
    /// Everything that goes through the channel: its account is too fast, or its token is refused.
    Channel,
}

impl Scope {
    /// Whether it is the one conversation.
    pub const fn is_chat(&self) -> bool {
        matches!(self, Self::Chat)
    }
}

/// Why a receiver refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The client blocked us or cannot be written to.
    Blocked,
    /// The request itself is wrong.
    Permanent,
    /// The endpoint is gone (HTTP 410).
    Gone,
    /// The messenger takes no answers any more until the client writes again.
    WindowClosed,
}
