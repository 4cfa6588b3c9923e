//! Values by keys that are texts, found by the hashes of the keys.
//!
//! A search in an ordered map of texts goes to one text after another, each somewhere else in memory. This
//! one compares numbers that lie side by side and looks at a single key. The hash is the same in each run, and
//! nothing depends on the order of the hashes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A map.
#[derive(Debug)]
pub(super) struct Lookup<K, V> {
    by_hash: BTreeMap<u64, (K, V)>,
    /// Keys whose hash another one had before them: next to none.
    clashing: BTreeMap<K, V>,
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self { by_hash: BTreeMap::new(), clashing: BTreeMap::new() }
    }
}

impl<K: Hash + Ord, V> Lookup<K, V> {
    /// The value under a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.get_by(key, |known| known == key)
    }

    /// The value under a key that is given in another form: one that hashes as the key does, and that `is_it`
    /// tells from others.
    pub(super) fn get_by(&self, key: &(impl Hash + ?Sized), is_it: impl Fn(&K) -> bool) -> Option<&V> {
        match self.by_hash.get(&hash(key)) {
            Some((known, value)) if is_it(known) => Some(value),
            _ => self.clashing.iter().find(|(known, _)| is_it(known)).map(|(_, value)| value),
        }
    }

    /// Puts a value in the place of the one before.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let place = hash(&key);
        match self.by_hash.get_mut(&place) {
            Some((known, old)) if *known == key => *old = value,
            Some(_) => drop(self.clashing.insert(key, value)),
            // It may have come as a clash with one that has left.
            None => {
                self.clashing.remove(&key);
                self.by_hash.insert(place, (key, value));
            }
        }
    }

    /// Removes what is under a key.
    pub(super) fn remove(&mut self, key: &K) {
        let place = hash(key);
        if self.by_hash.get(&place).is_some_and(|(known, _)| known == key) {
            self.by_hash.remove(&place);
        } else {
            self.clashing.remove(key);
        }
    }

    /// All pairs, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.by_hash.values().map(|(key, value)| (key, value)).chain(&self.clashing)
    }
}

fn hash(key: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text whose hash is that of its length.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct Text(&'static str);

    impl Hash for Text {
        fn hash<H: Hasher>(&self, hasher: &mut H) {
            self.0.len().hash(hasher);
        }
    }

    #[test]
    fn what_was_put_last_is_found_until_it_is_removed() {
        let mut lookup = Lookup::default();
        lookup.insert(Text("a"), 1);
        lookup.insert(Text("bb"), 2);
        lookup.insert(Text("a"), 3);
        assert_eq!((lookup.get(&Text("a")), lookup.get(&Text("bb"))), (Some(&3), Some(&2)));
        lookup.remove(&Text("a"));
        assert_eq!((lookup.get(&Text("a")), lookup.iter().count()), (None, 1));
    }

    #[test]
    fn keys_of_one_hash_do_not_get_in_each_other_s_way() {
        let mut lookup = Lookup::default();
        for (number, text) in ["a", "b", "c"].into_iter().enumerate() {
            lookup.insert(Text(text), number);
        }
        assert_eq!(["a", "b", "c"].map(|text| lookup.get(&Text(text)).copied()), [Some(0), Some(1), Some(2)]);
        lookup.remove(&Text("a"));
        lookup.insert(Text("b"), 7);
        assert_eq!(["a", "b", "c"].map(|text| lookup.get(&Text(text)).copied()), [None, Some(7), Some(2)]);
        lookup.remove(&Text("b"));
        assert_eq!(lookup.get(&Text("b")), None);
        assert_eq!(lookup.iter().count(), 1);
    }

    #[test]
    fn a_key_is_found_in_another_form() {
        let mut lookup: Lookup<std::sync::Arc<str>, u8> = Lookup::default();
        lookup.insert("key".into(), 1);
        assert_eq!(lookup.get_by("key", |known| known.as_ref() == "key"), Some(&1));
    }
}
