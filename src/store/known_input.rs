//! What inputs came to.
//!
//! An input that brought a message is known by the line of that message in its dialog's list: channel and chat are
//! those of the dialog, the line has the rest of the id, and the message says when. Every other input has a key of
//! its own.

use serde::Deserialize;

use crate::model::id::DialogId;
use crate::model::input_id::{ChatAndMessage, chat_and_message, of_parts};
use crate::model::outcome::{KnownInput, Outcome, Receipt};

use super::absence::Absence;
use super::error::StoreError;
use super::handle::{Store, decode};
use super::key_value::{KeyValue, Order, Pair};
use super::keys;
use super::message_list::{self, Lists};
use super::message_page;

/// What an input came to.
pub(super) fn find(store: &Store, input_id: &str) -> Result<Option<KnownInput>, StoreError> {
    let key = keys::known_input(input_id);
    if store.is_absent(&key) {
        return Ok(None);
    }
    if let Some(known) = store.row(&key)? {
        return Ok(Some(known));
    }
    let Some(ChatAndMessage { channel, chat, message }) = chat_and_message(input_id) else { return Ok(None) };
    for pair in store.scan(keys::addresses_in_chat(channel, chat), Order::Ascending) {
        let (key, chat) = pair?;
        // A messenger repeats itself soon, so the newest dialog comes first.
        for pair in store.scan(keys::chat_dialogs(decode(&key, &chat)?), Order::Descending) {
            let (entry, _) = pair?;
            let (seq, index) =
                keys::last_id(&entry).ok_or_else(|| StoreError::damaged(&entry, "the key is too short"))?;
            if let Some(known) = in_dialog(store, DialogId::new(seq, index), message)? {
                return Ok(Some(known));
            }
        }
    }
    Ok(None)
}

fn in_dialog(store: &Store, dialog: DialogId, input: &str) -> Result<Option<KnownInput>, StoreError> {
    let mut lists = Lists::new(store, dialog, Order::Descending, None)?;
    while let Some(lines) = lists.next()? {
        if let Some(line) = lines.iter().find(|line| line.input.as_deref() == Some(input)) {
            let missing = || {
                StoreError::damaged(
                    &keys::dialog(dialog),
                    "a message is missing and the dialog's list refers to it",
                )
            };
            let message = message_page::find(store, dialog, line.id)?.ok_or_else(missing)?;
            return Ok(Some(KnownInput {
                seq: line.id.seq,
                at_ms: message.at_ms,
                fingerprint: None,
                outcome: Outcome::Applied(Receipt { dialog: Some(dialog), message: Some(line.id) }),
            }));
        }
    }
    Ok(None)
}

/// The fields of a dialog's row that the ids of its inputs are made from.
#[derive(Debug, Deserialize)]
struct InChat {
    channel: String,
    external_chat: String,
}

/// Makes the inputs that lists know count as present: those of a dialog's row, or of a list.
pub(super) fn learn(absence: &Absence, pairs: &dyn KeyValue, pair: &Pair) -> Result<(), StoreError> {
    let (key, value) = pair;
    let (row, lines) = if keys::is_dialog(key) {
        (decode::<InChat>(key, value)?, message_list::newest(value))
    } else {
        let Some(dialog) = keys::dialog_of_list(key) else {
            return Err(StoreError::damaged(key, "the key is too short"));
        };
        let dialog = keys::dialog(dialog);
        let row = pairs.get(&dialog)?.ok_or_else(|| StoreError::damaged(&dialog, "the row is missing"))?;
        (decode::<InChat>(&dialog, &row)?, value.as_slice())
    };
    if lines.is_empty() {
        return Ok(());
    }
    for input in message_list::whole(key, lines)?.into_iter().filter_map(|line| line.input) {
        absence.add(&keys::known_input(&of_parts(&row.channel, &row.external_chat, &input)));
    }
    Ok(())
}
