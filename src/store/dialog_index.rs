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
    /// Whether `new` has the same index entries but for the time of the last change.
    pub(super) fn differs_in_time_alone(&self, new: &Self) -> bool {
        *self == Self { updated_at_ms: self.updated_at_ms, ..new.clone() }
    }

    /// The index entry with the time of the last change.
    pub(super) fn time_entry(&self) -> Key {
        keys::updated_dialog(self.updated_at_ms, self.id)
    }

    /// Its index entries, each once.
    pub(super) fn entries(&self) -> Vec<Key> {
        let id = self.id;
        let mut entries =
            vec![keys::client_dialog(self.client, id), keys::chat_dialog(self.chat, id), self.time_entry()];
        if self.state != DialogState::Closed {
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
