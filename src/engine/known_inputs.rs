//! What inputs came to, as long as the store does not have it or somebody asked for it.
//!
//! Each message is looked up here before it is applied, put here after, handed over once and never
//! changed, so this is simpler and quicker than a [`Table`](super::table::Table).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::outcome::KnownInput;

use super::lookup::Lookup;

/// Outcomes by `input_id`.
#[derive(Debug, Default)]
pub(super) struct KnownInputs {
    rows: Lookup<Arc<str>, KnownInput>,
    new: Vec<(Arc<str>, KnownInput)>,
    /// Those that leave once the store has the hand-over of that number, the first number first.
    leaving: VecDeque<(u64, Vec<Arc<str>>)>,
}

impl KnownInputs {
    /// What an input came to, if that is here.
    pub(super) fn get(&self, input_id: &str) -> Option<&KnownInput> {
        self.rows.get_by(input_id, |known| known.as_ref() == input_id)
    }

    /// Puts what a new input came to; it will be handed over.
    pub(super) fn put(&mut self, input_id: &str, known: KnownInput) {
        let input_id: Arc<str> = input_id.into();
        self.new.push((Arc::clone(&input_id), known.clone()));
        self.rows.insert(input_id, known);
    }

    /// Puts what is stored. It leaves with hand-over number `hand_over`.
    pub(super) fn put_stored(&mut self, input_id: &str, known: KnownInput, hand_over: u64) {
        let input_id: Arc<str> = input_id.into();
        self.leave_with(hand_over, vec![Arc::clone(&input_id)]);
        self.rows.insert(input_id, known);
    }

    /// How many wait to be handed over.
    pub(super) fn changed(&self) -> usize {
        self.new.len()
    }

    /// What is new since the last call, as part of hand-over number `hand_over`.
    pub(super) fn hand_over(&mut self, hand_over: u64) -> Vec<(Arc<str>, KnownInput)> {
        let new = std::mem::take(&mut self.new);
        self.leave_with(hand_over, new.iter().map(|(input_id, _)| Arc::clone(input_id)).collect());
        new
    }

    /// The store has everything up to hand-over number `hand_over`.
    pub(super) fn stored(&mut self, hand_over: u64) {
        while self.leaving.front().is_some_and(|(number, _)| *number <= hand_over) {
            for input_id in self.leaving.pop_front().map(|(_, leaving)| leaving).unwrap_or_default() {
                self.rows.remove(&input_id);
            }
        }
    }

    fn leave_with(&mut self, hand_over: u64, mut input_ids: Vec<Arc<str>>) {
        match self.leaving.back_mut() {
            Some((number, leaving)) if *number == hand_over => leaving.append(&mut input_ids),
            _ => self.leaving.push_back((hand_over, input_ids)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::{Outcome, Receipt};

    fn known(seq: u64) -> KnownInput {
        KnownInput { seq, at_ms: 0, fingerprint: None, outcome: Outcome::Applied(Receipt::default()) }
    }

    #[test]
    fn an_outcome_is_handed_over_once_and_stays_until_it_is_stored() {
        let mut inputs = KnownInputs::default();
        inputs.put("first", known(1));
        assert_eq!(inputs.hand_over(1), [("first".into(), known(1))]);
        inputs.put("second", known(2));
        assert_eq!(inputs.hand_over(2), [("second".into(), known(2))]);
        assert_eq!(inputs.changed(), 0);
        inputs.stored(1);
        assert_eq!((inputs.get("first"), inputs.get("second")), (None, Some(&known(2))));
    }

    #[test]
    fn a_fetched_outcome_leaves_by_itself() {
        let mut inputs = KnownInputs::default();
        inputs.put_stored("old", known(1), 1);
        inputs.put("new", known(2));
        assert_eq!(inputs.hand_over(1), [("new".into(), known(2))]);
        inputs.stored(1);
        assert_eq!((inputs.get("old"), inputs.get("new")), (None, None));
    }
}
