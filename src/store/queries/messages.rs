//! Messages and notes: of a dialog, and of a chat across its dialogs.

use crate::model::id::{ChatId, DialogId, MessageId};
use crate::model::message::Message;
use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::{Store, decode};
use crate::store::key_value::Order;
use crate::store::keys;

use super::page::{EXAMINED_MAX, LIMIT_MAX, Page, Walk, rest, rows};

/// A message or note.
pub fn get(store: &Store, dialog: DialogId, id: MessageId) -> Result<Option<Message>, StoreError> {
    store.row(&keys::message(dialog, id))
}

/// A page of the messages and notes of a dialog.
pub fn of_dialog(
    store: &Store,
    dialog: DialogId,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<Message>, StoreError> {
    rows(store, List::Messages, keys::messages(dialog), walk, limit)
}

/// A page of the messages and notes of a chat, dialog after dialog.
pub fn of_chat(
    store: &Store,
    chat: ChatId,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<Message>, StoreError> {
    let list = List::ChatMessages;
    let place = walk.cursor().map(|cursor| list.place(cursor)).transpose()?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let order = walk.order();
    let mut dialogs = keys::chat_dialogs(chat);
    if let Some((seq, index)) = place
        .as_deref()
        .and_then(|place| place.first_chunk::<{ keys::ID_BYTES }>())
        .and_then(|id| keys::last_id(id))
    {
        // The dialog of the last message is walked again, from that message on.
        let key = keys::chat_dialog(chat, DialogId::new(seq, index));
        dialogs = match order {
            Order::Ascending => dialogs.from(key),
            Order::Descending => dialogs.before(keys::successor(key)),
        };
    }
    let mut items = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    for (walked, entry) in store.scan(dialogs, order).enumerate() {
        let (entry, _) = entry?;
        let (seq, index) =
            keys::last_id(&entry).ok_or_else(|| StoreError::damaged(&entry, "the key is too short"))?;
        let dialog = DialogId::new(seq, index);
        if walked >= EXAMINED_MAX {
            return Ok(Page { items, next_cursor: last.map(|place| list.cursor(&place)) });
        }
        let mut messages = keys::messages(dialog);
        if let Some(place) = &place
            && let Some((of, message)) = place.split_first_chunk::<{ keys::ID_BYTES }>()
            && keys::last_id(of) == Some((seq, index))
        {
            messages = rest(messages, Some(message), order);
        }
        for pair in store.scan(messages, order) {
            let (key, value) = pair?;
            if items.len() >= limit {
                return Ok(Page { items, next_cursor: last.map(|place| list.cursor(&place)) });
            }
            items.push(decode(&key, &value)?);
            last = Some(list.place_in(&key)?.to_vec());
        }
    }
    Ok(Page { items, next_cursor: None })
}
