//! Messages and notes, packed into pages in the order in which they came, so that a message costs a
//! fraction of a key. Which dialog has which is in its lists: see [`super::message_list`].
//!
//! A page has [`MESSAGES_PER_PAGE`] messages, whatever dialogs they are of, in the order of their ids, and
//! the last page has the rest; it is kept under the id of its first message. A line is the message's id, a
//! space, and the message as JSON. A message whose JSON is longer than [`MESSAGE_BYTES_MAX`] is kept under a
//! key of its own, and its line is the id alone. So pages are a function of the messages as they are now:
//! they depend neither on how entries were grouped into write sets nor on what the messages were before.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

use super::error::StoreError;
use super::handle::{Store, decode, encode_into};
use super::key_value::{Batch, Order, Pair};
use super::keys;

/// sled keeps up to 16 values in a tree node and puts nodes over 128 KiB into files of their own: eight
/// ordinary messages keep a page at a few KiB.
const MESSAGES_PER_PAGE: usize = 8;

/// Longest message in a page, in bytes of JSON. Ordinary messages are a quarter of it.
const MESSAGE_BYTES_MAX: usize = 2 * 1024;

/// Most pages fit into so many bytes.
const PAGE_BYTES_USUAL: usize = 8 * 1024;

/// The last page, to which the next message is added: the one writer's own copy.
#[derive(Debug, Default)]
pub(super) struct LastPage(Option<Page>);

/// A page that is being written.
#[derive(Debug)]
struct Page {
    first: MessageId,
    last: MessageId,
    count: usize,
    lines: Vec<u8>,
}

impl LastPage {
    /// The last page of a store.
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        let last = store.scan(keys::message_pages(), Order::Descending).in_bites_of(1).next().transpose()?;
        Ok(Self(last.map(|(key, lines)| Page::read(&key, lines)).transpose()?))
    }

    /// The last message that was put.
    pub(super) fn last(&self) -> Option<MessageId> {
        self.0.as_ref().map(|page| page.last)
    }

    /// Puts messages, new and changed, into `batch`. New ones follow all that were put before.
    pub(super) fn put(
        &mut self,
        store: &Store,
        messages: &[Arc<Message>],
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let messages: BTreeMap<MessageId, &Message> =
            messages.iter().map(|message| (message.id, message.as_ref())).collect();
        let last = self.last();
        let is_new = |id: MessageId| last.is_none_or(|last| id > last);
        let mut changed: Option<Page> = None;
        for (id, message) in messages {
            if is_new(id) {
                self.add(message, batch)?;
            } else {
                let mut line = Vec::new();
                let is_long = write_line(message, &mut line, batch)?;
                let page = self.page_of(store, id, &mut changed, batch)?;
                let out_of_order = StoreError::OutOfOrder { stored: page.last.seq, given: id.seq };
                let was_long = page.replace(id, &line).ok_or(out_of_order)?;
                if was_long && !is_long {
                    batch.delete(keys::long_message(id));
                }
            }
        }
        for page in changed.iter().chain(&self.0) {
            page.put(batch);
        }
        Ok(())
    }

    fn add(&mut self, message: &Message, batch: &mut Batch) -> Result<(), StoreError> {
        let id = message.id;
        if let Some(full) = self.0.take_if(|page| page.count >= MESSAGES_PER_PAGE) {
            batch.put(keys::message_page(full.first), full.lines);
        }
        let page = self.0.get_or_insert_with(|| Page {
            first: id,
            last: id,
            count: 0,
            lines: Vec::with_capacity(PAGE_BYTES_USUAL),
        });
        write_line(message, &mut page.lines, batch)?;
        page.last = id;
        page.count += 1;
        Ok(())
    }

    /// The page that has the message `id`: the last one, or an earlier one that is opened in `changed`.
    fn page_of<'a>(
        &'a mut self,
        store: &Store,
        id: MessageId,
        changed: &'a mut Option<Page>,
        batch: &mut Batch,
    ) -> Result<&'a mut Page, StoreError> {
        if let Some(page) = self.0.as_mut().filter(|page| page.first <= id) {
            return Ok(page);
        }
        if changed.as_ref().is_none_or(|page| id > page.last) {
            let (key, lines) =
                find_page(store, id)?.ok_or(StoreError::OutOfOrder { stored: 0, given: id.seq })?;
            let opened = Page::read(&key, lines)?;
            if let Some(done) = changed.replace(opened) {
                done.put(batch);
            }
        }
        changed.as_mut().ok_or(StoreError::OutOfOrder { stored: 0, given: id.seq })
    }
}

/// Writes the line of a message behind `lines`. Answers whether it has only the id because the message is long:
/// that is put into `batch` then.
fn write_line(message: &Message, lines: &mut Vec<u8>, batch: &mut Batch) -> Result<bool, StoreError> {
    lines.extend_from_slice(message.id.to_string().as_bytes());
    let behind_id = lines.len();
    lines.push(b' ');
    encode_into(message, lines)?;
    let is_long = lines.len() - behind_id - 1 > MESSAGE_BYTES_MAX;
    if is_long {
        batch.put(keys::long_message(message.id), lines.split_off(behind_id + 1));
        lines.truncate(behind_id);
    }
    lines.push(b'\n');
    Ok(is_long)
}

impl Page {
    fn read(key: &[u8], lines: Vec<u8>) -> Result<Self, StoreError> {
        let empty = || StoreError::damaged(key, "the page is empty");
        let count = split(&lines).count();
        let first = id_of(key, split(&lines).next().ok_or_else(empty)?)?;
        let last = id_of(key, split(&lines).next_back().ok_or_else(empty)?)?;
        Ok(Self { first, last, count, lines })
    }

    fn put(&self, batch: &mut Batch) {
        batch.put(keys::message_page(self.first), self.lines.clone());
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

/// The page at hand of someone who reads messages: neighbours in a dialog are often neighbours in a page.
#[derive(Debug, Default)]
pub(super) struct Reader {
    page: Option<Pair>,
}

impl Reader {
    /// A message.
    pub(super) fn find(&mut self, store: &Store, id: MessageId) -> Result<Option<Message>, StoreError> {
        if let Some((key, page)) = &self.page
            && let Some(json) = line_of(page, id).and_then(json_in)
        {
            return decode(key, json).map(Some);
        }
        let mut was_long = false;
        loop {
            self.page = find_page(store, id)?;
            let Some((key, page)) = &self.page else { return Ok(None) };
            let Some(line) = line_of(page, id) else { return Ok(None) };
            if let Some(json) = json_in(line) {
                return decode(key, json).map(Some);
            }
            let key = keys::long_message(id);
            if let Some(message) = store.row(&key)? {
                return Ok(Some(message));
            }
            // It may have become short between the two looks; then the page has it now.
            if was_long {
                return Err(StoreError::damaged(&key, "the row is missing and a page refers to it"));
            }
            was_long = true;
        }
    }
}

/// A message of a dialog.
pub(super) fn find(store: &Store, dialog: DialogId, id: MessageId) -> Result<Option<Message>, StoreError> {
    Ok(Reader::default().find(store, id)?.filter(|message| message.dialog == dialog))
}

/// The page that has the message `id`, if there is such a message.
fn find_page(store: &Store, id: MessageId) -> Result<Option<Pair>, StoreError> {
    let range = keys::message_pages().before(keys::successor(keys::message_page(id)));
    store.scan(range, Order::Descending).in_bites_of(1).next().transpose()
}

fn line_of(page: &[u8], id: MessageId) -> Option<&[u8]> {
    let id = id.to_string();
    split(page).find(|line| id_in(line) == id.as_bytes())
}

fn split(page: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The bytes of a line that are the message's id.
fn id_in(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// The bytes of a line that are the message; `None` when it is kept under a key of its own.
fn json_in(line: &[u8]) -> Option<&[u8]> {
    line.get(id_in(line).len() + 1..)
}

fn id_of(key: &[u8], line: &[u8]) -> Result<MessageId, StoreError> {
    let id = std::str::from_utf8(id_in(line)).ok().and_then(|id| id.parse().ok());
    id.ok_or_else(|| StoreError::damaged(key, "a line does not begin with a message's id"))
}
