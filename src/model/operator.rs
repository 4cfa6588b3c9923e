//! Who answers: operators and teams, and how they are right now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::calendar::Day;
use super::id::{CalendarId, LineId, OperatorId, RoleId, TeamId};

/// An operator as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operator {
    /// The name to call them by.
    pub name: String,
    /// Where notifications go.
    pub email: Option<String>,
    /// The teams they belong to.
    pub teams: BTreeSet<TeamId>,
    /// Most work at a time over all lines, in thousandths of a dialog; `None`: only the lines limit it.
    pub capacity_milli: Option<u32>,
    /// What they may do.
    pub role: RoleId,
    /// What they are able to do, in the company's own words.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skills: BTreeSet<String>,
    /// The languages they answer in, as IETF tags; empty: whatever is asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub languages: BTreeSet<String>,
    /// Their shifts; `None`: whenever they are online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// True for who works here no more and is still declared, for the sake of their history.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inactive: bool,
    /// The days on which they are on vacation, in the zone of their calendar, else in UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vacation: Vec<Vacation>,
}

/// A row of days off, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacation {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
}

/// A team as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// The lines it works for.
    pub lines: BTreeSet<LineId>,
    /// Who leads it.
    pub supervisors: BTreeSet<OperatorId>,
}

/// How an operator is right now. Kept in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorStatus {
    /// Who.
    pub id: OperatorId,
    /// Whether they take work.
    pub presence: Presence,
    /// Since when.
    pub since_ms: u64,
    /// When work was last offered to them; 0: never.
    pub last_offered_ms: u64,
    /// The `seq` of the entry that last offered them work; breaks ties of `last_offered_ms`.
    pub last_offered_seq: u64,
    /// How many offers in a row they let expire, on lines that count that.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub missed: u32,
    /// How quickly they take dialogs out of a queue, on lines that tell clients how long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// How quickly an operator takes dialogs while some are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// When they last accepted one.
    pub accepted_ms: u64,
    /// The time from one accept to the next, in ms, as an average that forgets slowly; 0: not known yet.
    pub interval_ms: u64,
}

impl OperatorStatus {
    /// How somebody is of whom nothing is known.
    pub const fn unknown(id: OperatorId, since_ms: u64) -> Self {
        Self {
            id,
            presence: Presence::Offline,
            since_ms,
            last_offered_ms: 0,
            last_offered_seq: 0,
            missed: 0,
            pace: None,
        }
    }
}

/// Whether an operator takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Presence {
    Online,
    Away,
    Offline,
}
