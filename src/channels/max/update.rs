//! MAX's updates as facts. A call has one update; one update may tell two things.

use serde_json_borrow::Value;

use crate::model::channel::Groups;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input_id;
use crate::model::message::Attachment;

use crate::channels::codec::{DecodeError, Received};
use crate::channels::json::{at, field, id, id_of, items, number, text};
use crate::channels::person::within_limits;

use super::attachment;

/// Reads the body of a call: one update.
pub(super) fn read(channel: &ChannelId, groups: Groups, body: &[u8]) -> Result<Vec<Received>, DecodeError> {
    let tree: Value<'_> = serde_json::from_slice(body)?;
    let kind = text(&tree, "update_type").ok_or(DecodeError::Missing("update_type"))?;
    let update = Update { channel, groups, kind: &kind, tree: &tree };
    let reading = match kind.as_str() {
        "message_created" => update.message(),
        "message_edited" => update.edit(),
        "message_removed" => update.removal(),
        "message_callback" => update.button(),
        "bot_started" => update.subscription(true),
        "bot_stopped" | "dialog_removed" => update.subscription(false),
        other => Err(format!("update `{other}`")),
    };
    let reading = reading.unwrap_or_else(|what| {
        let fact = Fact::Unsupported { what, raw: String::from_utf8_lossy(body).into_owned() };
        // Updates have no id; the same bytes are the same update.
        vec![Reading {
            input_id: input_id::item(channel, body),
            external_at_ms: number(&tree, "timestamp"),
            fact,
        }]
    });
    let received = reading
        .into_iter()
        .map(|Reading { input_id, external_at_ms, fact }| Received {
            input_id,
            inbound: Inbound {
                channel: channel.clone(),
                external_at_ms: external_at_ms.filter(|ms| *ms > 0),
                fact,
            },
        })
        .collect();
    Ok(received)
}

struct Reading {
    input_id: String,
    external_at_ms: Option<u64>,
    fact: Fact,
}

/// What an update says, or what it was in words.
type Outcome = Result<Vec<Reading>, String>;

struct Update<'a> {
    channel: &'a ChannelId,
    groups: Groups,
    kind: &'a str,
    tree: &'a Value<'a>,
}

impl Update<'_> {
    fn message(&self) -> Outcome {
        let message = field(self.tree, "message").ok_or("update without `message`")?;
        let chat = self.chat_of(message)?;
        let user = self.sender(message)?;
        let body = field(message, "body").ok_or("message without `body`")?;
        let mid = id(body, "mid").ok_or("message without `mid`")?;
        let content = Content::of(message, body, &user.id);
        let user = content.own_phone(user);
        let reply = field(message, "link").filter(|link| text(link, "type").as_deref() == Some("reply"));
        let reading = Reading {
            input_id: input_id::message(self.channel, &chat.id, &mid),
            external_at_ms: number(message, "timestamp").or_else(|| number(self.tree, "timestamp")),
            fact: Fact::Message(InboundMessage {
                letter: None,
                chat,
                user,
                id: mid,
                text: content.text,
                attachments: content.attachments,
                reply_to: reply.and_then(|link| at(link, &["message", "mid"])).and_then(id_of),
                source: None,
                unsupported: content.has_unknown.then(|| message.to_string()),
                automatic: false,
            }),
        };
        Ok(vec![reading])
    }

    fn edit(&self) -> Outcome {
        let message = field(self.tree, "message").ok_or("update without `message`")?;
        let chat = self.chat_of(message)?;
        let user = self.sender(message)?;
        let body = field(message, "body").ok_or("message without `body`")?;
        let mid = id(body, "mid").ok_or("message without `mid`")?;
        // The message's own id and time come again with each edit.
        let at = number(self.tree, "timestamp").ok_or("edit without `timestamp`")?;
        let text = Content::of(message, body, &user.id).text;
        Ok(vec![Reading {
            input_id: input_id::edit(self.channel, &format!("{mid} {at}")),
            external_at_ms: Some(at),
            fact: Fact::Edited { chat, message: mid, text },
        }])
    }

    fn removal(&self) -> Outcome {
        let chat = self.chat(self.tree, None)?;
        let message = id(self.tree, "message_id").ok_or("removal without `message_id`")?;
        Ok(vec![Reading {
            input_id: input_id::update(self.channel, &format!("{} {} {message}", self.kind, chat.id)),
            external_at_ms: number(self.tree, "timestamp"),
            fact: Fact::Deleted { chat, message },
        }])
    }

    /// The sender of the message is the bot here; who pressed stands in `callback`.
    fn button(&self) -> Outcome {
        let callback = field(self.tree, "callback").ok_or("button press without `callback`")?;
        let press = id(callback, "callback_id").ok_or("button press without `callback_id`")?;
        let user = field(callback, "user").and_then(|user| self.person(user));
        let user = user.ok_or("button press without `user`")?;
        let message = field(self.tree, "message").filter(|message| message.is_object());
        let message = message.ok_or("button press under a deleted message: it tells no chat")?;
        let chat = self.chat_of(message)?;
        let data = text(callback, "payload").ok_or("button press without `payload`")?;
        let at = number(callback, "timestamp").or_else(|| number(self.tree, "timestamp")).unwrap_or(0);
        Ok(vec![Reading {
            input_id: input_id::button(self.channel, &format!("{press} {at}")),
            external_at_ms: Some(at),
            fact: Fact::Button {
                chat,
                user,
                title: title(message, &data),
                data,
                message: self::at(message, &["body", "mid"]).and_then(id_of),
                acknowledge: Some(press),
            },
        }])
    }

    /// The client began or ended the conversation; a link that began it may carry a parameter.
    fn subscription(&self, allowed: bool) -> Outcome {
        let chat = self.chat(self.tree, None)?;
        let user = field(self.tree, "user").and_then(|user| self.person(user));
        let user = user.ok_or_else(|| format!("`{}` without `user`", self.kind))?;
        let at =
            number(self.tree, "timestamp").ok_or_else(|| format!("`{}` without `timestamp`", self.kind))?;
        let key =
            |what: &str| input_id::update(self.channel, &format!("{what} {} {} {at}", chat.id, user.id));
        let reading = |what: &str, fact| Reading { input_id: key(what), external_at_ms: Some(at), fact };
        let mut readings = Vec::new();
        if allowed && let Some(source) = text(self.tree, "payload") {
            let fact = Fact::Referral { chat: chat.clone(), user: user.clone(), source };
            readings.push(reading("payload", fact));
        }
        let fact = Fact::Subscription { chat: chat.clone(), user: user.clone(), allowed };
        readings.push(reading(self.kind, fact));
        Ok(readings)
    }

    fn chat_of(&self, message: &Value<'_>) -> Result<ExternalChat, String> {
        let recipient = field(message, "recipient").ok_or("message without `recipient`")?;
        self.chat(recipient, text(recipient, "chat_type").as_deref())
    }

    /// The conversation, when it is served. Groups have negative numbers.
    fn chat(&self, body: &Value<'_>, kind: Option<&str>) -> Result<ExternalChat, String> {
        let chat = id(body, "chat_id").ok_or_else(|| format!("`{}` without `chat_id`", self.kind))?;
        if kind == Some("channel") {
            return Err("post in a channel".to_owned());
        }
        let is_group = kind.map_or_else(|| chat.starts_with('-'), |kind| kind != "dialog");
        if is_group && self.groups.is_refuse() {
            Err("group chat".to_owned())
        } else {
            Ok(ExternalChat::of(chat))
        }
    }

    fn sender(&self, message: &Value<'_>) -> Result<ExternalUser, String> {
        let sender = field(message, "sender").filter(|sender| sender.is_object());
        let sender = sender.ok_or("message without `sender`")?;
        if field(sender, "is_bot").and_then(Value::as_bool) == Some(true) {
            return Err("message of a bot".to_owned());
        }
        self.person(sender).ok_or_else(|| "message without `sender.user_id`".to_owned())
    }

    fn person(&self, body: &Value<'_>) -> Option<ExternalUser> {
        let names: Vec<String> =
            ["first_name", "last_name"].into_iter().filter_map(|key| text(body, key)).collect();
        Some(within_limits(ExternalUser {
            id: id(body, "user_id")?,
            name: if names.is_empty() { text(body, "name") } else { Some(names.join(" ")) },
            username: text(body, "username"),
            language: text(self.tree, "user_locale"),
            ..ExternalUser::default()
        }))
    }
}

/// What a message says.
struct Content {
    text: String,
    attachments: Vec<Attachment>,
    has_unknown: bool,
}

impl Content {
    /// With what was forwarded along, as a quotation.
    fn of(message: &Value<'_>, body: &Value<'_>, sender: &str) -> Self {
        let mut attached = attachment::read(body, sender);
        let mut lines: Vec<String> = text(body, "text").into_iter().collect();
        add_links(&mut lines, &attached.links);
        let link = field(message, "link").filter(|link| text(link, "type").as_deref() == Some("forward"));
        if let Some(forwarded) = link {
            let author = at(forwarded, &["sender", "user_id"]).and_then(id_of).unwrap_or_default();
            match field(forwarded, "message") {
                Some(inner) => {
                    // The card of whoever wrote first is not the sender's own, so nobody's is.
                    let with = attachment::read(inner, "");
                    lines.extend(text(inner, "text").map(|said| quoted(&said)));
                    add_links(&mut lines, &with.links);
                    attached.attachments.extend(with.attachments);
                    attached.has_unknown |= with.has_unknown;
                }
                None => attached.has_unknown |= author.is_empty(),
            }
        }
        let is_empty = lines.is_empty() && attached.attachments.is_empty();
        Self {
            text: lines.join("\n"),
            attachments: attached.attachments,
            has_unknown: attached.has_unknown || is_empty,
        }
    }

    /// The person with the phone number of their own card, if they sent it.
    fn own_phone(&self, mut user: ExternalUser) -> ExternalUser {
        let cards = self.attachments.iter().filter_map(|attachment| attachment.contact.as_ref());
        if let Some(card) = cards.filter(|card| card.own).find(|card| card.phone.is_some()) {
            user.phone.clone_from(&card.phone);
        }
        within_limits(user)
    }
}

/// Links that are not in the text already.
fn add_links(lines: &mut Vec<String>, links: &[String]) {
    for link in links {
        if !lines.iter().any(|line| line.contains(link.as_str())) {
            lines.push(link.clone());
        }
    }
}

/// A text as a quotation.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

/// The title of the button that carries `data`, from the keyboard under the message.
fn title(message: &Value<'_>, data: &str) -> Option<String> {
    let attachments = at(message, &["body", "attachments"])?.as_array()?;
    let keyboards = attachments.iter().filter_map(|attachment| field(attachment, "payload"));
    let mut buttons =
        keyboards.flat_map(|keyboard| items(keyboard, "buttons")).filter_map(Value::as_array).flatten();
    let pressed = buttons.find(|button| text(button, "payload").as_deref() == Some(data))?;
    text(pressed, "text")
}
