//! A message or note as the API shows it.

use serde::Serialize;

use crate::model::attachment_id::AttachmentId;
use crate::model::id::{DialogId, EffectId, MessageId};
use crate::model::message::{
    AttachmentKind, Author, Button, Contact, Direction, Location, Message, MessageStatus,
};

use super::time::Time;

/// A message or note.
#[derive(Debug, Serialize)]
pub(super) struct MessageShape<'a> {
    id: MessageId,
    dialog: DialogId,
    direction: Direction,
    author: AuthorShape<'a>,
    text: &'a str,
    /// The subject of an e-mail.
    subject: Option<&'a str>,
    /// The text of an e-mail with what the text is shown without.
    full_text: Option<&'a str>,
    attachments: Vec<AttachmentShape<'a>>,
    buttons: &'a [Button],
    status: MessageStatus,
    error: Option<&'a str>,
    external_id: Option<&'a str>,
    at: Time,
    external_at: Option<Time>,
    edited_at: Option<Time>,
    deleted_at: Option<Time>,
    delivered_at: Option<Time>,
    read_at: Option<Time>,
    revisions: Vec<RevisionShape<'a>>,
    note: bool,
    automatic: bool,
    /// The messenger's id of the message that it answers.
    reply_to_external_id: Option<&'a str>,
    button: Option<&'a str>,
    /// True when the client sent something that cannot be shown.
    unsupported: bool,
    delivery: Option<EffectId>,
}

/// A file of a message, or a place or contact card. Where its content is kept is for the daemon alone to know.
#[derive(Debug, Serialize)]
struct AttachmentShape<'a> {
    /// For `GET /v1/attachments/{id}`; null: there is no content to it.
    id: Option<AttachmentId>,
    kind: AttachmentKind,
    name: Option<&'a str>,
    media_type: Option<&'a str>,
    size: Option<u64>,
    location: Option<&'a Location>,
    contact: Option<&'a Contact>,
}

fn attachments(message: &Message) -> Vec<AttachmentShape<'_>> {
    message
        .attachments
        .iter()
        .zip(0_u32..)
        .map(|(attachment, index)| AttachmentShape {
            id: attachment.kind.is_file().then_some(AttachmentId { message: message.id, index }),
            kind: attachment.kind,
            name: attachment.name.as_deref(),
            media_type: attachment.media_type.as_deref(),
            size: attachment.size,
            location: attachment.location.as_ref(),
            contact: attachment.contact.as_ref(),
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct RevisionShape<'a> {
    text: &'a str,
    until: Time,
}

/// Who wrote a message, by the closed list of the contract: `client`, `operator`, `rule`, `scenario`, `system`.
///
/// An integration is not one of them. To those who read a dialog it is the other side's system: it is shown as
/// `system` with the name of its token, where our own automatic texts have none. Who wrote in our name elsewhere is
/// `system` without a name as well: the message is not `automatic` and has no `delivery`. Rules can tell them apart.
#[derive(Debug, Serialize)]
pub(super) struct AuthorShape<'a> {
    kind: &'static str,
    id: Option<&'a str>,
}

impl<'a> From<&'a Author> for AuthorShape<'a> {
    fn from(author: &'a Author) -> Self {
        match author {
            Author::Client => Self { kind: "client", id: None },
            Author::Operator(id) => Self { kind: "operator", id: Some(id.as_str()) },
            Author::Rule(id) => Self { kind: "rule", id: Some(id.as_str()) },
            Author::System | Author::Elsewhere => Self { kind: "system", id: None },
            Author::Integration(id) => Self { kind: "system", id: Some(id.as_str()) },
        }
    }
}

impl<'a> From<&'a Message> for MessageShape<'a> {
    fn from(message: &'a Message) -> Self {
        let revisions = message
            .revisions
            .iter()
            .map(|revision| RevisionShape { text: &revision.text, until: Time(revision.until_ms) });
        let letter = message.letter.as_deref();
        Self {
            id: message.id,
            dialog: message.dialog,
            direction: message.direction,
            author: AuthorShape::from(&message.author),
            text: &message.text,
            subject: letter.and_then(|letter| letter.subject.as_deref()),
            full_text: letter.and_then(|letter| letter.full_text.as_deref()),
            attachments: attachments(message),
            buttons: &message.buttons,
            status: message.status,
            error: message.error.as_deref(),
            external_id: message.external_id.as_deref(),
            at: Time(message.at_ms),
            external_at: message.external_at_ms.map(Time),
            edited_at: message.edited_at_ms.map(Time),
            deleted_at: message.deleted_at_ms.map(Time),
            delivered_at: message.delivered_at_ms.map(Time),
            read_at: message.read_at_ms.map(Time),
            revisions: revisions.collect(),
            note: message.note,
            automatic: message.automatic,
            reply_to_external_id: message.reply_to.as_deref(),
            button: message.button.as_deref(),
            unsupported: message.unsupported.is_some(),
            delivery: message.effect,
        }
    }
}
