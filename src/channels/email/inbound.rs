//! A raw mail as a fact.
//!
//! Total: whatever cannot be read is kept raw, as far as the journal has room for it.

use mail_parser::{Addr, Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use crate::model::hexadecimal;
use crate::model::id::ChannelId;
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input_id;
use crate::model::mail::parts_of_address;
use crate::model::message::{Attachment, AttachmentKind};

use super::automatic::{self, RawHeader};
use super::body::{self, one_line};
use super::context::Context;
use super::report;
use super::thread::Threads;
use crate::channels::codec::Received;
use crate::channels::files::FileBytes;
use crate::channels::person::within_limits;

/// The longest raw form that is kept in the journal, in bytes: all of a mail but its files.
const RAW_MAX: usize = 256 * 1024;

/// The most files of one mail that are told of.
const FILES_MAX: usize = 100;

/// The longest name of a file, in bytes: what file systems allow.
const FILE_NAME_MAX: usize = 255;

/// The longest id of a message, in bytes. RFC 5322 has lines of 998.
pub(super) const MESSAGE_ID_MAX: usize = 512;

/// The most ids, and addresses of ours, that are looked at in one mail.
const TRACES_MAX: usize = 100;

/// Headers in which servers say to which address a mail came.
const RECIPIENTS: [&str; 7] =
    ["to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to"];

/// The header with our own mark.
pub(super) const OWN_MARK: &str = "x-switchboard-mail";

/// What a mail is read for.
pub(super) struct Reader<'a> {
    pub(super) channel: &'a ChannelId,
    /// Our address, in lower case.
    pub(super) own: &'a str,
    pub(super) threads: &'a Threads,
}

impl Reader<'_> {
    /// Reads a mail.
    pub(super) fn read(&self, body: &[u8]) -> Received {
        let raw = without_envelope(body);
        match MessageParser::default().parse(raw) {
            Some(message) => self.mail(&message, raw).unwrap_or_else(|what| self.unsupported(what, raw)),
            None => self.unsupported("what is no mail: it has no headers", raw),
        }
    }

    fn mail(&self, message: &Message<'_>, raw: &[u8]) -> Result<Received, &'static str> {
        let headers = automatic::headers(message);
        if let Some(report) = report::read(message) {
            return self.report(message, report, raw);
        }
        let person = sender(message).ok_or("mail without an address that it comes from")?;
        let own_id = message_id(message);
        let id = own_id.clone().unwrap_or_else(|| hashed(raw));
        let is_ours = person.id == self.own
            || self.threads.of_message_id(&id).is_some()
            || automatic::values(&headers, OWN_MARK).any(|mark| self.threads.is_own_mark(mark));
        if is_ours {
            return Err("mail of ours that came back");
        }
        let answered = ids(message.in_reply_to());
        let references = ids(message.references());
        let thread = self
            .of_recipients(&headers)
            .or_else(|| self.of_ids(answered.iter().chain(references.iter().rev())))
            .unwrap_or_else(|| self.threads.new_name(&format!("{}\n{id}", person.id)));
        let is_automatic = automatic::is_automatic(message, &headers, &person.id);
        let body = body::read(message);
        let files = attachments(message);
        let context = Context {
            subject: message.thread_name().map(one_line).filter(|subject| !subject.is_empty()),
            last: own_id,
            references: references.into_iter().map(str::to_owned).collect(),
            reply_to: reply_address(message).filter(|address| *address != person.id && address != self.own),
        };
        // Beside the beginning of a text, or of the files, stands what is there in all.
        let is_whole = !body.is_cut && message.attachments.len() <= FILES_MAX;
        let is_empty = body.text.is_empty() && files.is_empty();
        Ok(Received {
            input_id: self.key(&thread, &id, message, raw),
            inbound: Inbound {
                channel: self.channel.clone(),
                external_at_ms: time_ms(message),
                fact: Fact::Message(InboundMessage {
                    chat: ExternalChat { id: thread, context: Some(context.write()) },
                    user: within_limits(person),
                    id,
                    text: body.text,
                    attachments: files,
                    reply_to: answered.first().map(|id| (*id).to_owned()),
                    source: None,
                    unsupported: (is_empty || !is_whole).then(|| kept(raw)),
                    automatic: is_automatic,
                    letter: Some(Box::new(body.letter)).filter(|letter| **letter != Default::default()),
                }),
            },
        })
    }

    /// A mail is known again by its id and what it says: broken programs give several mails one id, and servers on
    /// the way add to its head.
    fn key(&self, thread: &str, id: &str, message: &Message<'_>, raw: &[u8]) -> String {
        let begin = message.root_part().offset_body;
        let body = usize::try_from(begin).ok().and_then(|begin| raw.get(begin..)).unwrap_or(raw);
        input_id::message(self.channel, thread, &format!("{id} {}", hashed(body)))
    }

    fn report(
        &self,
        message: &Message<'_>,
        report: report::Report,
        raw: &[u8],
    ) -> Result<Received, &'static str> {
        let thread =
            self.threads.of_message_id(&report.message).ok_or("report about a mail that is not ours")?;
        let fate = report.fate.ok_or("report that a mail of ours is late")?;
        let notice = message_id(message).unwrap_or_else(|| hashed(raw));
        Ok(Received {
            input_id: input_id::update(self.channel, &notice),
            inbound: Inbound {
                channel: self.channel.clone(),
                external_at_ms: time_ms(message),
                fact: Fact::Fate { chat: ExternalChat::of(thread), message: report.message, fate },
            },
        })
    }

    fn unsupported(&self, what: &str, raw: &[u8]) -> Received {
        Received {
            input_id: input_id::item(self.channel, raw),
            inbound: Inbound {
                channel: self.channel.clone(),
                external_at_ms: None,
                fact: Fact::Unsupported { what: what.to_owned(), raw: kept(raw) },
            },
        }
    }

    /// The conversation of the first address of ours that the mail was sent to.
    fn of_recipients(&self, headers: &[RawHeader]) -> Option<String> {
        RECIPIENTS
            .iter()
            .flat_map(|name| automatic::values(headers, name))
            .flat_map(|value| value.split([' ', ',', ';', '<', '>', '"', '(', ')', ':']))
            .filter(|word| word.contains('@'))
            .take(TRACES_MAX)
            .find_map(|address| self.threads.of_address(address))
    }

    fn of_ids<'i>(&self, ids: impl Iterator<Item = &'i &'i str>) -> Option<String> {
        ids.take(TRACES_MAX).find_map(|id| self.threads.of_message_id(id))
    }
}

/// The files of a mail with their bytes, under the references that its attachments have.
pub(super) fn files(body: &[u8]) -> Vec<(String, FileBytes)> {
    let Some(message) = MessageParser::default().parse(without_envelope(body)) else { return Vec::new() };
    numbered(&message)
        .map(|(reference, part)| {
            let described = described(part);
            let file = FileBytes {
                name: described.name.unwrap_or_default(),
                media_type: described.media_type.unwrap_or_default(),
                bytes: bytes::Bytes::copy_from_slice(contents(part)),
            };
            (reference, file)
        })
        .collect()
}

/// Without the line that delivery programs put before a mail (`From anna@client.example Mon Jan 12 …`).
fn without_envelope(body: &[u8]) -> &[u8] {
    match body.strip_prefix(b"From ") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            rest.get(end..).unwrap_or_default()
        }
        None => body,
    }
}

/// The person that a mail comes from. Their address is their id, in lower case: no server tells them apart.
fn sender(message: &Message<'_>) -> Option<ExternalUser> {
    let found = [message.from(), message.sender(), message.reply_to()]
        .into_iter()
        .flatten()
        .find_map(|address| Some((address_of(address)?, first(address).and_then(|it| it.name.as_deref()))));
    let (address, name) = found?;
    let name = name.map(one_line).filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&address));
    Some(ExternalUser { id: address.clone(), name, email: Some(address), ..ExternalUser::default() })
}

fn reply_address(message: &Message<'_>) -> Option<String> {
    message.reply_to().and_then(address_of)
}

fn first<'m>(address: &'m Address<'m>) -> Option<&'m Addr<'m>> {
    address.first()
}

fn address_of(address: &Address<'_>) -> Option<String> {
    let text = first(address)?.address.as_deref()?.trim().to_lowercase();
    parts_of_address(&text).is_some().then_some(text)
}

/// The id of a mail without the angle brackets, if it can be one.
fn message_id(message: &Message<'_>) -> Option<String> {
    message.message_id().map(str::trim).filter(|id| is_message_id(id)).map(str::to_owned)
}

/// Whether a text can be written as an id into a header.
pub(super) fn is_message_id(text: &str) -> bool {
    (1..=MESSAGE_ID_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

fn ids<'m>(value: &'m HeaderValue<'m>) -> Vec<&'m str> {
    let all: Vec<&str> = match value {
        HeaderValue::Text(text) => vec![text.as_ref()],
        HeaderValue::TextList(texts) => texts.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    };
    all.into_iter().map(str::trim).filter(|id| is_message_id(id)).collect()
}

fn hashed(bytes: &[u8]) -> String {
    format!("sha256-{}", hexadecimal::encode(&Sha256::digest(bytes)))
}

fn time_ms(message: &Message<'_>) -> Option<u64> {
    let date = message.date().filter(|date| date.is_valid())?;
    u64::try_from(date.to_timestamp()).ok()?.checked_mul(1000)
}

fn kept(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw.get(..RAW_MAX).unwrap_or(raw)).into_owned()
}

/// The files with the references by which they are found again: the numbers of their parts.
fn numbered<'m>(message: &'m Message<'m>) -> impl Iterator<Item = (String, &'m MessagePart<'m>)> {
    message
        .attachments
        .iter()
        .filter_map(|id| Some((format!("part-{id}"), message.part(*id)?)))
        .take(FILES_MAX)
}

fn attachments(message: &Message<'_>) -> Vec<Attachment> {
    numbered(message)
        .map(|(reference, part)| Attachment {
            reference: Some(reference),
            size: u64::try_from(contents(part).len()).ok(),
            ..described(part)
        })
        .collect()
}

fn contents<'m>(part: &'m MessagePart<'m>) -> &'m [u8] {
    match &part.body {
        PartType::Message(inner) => inner.raw_message(),
        _ => part.contents(),
    }
}

fn described(part: &MessagePart<'_>) -> Attachment {
    let media_type = part.content_type().map(|kind| {
        let subtype = kind.subtype().unwrap_or("octet-stream");
        format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase()
    });
    let media_type = media_type.filter(|text| {
        text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b';'))
    });
    let kind = match media_type.as_deref().and_then(|text| text.split_once('/')).map(|(family, _)| family) {
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::Document,
    };
    let name = part.attachment_name().and_then(file_name);
    Attachment { name, media_type, ..Attachment::of(kind) }
}

/// The name of a file, without the folders that some programs put before it.
fn file_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut last = one_line(last);
    last.truncate(last.floor_char_boundary(FILE_NAME_MAX));
    (!last.is_empty() && last != "." && last != "..").then_some(last)
}

#[cfg(test)]
mod tests;
