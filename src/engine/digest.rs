//! A fingerprint of the state, to see whether two machines came to the same one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::model::entry::EntryHash;

use super::state::State;

impl State {
    /// SHA-256 over the canonical JSON of everything that is hot: open dialogs with their chats and
    /// clients, unfinished effects, operators, timers, the live configuration's version, the position and
    /// what is derived. Rows that may have left the memory do not count, so a state that was loaded has
    /// the digest of the one that was stored.
    pub fn digest(&self) -> EntryHash {
        fn rows<T: Serialize>(rows: impl Iterator<Item = T>) -> serde_json::Value {
            // Rows are plain data: they always have a JSON form.
            rows.map(|row| serde_json::to_value(row).unwrap_or_default()).collect()
        }
        let position = self.position();
        let mut queues: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for place in self.waiting.values().flatten() {
            if let Some(row) = self.dialogs.get(&place.dialog) {
                queues.entry((&row.line, &row.team)).or_default().push(place.dialog);
            }
        }
        let queues: Vec<_> =
            queues.into_iter().map(|((line, team), dialogs)| json!([line, team, dialogs])).collect();
        let loads: BTreeMap<_, _> =
            self.work.iter().map(|(operator, work)| (operator, (work.load_milli, &work.active))).collect();
        let hot = json!({
            "position": [position.seq, position.at_ms, position.epoch],
            "hash": position.hash,
            "config": self.live().map(|live| &live.version),
            "dialogs": rows(self.dialogs().filter(|dialog| dialog.closed_at_ms.is_none())),
            "chats": rows(self.chats().filter(|chat| chat.open_dialog.is_some())),
            "clients": rows(self.clients().filter(|client| self.open_by_client.contains_key(&client.id))),
            "effects": rows(self.effects().filter(|effect| !effect.state.is_terminal())),
            "operators": rows(self.operators()),
            "timers": rows(self.timers().into_iter()),
            "queues": queues,
            "loads": loads,
        });
        EntryHash::of(hot.to_string().as_bytes())
    }
}
