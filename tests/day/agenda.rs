//! What people mean to do, in the order of time.

use std::collections::BTreeMap;

use switchboard::model::id::{DialogId, EffectId, OperatorId};
use switchboard::model::operator::Presence;

use super::mishaps::Mishap;

/// Something that somebody means to do.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A client writes for the first time, or comes again.
    Arrives {
        client: usize,
    },
    /// A client writes, perhaps only if the dialog still waits.
    Writes {
        client: usize,
        text: String,
        while_waiting: Option<DialogId>,
    },
    Presses {
        client: usize,
        data: String,
    },
    Turns {
        operator: OperatorId,
        presence: Presence,
    },
    /// Before going home.
    HandsOver {
        operator: OperatorId,
    },
    Accepts {
        dialog: DialogId,
        operator: OperatorId,
    },
    Declines {
        dialog: DialogId,
        operator: OperatorId,
    },
    Replies {
        dialog: DialogId,
    },
    Closes {
        dialog: DialogId,
    },
    Transfers {
        dialog: DialogId,
    },
    /// A lead looks at what the team does.
    Inspects {
        lead: OperatorId,
    },
    TakesOver {
        dialog: DialogId,
        lead: OperatorId,
    },
    /// A messenger answers an attempt.
    Answers {
        effect: EffectId,
        attempt: u32,
    },
    Befalls(Mishap),
}

/// Deeds by time, and of the same time in the order in which they were thought of.
#[derive(Default)]
pub(super) struct Agenda {
    deeds: BTreeMap<(u64, u64), Deed>,
    thought_of: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at_ms: u64, deed: Deed) {
        self.thought_of += 1;
        self.deeds.insert((at_ms, self.thought_of), deed);
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.deeds.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    pub(super) fn take(&mut self) -> Option<(u64, Option<Deed>)> {
        self.deeds.pop_first().map(|((at_ms, _), deed)| (at_ms, Some(deed)))
    }
}
