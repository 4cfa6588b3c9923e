//! Telegram's updates as facts.
//!
//! Reading is lenient: old samples lack fields, new versions add some. Only what a fact cannot do
//! without is asked for; what lacks it becomes [`Fact::Unsupported`], with the body as it came.

use serde_json_borrow::{ObjectAsVec, Value};

use crate::model::channel::Groups;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input_id;
use crate::model::message::{Attachment, AttachmentKind, Contact, Location};

use crate::channels::codec::{DecodeError, Received};
use crate::channels::person::within_limits;

/// The longest parameter of a deep link.
const START_PARAMETER_MAX: usize = 64;

/// The longest sign of a reaction, in bytes: joined emoji have up to 35, names of custom ones about the same.
const SIGN_MAX: usize = 64;

/// Whether a field makes its message one that tells about the chat rather than says something. Such a message
/// opens no dialog.
fn is_service(field: &str) -> bool {
    matches!(
        field,
        "pinned_message"
            | "message_auto_delete_timer_changed"
            | "chat_background_set"
            | "boost_added"
            | "write_access_allowed"
            | "connected_website"
            | "new_chat_members"
            | "left_chat_member"
            | "new_chat_title"
            | "new_chat_photo"
            | "delete_chat_photo"
            | "group_chat_created"
            | "proximity_alert_triggered"
            | "video_chat_started"
            | "video_chat_ended"
            | "video_chat_scheduled"
            | "video_chat_participants_invited"
            | "supergroup_chat_created"
            | "channel_chat_created"
            | "migrate_to_chat_id"
            | "migrate_from_chat_id"
            | "forum_topic_created"
            | "forum_topic_edited"
            | "forum_topic_closed"
            | "forum_topic_reopened"
    )
}

/// Reads the body of a call: always one update.
pub(super) fn read(channel: &ChannelId, groups: Groups, body: &[u8]) -> Result<Received, DecodeError> {
    let update: Value<'_> = serde_json::from_slice(body)?;
    let update = update.as_object().ok_or(DecodeError::Missing("update_id"))?;
    let update_id = update.get("update_id").and_then(id_text).ok_or(DecodeError::Missing("update_id"))?;
    let known = ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"]
        .into_iter()
        .find_map(|kind| Some((kind, update.get(kind)?.as_object()?)));
    let reading = match known {
        Some(("message", message)) => new_message(channel, groups, message),
        Some(("edited_message", message)) => edited_message(channel, groups, &update_id, message),
        Some(("callback_query", query)) => callback_query(channel, groups, query),
        Some(("message_reaction", reaction)) => message_reaction(channel, groups, &update_id, reaction),
        Some(("my_chat_member", member)) => my_chat_member(channel, &update_id, member),
        _ => Err(match update.keys().find(|key| *key != "update_id") {
            Some(kind) => format!("update `{kind}`"),
            None => "update without content".to_owned(),
        }),
    };
    let reading = reading.unwrap_or_else(|what| Reading {
        input_id: input_id::update(channel, &update_id),
        external_at_ms: None,
        fact: Fact::Unsupported { what, raw: String::from_utf8_lossy(body).into_owned() },
    });
    Ok(Received {
        input_id: reading.input_id,
        inbound: Inbound {
            channel: channel.clone(),
            external_at_ms: reading.external_at_ms,
            fact: reading.fact,
        },
    })
}

/// An update that was understood.
struct Reading {
    input_id: String,
    external_at_ms: Option<u64>,
    fact: Fact,
}

/// An update that was understood, or what it was in words.
type Outcome = Result<Reading, String>;

type Object<'a> = ObjectAsVec<'a>;

fn new_message(channel: &ChannelId, groups: Groups, message: &Object<'_>) -> Outcome {
    let chat = served_chat(message.get("chat"), groups)?;
    if let Some(kind) = message.keys().find(|field| is_service(field)) {
        return Err(format!("service message `{kind}`"));
    }
    let id = message.get("message_id").and_then(id_text).ok_or("message without `message_id`")?;
    let input_id = input_id::message(channel, &chat.id, &id);
    let external_at_ms = seconds(message, "date");
    // Who writes in the name of a group or a channel is that group or channel.
    let mut user = user(message.get("sender_chat").or_else(|| message.get("from")), &chat);

    // The answer of a web application is what the client chose, as with a button.
    if let Some(form) = message.get("web_app_data") {
        let fact = Fact::Button {
            chat: chat.external(),
            user,
            data: text(form, "data").unwrap_or_default(),
            title: text(form, "button_text"),
            message: None,
            acknowledge: None,
        };
        return Ok(Reading { input_id, external_at_ms, fact });
    }

    let attachment = attachment(message, &user.id);
    if let Some(contact) = attachment.as_ref().and_then(|attachment| attachment.contact.as_ref())
        && contact.own
    {
        user.phone.clone_from(&contact.phone);
        user = within_limits(user);
    }
    let said = text_or_caption(message);
    let unknown = said.is_none() && attachment.is_none();
    let text = said
        // A sticker stands for its emoji.
        .or_else(|| text(message.get("sticker")?, "emoji"))
        .unwrap_or_default();
    let fact = Fact::Message(InboundMessage {
        source: start_parameter(&text),
        chat: chat.external(),
        user,
        id,
        text,
        attachments: attachment.into_iter().collect(),
        reply_to: message
            .get("reply_to_message")
            .and_then(|reply| field(reply, "message_id"))
            .and_then(id_text),
        unsupported: unknown.then(|| Value::Object(message.clone()).to_string()),
        automatic: false,
        letter: None,
    });
    Ok(Reading { input_id, external_at_ms, fact })
}

fn edited_message(channel: &ChannelId, groups: Groups, update_id: &str, message: &Object<'_>) -> Outcome {
    let chat = served_chat(message.get("chat"), groups)?;
    let id = message.get("message_id").and_then(id_text).ok_or("edit without `message_id`")?;
    let text = text_or_caption(message);
    // A live location is edited every few seconds; only words and captions are kept.
    if text.is_none() && message.contains_key("location") {
        return Err("new position of a live location".to_owned());
    }
    Ok(Reading {
        input_id: input_id::edit(channel, update_id),
        external_at_ms: seconds(message, "edit_date").or_else(|| seconds(message, "date")),
        fact: Fact::Edited { chat: chat.external(), message: id, text: text.unwrap_or_default() },
    })
}

fn callback_query(channel: &ChannelId, groups: Groups, query: &Object<'_>) -> Outcome {
    let press = query.get("id").and_then(id_text).ok_or("button press without `id`")?;
    let message = query
        .get("message")
        .and_then(Value::as_object)
        .ok_or("button press under an inline message: it belongs to no chat")?;
    let chat = served_chat(message.get("chat"), groups)?;
    let data = text_of(query.get("data")).ok_or("button press without `data`")?;
    Ok(Reading {
        input_id: input_id::button(channel, &press),
        // The press has no time of its own; the message's time is that of its sending.
        external_at_ms: None,
        fact: Fact::Button {
            user: user(query.get("from"), &chat),
            title: button_title(message, &data),
            message: message.get("message_id").and_then(id_text),
            acknowledge: Some(press),
            data,
            chat: chat.external(),
        },
    })
}

fn my_chat_member(channel: &ChannelId, update_id: &str, member: &Object<'_>) -> Outcome {
    // In a group it is about the bot's place there and about none of its members.
    let chat = served_chat(member.get("chat"), Groups::Refuse)?;
    let status = member.get("new_chat_member").and_then(|member| text(member, "status"));
    let allowed = match status.as_deref() {
        Some("kicked") => false,
        Some("member") => true,
        _ => return Err("change of the bot's membership to an unknown status".to_owned()),
    };
    Ok(Reading {
        input_id: input_id::update(channel, update_id),
        external_at_ms: seconds(member, "date"),
        fact: Fact::Subscription { user: user(member.get("from"), &chat), chat: chat.external(), allowed },
    })
}

/// Signs below messages. Each update tells all signs of one person, before and after.
fn message_reaction(channel: &ChannelId, groups: Groups, update_id: &str, reaction: &Object<'_>) -> Outcome {
    let chat = served_chat(reaction.get("chat"), groups)?;
    let message = reaction.get("message_id").and_then(id_text).ok_or("reaction without `message_id`")?;
    let signs = |key: &str| -> Vec<String> {
        let list = reaction.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(sign).collect()
    };
    let (before, after) = (signs("old_reaction"), signs("new_reaction"));
    // The one that was added; where one was taken away, one that is left.
    let sign = after.iter().find(|sign| !before.contains(sign)).or_else(|| after.first()).cloned();
    let who = reaction.get("user").or_else(|| reaction.get("actor_chat"));
    Ok(Reading {
        input_id: input_id::update(channel, update_id),
        external_at_ms: seconds(reaction, "date"),
        fact: Fact::Reaction { user: user(who, &chat), chat: chat.external(), message, sign },
    })
}

/// A sign in text form.
fn sign(reaction: &Value<'_>) -> Option<String> {
    match field(reaction, "type")?.as_str()? {
        "emoji" => text(reaction, "emoji"),
        "custom_emoji" => Some(format!("custom_emoji:{}", text(reaction, "custom_emoji_id")?)),
        kind => Some(kind.to_owned()),
    }
    .filter(|sign| sign.len() <= SIGN_MAX)
}

/// A chat, with what it tells about the person.
struct ServedChat<'a> {
    id: String,
    body: &'a Value<'a>,
}

impl ServedChat<'_> {
    fn external(&self) -> ExternalChat {
        ExternalChat::of(self.id.clone())
    }
}

/// The chat, when it is one person's: a group must never pass for a client. Where groups are accepted, it is the
/// place in which each of its members writes.
fn served_chat<'a>(chat: Option<&'a Value<'a>>, groups: Groups) -> Result<ServedChat<'a>, String> {
    let body = chat.ok_or("message without `chat`")?;
    let id = field(body, "id").and_then(id_text).ok_or("message without `chat.id`")?;
    let is_served = match field(body, "type").and_then(Value::as_str) {
        Some("private") => true,
        Some("group" | "supergroup") => groups == Groups::Accept,
        Some(_) => false,
        None => !id.starts_with('-'),
    };
    if is_served { Ok(ServedChat { id, body }) } else { Err("group chat".to_owned()) }
}

/// The person. In a private chat the chat's own fields say the same, and stand in where `from` is missing.
fn user(from: Option<&Value<'_>>, chat: &ServedChat<'_>) -> ExternalUser {
    let from = from.filter(|from| field(from, "id").and_then(id_text).is_some()).unwrap_or(chat.body);
    let names: Vec<String> =
        ["first_name", "last_name"].into_iter().filter_map(|key| text(from, key)).collect();
    within_limits(ExternalUser {
        email: None,
        id: field(from, "id").and_then(id_text).unwrap_or_else(|| chat.id.clone()),
        name: (!names.is_empty()).then(|| names.join(" ")),
        username: text(from, "username"),
        language: text(from, "language_code"),
        phone: None,
    })
}

/// What came with the message. Telegram puts one kind of content into a message; an album is several messages.
fn attachment(message: &Object<'_>, sender: &str) -> Option<Attachment> {
    // `animation` comes with a `document` and `venue` with a `location` of the same content: the more telling first.
    if let Some(sizes) = message.get("photo").and_then(Value::as_array) {
        // The sizes of one picture, the largest last.
        return sizes.last().map(|photo| file(AttachmentKind::Image, photo));
    }
    let files = [
        ("animation", AttachmentKind::Video),
        ("video", AttachmentKind::Video),
        ("video_note", AttachmentKind::Video),
        ("voice", AttachmentKind::Voice),
        ("audio", AttachmentKind::Audio),
        ("document", AttachmentKind::Document),
    ];
    for (key, kind) in files {
        if let Some(body) = message.get(key) {
            return Some(file(kind, body));
        }
    }
    if let Some(sticker) = message.get("sticker") {
        return Some(self::sticker(sticker));
    }
    if let Some(location) = message.get("venue").or_else(|| message.get("location")) {
        return place(location);
    }
    message.get("contact").map(|contact| card(contact, sender))
}

fn file(kind: AttachmentKind, body: &Value<'_>) -> Attachment {
    Attachment {
        reference: text(body, "file_id"),
        name: text(body, "file_name"),
        media_type: text(body, "mime_type"),
        size: field(body, "file_size").and_then(Value::as_u64),
        ..Attachment::of(kind)
    }
}

/// Stickers come without a media type; the Bot API's page on them says which format each has.
fn sticker(body: &Value<'_>) -> Attachment {
    let is = |key| field(body, key).and_then(Value::as_bool).unwrap_or(false);
    let media_type = if is("is_animated") {
        "application/x-tgsticker"
    } else if is("is_video") {
        "video/webm"
    } else {
        "image/webp"
    };
    Attachment { media_type: Some(media_type.to_owned()), ..file(AttachmentKind::Sticker, body) }
}

/// A location, or a venue, which is a location with a name.
fn place(body: &Value<'_>) -> Option<Attachment> {
    let location = field(body, "location").unwrap_or(body);
    let degrees = |key| field(location, key).filter(|value| value.is_number()).map(Value::to_string);
    let title: Vec<String> = ["title", "address"].into_iter().filter_map(|key| text(body, key)).collect();
    Some(Attachment {
        location: Some(Location {
            latitude: degrees("latitude")?,
            longitude: degrees("longitude")?,
            title: (!title.is_empty()).then(|| title.join(", ")),
        }),
        ..Attachment::of(AttachmentKind::Location)
    })
}

/// A contact card. It is the sender's own only when Telegram says whose it is: anybody can send any card.
fn card(body: &Value<'_>, sender: &str) -> Attachment {
    let names: Vec<String> =
        ["first_name", "last_name"].into_iter().filter_map(|key| text(body, key)).collect();
    let owner = field(body, "user_id").and_then(id_text);
    Attachment {
        contact: Some(Contact {
            name: (!names.is_empty()).then(|| names.join(" ")),
            phone: text(body, "phone_number"),
            own: owner.as_deref() == Some(sender),
        }),
        ..Attachment::of(AttachmentKind::Contact)
    }
}

/// The parameter of a deep link `t.me/BOT?start=PARAMETER`.
fn start_parameter(text: &str) -> Option<String> {
    let parameter = text.strip_prefix("/start ")?.trim();
    let valid = !parameter.is_empty()
        && parameter.len() <= START_PARAMETER_MAX
        && parameter.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    valid.then(|| parameter.to_owned())
}

/// The title of the button that carries `data`, from the keyboard under the message.
fn button_title(message: &Object<'_>, data: &str) -> Option<String> {
    let rows = field(message.get("reply_markup")?, "inline_keyboard")?.as_array()?;
    let pressed = rows
        .iter()
        .filter_map(Value::as_array)
        .flatten()
        .find(|button| field(button, "callback_data").and_then(Value::as_str) == Some(data))?;
    text(pressed, "text")
}

fn text_or_caption(message: &Object<'_>) -> Option<String> {
    text_of(message.get("text")).or_else(|| text_of(message.get("caption")))
}

fn text(body: &Value<'_>, key: &str) -> Option<String> {
    text_of(field(body, key))
}

/// A text that is not empty.
fn text_of(value: Option<&Value<'_>>) -> Option<String> {
    value?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A time that Telegram gives in seconds, in ms. Zero stands for a message that is not accessible any more.
fn seconds(body: &Object<'_>, key: &str) -> Option<u64> {
    body.get(key)?.as_u64().filter(|seconds| *seconds > 0)?.checked_mul(1000)
}

fn field<'a>(body: &'a Value<'a>, key: &str) -> Option<&'a Value<'a>> {
    body.as_object()?.get(key)
}

/// An identifier, which Telegram gives as a whole number or as a text.
fn id_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Str(text) if !text.is_empty() => Some(text.clone().into_owned()),
        _ => None,
    }
}
