//! A message to a client as a mail.
//!
//! Built by `lettre`. Nothing that people write can begin a header or a command: what goes into a header is one line,
//! addresses are parsed, and the finished mail is refused unless it is ASCII with CRLF alone.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MessageBuilder, MultiPart, SinglePart};

use crate::model::channel::ChannelKind;
use crate::model::effect::{Effect, Outgoing};
use crate::model::mail::parts_of_address;

use super::body::one_line;
use super::context::Context;
use super::inbound::{OWN_MARK, is_message_id};
use super::thread::Threads;
use super::{CAPABILITIES, not_carried};
use crate::channels::codec::{EncodeError, Progress};
use crate::channels::files::{FileBytes, FileFault};
use crate::channels::wire::{Mail, MailServer};

/// The files of one mail together, in bytes: a third more on the wire, within what most servers take.
const FILES_BYTES_MAX: usize = 18 * 1024 * 1024;

/// The longest subject that is made of a text, in characters: what lists of mail show.
const SUBJECT_OF_TEXT_MAX: usize = 70;

/// Who mail comes from.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) address: Address,
    pub(super) name: Option<String>,
}

/// Writes `outgoing` as a mail. The same effect always makes the same bytes.
pub(super) fn write(
    server: &Arc<MailServer>,
    sender: &Sender,
    threads: &Threads,
    effect: &Effect,
    outgoing: &Outgoing,
    progress: &Progress,
) -> Result<Mail, EncodeError> {
    // The limits, which are those that writers are told.
    CAPABILITIES.parts(ChannelKind::Email, outgoing)?;
    if progress.parts_done > 0 {
        return Err(EncodeError::Complete);
    }
    let context = Context::read(outgoing.context.as_deref());
    let to = recipient(context.reply_to.as_deref().unwrap_or(&outgoing.user))?;
    let id = threads.message_id(effect, &outgoing.chat);
    let name = match (&outgoing.sender, &sender.name) {
        (Some(person), Some(company)) => Some(format!("{person}, {company}")),
        (person, company) => person.clone().or_else(|| company.clone()),
    };
    let mut builder = Message::builder()
        .from(Mailbox::new(
            name.as_deref().map(one_line).filter(|name| !name.is_empty()),
            sender.address.clone(),
        ))
        .to(Mailbox::new(None, to.clone()))
        .subject(subject(&context, &outgoing.text))
        // When it was written, and not when it was tried: each attempt is the same mail.
        .date(UNIX_EPOCH + Duration::from_millis(effect.created_at_ms))
        .message_id(Some(format!("<{id}>")));
    if let Some(address) = threads.reply_address(&outgoing.chat).and_then(|text| text.parse().ok()) {
        builder = builder.reply_to(Mailbox::new(None, address));
    }
    builder = references(builder, &context, outgoing);
    builder = builder.raw_header(header(OWN_MARK, threads.own_mark()));
    if outgoing.automatic {
        builder = builder
            .raw_header(header("Auto-Submitted", "auto-replied".to_owned()))
            .raw_header(header("X-Auto-Response-Suppress", "All".to_owned()));
    }
    let text = SinglePart::plain(body(outgoing));
    let message = if outgoing.attachments.is_empty() {
        builder.singlepart(text)
    } else {
        let mut parts = MultiPart::mixed().boundary(threads.boundary(effect)).singlepart(text);
        for file in files(outgoing, progress)? {
            parts = parts.singlepart(file);
        }
        builder.multipart(parts)
    };
    let message = message.map_err(|_| not_carried("mail without a sender"))?.formatted();
    if !is_clean(&message) {
        return Err(not_carried("texts that make no clean mail"));
    }
    Ok(Mail { server: Arc::clone(server), from: sender.address.clone(), to, message: Bytes::from(message) })
}

fn recipient(text: &str) -> Result<Address, EncodeError> {
    let refused = || not_carried("messages to somebody who has no mail address");
    parts_of_address(text).ok_or_else(refused)?;
    text.parse().map_err(|_| refused())
}

/// The subject of the conversation; of one that we begin, the beginning of the text.
fn subject(context: &Context, text: &str) -> String {
    match context.subject.as_deref().map(one_line).filter(|subject| !subject.is_empty()) {
        Some(subject) => format!("Re: {subject}"),
        None => {
            let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let mut subject = one_line(first);
            if let Some((end, _)) = subject.char_indices().nth(SUBJECT_OF_TEXT_MAX) {
                subject.truncate(end);
                subject.push('…');
            }
            subject
        }
    }
}

fn references(builder: MessageBuilder, context: &Context, outgoing: &Outgoing) -> MessageBuilder {
    let bracketed = |id: &str| format!("<{id}>");
    let answered = outgoing.reply_to.as_deref().or(context.last.as_deref()).filter(|id| is_message_id(id));
    let all: Vec<String> = context.all_references().iter().map(|id| bracketed(id)).collect();
    let builder = match answered {
        Some(id) => builder.in_reply_to(bracketed(id)),
        None => builder,
    };
    if all.is_empty() { builder } else { builder.references(all.join(" ")) }
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// The text, and below it the buttons as lines: who answers with a title has pressed none, and says as much.
fn body(outgoing: &Outgoing) -> String {
    let mut body = outgoing.text.replace("\r\n", "\n").replace('\r', "\n");
    body.retain(|character| matches!(character, '\n' | '\t') || !character.is_control());
    if !outgoing.buttons.is_empty() {
        body.push('\n');
        for button in &outgoing.buttons {
            body.push_str("\n- ");
            body.push_str(&one_line(&button.title));
        }
    }
    body.push('\n');
    body
}

fn files(outgoing: &Outgoing, progress: &Progress) -> Result<Vec<SinglePart>, EncodeError> {
    let mut left = FILES_BYTES_MAX;
    let mut parts = Vec::new();
    for index in 0..outgoing.attachments.len() {
        let fault = |fault| EncodeError::File { number: index + 1, fault };
        let file = progress.files.get(index).and_then(Option::as_ref).ok_or(fault(FileFault::NoBytes))?;
        let bytes = file.bytes.len();
        left = left.checked_sub(bytes).ok_or(fault(FileFault::TooLarge { bytes, max: FILES_BYTES_MAX }))?;
        parts.push(file_part(file));
    }
    Ok(parts)
}

fn file_part(file: &FileBytes) -> SinglePart {
    let name = match one_line(&file.name) {
        name if name.is_empty() => "file".to_owned(),
        name => name,
    };
    let kind = ContentType::parse(&one_line(&file.media_type))
        .or_else(|_| ContentType::parse("application/octet-stream"))
        .unwrap_or(ContentType::TEXT_PLAIN);
    // Always base64: what is in a file must arrive byte by byte.
    let body = Body::new_with_encoding(
        file.bytes.to_vec(),
        lettre::message::header::ContentTransferEncoding::Base64,
    );
    match body {
        Ok(body) => Attachment::new(name).body(body, kind),
        // Base64 carries any bytes, so this is never reached.
        Err(bytes) => Attachment::new(name).body(bytes, kind),
    }
}

/// Whether a mail is ASCII without NUL, and has no CR and no LF but as the pair: a server that takes one alone for a line
/// end would read a command in what a client wrote.
pub(super) fn is_clean(message: &[u8]) -> bool {
    let mut before = 0_u8;
    for byte in message {
        let is_right = match (before, byte) {
            (b'\r', byte) => *byte == b'\n',
            (_, b'\n' | 0) => false,
            (_, byte) => byte.is_ascii(),
        };
        if !is_right {
            return false;
        }
        before = *byte;
    }
    before != b'\r'
}
