//! Viber's events as facts. One event per call; a bot has no groups, so a chat is a person.

use serde_json_borrow::Value;

use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, Inbound, InboundMessage};
use crate::model::input_id;
use crate::model::message::{Attachment, AttachmentKind, Contact, Location};

use crate::channels::codec::{DecodeError, Received};
use crate::channels::json::{at, decimal, field, id, is_given, number, text};
use crate::channels::person::within_limits;

use super::button::Press;

/// Says what was pressed, when the text in a chat is what one of our buttons sends.
pub(super) type Known<'a> = dyn Fn(&str, &str) -> Option<Press> + 'a;

/// Reads the body of a call: one event. The call by which a webhook is registered tells nothing.
pub(super) fn read(
    channel: &ChannelId,
    body: &[u8],
    known: &Known<'_>,
) -> Result<Vec<Received>, DecodeError> {
    let event: Value<'_> = serde_json::from_slice(body)?;
    let kind = text(&event, "event").ok_or(DecodeError::Missing("event"))?;
    let reading = match kind.as_str() {
        "webhook" => return Ok(Vec::new()),
        "message" => message(channel, &event, known),
        "delivered" => fate(channel, &event, &kind, Fate::Delivered),
        "seen" => fate(channel, &event, &kind, Fate::Read),
        "failed" => {
            let reason = text(&event, "desc").unwrap_or_else(|| "Viber does not say why".to_owned());
            fate(channel, &event, &kind, Fate::Failed { reason, refusal: None })
        }
        "subscribed" => subscription(channel, &event, true),
        "unsubscribed" => subscription(channel, &event, false),
        "conversation_started" => referral(channel, &event),
        other => Err(format!("event `{other}`")),
    };
    let (input_id, fact) = reading.unwrap_or_else(|what| {
        let key = match id(&event, "message_token") {
            Some(token) => input_id::update(channel, &format!("{kind} {token}")),
            None => input_id::item(channel, body),
        };
        (key, Fact::Unsupported { what, raw: String::from_utf8_lossy(body).into_owned() })
    });
    let external_at_ms = number(&event, "timestamp").filter(|ms| *ms > 0);
    Ok(vec![Received { input_id, inbound: Inbound { channel: channel.clone(), external_at_ms, fact } }])
}

/// The key and the fact, or what it was in words.
type Reading = Result<(String, Fact), String>;

fn message(channel: &ChannelId, event: &Value<'_>, known: &Known<'_>) -> Reading {
    if is_given(event, "chat_id") {
        return Err("message of a chat extension: it belongs to a chat between others".to_owned());
    }
    let token = id(event, "message_token").ok_or("message without `message_token`")?;
    let user = field(event, "sender").and_then(person).ok_or("message without `sender.id`")?;
    let message = field(event, "message").ok_or("message without `message`")?;
    let said = text(message, "text").unwrap_or_default();
    if let Some(Press { data, title }) = known(&user.id, &said) {
        let fact = Fact::Button {
            chat: ExternalChat::of(user.id.clone()),
            user,
            data,
            title: Some(title),
            message: None,
            acknowledge: None,
        };
        return Ok((input_id::button(channel, &token), fact));
    }
    let kind = text(message, "type").unwrap_or_default();
    // The type counts: samples carry fields of several types at once.
    let content = content(&kind, message, said);
    let unsupported = content.is_none().then(|| event.to_string());
    let (text, attachment) = content.unwrap_or_else(|| (text(message, "text").unwrap_or_default(), None));
    let fact = Fact::Message(InboundMessage {
        letter: None,
        chat: ExternalChat::of(user.id.clone()),
        id: token.clone(),
        text,
        attachments: attachment.into_iter().collect(),
        reply_to: None,
        source: None,
        unsupported,
        automatic: false,
        user: user.clone(),
    });
    Ok((input_id::message(channel, &user.id, &token), fact))
}

/// The text and the attachment of a message; `None` for what cannot be shown.
fn content(kind: &str, message: &Value<'_>, said: String) -> Option<(String, Option<Attachment>)> {
    let url = text(message, "media");
    let file = |kind| {
        Some(Attachment {
            url: Some(url.clone()?),
            name: text(message, "file_name"),
            size: number(message, "size").or_else(|| number(message, "file_size")),
            ..Attachment::of(kind)
        })
    };
    let attachment = match kind {
        "text" if !said.is_empty() => None,
        "picture" => Some(file(AttachmentKind::Image)?),
        "video" => Some(file(AttachmentKind::Video)?),
        "file" => Some(file(AttachmentKind::Document)?),
        "sticker" => Some(Attachment {
            reference: Some(id(message, "sticker_id")?),
            url,
            ..Attachment::of(AttachmentKind::Sticker)
        }),
        "contact" => Some(card(field(message, "contact")?)?),
        "location" => Some(place(message)?),
        // A link is a text that stands in another field.
        "url" => {
            let link = url?;
            let both = if said.is_empty() || said == link { link } else { format!("{said}\n{link}") };
            return Some((both, None));
        }
        _ => return None,
    };
    Some((said, attachment))
}

/// A contact card. Viber does not say whose it is.
fn card(contact: &Value<'_>) -> Option<Attachment> {
    let (name, phone) = (text(contact, "name"), text(contact, "phone_number"));
    if name.is_none() && phone.is_none() {
        return None;
    }
    Some(Attachment {
        contact: Some(Contact { name, phone, own: false }),
        ..Attachment::of(AttachmentKind::Contact)
    })
}

fn place(message: &Value<'_>) -> Option<Attachment> {
    let location = field(message, "location")?;
    Some(Attachment {
        location: Some(Location {
            latitude: decimal(location, "lat")?,
            longitude: decimal(location, "lon")?,
            title: text(location, "address"),
        }),
        ..Attachment::of(AttachmentKind::Location)
    })
}

/// How far a message of ours has come. The token is that of our message and comes again with each kind.
fn fate(channel: &ChannelId, event: &Value<'_>, kind: &str, fate: Fate) -> Reading {
    let message = id(event, "message_token").ok_or_else(|| format!("`{kind}` without `message_token`"))?;
    let chat = id(event, "user_id").ok_or_else(|| format!("`{kind}` without `user_id`"))?;
    let key = input_id::update(channel, &format!("{kind} {chat} {message}"));
    Ok((key, Fact::Fate { chat: ExternalChat::of(chat), message, fate }))
}

fn subscription(channel: &ChannelId, event: &Value<'_>, allowed: bool) -> Reading {
    let known = field(event, "user").and_then(person);
    let bare = || Some(ExternalUser { id: id(event, "user_id")?, ..ExternalUser::default() });
    let user = known.or_else(bare).ok_or("change of a subscription without a user")?;
    let key = notice(channel, event, "subscription")?;
    Ok((key, Fact::Subscription { chat: ExternalChat::of(user.id.clone()), user, allowed }))
}

/// The client has opened the chat. That is no subscription, and without a context it tells nothing.
fn referral(channel: &ChannelId, event: &Value<'_>) -> Reading {
    let user = field(event, "user").and_then(person).ok_or("`conversation_started` without `user.id`")?;
    let source = text(event, "context").ok_or("conversation opened without a context")?;
    let key = notice(channel, event, "conversation_started")?;
    Ok((key, Fact::Referral { chat: ExternalChat::of(user.id.clone()), user, source }))
}

fn notice(channel: &ChannelId, event: &Value<'_>, kind: &str) -> Result<String, String> {
    let token = id(event, "message_token").ok_or_else(|| format!("`{kind}` without `message_token`"))?;
    Ok(input_id::update(channel, &format!("{kind} {token}")))
}

fn person(body: &Value<'_>) -> Option<ExternalUser> {
    Some(within_limits(ExternalUser {
        id: id(body, "id")?,
        name: text(body, "name"),
        language: at(body, &["language"])
            .and_then(Value::as_str)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned),
        ..ExternalUser::default()
    }))
}
