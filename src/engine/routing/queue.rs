//! The order in which dialogs wait.

use std::cmp::Reverse;

use crate::model::dialog::Dialog;
use crate::model::id::{DialogId, LineId, TeamId};

/// Dialogs that wait for the same people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience {
    /// The line.
    pub line: LineId,
    /// The team; `None`: the operators of the line.
    pub team: Option<TeamId>,
}

impl Audience {
    /// Whom a dialog waits for.
    pub fn of(dialog: &Dialog) -> Self {
        Self { line: dialog.line.clone(), team: dialog.team.clone() }
    }
}

/// A dialog's place in its queue: higher priority first, then who waits longest, then the older dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    priority: Reverse<i32>,
    queued_at_ms: u64,
    /// Whose place it is.
    pub dialog: DialogId,
}

impl Place {
    /// The place of a dialog.
    pub fn of(dialog: &Dialog) -> Self {
        Self { priority: Reverse(dialog.priority), queued_at_ms: dialog.queued_at_ms, dialog: dialog.id }
    }
}
