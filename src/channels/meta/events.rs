//! What Messenger and Instagram tell, as facts. Both write the same events, with few differences.

use serde_json::Value;

use crate::channels::codec::{DecodeError, Received};
use crate::channels::person::within_limits;
use crate::model::id::{ChannelId, EffectId};
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, InboundMessage, UpTo};
use crate::model::input_id;

use super::batch::{Batch, Outcome, Reading, array, id, source, text, time_ms};
use super::content;

/// Reads calls about one account.
pub(in crate::channels) struct Reader<'a> {
    pub(in crate::channels) channel: &'a ChannelId,
    /// What calls are about: `page` or `instagram`.
    pub(in crate::channels) object: &'static str,
    /// The account's own id.
    pub(in crate::channels) account: &'a str,
}

/// Where links and advertisements say how a client came.
const REFERRAL: [&str; 2] = ["/referral/ref", "/referral/ad_id"];

impl Reader<'_> {
    /// Reads the body of a call.
    pub(in crate::channels) fn read(&self, body: &[u8]) -> Result<Vec<Received>, DecodeError> {
        let (mut batch, body) = Batch::open(self.channel, body)?;
        if body.get("object").and_then(Value::as_str) != Some(self.object) {
            batch.add(&body, Err("call about something else than this channel".to_owned()));
            return batch.close(&body);
        }
        for entry in array(&body, "entry") {
            let is_ours = id(entry, "/id").as_deref() == Some(self.account);
            for event in array(entry, "messaging") {
                let outcome = if is_ours { self.event(event) } else { Err(of_another_account()) };
                batch.add(event, outcome);
            }
            // Another application has the conversation: what we read there is not ours to answer.
            for event in array(entry, "standby") {
                batch.add(event, Err("event of a conversation that another application has".to_owned()));
            }
            for change in array(entry, "changes") {
                batch.add(change, self.change(change, is_ours));
            }
        }
        batch.close(&body)
    }

    /// The form in which the application's dashboard sends its samples.
    fn change(&self, change: &Value, is_ours: bool) -> Outcome {
        let field: String = text(change, "/field").unwrap_or_default().chars().take(64).collect();
        match change.get("value") {
            Some(event) if field.starts_with("messag") && event.get("sender").is_some() => {
                if is_ours {
                    self.event(event)
                } else {
                    Err(of_another_account())
                }
            }
            _ => Err(format!("change of `{field}`")),
        }
    }

    fn event(&self, event: &Value) -> Outcome {
        let at_ms = time_ms(event, "/timestamp");
        let is_echo = event.pointer("/message/is_echo").and_then(Value::as_bool).unwrap_or(false);
        let place = if is_echo { "/recipient/id" } else { "/sender/id" };
        let person = id(event, place).ok_or("event without a sender")?;
        let user = within_limits(ExternalUser { id: person.clone(), ..ExternalUser::default() });
        let event = Event { reader: self, event, at_ms, chat: ExternalChat::of(person), user };
        let kinds =
            ["message", "postback", "read", "delivery", "reaction", "message_edit", "referral", "optin"];
        let kind = kinds.into_iter().find(|kind| event.event.get(kind).is_some_and(Value::is_object));
        match kind {
            Some("message") if is_echo => event.echo(),
            Some("message") => event.message(),
            Some("postback") => event.postback(),
            Some("read") => event.read(),
            Some("delivery") => event.delivery(),
            Some("reaction") => event.reaction(),
            Some("message_edit") => event.edit(),
            Some("referral") => event.referral("referral", &REFERRAL),
            Some("optin") => event.referral("optin", &["/optin/ref"]),
            _ => Err("event of another kind".to_owned()),
        }
    }
}

fn of_another_account() -> String {
    "event of another account".to_owned()
}

/// One event, with what all kinds share.
struct Event<'a> {
    reader: &'a Reader<'a>,
    event: &'a Value,
    at_ms: Option<u64>,
    chat: ExternalChat,
    user: ExternalUser,
}

impl Event<'_> {
    fn text(&self, place: &str) -> Option<String> {
        text(self.event, place)
    }

    /// The key of a notice without an id of its own.
    fn notice(&self, what: &str) -> String {
        let at = id(self.event, "/timestamp").unwrap_or_default();
        input_id::update(self.reader.channel, &format!("{what} {} {at}", self.chat.id))
    }

    fn one(&self, input_id: String, fact: Fact) -> Outcome {
        Ok(vec![Reading { input_id, at_ms: self.at_ms, fact }])
    }

    fn message(self) -> Outcome {
        let mid = self.text("/message/mid").ok_or("message without `mid`")?;
        let message = self.event.get("message").unwrap_or(&Value::Null);
        let is = |key: &str| message.get(key).and_then(Value::as_bool).unwrap_or(false);
        let channel = self.reader.channel;
        if is("is_deleted") {
            // The notice has the id of the message that it takes back.
            let input_id = input_id::update(channel, &format!("deleted {mid}"));
            return self.one(input_id, Fact::Deleted { chat: self.chat.clone(), message: mid });
        }
        let reply_to = text(message, "/reply_to/mid");
        if let Some(data) = text(message, "/quick_reply/payload") {
            let fact = Fact::Button {
                chat: self.chat.clone(),
                user: self.user.clone(),
                data,
                title: text(message, "/text"),
                message: reply_to,
                acknowledge: None,
            };
            return self.one(input_id::button(channel, &mid), fact);
        }
        let content = content::of(message);
        let input_id = input_id::message(channel, &self.chat.id, &mid);
        let fact = Fact::Message(InboundMessage {
            letter: None,
            chat: self.chat.clone(),
            user: self.user.clone(),
            id: mid,
            unsupported: (is("is_unsupported") || !content.is_known).then(|| message.to_string()),
            text: content.text,
            attachments: content.attachments,
            reply_to,
            source: source(message, &REFERRAL),
            automatic: false,
        });
        self.one(input_id, fact)
    }

    /// What was written in the account's name. What carries our own mark came from here.
    fn echo(self) -> Outcome {
        let mid = self.text("/message/mid").ok_or("echo without `mid`")?;
        let tracking = self.text("/message/metadata");
        if tracking.as_deref().is_some_and(|mark| mark.parse::<EffectId>().is_ok()) {
            return Ok(Vec::new());
        }
        let message = self.event.get("message").unwrap_or(&Value::Null);
        let content = content::of(message);
        if !content.is_known {
            return Err("echo of a kind that cannot be shown".to_owned());
        }
        let input_id = input_id::update(self.reader.channel, &format!("echo {mid}"));
        let fact = Fact::Echo {
            chat: self.chat.clone(),
            user: self.user.clone(),
            id: mid,
            text: content.text,
            attachments: content.attachments,
            tracking,
        };
        self.one(input_id, fact)
    }

    /// A pressed button. It may say how the client came, too.
    fn postback(self) -> Outcome {
        let title = self.text("/postback/title");
        let data = self.text("/postback/payload").or_else(|| title.clone()).ok_or("postback of nothing")?;
        let press = self.text("/postback/mid").unwrap_or_else(|| {
            let at = id(self.event, "/timestamp").unwrap_or_default();
            format!("{} {at} {data}", self.chat.id)
        });
        let channel = self.reader.channel;
        let mut readings = Vec::new();
        if let Some(source) = source(self.event, &["/postback/referral/ref", "/postback/referral/ad_id"]) {
            let fact = Fact::Referral { chat: self.chat.clone(), user: self.user.clone(), source };
            let input_id = input_id::update(channel, &format!("referral {press}"));
            readings.push(Reading { input_id, at_ms: self.at_ms, fact });
        }
        let fact = Fact::Button {
            chat: self.chat.clone(),
            user: self.user.clone(),
            data,
            title,
            message: None,
            acknowledge: None,
        };
        readings.push(Reading { input_id: input_id::button(channel, &press), at_ms: self.at_ms, fact });
        Ok(readings)
    }

    /// Instagram names the last message that was read, Messenger the time up to which all were.
    fn read(self) -> Outcome {
        let up_to = match (self.text("/read/mid"), time_ms(self.event, "/read/watermark")) {
            (Some(mid), _) => UpTo::Message(mid),
            (None, Some(watermark)) => UpTo::TimeMs(watermark),
            (None, None) => return Err("reading of nothing".to_owned()),
        };
        self.up_to("read", up_to, Fate::Read)
    }

    fn delivery(self) -> Outcome {
        let mids =
            self.event.pointer("/delivery/mids").and_then(Value::as_array).map_or(&[] as &[_], Vec::as_slice);
        let facts: Vec<Reading> = mids
            .iter()
            .filter_map(Value::as_str)
            .filter(|mid| !mid.is_empty())
            .take(MIDS_MAX)
            .map(|mid| Reading {
                input_id: input_id::update(self.reader.channel, &format!("delivered {mid}")),
                at_ms: self.at_ms,
                fact: Fact::Fate { chat: self.chat.clone(), message: mid.to_owned(), fate: Fate::Delivered },
            })
            .collect();
        if !facts.is_empty() {
            return Ok(facts);
        }
        let watermark = time_ms(self.event, "/delivery/watermark").ok_or("delivery of nothing")?;
        self.up_to("delivered", UpTo::TimeMs(watermark), Fate::Delivered)
    }

    fn up_to(self, what: &str, up_to: UpTo, fate: Fate) -> Outcome {
        let end = match &up_to {
            UpTo::Message(message) => message.clone(),
            UpTo::TimeMs(time) => time.to_string(),
        };
        let input_id = input_id::update(self.reader.channel, &format!("{what} {} {end}", self.chat.id));
        self.one(input_id, Fact::FateUpTo { chat: self.chat.clone(), up_to, fate })
    }

    fn reaction(self) -> Outcome {
        let message = self.text("/reaction/mid").ok_or("reaction to nothing")?;
        let action = self.text("/reaction/action").unwrap_or_default();
        let sign = match action.as_str() {
            "react" => self.text("/reaction/emoji").or_else(|| self.text("/reaction/reaction")),
            "unreact" => None,
            _ => return Err("reaction of an unknown kind".to_owned()),
        };
        let input_id = self.notice(&format!("reaction {action} {message}"));
        let (chat, user) = (self.chat.clone(), self.user.clone());
        self.one(input_id, Fact::Reaction { chat, user, message, sign })
    }

    fn edit(self) -> Outcome {
        let message = self.text("/message_edit/mid").ok_or("edit of nothing")?;
        let number = id(self.event, "/message_edit/num_edit").or_else(|| id(self.event, "/timestamp"));
        let notice = format!("{message} {}", number.unwrap_or_default());
        let text = self.text("/message_edit/text").unwrap_or_default();
        let fact = Fact::Edited { chat: self.chat.clone(), message, text };
        self.one(input_id::edit(self.reader.channel, &notice), fact)
    }

    fn referral(self, kind: &str, places: &[&str]) -> Outcome {
        let source =
            source(self.event, places).ok_or_else(|| format!("{kind} that does not say where from"))?;
        let (chat, user) = (self.chat.clone(), self.user.clone());
        self.one(self.notice(kind), Fact::Referral { chat, user, source })
    }
}

/// The most ids of one notice of delivery that are told one by one; a chat gets few messages between two notices.
const MIDS_MAX: usize = 100;
