//! Rows by key, of which some are only here until they are stored.
//!
//! A table is a write-back cache over an [`Archive`](super::rows::Archive): a row that changed stays
//! until the store has it, a row that is hot stays as long as it is hot, any other row may leave.
//! When rows leave depends on timing; what a reader sees does not, because rows that left are fetched
//! again before they are needed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, Row<V>>,
    changed: Vec<K>,
    handed_over: Vec<(u64, K)>,
}

#[derive(Debug)]
struct Row<V> {
    value: V,
    changed: bool,
    /// The last hand-over that contained the row; 0: none.
    handed_over: u64,
}

impl<K: Ord + Clone, V: Clone> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: Vec::new(), handed_over: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// The row under `key`, if it is here.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.rows.get(key).map(|row| &row.value)
    }

    /// Whether the row is here.
    pub(super) fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: std::borrow::Borrow<Q>,
    {
        self.rows.contains_key(key)
    }

    /// The row under `key` for a change; it will be handed over.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        if !row.changed {
            row.changed = true;
            self.changed.push(key.clone());
        }
        Some(&mut row.value)
    }

    /// Puts a new or changed row; it will be handed over.
    pub(super) fn put(&mut self, key: K, value: V) {
        match self.rows.entry(key) {
            Entry::Occupied(mut known) => {
                if !known.get().changed {
                    self.changed.push(known.key().clone());
                }
                let row = known.get_mut();
                row.value = value;
                row.changed = true;
            }
            Entry::Vacant(place) => {
                self.changed.push(place.key().clone());
                place.insert(Row { value, changed: true, handed_over: 0 });
            }
        }
    }

    /// Puts a row as it is stored, unless a newer one is here. It leaves at the next hand-over unless it
    /// is hot by then.
    pub(super) fn put_stored(&mut self, key: K, value: V, hand_over: u64) {
        if !self.rows.contains_key(&key) {
            self.handed_over.push((hand_over, key.clone()));
            self.rows.insert(key, Row { value, changed: false, handed_over: 0 });
        }
    }

    /// The row may have become cold without a change of its own: it is looked at again at the next hand-over.
    pub(super) fn cooled(&mut self, key: K, hand_over: u64) {
        self.handed_over.push((hand_over, key));
    }

    /// The rows that are here, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().map(|(key, row)| (key, &row.value))
    }

    /// How many rows wait to be handed over.
    pub(super) fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Copies the rows that changed since the last call, as part of hand-over number `hand_over`.
    pub(super) fn hand_over(&mut self, hand_over: u64) -> Vec<(K, V)> {
        let mut rows = Vec::with_capacity(self.changed.len());
        for key in std::mem::take(&mut self.changed) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.changed = false;
                row.handed_over = hand_over;
                rows.push((key.clone(), row.value.clone()));
                self.handed_over.push((hand_over, key));
            }
        }
        rows
    }

    /// The store has everything up to hand-over number `hand_over`: rows that did not change since and
    /// that `is_hot` does not want leave. Returns the rows that left.
    pub(super) fn stored(&mut self, hand_over: u64, is_hot: impl Fn(&K, &V) -> bool) -> Vec<(K, V)> {
        let mut left = Vec::new();
        let waiting = std::mem::take(&mut self.handed_over);
        for (number, key) in waiting {
            if number > hand_over {
                self.handed_over.push((number, key));
                continue;
            }
            if let Entry::Occupied(known) = self.rows.entry(key) {
                let row = known.get();
                if !row.changed && row.handed_over <= hand_over && !is_hot(known.key(), &row.value) {
                    let (key, row) = known.remove_entry();
                    left.push((key, row.value));
                }
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_until_its_newest_form_is_stored() {
        let mut table = Table::default();
        table.put(1, "first");
        assert_eq!(table.hand_over(1), [(1, "first")]);
        table.put(1, "second");
        table.stored(1, |_, _| false);
        assert_eq!(table.get(&1), Some(&"second"), "the store does not have the second form yet");
        assert_eq!(table.hand_over(2), [(1, "second")]);
        table.stored(2, |_, _| false);
        assert_eq!(table.get(&1), None);
    }

    #[test]
    fn a_hot_row_stays_and_leaves_once_it_is_cold_and_stored() {
        let mut table = Table::default();
        table.put(1, "open");
        table.hand_over(1);
        table.stored(1, |_, value| *value == "open");
        assert_eq!(table.get(&1), Some(&"open"));
        *table.get_mut(&1).unwrap() = "closed";
        table.hand_over(2);
        table.stored(2, |_, value| *value == "open");
        assert!(!table.contains(&1));
    }

    #[test]
    fn a_fetched_row_never_replaces_a_newer_one_and_leaves_by_itself() {
        let mut table = Table::default();
        table.put(1, "newer");
        table.put_stored(1, "stored", 1);
        table.put_stored(2, "stored", 1);
        assert_eq!(table.get(&1), Some(&"newer"));
        table.hand_over(1);
        table.stored(1, |_, _| false);
        assert!(!table.contains(&1) && !table.contains(&2));
    }

    #[test]
    fn a_row_that_cooled_without_a_change_leaves() {
        let mut table = Table::default();
        table.put(1, "row");
        table.hand_over(1);
        table.stored(1, |_, _| true);
        table.cooled(1, 2);
        table.stored(1, |_, _| false);
        assert!(table.contains(&1), "the hand-over that it waits for was not stored");
        table.stored(2, |_, _| false);
        assert!(!table.contains(&1));
    }

    #[test]
    fn many_changes_are_handed_over_once() {
        let mut table = Table::default();
        for value in 0..5 {
            table.put(1, value);
        }
        assert_eq!(table.changed(), 1);
        assert_eq!(table.hand_over(1), [(1, 4)]);
        assert_eq!(table.hand_over(2), []);
    }
}
