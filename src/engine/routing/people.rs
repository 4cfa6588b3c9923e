//! Operators by number: the place of each in the order of their ids, fixed with the configuration. Numbers
//! make sets of operators dense, and keep ties by id.

use std::collections::BTreeMap;

use crate::model::id::OperatorId;

use super::bits::Bits;

/// The declared operators.
#[derive(Debug, Default)]
pub struct People {
    ids: Vec<OperatorId>,
    numbers: BTreeMap<OperatorId, u32>,
}

impl People {
    /// Numbers the operators, which come in the order of their ids.
    pub fn number_all<'a>(ids: impl Iterator<Item = &'a OperatorId>) -> Self {
        let ids: Vec<OperatorId> = ids.cloned().collect();
        let numbers = ids.iter().cloned().zip(0u32..).collect();
        Self { ids, numbers }
    }

    /// The number of an operator; `None`: not declared.
    pub fn number(&self, id: &OperatorId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The operator of a number.
    pub fn id(&self, number: u32) -> Option<&OperatorId> {
        self.ids.get(usize::try_from(number).ok()?)
    }

    /// All of them, in the order of their numbers.
    pub fn ids(&self) -> &[OperatorId] {
        &self.ids
    }

    /// An empty set of them.
    pub fn nobody(&self) -> Bits {
        Bits::below(u32::try_from(self.ids.len()).unwrap_or(u32::MAX))
    }
}
