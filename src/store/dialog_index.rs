//! The index entries of a dialog, as a function of its row.

use serde::Deserialize;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{ChatId, ClientId, DialogId, LineId, OperatorId};

use super::keys::{self, Key};

/// The fields of a dialog's row that the indexes are made from. Reading these alone costs a fraction
/// of reading the row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct IndexedDialog {
    id: DialogId,
    line: LineId,
    chat: ChatId,
    client: ClientId,
    state: DialogState,
    owner: Option<OperatorId>,
    priority: i32,
    queued_at_ms: u64,
    offers: Vec<IndexedOffer>,
    updated_at_ms: u64,
}

/// The field of an offer that the indexes are made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct IndexedOffer {
    operator: OperatorId,
}

impl From<&Dialog> for IndexedDialog {
    fn from(dialog: &Dialog) -> Self {
        Self {
            id: dialog.id,
            line: dialog.line.clone(),
            chat: dialog.chat,
            client: dialog.client,
            state: dialog.state,
            owner: dialog.owner.clone(),
            priority: dialog.priority,
            queued_at_ms: dialog.queued_at_ms,
            offers: dialog
                .offers
                .iter()
                .map(|offer| IndexedOffer { operator: offer.operator.clone() })
                .collect(),
            updated_at_ms: dialog.updated_at_ms,
        }
    }
}

impl IndexedDialog {
    /// Whether `new` has the same index entries: an open dialog's time of the last change is in none.
    pub(super) fn has_entries_of(&self, new: &Self) -> bool {
        self.is_open() && *self == Self { updated_at_ms: self.updated_at_ms, ..new.clone() }
    }

    /// Its place among the open dialogs by last change, which is kept in memory.
    pub(super) fn place_while_open(&self) -> Option<Key> {
        self.is_open().then(|| keys::updated_dialog(self.updated_at_ms, self.id))
    }

    fn is_open(&self) -> bool {
        self.state != DialogState::Closed
    }

    /// Its index entries, each once.
    pub(super) fn entries(&self) -> Vec<Key> {
        let id = self.id;
        let mut entries = vec![keys::client_dialog(self.client, id), keys::chat_dialog(self.chat, id)];
        if !self.is_open() {
            entries.push(keys::updated_dialog(self.updated_at_ms, id));
        } else {
            entries.push(keys::open_dialog(id));
            entries.push(keys::line_dialog(&self.line, self.state, id));
            entries.push(keys::priority_dialog(self.priority, self.queued_at_ms, id));
            if let Some(owner) = &self.owner {
                entries.push(keys::owned_dialog(owner, id));
            }
            for offer in &self.offers {
                let entry = keys::offered_dialog(&offer.operator, id);
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
        if self.state.is_waiting() {
            entries.push(keys::queued_dialog(&self.line, self.priority, self.queued_at_ms, id));
            entries.push(keys::waiting_dialog(self.queued_at_ms, id));
        }
        entries
    }
}
