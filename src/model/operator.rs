//! Who answers: operators and teams, and how they are right now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{LineId, OperatorId, RoleId, TeamId};

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
