//! The index entries of an effect, as a function of its row.

use serde::Deserialize;

use crate::model::effect::{Effect, EffectState};
use crate::model::id::{DialogId, EffectId};

use super::keys::{self, Key};

/// The fields of an effect's row that the indexes are made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct IndexedEffect {
    id: EffectId,
    dialog: DialogId,
    state: EffectState,
}

impl From<&Effect> for IndexedEffect {
    fn from(effect: &Effect) -> Self {
        Self { id: effect.id, dialog: effect.dialog, state: effect.state.clone() }
    }
}

impl IndexedEffect {
    /// Its index entries.
    pub(super) fn entries(&self) -> Vec<Key> {
        vec![keys::state_effect((&self.state).into(), self.id), keys::dialog_effect(self.dialog, self.id)]
    }
}
