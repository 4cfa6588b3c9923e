//! How soon clients are answered: what a line promises, and how a dialog stands to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::CalendarId;
use super::rule::Condition;

/// What a line promises for some of its dialogs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlaPolicy {
    /// For which; `None`: for all that no earlier policy matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Within which time, in ms.
    pub targets_ms: BTreeMap<SlaTarget, u64>,
    /// Which time counts.
    #[serde(default)]
    pub clock: SlaClock,
    /// At which part of the time a warning is given, in percent.
    pub warn_at_percent: u8,
    /// When the clock stands still.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pause_when: BTreeSet<SlaPause>,
}

impl SlaPolicy {
    /// When a warning is given where nothing is said.
    pub const WARN_AT_PERCENT: u8 = 80;
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaTarget {
    /// From the opening to the first message of a person that the client sees.
    FirstResponse,
    /// From the first message that the client wrote after an answer to the next answer of a person.
    NextResponse,
    /// From the beginning of the wait in the queue to the first acceptance.
    FirstAccept,
    /// From the opening to the close, without the time in which the client has the turn or the dialog is put
    /// aside.
    Resolution,
}

impl SlaTarget {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::FirstResponse, Self::NextResponse, Self::FirstAccept, Self::Resolution];

    /// The word in YAML, in the API and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::NextResponse => "next_response",
            Self::FirstAccept => "first_accept",
            Self::Resolution => "resolution",
        }
    }
}

/// Which time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaClock {
    /// All of it.
    #[default]
    Wall,
    /// That of the line's hours.
    Working,
}

/// When a clock stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaPause {
    /// Outside the line's hours.
    OutsideHours,
    /// While the owner is not there, or, of a dialog without an owner, nobody who serves the line.
    OperatorUnavailable,
    /// While the client has the turn.
    WaitingClient,
}

/// How a dialog stands to what is promised: the clocks that were started for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SlaClocks(pub BTreeMap<SlaTarget, SlaState>);

impl SlaClocks {
    /// When something about any of them happens by itself next.
    pub fn next_ms(&self) -> Option<u64> {
        self.0.values().filter_map(SlaState::next_ms).min()
    }

    /// Whether none was ever started.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One clock. Of a target that comes again, such as the next response, the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaState {
    /// When it was started.
    pub started_at_ms: u64,
    /// How much it may count, in ms.
    pub target_ms: u64,
    /// In which hours it counts; `None`: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// At which part of the time the warning is given, in percent; 0 in rows of before: computed anew.
    #[serde(default)]
    pub warn_at_percent: u8,
    /// What it has counted up to `counting_since_ms`, in ms.
    pub counted_ms: u64,
    /// Since when it runs; `None`: it stands still, or is stopped.
    pub counting_since_ms: Option<u64>,
    /// When the time will be up, as things are; `None` while it stands still.
    pub due_at_ms: Option<u64>,
    /// When the warning is due, as things are; `None` while it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at_ms: Option<u64>,
    /// Whether the warning was given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warned: bool,
    /// When the promise was broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breached_at_ms: Option<u64>,
    /// When what was promised happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at_ms: Option<u64>,
}

impl SlaState {
    /// A clock that has just been started and not begun to run.
    pub const fn started(at_ms: u64) -> Self {
        Self {
            started_at_ms: at_ms,
            target_ms: 0,
            calendar: None,
            warn_at_percent: SlaPolicy::WARN_AT_PERCENT,
            counted_ms: 0,
            counting_since_ms: None,
            due_at_ms: None,
            warn_at_ms: None,
            warned: false,
            breached_at_ms: None,
            stopped_at_ms: None,
        }
    }

    /// When something about it happens by itself next.
    pub fn next_ms(&self) -> Option<u64> {
        let warning_ms = self.warn_at_ms.filter(|_| !self.warned);
        let due_ms = self.due_at_ms.filter(|_| self.breached_at_ms.is_none());
        warning_ms.into_iter().chain(due_ms).min().filter(|_| self.stopped_at_ms.is_none())
    }

    /// The word for where it is: `running`, `paused`, `met` or `breached`.
    pub const fn word(&self) -> &'static str {
        match (self.breached_at_ms, self.stopped_at_ms, self.counting_since_ms) {
            (Some(_), _, _) => "breached",
            (None, Some(_), _) => "met",
            (None, None, Some(_)) => "running",
            (None, None, None) => "paused",
        }
    }
}
