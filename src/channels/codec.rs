//! The trait that every messenger fulfils, and the words it speaks in.

use std::fmt;
use std::sync::Arc;

use crate::model::channel::ChannelKind;
use crate::model::effect::{Attempt, Effect, Outgoing, Refusal};
use crate::model::inbound::Inbound;
use crate::model::message::{Attachment, Button};

pub use super::errors::{DecodeError, VerifyError};
use super::fault::safe_text;
use super::files::{self, FetchError, Fetched, FileBytes, FileFault, FileRoute};
use super::setup::{Check, Finding};
use super::text::{TextLimit, split};
use super::wire::{CALL_BYTES_MAX, CallHead, Outbound, SendFailure, WebhookAnswer, WebhookCall};
use super::wire::{WireRequest, WireResponse};

pub use super::parts::{MessagePart, Part};

/// One connected account of one messenger. Holds its settings and secrets, and no state.
///
/// The `Debug` form of an implementation never shows a secret.
pub trait Channel: fmt::Debug + Send + Sync {
    /// The kind of messenger.
    fn kind(&self) -> ChannelKind;

    /// The messenger's own number of the account, where messages and chats are numbered by account: then a
    /// channel id must never come to stand for another one. No secret. `None`: the numbers are unique anyway,
    /// or nothing tells the account.
    fn account(&self) -> Option<&str> {
        None
    }

    /// What can be sent through it.
    fn capabilities(&self) -> &'static Capabilities;

    /// The largest call, in bytes. Messengers send references to files, never files; only mail brings them along.
    /// Many times [`CALL_BYTES_MAX`] is only for channels whose whole proof stands in the head.
    fn call_bytes_max(&self) -> usize {
        CALL_BYTES_MAX
    }

    /// Refuses a call by its head as soon as that shows that [`Channel::verify`] would refuse it, whatever
    /// its body. The caller asks before it reads the body, so that strangers cannot make it hold theirs: a
    /// messenger whose whole proof stands in the head checks all of it here. Says nothing about the body.
    ///
    /// # Errors
    /// As [`Channel::verify`].
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError>;

    /// Checks that a call comes from the messenger, on its raw bytes and in constant time. Never takes a
    /// call whose head [`Channel::verify_head`] refuses.
    ///
    /// # Errors
    /// Says what is wrong with the proof. The caller answers 405 to [`VerifyError::Method`] and 401 to
    /// all others, without saying which.
    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError>;

    /// Reads a verified call. Facts of kinds that we do not know become
    /// [`Fact::Unsupported`](crate::model::inbound::Fact::Unsupported); one bad item of several never
    /// spoils the others.
    ///
    /// # Errors
    /// The body as a whole is not what the messenger would send. The caller answers 400.
    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError>;

    /// The request that `effect` needs next, after `progress`. The first call of an attempt passes
    /// [`Progress::resume`].
    ///
    /// # Errors
    /// The messenger cannot carry this; see [`EncodeError::attempt`] for how the attempt ends.
    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError>;

    /// What goes out next, in whatever way: the request of [`Channel::encode`], or what only this channel has.
    ///
    /// # Errors
    /// As [`Channel::encode`].
    fn outbound(&self, effect: &Effect, progress: &Progress) -> Result<Outbound, EncodeError> {
        self.encode(effect, progress).map(Outbound::Http)
    }

    /// The files that a verified call brings along, by the references of its attachments. Empty: it has none, or the
    /// messenger keeps them until they are fetched.
    fn enclosed(&self, call: &WebhookCall<'_>) -> Vec<(String, FileBytes)> {
        let _ = call;
        Vec::new()
    }

    /// Says what the answer to what [`Channel::outbound`] gave for the same `effect` and
    /// `progress` means. Total: any bytes have a meaning.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict;

    /// The request that shows the client that somebody is typing; `None`: the messenger has no such thing.
    /// Nobody reads its answer: an indicator that does not appear is no loss. `last` is the messenger's id of
    /// the client's last message.
    fn typing(&self, chat: &str, last: Option<&str>) -> Option<WireRequest> {
        let _ = (chat, last);
        None
    }

    /// The request that comes next to fetch the bytes of a file that a client sent, after `prepared`: what the
    /// requests before have yielded, such as the address of the file. Only the channel's own hosts may be
    /// asked with its secrets.
    ///
    /// # Errors
    /// The file cannot be fetched from this messenger.
    fn fetch(&self, attachment: &Attachment, prepared: &[String]) -> Result<WireRequest, FetchError> {
        let _ = prepared;
        files::by_address(attachment)
    }

    /// Says what the answer to the request made by [`Channel::fetch`] means.
    fn fetched(&self, attachment: &Attachment, prepared: &[String], response: &WireResponse) -> Fetched {
        let _ = (attachment, prepared);
        files::answer(response)
    }

    /// What this messenger does not take about a file that we are to send, as far as it can be told before its bytes
    /// are there: its kind, or its size.
    fn refuses_file(&self, file: &Attachment) -> Option<FileFault> {
        let _ = file;
        None
    }

    /// The requests that register `webhook` (our public address of this channel) with the messenger, in their
    /// order; empty: it is registered by hand, as `docs/channels.md` says.
    fn registration(&self, webhook: &str) -> Vec<Check> {
        let _ = webhook;
        Vec::new()
    }

    /// The requests by which the channel can be examined without changing anything.
    fn checks(&self) -> Vec<Check> {
        Vec::new()
    }

    /// What the answer to a request of [`Channel::registration`] or [`Channel::checks`] says, in words for whoever
    /// sets the channel up. `webhook` is our public address, if it is known. Never contains a secret.
    fn examine(&self, check: &Check, webhook: Option<&str>, response: &WireResponse) -> Vec<Finding> {
        let _ = (check, webhook);
        vec![Finding::of_status(response.status)]
    }
}

/// What a messenger takes from us, as far as its codec serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The longest text of one message; longer ones are split.
    pub text: TextLimit,
    /// The most messages that one text is split into.
    pub parts_max: usize,
    /// Buttons under a message; `None`: it has none.
    pub buttons: Option<ButtonLimits>,
    /// A message can show which message it answers.
    pub replies: bool,
    /// A pressed button is to be acknowledged.
    pub acknowledges_buttons: bool,
    /// How files can be sent.
    pub files: FileRoute,
    /// A sent message can be changed.
    pub edits: bool,
    /// A sent message can be deleted.
    pub deletes: bool,
    /// The client can be shown that somebody is typing.
    pub typing: bool,
}

impl Capabilities {
    /// The parts in which `outgoing` goes, each a request of its own: its text, then its files. After a check
    /// that the messenger takes it at all; the check covers the whole message, so that nothing is found wrong
    /// after its first part was sent.
    pub(super) fn parts<'a>(
        &self,
        kind: ChannelKind,
        outgoing: &'a Outgoing,
    ) -> Result<Vec<Part<'a>>, EncodeError> {
        let not_carried = |what| EncodeError::NotCarried { kind: kind.as_str(), what };
        if !outgoing.attachments.is_empty() && self.files == FileRoute::None {
            return Err(not_carried("files"));
        }
        if let Some((_, error)) = self.refused_buttons(kind, &outgoing.buttons).into_iter().next() {
            return Err(error);
        }
        let is_file_alone =
            outgoing.text.is_empty() && outgoing.buttons.is_empty() && !outgoing.attachments.is_empty();
        let texts = if is_file_alone { Vec::new() } else { self.text_parts(&outgoing.text)? };
        let last = texts.len().saturating_sub(1);
        let texts = texts.into_iter().enumerate().map(|(at, text)| Part::Text { text, is_last: at == last });
        let files = outgoing.attachments.iter().enumerate().map(|(index, file)| Part::File { index, file });
        Ok(texts.chain(files).collect())
    }

    /// One part of the message arrived: what comes next. The message's id is that of its last part.
    pub(super) fn arrived(
        &self,
        kind: ChannelKind,
        outgoing: &Outgoing,
        progress: &Progress,
        external_id: Option<String>,
    ) -> Verdict {
        // What was sent was cut into parts before, so this is never an error.
        let parts = self.parts(kind, outgoing).map_or(1, |parts| parts.len());
        let progress = progress.part_done();
        if usize::try_from(progress.parts_done).unwrap_or(usize::MAX) < parts {
            Verdict::More(progress)
        } else {
            Verdict::Ended(Attempt::Delivered { external_id })
        }
    }

    /// Everything about a text with buttons that this messenger does not take, so that whoever writes can be
    /// told before it is on its way. What is not refused here is not refused by [`Channel::encode`] either,
    /// but for templates of requests, which are filled in only then.
    pub fn refused(
        &self,
        kind: ChannelKind,
        text: &str,
        buttons: &[Button],
    ) -> Vec<(MessagePart, EncodeError)> {
        let mut refused = self.refused_buttons(kind, buttons);
        refused.extend(self.text_parts(text).err().map(|error| (MessagePart::Text, error)));
        refused
    }

    fn refused_buttons(&self, kind: ChannelKind, buttons: &[Button]) -> Vec<(MessagePart, EncodeError)> {
        match &self.buttons {
            Some(limits) => limits.refused(buttons),
            None if buttons.is_empty() => Vec::new(),
            None => {
                vec![(MessagePart::Buttons, EncodeError::NotCarried { kind: kind.as_str(), what: "buttons" })]
            }
        }
    }

    fn text_parts<'a>(&self, text: &'a str) -> Result<Vec<&'a str>, EncodeError> {
        if text.trim().is_empty() {
            return Err(EncodeError::EmptyText);
        }
        let parts = split(text, self.text);
        if parts.len() > self.parts_max {
            return Err(EncodeError::TooLong { parts: parts.len(), max: self.parts_max });
        }
        Ok(parts)
    }
}

/// Limits of buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonLimits {
    /// The most buttons under one message.
    pub count_max: usize,
    /// The longest data of one button, in bytes.
    pub data_bytes_max: usize,
}

impl ButtonLimits {
    /// What does not fit. Data is never shortened: it would come back as another button's.
    fn refused(&self, buttons: &[Button]) -> Vec<(MessagePart, EncodeError)> {
        let mut refused = Vec::new();
        if buttons.len() > self.count_max {
            let error = EncodeError::TooManyButtons { count: buttons.len(), max: self.count_max };
            refused.push((MessagePart::Buttons, error));
        }
        for (index, button) in buttons.iter().enumerate() {
            let mut refuse =
                |part, fault| refused.push((part, EncodeError::Button { number: index + 1, fault }));
            let bytes = button.data.len();
            if button.title.trim().is_empty() {
                refuse(MessagePart::ButtonTitle(index), ButtonFault::NoTitle);
            }
            if bytes == 0 {
                refuse(MessagePart::ButtonData(index), ButtonFault::NoData);
            } else if bytes > self.data_bytes_max {
                let fault = ButtonFault::DataTooLong { bytes, max: self.data_bytes_max };
                refuse(MessagePart::ButtonData(index), fault);
            }
        }
        refused
    }
}

/// A verified call, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Its facts, in the messenger's order. Empty for a handshake.
    pub received: Vec<Received>,
    /// The answer that the messenger expects once all of them are durable.
    pub answer: WebhookAnswer,
}

/// A fact with the key that makes its redelivery known.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The deduplication key; see [`crate::model::input_id`].
    pub input_id: String,
    /// The fact.
    pub inbound: Inbound,
}

/// How far the delivery of one effect is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many parts the client has. Survives a failed attempt ([`Effect::parts_done`]).
    pub parts_done: u32,
    /// What the requests that prepare the next part have yielded, such as the reference of an upload.
    /// Lost with a failed attempt: nobody saw them, so they are made again.
    pub prepared: Vec<String>,
    /// The bytes of the message's files, in their order, where the messenger takes bytes
    /// ([`FileRoute::Bytes`]). `None`: the file is not there.
    pub files: Arc<[Option<FileBytes>]>,
    /// How long to wait before the next request, in ms: the messenger is still busy with what it was given.
    pub pause_ms: u64,
}

impl Progress {
    /// Where a new attempt on `effect` begins.
    pub fn resume(effect: &Effect) -> Self {
        Self { parts_done: effect.parts_done, ..Self::default() }
    }

    /// The same with the bytes of the message's files.
    pub fn with_files(self, files: Arc<[Option<FileBytes>]>) -> Self {
        Self { files, ..self }
    }

    /// One part more arrived.
    pub(super) fn part_done(&self) -> Self {
        let files = Arc::clone(&self.files);
        Self { parts_done: self.parts_done.saturating_add(1), files, ..Self::default() }
    }

    /// A request that prepares the present part has yielded `reference`.
    pub(super) fn prepared_with(&self, reference: String) -> Self {
        let mut next = self.clone();
        next.prepared.push(reference);
        next.pause_ms = 0;
        next
    }

    /// The same request again after a while.
    pub(super) fn again_after(&self, pause_ms: u64) -> Self {
        Self { pause_ms, ..self.clone() }
    }
}

/// What an answer means for the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on: encode the next request from here.
    More(Progress),
    /// It ended.
    Ended(Attempt),
}

/// Why an effect cannot be written in a messenger's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The messenger has no such thing, or its codec does not serve it.
    #[error("{kind} channels do not carry {what}")]
    NotCarried {
        /// The kind of messenger.
        kind: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// There is nothing to send.
    #[error("the text is empty")]
    EmptyText,
    /// A file that the messenger cannot be given.
    #[error("file {number}: {fault}")]
    File {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// The text is longer than even several messages can hold.
    #[error("the text needs {parts} messages; at most {max} are sent: shorten it")]
    TooLong {
        /// How many it needs.
        parts: usize,
        /// How many are sent.
        max: usize,
    },
    /// More buttons than fit.
    #[error("{count} buttons; at most {max} fit under a message")]
    TooManyButtons {
        /// How many there are.
        count: usize,
        /// How many fit.
        max: usize,
    },
    /// A button that the messenger would refuse.
    #[error("button {number}: {fault}")]
    Button {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        fault: ButtonFault,
    },
    /// All parts are delivered: there is no next request.
    #[error("all parts are delivered already")]
    Complete,
    /// The request template failed.
    #[error("`outbound.body` at {place}: {reason}")]
    Template {
        /// Where in the tree.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The request would be longer than we send.
    #[error("the request is longer than {max} bytes")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
    },
}

impl EncodeError {
    /// How the attempt ends after `parts_done` parts: trying again would give the same.
    pub fn attempt(&self, parts_done: u32) -> Attempt {
        if *self == Self::Complete {
            return Attempt::Delivered { external_id: None };
        }
        Attempt::Refused { reason: Refusal::Permanent, error: safe_text(&self.to_string(), &[]), parts_done }
    }
}

/// What is wrong with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ButtonFault {
    /// It has no title.
    #[error("its title is empty")]
    NoTitle,
    /// It has no data.
    #[error("its data is empty")]
    NoData,
    /// Its data is too long.
    #[error("its data has {bytes} bytes; at most {max} fit")]
    DataTooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
}
