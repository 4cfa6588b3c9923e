//! What WhatsApp tells, as facts: messages, what became of ours, and what else happens in a chat.
//!
//! A person is known by the id that WhatsApp gives them towards this business (`US.1349…`) since 2026, or else by their
//! phone number. Their chat is known by the number, or else by that id: so do notices of what became of our messages,
//! which name whom we wrote to. Who hides their number begins another chat and stays the same client.

use serde_json::Value;

use crate::channels::codec::{DecodeError, Received};
use crate::channels::meta::batch::{Batch, Outcome, Reading, array, id, source, text, time_ms};
use crate::channels::meta::error::GraphError;
use crate::channels::person::within_limits;
use crate::model::channel::Groups;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, InboundMessage};
use crate::model::input_id;

use super::content;

/// The chats of groups are marked, since they are written to in another way.
pub(super) const GROUP: &str = "group";

/// Reads calls of one number.
pub(super) struct Reader<'a> {
    pub(super) channel: &'a ChannelId,
    pub(super) number: &'a str,
    pub(super) groups: Groups,
}

impl Reader<'_> {
    /// Reads the body of a call.
    pub(super) fn read(&self, body: &[u8]) -> Result<Vec<Received>, DecodeError> {
        let (mut batch, body) = Batch::open(self.channel, body)?;
        let object = body.get("object").and_then(Value::as_str).unwrap_or_default();
        if object == "whatsapp_business_account" {
            for change in array(&body, "entry").iter().flat_map(|entry| array(entry, "changes")) {
                self.change(&mut batch, change);
            }
        } else {
            batch.add(&body, Err("call about something else than WhatsApp".to_owned()));
        }
        batch.close(&body)
    }

    fn change(&self, batch: &mut Batch<'_>, change: &Value) {
        let field = change.get("field").and_then(Value::as_str).unwrap_or_default();
        let Some(value) = change.get("value") else {
            return batch.add(change, Err("change without `value`".to_owned()));
        };
        if !matches!(field, "messages" | "smb_message_echoes") {
            let field: String = field.chars().take(64).collect();
            return batch.add(change, Err(format!("change of `{field}`")));
        }
        if id(value, "/metadata/phone_number_id").as_deref() != Some(self.number) {
            return batch.add(change, Err("change about another number".to_owned()));
        }
        let lists = [
            array(value, "messages"),
            array(value, "message_echoes"),
            array(value, "statuses"),
            array(value, "errors"),
        ];
        let [messages, echoes, statuses, errors] = lists;
        for message in messages {
            batch.add(message, self.message(message, value));
        }
        for echo in echoes {
            batch.add(echo, self.echo(echo));
        }
        for status in statuses {
            batch.add(status, self.status(status));
        }
        for error in errors {
            let what = GraphError::read(error).map_or_else(|| "unknown".to_owned(), |error| error.text);
            batch.add(error, Err(format!("error of WhatsApp: {what}")));
        }
        if lists.iter().all(|list| list.is_empty()) {
            batch.add(change, Err("change without items".to_owned()));
        }
    }

    fn message(&self, message: &Value, value: &Value) -> Outcome {
        let kind = text(message, "/type").unwrap_or_default();
        let id = text(message, "/id").ok_or("message without `id`")?;
        let Sender { chat, user } = sender(message, value).ok_or("message without a sender")?;
        let at_ms = time_ms(message, "/timestamp");
        let notice = || input_id::update(self.channel, &id);
        let one = |input_id, fact| Ok(vec![Reading { input_id, at_ms, fact }]);
        if kind == "system" {
            return one(notice(), moved(message, chat, user)?);
        }
        let chat = match text(message, "/group_id") {
            None => ExternalChat::of(chat),
            Some(_) if self.groups.is_refuse() => return Err("group chat".to_owned()),
            Some(group) => ExternalChat { id: group, context: Some(GROUP.to_owned()) },
        };
        match kind.as_str() {
            "reaction" => {
                let answered = text(message, "/reaction/message_id").ok_or("reaction to nothing")?;
                let sign = text(message, "/reaction/emoji");
                one(notice(), Fact::Reaction { chat, user, message: answered, sign })
            }
            "revoke" => {
                let gone = text(message, "/revoke/original_message_id").ok_or("deletion of nothing")?;
                one(notice(), Fact::Deleted { chat, message: gone })
            }
            "edit" => {
                let edited = text(message, "/edit/original_message_id").ok_or("edit of nothing")?;
                let text = message.pointer("/edit/message").and_then(content::words).unwrap_or_default();
                one(input_id::edit(self.channel, &id), Fact::Edited { chat, message: edited, text })
            }
            // The client looked at the chat and wrote nothing.
            "request_welcome" => Err("opening of the chat".to_owned()),
            "interactive" | "button" => match content::press(message) {
                Some((data, title)) => {
                    let fact = Fact::Button {
                        chat,
                        user,
                        data,
                        title,
                        message: text(message, "/context/id"),
                        acknowledge: None,
                    };
                    one(input_id::button(self.channel, &id), fact)
                }
                None => self.words(message, chat, user, id),
            },
            _ => self.words(message, chat, user, id),
        }
    }

    /// A message that says something.
    fn words(&self, message: &Value, chat: ExternalChat, user: ExternalUser, id: String) -> Outcome {
        let content = content::of(message);
        let input_id = input_id::message(self.channel, &chat.id, &id);
        let fact = Fact::Message(InboundMessage {
            letter: None,
            chat,
            user,
            id,
            unsupported: (!content.is_known).then(|| message.to_string()),
            text: content.text,
            attachments: content.attachments,
            reply_to: text(message, "/context/id"),
            source: source(message, &["/referral/source_id", "/referral/ctwa_clid", "/referral/source_url"]),
            automatic: false,
        });
        Ok(vec![Reading { input_id, at_ms: time_ms(message, "/timestamp"), fact }])
    }

    /// A message that somebody wrote to a client with the telephone of the business.
    fn echo(&self, echo: &Value) -> Outcome {
        let id = text(echo, "/id").ok_or("echo without `id`")?;
        let (to, user_id) = (self::id(echo, "/to"), text(echo, "/to_user_id"));
        let chat = to.clone().or_else(|| user_id.clone()).ok_or("echo to nobody")?;
        let user_id = user_id.unwrap_or_else(|| chat.clone());
        if matches!(text(echo, "/type").as_deref(), Some("edit" | "revoke")) {
            return Err("change of a message that was written with the telephone".to_owned());
        }
        let content = content::of(echo);
        if !content.is_known {
            return Err("echo of a kind that cannot be shown".to_owned());
        }
        let fact = Fact::Echo {
            chat: ExternalChat::of(chat),
            user: within_limits(ExternalUser {
                id: user_id,
                phone: to.map(|number| international(&number)),
                ..ExternalUser::default()
            }),
            text: content.text,
            attachments: content.attachments,
            tracking: None,
            id: id.clone(),
        };
        let input_id = input_id::update(self.channel, &id);
        Ok(vec![Reading { input_id, at_ms: time_ms(echo, "/timestamp"), fact }])
    }

    /// How far a message of ours has come.
    fn status(&self, status: &Value) -> Outcome {
        let message = text(status, "/id").ok_or("status without `id`")?;
        let state = text(status, "/status").ok_or("status without `status`")?;
        let recipients =
            ["/recipient_user_id", "/recipient_id", "/recipient_parent_user_id", "/parent_recipient_user_id"];
        let chat =
            recipients.iter().find_map(|place| id(status, place)).ok_or("status without a recipient")?;
        let fate = match state.as_str() {
            // The answer to our request said so already.
            "accepted" | "sent" => return Ok(Vec::new()),
            "delivered" => Fate::Delivered,
            "read" | "played" => Fate::Read,
            "failed" => {
                let error = array(status, "errors").first().and_then(GraphError::read);
                Fate::Failed {
                    reason: error
                        .as_ref()
                        .map_or_else(|| "WhatsApp does not say why".to_owned(), GraphError::reason),
                    refusal: error.as_ref().and_then(GraphError::refusal),
                }
            }
            _ => return Err("status of an unknown kind".to_owned()),
        };
        let input_id = input_id::update(self.channel, &format!("{state} {message} {chat}"));
        let fact = Fact::Fate { chat: ExternalChat::of(chat), message, fate };
        Ok(vec![Reading { input_id, at_ms: time_ms(status, "/timestamp"), fact }])
    }
}

/// Who wrote a message, and in which chat of two.
struct Sender {
    chat: String,
    user: ExternalUser,
}

/// Who wrote a message, with what WhatsApp says about them: beside the messages, in an order of its own.
fn sender(message: &Value, value: &Value) -> Option<Sender> {
    let (user_id, number) = (text(message, "/from_user_id"), id(message, "/from"));
    let is_theirs = |contact: &&Value| {
        let same = |place: &str, known: &Option<String>| known.is_some() && id(contact, place) == *known;
        same("/user_id", &user_id) || same("/wa_id", &number)
    };
    let contact = array(value, "contacts").iter().find(is_theirs).unwrap_or(&Value::Null);
    let user_id = user_id.or_else(|| text(contact, "/user_id"));
    let number = number.or_else(|| id(contact, "/wa_id"));
    let chat = number.clone().or_else(|| user_id.clone())?;
    let user = within_limits(ExternalUser {
        id: user_id.unwrap_or_else(|| chat.clone()),
        name: text(contact, "/profile/name"),
        username: text(contact, "/profile/username"),
        phone: number.map(|number| international(&number)),
        ..ExternalUser::default()
    });
    Some(Sender { chat, user })
}

/// WhatsApp knows a person by another number or id from now on.
fn moved(message: &Value, chat: String, user: ExternalUser) -> Result<Fact, String> {
    let new_id = text(message, "/system/user_id");
    let new_number = id(message, "/system/wa_id").or_else(|| id(message, "/system/new_wa_id"));
    let missing = "change of a number without the new one";
    let (new_chat, new_user) = match text(message, "/system/type").unwrap_or_default().as_str() {
        "user_changed_user_id" => {
            let new = new_id.ok_or(missing)?;
            // Whose chat is known by the number keeps it.
            (if chat == user.id { new.clone() } else { new_number.unwrap_or_else(|| chat.clone()) }, new)
        }
        "user_changed_number" | "customer_changed_number" => {
            let new = new_number.or_else(|| new_id.clone()).ok_or(missing)?;
            (new.clone(), new_id.unwrap_or(new))
        }
        _ => return Err("system message".to_owned()),
    };
    Ok(Fact::Moved { chat: ExternalChat::of(chat), user, new_chat, new_user })
}

/// WhatsApp writes numbers as digits with the code of the country.
fn international(number: &str) -> String {
    if number.starts_with('+') { number.to_owned() } else { format!("+{number}") }
}
