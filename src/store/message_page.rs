//! Messages and notes, packed into pages by dialog: a dialog's next message then changes a key that is
//! there instead of adding one, and several of one write set share it.
//!
//! A page has one line per message: its id, a space, and the message as JSON. A message whose JSON is
//! longer than [`MESSAGE_BYTES_MAX`] is kept under a key of its own, and its line is the id alone. Pages
//! have [`MESSAGES_PER_PAGE`] messages in the order of their ids, and the last one has the rest. So the
//! pages are a function of a dialog's messages as they are now: they depend neither on how entries were
//! grouped into write sets nor on what the messages were before.

use std::collections::BTreeMap;

use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

use super::error::StoreError;
use super::handle::{Store, decode, encode};
use super::key_value::{Batch, Order};
use super::keys;

/// A page is rewritten with each message of its dialog, and each [`MESSAGES_PER_PAGE`]th message adds a
/// key: more would write more bytes than it saves keys.
const MESSAGES_PER_PAGE: usize = 8;

/// Longest message in a page, in bytes of JSON, so that a page stays around 16 KiB: sled puts tree nodes
/// over 128 KiB into files of their own, where a node holds several values. Ordinary messages are a
/// quarter of it.
const MESSAGE_BYTES_MAX: usize = 2 * 1024;

/// Puts messages, new and changed, into `batch`. New ones follow all of their dialog that were put before.
pub(super) fn put(store: &Store, messages: &[Message], batch: &mut Batch) -> Result<(), StoreError> {
    let mut by_dialog: BTreeMap<DialogId, BTreeMap<MessageId, &Message>> = BTreeMap::new();
    for message in messages {
        by_dialog.entry(message.dialog).or_default().insert(message.id, message);
    }
    for (dialog, messages) in by_dialog {
        let mut pages = Pages { store, dialog, page: None };
        for (id, message) in messages {
            pages.put(id, message, batch)?;
        }
        pages.close(batch);
    }
    Ok(())
}

/// The pages of a dialog while messages are put in the order of their ids: one page is open at a time.
struct Pages<'a> {
    store: &'a Store,
    dialog: DialogId,
    page: Option<Page>,
}

/// A page that is being changed.
struct Page {
    first: MessageId,
    last: MessageId,
    count: usize,
    lines: Vec<u8>,
}

impl Pages<'_> {
    fn put(&mut self, id: MessageId, message: &Message, batch: &mut Batch) -> Result<(), StoreError> {
        let json = encode(message)?;
        let mut line = id.to_string().into_bytes();
        let is_long = json.len() > MESSAGE_BYTES_MAX;
        if is_long {
            batch.put(keys::long_message(self.dialog, id), json);
        } else {
            line.push(b' ');
            line.extend_from_slice(&json);
        }
        line.push(b'\n');
        self.open(id, batch)?;
        match &mut self.page {
            Some(page) if id > page.last && page.count < MESSAGES_PER_PAGE => page.add(id, &line),
            Some(page) if id <= page.last => {
                let out_of_order = StoreError::OutOfOrder { stored: page.last.seq, given: id.seq };
                let was_long = page.replace(id, &line).ok_or(out_of_order)?;
                if was_long && !is_long {
                    batch.delete(keys::long_message(self.dialog, id));
                }
            }
            _ => {
                self.close(batch);
                self.page = Some(Page { first: id, last: id, count: 1, lines: line });
            }
        }
        Ok(())
    }

    /// Opens the page in which `id` is, or which is the last one before it.
    fn open(&mut self, id: MessageId, batch: &mut Batch) -> Result<(), StoreError> {
        let mut range =
            keys::message_pages(self.dialog).before(keys::successor(keys::message_page(self.dialog, id)));
        if let Some(page) = &self.page {
            if id <= page.last || page.count < MESSAGES_PER_PAGE {
                return Ok(());
            }
            range = range.after(keys::message_page(self.dialog, page.first));
        }
        if let Some((key, lines)) =
            self.store.scan(range, Order::Descending).in_bites_of(1).next().transpose()?
        {
            self.close(batch);
            self.page = Some(Page::read(&key, lines)?);
        }
        Ok(())
    }

    /// Puts the open page into the batch.
    fn close(&mut self, batch: &mut Batch) {
        if let Some(page) = self.page.take() {
            batch.put(keys::message_page(self.dialog, page.first), page.lines);
        }
    }
}

impl Page {
    fn read(key: &[u8], lines: Vec<u8>) -> Result<Self, StoreError> {
        let empty = || StoreError::damaged(key, "the page is empty");
        let count = split(&lines).count();
        let first = Line::read(key, split(&lines).next().ok_or_else(empty)?)?.id;
        let last = Line::read(key, split(&lines).next_back().ok_or_else(empty)?)?.id;
        Ok(Self { first, last, count, lines })
    }

    fn add(&mut self, id: MessageId, line: &[u8]) {
        self.last = id;
        self.count += 1;
        self.lines.extend_from_slice(line);
    }

    /// Replaces the line of a message. Returns whether the old one was that of a long message, or `None`
    /// when there is none.
    fn replace(&mut self, id: MessageId, line: &[u8]) -> Option<bool> {
        let id = id.to_string();
        let mut lines = Vec::with_capacity(self.lines.len() + line.len());
        let mut was_long = None;
        for old in split(&self.lines) {
            if id_in(old) == id.as_bytes() {
                was_long = Some(old.len() == id.len());
                lines.extend_from_slice(line);
            } else {
                lines.extend_from_slice(old);
                lines.push(b'\n');
            }
        }
        self.lines = lines;
        was_long
    }
}

/// One line of a page.
pub(super) struct Line<'a> {
    /// Which message it is.
    pub(super) id: MessageId,
    /// The message; `None` when it is kept under a key of its own.
    pub(super) json: Option<&'a [u8]>,
}

impl<'a> Line<'a> {
    fn read(key: &[u8], line: &'a [u8]) -> Result<Self, StoreError> {
        let id = id_in(line);
        let json = line.get(id.len() + 1..);
        let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| StoreError::damaged(key, "a line does not begin with a message's id"))?;
        Ok(Self { id, json })
    }
}

/// The lines of the page at `key`.
pub(super) fn lines<'a>(
    key: &'a [u8],
    page: &'a [u8],
) -> impl DoubleEndedIterator<Item = Result<Line<'a>, StoreError>> {
    split(page).map(|line| Line::read(key, line))
}

/// A message.
pub(super) fn find(store: &Store, dialog: DialogId, id: MessageId) -> Result<Option<Message>, StoreError> {
    let mut is_long = false;
    loop {
        let range = keys::message_pages(dialog).before(keys::successor(keys::message_page(dialog, id)));
        let page = store.scan(range, Order::Descending).in_bites_of(1).next().transpose()?;
        let Some((key, page)) = page else { return Ok(None) };
        let text = id.to_string();
        let Some(line) = split(&page).find(|line| id_in(line) == text.as_bytes()) else { return Ok(None) };
        if let Some(json) = Line::read(&key, line)?.json {
            return decode(&key, json).map(Some);
        }
        let key = keys::long_message(dialog, id);
        if let Some(message) = store.row(&key)? {
            return Ok(Some(message));
        }
        // It may have become short between the two looks; then the page has it now.
        if is_long {
            return Err(StoreError::damaged(&key, "the row is missing and a page refers to it"));
        }
        is_long = true;
    }
}

fn split(page: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The bytes of a line that are the message's id.
fn id_in(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}
