//! Events of VK's Callback API as facts.

use serde_json_borrow::Value;

use crate::model::channel::Groups;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, Inbound, InboundMessage, UpTo};
use crate::model::input_id;

use crate::channels::codec::Received;
use crate::channels::json::{at, field, id, is_given, items, number, text};

use super::{IN_CONVERSATION, attachment, is_group, message_id};

/// The most forwarded messages that are read of one message. VK itself allows a hundred.
const FORWARDED_MAX: usize = 100;

/// The languages of VK by their number.
const LANGUAGES: [&str; 8] = ["ru", "uk", "be", "en", "es", "fi", "de", "it"];

/// The signs that people can answer a message with, by their number from 1.
const REACTIONS: [&str; 16] =
    ["❤", "🔥", "😂", "👍", "💩", "❓", "😭", "😡", "👎", "👌", "😃", "🤔", "🙏", "😘", "😍", "🎉"];

/// Reads an event. One call may tell two things: that we may write now, and how the client came.
pub(super) fn read(
    channel: &ChannelId,
    groups: Groups,
    kind: &str,
    body: &Value<'_>,
    raw: &[u8],
) -> Vec<Received> {
    let notice = match id(body, "event_id") {
        Some(event) => input_id::update(channel, &event),
        None => input_id::item(channel, raw),
    };
    let event = Event { channel, groups, notice: &notice, body };
    let reading = match (field(body, "object"), kind) {
        // Shown for a moment and told again every few seconds: there is nothing to keep.
        (Some(_), "message_typing_state") => return Vec::new(),
        (Some(object), "message_new") => event.message(object),
        (Some(object), "message_edit") => event.edit(object),
        (Some(object), "message_reply") => event.echo(object),
        (Some(object), "message_event") => event.button(object),
        (Some(object), "message_read") => event.seen(object),
        (Some(object), "message_reaction_event") => event.reaction(object),
        (Some(object), "message_allow") => event.subscription(object, true),
        (Some(object), "message_deny") => event.subscription(object, false),
        (Some(_), other) => Err(format!("event `{other}`")),
        (None, other) => Err(format!("event `{other}` without `object`")),
    };
    let reading = reading.unwrap_or_else(|what| {
        let fact = Fact::Unsupported { what, raw: String::from_utf8_lossy(raw).into_owned() };
        vec![Reading { input_id: notice.clone(), external_at_ms: None, fact }]
    });
    reading
        .into_iter()
        .map(|Reading { input_id, external_at_ms, fact }| Received {
            input_id,
            inbound: Inbound { channel: channel.clone(), external_at_ms, fact },
        })
        .collect()
}

/// A press of a button as VK wants to see it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Press<'a> {
    pub(super) event: &'a str,
    pub(super) user: &'a str,
    pub(super) peer: &'a str,
}

impl<'a> Press<'a> {
    fn write(&self) -> String {
        format!("{} {} {}", self.user, self.peer, self.event)
    }

    /// Reads what [`Press::write`] wrote.
    pub(super) fn read(reference: &'a str) -> Option<Self> {
        let (user, rest) = reference.split_once(' ')?;
        let (peer, event) = rest.split_once(' ')?;
        Some(Self { event, user, peer })
    }
}

struct Reading {
    input_id: String,
    external_at_ms: Option<u64>,
    fact: Fact,
}

/// What an event says, or what it was in words.
type Outcome = Result<Vec<Reading>, String>;

/// An event with what its reading needs.
struct Event<'a> {
    channel: &'a ChannelId,
    groups: Groups,
    /// The key of whatever has none of its own.
    notice: &'a str,
    body: &'a Value<'a>,
}

impl Event<'_> {
    fn noticed(&self, external_at_ms: Option<u64>, fact: Fact) -> Outcome {
        Ok(vec![Reading { input_id: self.notice.to_owned(), external_at_ms, fact }])
    }

    fn message(&self, object: &Value<'_>) -> Outcome {
        // Older versions of the API have the message where newer ones have it beside `client_info`.
        let message = field(object, "message").unwrap_or(object);
        let chat = self.chat(message)?;
        let mut user = person(message)?;
        if is_given(message, "action") {
            return Err("service message of a chat".to_owned());
        }
        let language = at(object, &["client_info", "lang_id"]).and_then(Value::as_u64);
        user.language = language
            .and_then(|number| LANGUAGES.get(usize::try_from(number).ok()?))
            .map(|tag| (*tag).to_owned());
        let number = message_id(message).ok_or("message without a number")?;
        let input_id = input_id::message(self.channel, &chat.id, &number);
        let external_at_ms = seconds(message, "date");
        let said = text(message, "text").unwrap_or_default();
        if let Some((data, title)) = field(message, "payload").and_then(pressed) {
            let title = if said.is_empty() { title } else { Some(said) };
            let fact = Fact::Button { chat, user, data, title, message: None, acknowledge: None };
            return Ok(vec![Reading { input_id, external_at_ms, fact }]);
        }
        let content = Content::of(message);
        let source = ["ref", "ref_source"].into_iter().find_map(|key| text(message, key));
        let fact = Fact::Message(InboundMessage {
            letter: None,
            chat,
            user,
            id: number,
            text: content.text,
            attachments: content.attachments,
            reply_to: field(message, "reply_message").and_then(message_id),
            source,
            unsupported: content.has_unknown.then(|| message.to_string()),
            automatic: false,
        });
        Ok(vec![Reading { input_id, external_at_ms, fact }])
    }

    fn edit(&self, message: &Value<'_>) -> Outcome {
        let chat = self.chat(message)?;
        person(message)?;
        let number = message_id(message).ok_or("edit without a number")?;
        let notice = id(self.body, "event_id").ok_or("edit without `event_id`")?;
        Ok(vec![Reading {
            input_id: input_id::edit(self.channel, &notice),
            external_at_ms: seconds(message, "update_time").or_else(|| seconds(message, "date")),
            fact: Fact::Edited { chat, message: number, text: Content::of(message).text },
        }])
    }

    /// A message of the community: ours, which carries our mark, or one that somebody wrote elsewhere.
    fn echo(&self, message: &Value<'_>) -> Outcome {
        let chat = self.chat(message)?;
        if is_group(field(message, "peer_id").unwrap_or(&Value::Null)) {
            return Err("message of the community to a chat of several people".to_owned());
        }
        if super::outgoing::is_ours(message) {
            return Ok(Vec::new());
        }
        let number = message_id(message).ok_or("message of the community without a number")?;
        let user = ExternalUser { id: chat.id.clone(), ..ExternalUser::default() };
        let content = Content::of(message);
        let fact = Fact::Echo {
            chat,
            user,
            id: number,
            text: content.text,
            attachments: content.attachments,
            tracking: None,
        };
        self.noticed(seconds(message, "date"), fact)
    }

    fn button(&self, press: &Value<'_>) -> Outcome {
        let chat = self.chat(press)?;
        let user = id(press, "user_id").ok_or("button press without `user_id`")?;
        let event = id(press, "event_id").ok_or("button press without its `event_id`")?;
        let pressed = field(press, "payload").and_then(pressed);
        let (data, title) = pressed.ok_or("button press without `payload`")?;
        let reference = Press { event: &event, user: &user, peer: &chat.id }.write();
        let key = input_id::button(self.channel, &format!("{} {event}", chat.id));
        let user = ExternalUser { id: user, ..ExternalUser::default() };
        let fact = Fact::Button { chat, user, data, title, message: None, acknowledge: Some(reference) };
        Ok(vec![Reading { input_id: key, external_at_ms: None, fact }])
    }

    /// Somebody has read our messages up to one.
    fn seen(&self, read: &Value<'_>) -> Outcome {
        let chat = self.chat(read)?;
        if is_group(field(read, "peer_id").unwrap_or(&Value::Null)) {
            return Err("reading in a chat of several people".to_owned());
        }
        if id(read, "from_id").is_none_or(|who| who.starts_with('-')) {
            return Err("reading by the community itself".to_owned());
        }
        let last = number(read, "read_message_id").filter(|last| *last > 0);
        let last = last.ok_or("reading without `read_message_id`")?;
        let up_to = UpTo::Message(last.to_string());
        self.noticed(None, Fact::FateUpTo { chat, up_to, fate: Fate::Read })
    }

    fn reaction(&self, reaction: &Value<'_>) -> Outcome {
        let chat = self.chat(reaction)?;
        let who = id(reaction, "reacted_id").ok_or("reaction without `reacted_id`")?;
        if who.starts_with('-') {
            return Err("reaction of a community".to_owned());
        }
        let message = number(reaction, "cmid").ok_or("reaction without `cmid`")?;
        let sign = number(reaction, "reaction_id").filter(|sign| *sign > 0).map(|sign| {
            let known = usize::try_from(sign - 1).ok().and_then(|index| REACTIONS.get(index));
            known.map_or_else(|| format!("reaction {sign}"), |known| (*known).to_owned())
        });
        let user = ExternalUser { id: who, ..ExternalUser::default() };
        let message = format!("{IN_CONVERSATION}{message}");
        self.noticed(None, Fact::Reaction { chat, user, message, sign })
    }

    fn subscription(&self, object: &Value<'_>, allowed: bool) -> Outcome {
        let user = id(object, "user_id").ok_or("change of a permission without `user_id`")?;
        let chat = ExternalChat::of(user.clone());
        let user = ExternalUser { id: user, ..ExternalUser::default() };
        let mut readings = Vec::new();
        if allowed && let Some(source) = text(object, "key") {
            readings.push(Reading {
                input_id: input_id::update(self.channel, &format!("{} key", self.notice)),
                external_at_ms: None,
                fact: Fact::Referral { chat: chat.clone(), user: user.clone(), source },
            });
        }
        readings.push(Reading {
            input_id: self.notice.to_owned(),
            external_at_ms: None,
            fact: Fact::Subscription { chat, user, allowed },
        });
        Ok(readings)
    }

    /// The conversation, when it is served.
    fn chat(&self, object: &Value<'_>) -> Result<ExternalChat, String> {
        let peer = field(object, "peer_id").ok_or("no `peer_id`")?;
        if is_group(peer) && self.groups.is_refuse() {
            return Err("chat of several people".to_owned());
        }
        let number = id(object, "peer_id").ok_or("`peer_id` is no number")?;
        if number.starts_with('-') {
            return Err("conversation with another community".to_owned());
        }
        Ok(ExternalChat::of(number))
    }
}

/// The person who wrote. VK gives no name along.
fn person(message: &Value<'_>) -> Result<ExternalUser, String> {
    let who = id(message, "from_id").ok_or("message without `from_id`")?;
    if who.starts_with('-') {
        return Err("message of a community".to_owned());
    }
    Ok(ExternalUser { id: who, ..ExternalUser::default() })
}

/// What a message says.
struct Content {
    text: String,
    attachments: Vec<crate::model::message::Attachment>,
    has_unknown: bool,
}

impl Content {
    /// With what was forwarded along, as quotations. What was forwarded within that is only in the raw form.
    fn of(message: &Value<'_>) -> Self {
        let mut attached = attachment::read(message);
        let mut lines: Vec<String> = text(message, "text").into_iter().collect();
        let is_new = |link: &String| !lines.iter().any(|line| line.contains(link.as_str()));
        let links: Vec<String> = attached.links.iter().filter(|link| is_new(link)).cloned().collect();
        lines.extend(links);
        let forwarded = items(message, "fwd_messages");
        attached.has_unknown |= forwarded.len() > FORWARDED_MAX;
        for inner in forwarded.iter().take(FORWARDED_MAX) {
            lines.extend(text(inner, "text").map(|said| quoted(&said)));
            let with = attachment::read(inner);
            attached.attachments.extend(with.attachments);
            lines.extend(with.links);
            attached.has_unknown |= with.has_unknown || !items(inner, "fwd_messages").is_empty();
        }
        let is_empty = lines.is_empty() && attached.attachments.is_empty();
        Self {
            text: lines.join("\n"),
            attachments: attached.attachments,
            has_unknown: attached.has_unknown || is_empty,
        }
    }
}

/// A text as a quotation.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

/// The data of a button and perhaps its title, from its payload: a tree, or the text of one. Ours have the data
/// under `button`. The button that begins a conversation (`{"command":"start"}`) says nothing.
fn pressed(payload: &Value<'_>) -> Option<(String, Option<String>)> {
    let written = match payload.as_str() {
        Some(text) => text.trim().to_owned(),
        None if payload.is_object() || payload.is_array() => payload.to_string(),
        None => return None,
    };
    let tree: Value<'_> = serde_json::from_str(&written).unwrap_or_default();
    if text(&tree, "command").as_deref() == Some("start") || matches!(written.as_str(), "" | "{}" | "[]") {
        return None;
    }
    Some(match text(&tree, "button") {
        Some(data) => (data, text(&tree, "title")),
        None => (written, None),
    })
}

/// A time that VK gives in seconds, in ms.
fn seconds(body: &Value<'_>, key: &str) -> Option<u64> {
    number(body, key).filter(|seconds| *seconds > 0)?.checked_mul(1000)
}
