//! Which messages a dialog has, in order, and under which ids their messenger knows them.
//!
//! The newest ones stand behind the dialog's row, since that is written with each message anyway: after the
//! row's JSON and a line break, one line per message. Each time that there are [`LINES_PER_LIST`] of them they
//! become a list of their own, kept under the id of its first message. A line never changes, so lists depend on
//! the messages alone and not on how entries were grouped into write sets.
//!
//! A line is the message's id and, for one that a messenger brought, a space and the last part of its
//! [`input_id`](crate::model::input_id). So the lists say what is known of those inputs, too: see
//! [`super::known_input`].

use std::collections::BTreeMap;

use crate::engine::rows::WriteSet;
use crate::model::id::{DialogId, MessageId};
use crate::model::input_id::{ChatAndMessage, chat_and_message};
use crate::model::outcome::{KnownInput, Outcome};

use super::error::StoreError;
use super::handle::{self, Store};
use super::key_value::{Batch, Order, Scan};
use super::keys::{self, Key};

/// As many lines as double a dialog's row: 32 are under a KiB.
const LINES_PER_LIST: usize = 32;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// The message.
    pub(super) id: MessageId,
    /// The last part of the id of the input that brought it.
    pub(super) input: Option<String>,
}

/// The messages that a write set adds to its dialogs, in the order of their ids, each once.
#[derive(Debug, Default)]
pub(super) struct Additions(Vec<Added>);

/// One of them.
#[derive(Debug)]
struct Added {
    dialog: DialogId,
    id: MessageId,
    /// The last part of the id of the input that brought it.
    input: Option<String>,
    /// Whether it is in the row of its dialog.
    is_placed: bool,
}

/// The same in the order of their dialogs.
#[derive(Debug)]
pub(super) struct AdditionsByDialog(Vec<Added>);

impl Additions {
    /// Those of `set` that come after the message `last`.
    pub(super) fn of(set: &WriteSet, last: Option<MessageId>) -> Self {
        let new = set.messages.iter().filter(|message| last.is_none_or(|last| message.id > last));
        let mut added: Vec<Added> = new
            .map(|message| Added { dialog: message.dialog, id: message.id, input: None, is_placed: false })
            .collect();
        // They mostly are in order, and that costs next to nothing.
        added.sort_by_key(|added| added.id);
        added.dedup_by_key(|added| added.id);
        Self(added)
    }

    /// Sorts them by their dialogs.
    pub(super) fn by_dialog(self) -> AdditionsByDialog {
        let mut added = self.0;
        added.sort_by_key(|added| (added.dialog, added.id));
        AdditionsByDialog(added)
    }

    /// Takes up what is known of an input, if that is that it brought one of these messages and if its id can
    /// be told from the message: it then needs no key of its own. `chats` are the dialogs with channel and chat.
    pub(super) fn cover(
        &mut self,
        input_id: &str,
        known: &KnownInput,
        chats: &BTreeMap<DialogId, (&str, &str)>,
    ) -> bool {
        let (Some(parts), Outcome::Applied(receipt), None) =
            (chat_and_message(input_id), &known.outcome, &known.fingerprint)
        else {
            return false;
        };
        let (Some(dialog), Some(message)) = (receipt.dialog, receipt.message) else { return false };
        let ChatAndMessage { channel, chat, message: input } = parts;
        if message.seq != known.seq || chats.get(&dialog) != Some(&(channel, chat)) {
            return false;
        }
        let place = self.0.binary_search_by_key(&message, |added| added.id);
        match place.ok().and_then(|place| self.0.get_mut(place)).filter(|added| added.dialog == dialog) {
            Some(added) => {
                added.input = Some(input.to_owned());
                true
            }
            None => false,
        }
    }
}

impl AdditionsByDialog {
    /// The row of a dialog, whose JSON is `json`, with its newest lines: those of the row before and those
    /// that are added. What becomes a list of its own is put into `batch`.
    pub(super) fn row(
        &mut self,
        dialog: DialogId,
        mut json: Vec<u8>,
        before: Option<&[u8]>,
        batch: &mut Batch,
    ) -> Vec<u8> {
        let mut lines = before.map(newest).unwrap_or_default().to_vec();
        let mut count = lines.iter().filter(|byte| **byte == b'\n').count();
        let begin = self.0.partition_point(|added| added.dialog < dialog);
        for added in self
            .0
            .iter_mut()
            .skip(begin)
            .take_while(|added| added.dialog == dialog)
            .filter(|added| !added.is_placed)
        {
            added.is_placed = true;
            lines.extend_from_slice(added.id.to_string().as_bytes());
            if let Some(input) = &added.input {
                lines.push(b' ');
                lines.extend_from_slice(input.as_bytes());
            }
            lines.push(b'\n');
            count += 1;
            if count >= LINES_PER_LIST {
                let first = read(&lines).next().map(|line| line.id);
                if let Some(first) = first {
                    batch.put(keys::message_list(dialog, first), std::mem::take(&mut lines));
                }
                count = 0;
            }
        }
        if !lines.is_empty() {
            json.push(b'\n');
            json.extend_from_slice(&lines);
        }
        json
    }

    /// A dialog whose row was not asked for.
    pub(super) fn without_row(&self) -> Option<DialogId> {
        self.0.iter().find(|added| !added.is_placed).map(|added| added.dialog)
    }
}

/// The lists of a dialog, one after the other: the messages of each in ascending order.
pub(super) struct Lists<'a> {
    dialog: Key,
    newest: Option<Vec<u8>>,
    scan: Scan<'a>,
    order: Order,
}

impl<'a> Lists<'a> {
    /// Walks over the lists of `dialog`: ascending from the list that has `bound`, or descending from there.
    pub(super) fn new(
        store: &'a Store,
        dialog: DialogId,
        order: Order,
        bound: Option<MessageId>,
    ) -> Result<Self, StoreError> {
        let key = keys::dialog(dialog);
        // Read first: what becomes a list of its own meanwhile is then not met twice or missed.
        let newest = store.value(&key)?.map(|row| newest(&row).to_vec()).filter(|lines| !lines.is_empty());
        let mut lists = keys::message_lists(dialog);
        if let Some(first) = newest.as_deref().and_then(|lines| read(lines).next()) {
            lists = lists.before(keys::message_list(dialog, first.id));
        }
        match (bound, order) {
            (Some(bound), Order::Ascending) => {
                let upto = lists.clone().before(keys::successor(keys::message_list(dialog, bound)));
                if let Some((key, _)) =
                    store.scan(upto, Order::Descending).in_bites_of(1).next().transpose()?
                {
                    lists = lists.from(key);
                }
            }
            (Some(bound), Order::Descending) => lists = lists.before(keys::message_list(dialog, bound)),
            (None, _) => {}
        }
        Ok(Self { dialog: key, newest, scan: store.scan(lists, order).in_bites_of(2), order })
    }

    /// The next list.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        if self.order == Order::Descending
            && let Some(lines) = self.newest.take()
        {
            return whole(&self.dialog, &lines).map(Some);
        }
        if let Some((key, lines)) = self.scan.next().transpose()? {
            return whole(&key, &lines).map(Some);
        }
        self.newest.take().map(|lines| whole(&self.dialog, &lines)).transpose()
    }
}

/// The newest lines, behind a dialog's row.
pub(super) fn newest(row: &[u8]) -> &[u8] {
    let json = handle::json(row);
    row.get(json.len() + 1..).unwrap_or_default()
}

/// All lines of the list at `key`.
pub(super) fn whole(key: &[u8], lines: &[u8]) -> Result<Vec<Listed>, StoreError> {
    let found: Vec<Listed> = read(lines).collect();
    let expected = lines.iter().filter(|byte| **byte == b'\n').count();
    if found.len() == expected && expected > 0 {
        Ok(found)
    } else {
        Err(StoreError::damaged(key, "a line does not begin with a message's id"))
    }
}

/// The lines up to one that cannot be read.
fn read(lines: &[u8]) -> impl Iterator<Item = Listed> {
    lines.split(|byte| *byte == b'\n').map_while(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let (id, input) = match line.split_once(' ') {
            Some((id, input)) => (id, Some(input.to_owned())),
            None => (line, None),
        };
        Some(Listed { id: id.parse().ok()?, input })
    })
}
