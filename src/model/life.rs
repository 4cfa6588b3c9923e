//! What a dialog's life has come to beyond its state: closing and ratings, pauses, reminders, reopening.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::OperatorId;
use super::line::{NudgeChoice, RatingScale};

/// Kept with the dialog. A dialog to which nothing of this has happened has none of it in its row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Life {
    /// We wrote first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub written_first: bool,
    /// How often it was reopened.
    #[serde(skip_serializing_if = "is_zero")]
    pub reopened: u32,
    /// When `closing` ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_until_ms: Option<u64>,
    /// The client was asked for a rating: once per dialog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// What a supervisor thinks of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor_rating: Option<SupervisorRating>,
    /// It is pinned: silence does not close it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Since when the client is silent, where that is not the time of the last message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since_ms: Option<u64>,
    /// How many reminders of the present silence are over.
    #[serde(skip_serializing_if = "is_zero")]
    pub nudges: u32,
    /// The choices that the last reminder gave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<NudgeChoice>,
    /// The text about nobody answering was sent, or will not be: somebody accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_answer_over: bool,
    /// How often the client was told the place in the queue.
    #[serde(skip_serializing_if = "is_zero")]
    pub positions_told: u32,
    /// When the client was last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_told_ms: Option<u64>,
    /// Nothing but auto-replies came from the client: texts at intervals would answer a machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only_automatic: bool,
    /// When the messenger told us that it takes no answers any more, until the client writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_closed_at_ms: Option<u64>,
    /// Supervisors who listen and may write, without owning it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub joined: BTreeSet<OperatorId>,
}

impl Life {
    /// Whether nothing of this has happened.
    pub fn is_fresh(&self) -> bool {
        *self == Self::default()
    }

    /// The client wrote: whatever counted their silence begins anew.
    pub fn client_wrote(&mut self) {
        self.window_closed_at_ms = None;
        self.begin_silence(None);
    }

    /// Begins to count the client's silence anew, from a time or from the last message.
    pub fn begin_silence(&mut self, since_ms: Option<u64>) {
        self.silent_since_ms = since_ms;
        self.nudges = 0;
        self.choices.clear();
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The client's rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// By what scale.
    pub scale: RatingScale,
    /// When it was asked for.
    pub asked_at_ms: u64,
    /// Until when a vote replaces an earlier one.
    pub until_ms: u64,
    /// Whose work it is about: the owner at the close.
    pub operator: Option<OperatorId>,
    /// The vote; the last one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Vote>,
}

/// A client's vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// 1 (bad) to 5 (good). `like_dislike` knows only these two.
    pub score: u8,
    /// When.
    pub at_ms: u64,
}

/// A supervisor's rating of a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorRating {
    /// 1 (bad) to 5 (good).
    pub score: u8,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who rated.
    pub by: super::message::Author,
    /// When.
    pub at_ms: u64,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub since_ms: u64,
    /// When it ends by itself.
    pub until_ms: u64,
    /// The end was asked for: the dialog then goes on. Otherwise it is the limit of the line, and silence
    /// has lasted long enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_asked: bool,
}
