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
        self.settings.kind()
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
            Self::Whatsapp
            | Self::Messenger
            | Self::Instagram
            | Self::Viber
            | Self::Vk
            // By mail that comes back.
            | Self::Email
            | Self::Widget => true,
            Self::Telegram | Self::Max | Self::Webhook => false,
        }
    }

    /// Whether the messenger tells up to which of our messages the client has come, rather than of each.
    pub const fn tells_fates_up_to(self) -> bool {
        matches!(self, Self::Messenger | Self::Instagram | Self::Vk)
    }

    /// Whether what the messenger tells may be about a message of ours: its fate, or a reaction to it.
    pub const fn speaks_of_ours(self) -> bool {
        self.tells_fates() || matches!(self, Self::Telegram | Self::Max)
    }

    /// How fast we may write, as the messenger publishes it.
    pub const fn pace(self) -> Pace {
        match self {
            // core.telegram.org/bots/faq: about 30 messages a second, one a second in a chat (short bursts may go
            // over it), 20 a minute in a group.
            Self::Telegram => Pace { per_second: 30, chat_ms: 1_000, group_ms: 3_000 },
            // 80 messages a second from a number. To one person one in six seconds in the long run, and 45 at once:
            // whoever talks with a client stays below that, and a refusal says how long to wait.
            Self::Whatsapp => Pace { per_second: 80, chat_ms: 1_000, group_ms: 0 },
            // 300 texts a second, 10 files; we stay far below what counts as a burst.
            Self::Messenger | Self::Instagram => Pace { per_second: 100, chat_ms: 0, group_ms: 0 },
            // 20 calls a second with the token of a community.
            Self::Vk => Pace { per_second: 20, chat_ms: 0, group_ms: 0 },
            // 30 requests a second, two in a chat.
            Self::Max => Pace { per_second: 30, chat_ms: 500, group_ms: 0 },
            // Nothing is published.
            Self::Viber | Self::Email | Self::Widget | Self::Webhook => Pace::FREE,
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

/// How fast a messenger takes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Messages a second through one account; 0: as many as there are.
    pub per_second: u32,
    /// The time between messages to one chat in the long run, in ms; 0: none.
    pub chat_ms: u64,
    /// The same in a group, where it is another; 0: as in a chat.
    pub group_ms: u64,
}

impl Pace {
    /// As fast as it goes.
    pub const FREE: Self = Self { per_second: 0, chat_ms: 0, group_ms: 0 };
}

/// What a channel is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelSettings {
    /// A Telegram bot.
    Telegram(TelegramSettings),
    /// A number of the WhatsApp Business Cloud API.
    Whatsapp(WhatsappSettings),
    /// A page of Facebook in Messenger.
    Messenger(MessengerSettings),
    /// A professional account of Instagram.
    Instagram(InstagramSettings),
    /// A Viber bot.
    Viber(ViberSettings),
    /// A community of VK.
    Vk(VkSettings),
    /// A MAX bot.
    Max(MaxSettings),
    /// A mailbox.
    Email(Box<EmailSettings>),
    /// Any system, by JSONPath in and a template out.
    Webhook(Box<WebhookSettings>),
    /// A kind that is declared but not served yet.
    Inactive(ChannelKind),
}

impl ChannelSettings {
    /// The kind of messenger.
    pub const fn kind(&self) -> ChannelKind {
        match self {
            Self::Telegram(_) => ChannelKind::Telegram,
            Self::Whatsapp(_) => ChannelKind::Whatsapp,
            Self::Messenger(_) => ChannelKind::Messenger,
            Self::Instagram(_) => ChannelKind::Instagram,
            Self::Viber(_) => ChannelKind::Viber,
            Self::Vk(_) => ChannelKind::Vk,
            Self::Max(_) => ChannelKind::Max,
            Self::Email(_) => ChannelKind::Email,
            Self::Webhook(_) => ChannelKind::Webhook,
            Self::Inactive(kind) => *kind,
        }
    }
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
    /// What becomes of messages from groups.
    #[serde(default, skip_serializing_if = "Groups::is_refuse")]
    pub groups: Groups,
}

impl TelegramSettings {
    /// The public Bot API.
    pub const API_BASE: &'static str = "https://api.telegram.org";
}

/// What becomes of messages from groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    /// They are kept as unsupported and open no dialog.
    #[default]
    Refuse,
    /// Each member who writes has a dialog of their own, and answers go to the group.
    Accept,
}

impl Groups {
    /// Whether groups are refused.
    pub const fn is_refuse(&self) -> bool {
        matches!(self, Self::Refuse)
    }
}

/// Where the Graph API of Meta is, with its version.
pub const GRAPH_API_BASE: &str = "https://graph.facebook.com/v26.0";

/// A number of the WhatsApp Business Cloud API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatsappSettings {
    /// The number's id, as Meta gives it.
    pub phone_number_id: String,
    /// What requests carry.
    pub access_token: SecretRef,
    /// What calls are signed with.
    pub app_secret: SecretRef,
    /// What Meta shows once, when the webhook is registered.
    pub verify_token: SecretRef,
    /// Where the Graph API is with its version, without a slash at the end.
    pub api_base: String,
    /// What becomes of messages from groups.
    pub groups: Groups,
    /// Sent in place of a text that the closed window forbids; `None`: such a text fails.
    pub window_template: Option<WhatsappTemplate>,
}

/// A message template that Meta has approved. Its one variable, if it has any, is the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatsappTemplate {
    /// Its name.
    pub name: String,
    /// Its language, such as `en` or `pt_BR`.
    pub language: String,
}

/// A page of Facebook in Messenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessengerSettings {
    /// The page's id.
    pub page_id: String,
    /// What requests carry.
    pub access_token: SecretRef,
    /// What calls are signed with.
    pub app_secret: SecretRef,
    /// What Meta shows once, when the webhook is registered.
    pub verify_token: SecretRef,
    /// Where the Graph API is with its version, without a slash at the end.
    pub api_base: String,
    /// Whether operators may write for seven days (`HUMAN_AGENT`, which Meta has to approve).
    pub human_agent: bool,
}

/// A professional account of Instagram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstagramSettings {
    /// The account's id.
    pub account_id: String,
    /// What requests carry.
    pub access_token: SecretRef,
    /// What calls are signed with.
    pub app_secret: SecretRef,
    /// What calls are signed with where people log in with Instagram; a match with either counts.
    pub instagram_app_secret: Option<SecretRef>,
    /// What Meta shows once, when the webhook is registered.
    pub verify_token: SecretRef,
    /// Where the Graph API is with its version, without a slash at the end.
    pub api_base: String,
    /// Whether operators may write for seven days (`HUMAN_AGENT`, which Meta has to approve).
    pub human_agent: bool,
}

/// A Viber bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViberSettings {
    /// What requests carry and calls are signed with.
    pub token: SecretRef,
    /// Who messages come from.
    pub sender: ViberSender,
    /// Where the API is, without a slash at the end.
    pub api_base: String,
}

impl ViberSettings {
    /// The public API.
    pub const API_BASE: &'static str = "https://chatapi.viber.com/pa";
}

/// Who messages of a Viber bot come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViberSender {
    /// The name, at most 28 characters.
    pub name: String,
    /// The address of a picture.
    pub avatar: Option<String>,
}

/// A community of VK.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VkSettings {
    /// The community's id, a number.
    pub group_id: String,
    /// What requests carry.
    pub access_token: SecretRef,
    /// What stands in the body of each call.
    pub secret: SecretRef,
    /// What VK wants to read when the server is confirmed.
    pub confirmation: Option<String>,
    /// Where the methods are, without a slash at the end.
    pub api_base: String,
    /// The version of the API.
    pub api_version: String,
    /// What becomes of messages from chats of several people.
    pub groups: Groups,
}

impl VkSettings {
    /// The public API.
    pub const API_BASE: &'static str = "https://api.vk.com/method";
    /// The version that the codec was written for.
    pub const API_VERSION: &'static str = "5.199";
}

/// A MAX bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxSettings {
    /// What requests carry.
    pub token: SecretRef,
    /// What MAX sends along with each call.
    pub webhook_secret: SecretRef,
    /// Where the API is, without a slash at the end.
    pub api_base: String,
    /// What becomes of messages from groups.
    pub groups: Groups,
}

impl MaxSettings {
    /// The public API.
    pub const API_BASE: &'static str = "https://platform-api2.max.ru";
}

/// A mailbox: mail comes in as raw MIME, and goes out by SMTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailSettings {
    /// The address that clients write to and mail comes from.
    pub address: String,
    /// The name beside it.
    pub name: Option<String>,
    /// What whoever brings mail shows; also the key of reply addresses.
    pub webhook_secret: SecretRef,
    /// Where mail is handed over; `None`: it cannot be written to.
    pub smtp: Option<SmtpSettings>,
}

/// Where mail is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpSettings {
    /// `smtps://HOST[:PORT]` (TLS from the start), `smtp://HOST[:PORT]` (STARTTLS is required), or
    /// `smtp+plain://HOST[:PORT]` (no TLS: a relay on the same machine).
    pub url: String,
    /// Who logs in; `None`: nobody does.
    pub username: Option<String>,
    /// With what.
    pub password: Option<SecretRef>,
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
