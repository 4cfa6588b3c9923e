//! Channel bindings as declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::LineId;
use super::secret::SecretRef;

/// A binding of one messenger account to a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The line that its dialogs go to.
    pub line: LineId,
    /// What it is bound to.
    pub settings: ChannelSettings,
}

impl Channel {
    /// The kind of messenger.
    pub const fn kind(&self) -> ChannelKind {
        match self.settings {
            ChannelSettings::Telegram(_) => ChannelKind::Telegram,
            ChannelSettings::Webhook(_) => ChannelKind::Webhook,
            ChannelSettings::Inactive(kind) => kind,
        }
    }
}

/// The kinds of messengers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChannelKind {
    Telegram,
    Whatsapp,
    Messenger,
    Instagram,
    Viber,
    Vk,
    Max,
    Email,
    Widget,
    Webhook,
}

impl ChannelKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Telegram,
        Self::Whatsapp,
        Self::Messenger,
        Self::Instagram,
        Self::Viber,
        Self::Vk,
        Self::Max,
        Self::Email,
        Self::Widget,
        Self::Webhook,
    ];

    /// Whether the messenger tells how far our messages have come.
    pub const fn tells_fates(self) -> bool {
        match self {
            Self::Whatsapp | Self::Messenger | Self::Instagram | Self::Viber | Self::Vk | Self::Widget => {
                true
            }
            Self::Telegram | Self::Max | Self::Email | Self::Webhook => false,
        }
    }

    /// Whether a message has a place of its own for the name of its writer.
    pub const fn shows_sender(self) -> bool {
        matches!(self, Self::Email | Self::Widget | Self::Webhook)
    }

    /// Whether a client can press buttons below a message; otherwise choices are answered with words.
    pub const fn has_buttons(self) -> bool {
        match self {
            Self::Telegram
            | Self::Whatsapp
            | Self::Messenger
            | Self::Instagram
            | Self::Viber
            | Self::Vk
            | Self::Max
            | Self::Widget => true,
            // What is posted to any system may show buttons, but a press of one cannot come back as such.
            Self::Email | Self::Webhook => false,
        }
    }

    /// The word used in YAML.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Whatsapp => "whatsapp",
            Self::Messenger => "messenger",
            Self::Instagram => "instagram",
            Self::Viber => "viber",
            Self::Vk => "vk",
            Self::Max => "max",
            Self::Email => "email",
            Self::Widget => "widget",
            Self::Webhook => "webhook",
        }
    }
}

/// What a channel is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelSettings {
    /// A Telegram bot.
    Telegram(TelegramSettings),
    /// Any system, by JSONPath in and a template out.
    Webhook(Box<WebhookSettings>),
    /// A kind that is declared but not served yet.
    Inactive(ChannelKind),
}

/// A Telegram bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: SecretRef,
    /// What Telegram sends along with each webhook call.
    pub webhook_secret: SecretRef,
    /// Where the Bot API is, without a slash at the end.
    pub api_base: String,
}

impl TelegramSettings {
    /// The public Bot API.
    pub const API_BASE: &'static str = "https://api.telegram.org";
}

/// Any system that posts JSON and takes JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookSettings {
    /// How its calls are verified.
    pub signature: Signature,
    /// Where things stand in its JSON.
    pub inbound: WebhookInbound,
    /// How to write to it; `None`: it cannot be written to.
    pub outbound: Option<WebhookOutbound>,
}

/// An HMAC over the raw body in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The header's name, lower case.
    pub header: String,
    /// The hash function.
    pub algorithm: SignatureAlgorithm,
    /// How the bytes are written.
    pub encoding: SignatureEncoding,
    /// What stands before them in the header, such as `sha256=`.
    pub prefix: String,
    /// The key.
    pub secret: SecretRef,
}

/// Hash functions of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

/// How a signature's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    /// Hexadecimal, either case.
    Hex,
    /// Standard base64 with padding.
    Base64,
}

/// JSONPaths (RFC 9535) into a body. The first node found counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookInbound {
    /// One item per node; the other paths are relative to it. `None`: the body is one item.
    pub each: Option<String>,
    /// The message's id.
    pub id: String,
    /// The conversation's id.
    pub chat: String,
    /// The person's id; `None`: the conversation's.
    pub user: Option<String>,
    /// The person's name.
    pub name: Option<String>,
    /// The person's phone number.
    pub phone: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// When it was written: RFC 3339, or a number of seconds or milliseconds since 1970.
    pub at: Option<String>,
}

/// A request template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookOutbound {
    /// Where to.
    pub url: String,
    /// `POST` or `PUT`.
    pub method: String,
    /// Further headers.
    pub headers: BTreeMap<String, OutboundHeader>,
    /// A tree whose texts are templates over `chat`, `message`, `dialog` and `effect`.
    pub body: serde_json::Value,
    /// JSONPath of the message's id in the answer.
    pub message_id: Option<String>,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutboundHeader {
    /// As it stands in the configuration.
    Text(String),
    /// A secret, which is no part of the model.
    Secret(SecretRef),
}

impl OutboundHeader {
    /// Whether a header of this name carries a secret by custom, so that its value must not be kept as text.
    pub fn is_secret(name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie")
            || ["token", "secret", "password", "api-key", "apikey"].iter().any(|end| name.ends_with(end))
    }
}
