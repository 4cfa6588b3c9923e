//! A message of a dialog, in either direction, or a note.

use serde::{Deserialize, Serialize};

use super::id::{ChatId, DialogId, EffectId, MessageId, OperatorId, RuleId};

/// One message or note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its identifier; messages of a dialog are in the order of their identifiers.
    pub id: MessageId,
    /// The dialog that it belongs to.
    pub dialog: DialogId,
    /// The chat of that dialog.
    pub chat: ChatId,
    /// Who wrote to whom.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// The text as it is now.
    pub text: String,
    /// Files, as references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Buttons shown under an outgoing message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// How far it got.
    pub status: MessageStatus,
    /// Why it failed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The messenger's id, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// When we took it in, or wrote it.
    pub at_ms: u64,
    /// When it happened by the messenger's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_at_ms: Option<u64>,
    /// When its text last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at_ms: Option<u64>,
    /// When its text last changed by the messenger's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_edited_at_ms: Option<u64>,
    /// When the client took it back. Its text is the last earlier one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at_ms: Option<u64>,
    /// When the client's device had it, as far as the messenger told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at_ms: Option<u64>,
    /// When the client saw it, as far as the messenger told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at_ms: Option<u64>,
    /// When the messenger told that it will not reach the client, after it had taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at_ms: Option<u64>,
    /// Earlier texts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// True for a note: the client never sees it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub note: bool,
    /// True when a machine wrote it: an automatic text of ours, or an auto-reply of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// The message that it answers, by the messenger's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The data of the button that the client pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// The raw form of a message of a kind that we cannot show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// The effect that delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
    /// What an e-mail has beside its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
}

/// What an e-mail has beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Letter {
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text with the quotation and the signature that the message's text is shown without. `None`: nothing was
    /// cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_text: Option<String>,
}

/// An earlier text of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// The text until then.
    pub text: String,
    /// When it was replaced.
    pub until_ms: u64,
}

/// Who wrote to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to us.
    In,
    /// From us to the client; also notes.
    Out,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Author {
    /// The client of the chat.
    Client,
    /// An operator.
    Operator(OperatorId),
    /// A rule.
    Rule(RuleId),
    /// An automatic text of the line.
    System,
    /// An integration, by the id of its token.
    Integration(super::id::TokenId),
    /// Somebody in our name, elsewhere: in the messenger's own application, or with another program.
    Elsewhere,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It came from the client, or it is a note.
    Received,
    /// It waits in the outbox.
    Queued,
    /// The messenger took it.
    Sent,
    /// The client's device has it.
    Delivered,
    /// The client saw it.
    Read,
    /// It will not reach the client.
    Failed,
}

/// A file that belongs to a message. Only a reference is kept; the bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// The messenger's own reference (a file id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The SHA-256 of its content, in hexadecimal digits, where an operator gave it to us: we keep that ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where it can be fetched, when the messenger or an operator gives an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The file name, as the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type, as the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The size in bytes, as the messenger gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Position, for a location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Contact data, for a contact card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

impl Attachment {
    /// An attachment of `kind` about which nothing else is known.
    pub const fn of(kind: AttachmentKind) -> Self {
        Self {
            kind,
            reference: None,
            content: None,
            url: None,
            name: None,
            media_type: None,
            size: None,
            location: None,
            contact: None,
        }
    }
}

impl AttachmentKind {
    /// Whether there is a file to it. A place and a contact card are data alone.
    pub const fn is_file(self) -> bool {
        !matches!(self, Self::Location | Self::Contact)
    }
}

/// What an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum AttachmentKind {
    Image,
    Video,
    Audio,
    Voice,
    Document,
    Sticker,
    Location,
    Contact,
}

/// A place on the earth, in degrees. Kept as the messenger's text, so that nothing is rounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// North is positive.
    pub latitude: String,
    /// East is positive.
    pub longitude: String,
    /// Name and address of the place, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A contact card that a client sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The name on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The phone number on the card, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// True when the messenger vouches that it is the sender's own card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// A button under an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What the client sees.
    pub title: String,
    /// What comes back when it is pressed.
    pub data: String,
}
