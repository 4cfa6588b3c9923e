//! Messages and notes: of a dialog, and of a chat across its dialogs.

use crate::model::id::{ChatId, DialogId, MessageId};
use crate::model::message::Message;
use crate::store::StoreError;
use crate::store::cursor::List;
use crate::store::handle::Store;
use crate::store::key_value::Order;
use crate::store::keys;
use crate::store::message_page;
use crate::store::message_walk::MessageWalk;

use super::page::{EXAMINED_MAX, LIMIT_MAX, Page, Walk};

/// A message or note.
pub fn get(store: &Store, dialog: DialogId, id: MessageId) -> Result<Option<Message>, StoreError> {
    message_page::find(store, dialog, id)
}

/// A page of the messages and notes of a dialog.
pub fn of_dialog(
    store: &Store,
    dialog: DialogId,
    walk: Walk<'_>,
    limit: usize,
) -> Result<Page<Message>, StoreError> {
    let place = walk.cursor().map(|cursor| List::Messages.place(cursor)).transpose()?;
    let order = walk.order();
    let mut messages = MessageWalk::new(store, dialog, order, bound(place.as_deref(), order))?;
    let mut items: Vec<Message> = Vec::new();
    while let Some(message) = messages.next()? {
        items.push(message);
        if items.len() >= limit.clamp(1, LIMIT_MAX) {
            break;
        }
    }
    let next_cursor = match (items.last(), messages.peek()?) {
        (Some(last), Some(_)) => Some(List::Messages.cursor(&keys::id_bytes((last.id.seq, last.id.index)))),
        _ => None,
    };
    Ok(Page { items, next_cursor })
}

/// Where a walk goes on after the message at `place`.
fn bound(place: Option<&[u8]>, order: Order) -> Option<MessageId> {
    let (seq, index) = keys::last_id(place?)?;
    Some(match (order, index.checked_add(1)) {
        (Order::Descending, _) => MessageId::new(seq, index),
        (Order::Ascending, Some(index)) => MessageId::new(seq, index),
        (Order::Ascending, None) => MessageId::new(seq.saturating_add(1), 0),
    })
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
        let from = match &place {
            Some(place) if place.starts_with(&keys::id_bytes((dialog.seq, dialog.index))) => {
                bound(Some(place), order)
            }
            _ => None,
        };
        let mut messages = MessageWalk::new(store, dialog, order, from)?;
        while let Some(id) = messages.peek()? {
            if items.len() >= limit {
                return Ok(Page { items, next_cursor: last.map(|place| list.cursor(&place)) });
            }
            items.extend(messages.next()?);
            last = Some(
                [keys::id_bytes((dialog.seq, dialog.index)), keys::id_bytes((id.seq, id.index))].concat(),
            );
        }
    }
    Ok(Page { items, next_cursor: None })
}
