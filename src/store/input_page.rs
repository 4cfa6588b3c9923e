//! Known inputs that are messages, packed into pages by chat: a chat's next message then changes a key
//! that is there instead of adding one, and several of one write set share it.
//!
//! A page has one line per input: a JSON array of the message's id in the messenger, and what the input
//! came to. Inputs stand in the order of their entries, [`INPUTS_PER_PAGE`] to a page, so where pages
//! begin does not depend on how entries were grouped into write sets. What an input came to never
//! changes, so a line is never rewritten. An input with a long line keeps a key of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::input_id::chat_and_message;
use crate::model::outcome::KnownInput;

use super::absence::Absence;
use super::error::StoreError;
use super::handle::{Store, decode, encode};
use super::key_value::{Batch, Order};
use super::keys;

/// A page is rewritten with each message of its chat, and each [`INPUTS_PER_PAGE`]th message adds a key:
/// more would write more bytes than it saves keys.
const INPUTS_PER_PAGE: usize = 16;

/// Longest line in bytes, so that a page stays under 16 KiB: sled puts tree nodes over 128 KiB into files
/// of their own, where a node holds several values. Ordinary lines are a fifth of it.
const LINE_BYTES_MAX: usize = 512;

/// Pages held at a time while an input is looked for.
const PAGES_AT_A_TIME: usize = 4;

/// Puts known inputs, which are of entries after all that were put before, into `batch`, and makes them
/// count as present.
pub(super) fn put(
    store: &Store,
    inputs: &[(Arc<str>, KnownInput)],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut by_chat: BTreeMap<&str, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for (input_id, known) in inputs {
        if let Some((chat, message)) = chat_and_message(input_id) {
            let line = encode(&(message, known))?;
            if line.len() <= LINE_BYTES_MAX {
                let pages = keys::input_pages(chat);
                store.expect(&keys::paged_input(&pages.start, message));
                by_chat.entry(chat).or_default().push((known.seq, line));
                continue;
            }
        }
        batch.put(keys::known_input(input_id), encode(known)?);
    }
    for (chat, mut lines) in by_chat {
        lines.sort_by_key(|(seq, _)| *seq);
        let last =
            store.scan(keys::input_pages(chat), Order::Descending).in_bites_of(1).next().transpose()?;
        let (mut number, mut page) = match last {
            Some((key, page)) => (number_of(&key)?, page),
            None => (0, Vec::new()),
        };
        let mut count = page.iter().filter(|byte| **byte == b'\n').count();
        for (_, line) in lines {
            if count >= INPUTS_PER_PAGE {
                batch.put(keys::input_page(chat, number), std::mem::take(&mut page));
                number = number.saturating_add(1);
                count = 0;
            }
            page.extend_from_slice(&line);
            page.push(b'\n');
            count += 1;
        }
        batch.put(keys::input_page(chat, number), page);
    }
    Ok(())
}

/// What an input came to.
pub(super) fn find(store: &Store, input_id: &str) -> Result<Option<KnownInput>, StoreError> {
    if let Some((chat, message)) = chat_and_message(input_id) {
        let pages = keys::input_pages(chat);
        if !store.is_absent(&keys::paged_input(&pages.start, message)) {
            // A messenger repeats itself soon, so the newest page comes first.
            for pair in store.scan(pages, Order::Descending).in_bites_of(PAGES_AT_A_TIME) {
                let (key, page) = pair?;
                if let Some(known) = find_in(&key, &page, message)? {
                    return Ok(Some(known));
                }
            }
        }
    }
    store.row_if_present(&keys::known_input(input_id))
}

/// Makes the inputs of a page count as present.
pub(super) fn learn(absence: &Absence, key: &[u8], page: &[u8]) -> Result<(), StoreError> {
    let (chat, _) = keys::split_input_page(key).ok_or_else(|| too_short(key))?;
    for line in lines(page) {
        let (message, _): (String, serde::de::IgnoredAny) = decode(key, line)?;
        absence.add(&keys::paged_input(chat, &message));
    }
    Ok(())
}

fn find_in(key: &[u8], page: &[u8], message: &str) -> Result<Option<KnownInput>, StoreError> {
    // The beginning of the line, up to and with the quotation mark that ends the id.
    let mut beginning = vec![b'['];
    beginning.extend(encode(message)?);
    let found = lines(page).find(|line| line.starts_with(&beginning));
    found.map(|line| decode::<(String, KnownInput)>(key, line).map(|(_, known)| known)).transpose()
}

fn lines(page: &[u8]) -> impl Iterator<Item = &[u8]> {
    page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn number_of(key: &[u8]) -> Result<u32, StoreError> {
    keys::split_input_page(key).map(|(_, number)| number).ok_or_else(|| too_short(key))
}

fn too_short(key: &[u8]) -> StoreError {
    StoreError::damaged(key, "the key is too short")
}
