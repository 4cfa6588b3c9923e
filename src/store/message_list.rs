//! Which messages a dialog has, in order: lists of ids, many to a key.
//!
//! A list has [`IDS_PER_LIST`] ids and the last one has the rest; lists are numbered from 0. Neither the
//! ids nor their order ever change, so lists depend only on the messages.

use std::collections::BTreeMap;

use crate::model::id::{DialogId, MessageId};

use super::error::StoreError;
use super::handle::Store;
use super::key_value::{Batch, Order};
use super::keys::{self, ID_BYTES};

/// The last list is written again with the next messages of its dialog: 64 ids are 768 bytes.
const IDS_PER_LIST: usize = 64;

/// Messages that come to their dialogs' lists in one write set.
#[derive(Debug, Default)]
pub(super) struct Additions(BTreeMap<DialogId, Vec<MessageId>>);

impl Additions {
    /// Adds a message, which follows all of its dialog.
    pub(super) fn add(&mut self, dialog: DialogId, id: MessageId) {
        self.0.entry(dialog).or_default().push(id);
    }

    /// Puts the lists that this changes into `batch`.
    pub(super) fn put(self, store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
        for (dialog, added) in self.0 {
            let last = store
                .scan(keys::message_lists(dialog), Order::Descending)
                .in_bites_of(1)
                .next()
                .transpose()?;
            let (mut number, mut ids) = match last {
                Some((key, ids)) => (number_of(&key)?, ids),
                None => (0, Vec::new()),
            };
            for id in added {
                if ids.len() >= IDS_PER_LIST * ID_BYTES {
                    batch.put(keys::message_list(dialog, number), std::mem::take(&mut ids));
                    number = number.saturating_add(1);
                }
                ids.extend_from_slice(&keys::id_bytes((id.seq, id.index)));
            }
            batch.put(keys::message_list(dialog, number), ids);
        }
        Ok(())
    }
}

/// The ids in the list at `key`.
pub(super) fn ids(key: &[u8], list: &[u8]) -> Result<Vec<MessageId>, StoreError> {
    list.chunks(ID_BYTES)
        .map(|id| keys::last_id(id).map(|(seq, index)| MessageId::new(seq, index)))
        .collect::<Option<Vec<_>>>()
        .filter(|ids| !ids.is_empty())
        .ok_or_else(|| StoreError::damaged(key, "the list is not made of ids"))
}

fn number_of(key: &[u8]) -> Result<u32, StoreError> {
    key.split_last_chunk::<4>()
        .map(|(_, number)| u32::from_be_bytes(*number))
        .ok_or_else(|| StoreError::damaged(key, "the key is too short"))
}
