//! The index entries of a dialog, as a function of its row.

use serde::Deserialize;

use crate::engine::routing::queue::Standing;
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{ChatId, ClientId, DialogId, LineId, OperatorId};

use super::keys::{self, Key};
use super::queues::Waits;

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
    #[serde(default)]
    route: IndexedRoute,
}

/// The field of what routing keeps that the queue is ordered by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct IndexedRoute {
    #[serde(default)]
    deadline_ms: Option<u64>,
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
            route: IndexedRoute { deadline_ms: dialog.route.deadline_ms },
        }
    }
}

impl IndexedDialog {
    /// Whether `new` has the same index entries: an open dialog's time of the last change is in none, and neither is
    /// its deadline.
    pub(super) fn has_entries_of(&self, new: &Self) -> bool {
        let unlisted = Self { updated_at_ms: self.updated_at_ms, route: self.route.clone(), ..new.clone() };
        self.is_open() && *self == unlisted
    }

    /// How it stands in the queue of its line, which is kept in memory; `None`: it does not wait.
    pub(super) fn standing(&self) -> Option<Waits> {
        self.state.is_waiting().then(|| Waits {
            line: self.line.clone(),
            standing: Standing {
                priority: self.priority,
                deadline_ms: self.route.deadline_ms,
                queued_at_ms: self.queued_at_ms,
                dialog: self.id,
            },
        })
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
            entries.push(keys::waiting_dialog(self.queued_at_ms, id));
        }
        entries
    }
}
