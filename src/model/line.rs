//! Open lines as declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::ChannelKind;
use super::id::{CalendarId, OperatorId, TeamId, TemplateId};

/// An open line: queue, hours and texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The name shown to people.
    pub name: String,
    /// The language of its texts when the client's is not known, as an IETF tag.
    pub language: Option<String>,
    /// Its hours; `None`: always open.
    pub calendar: Option<CalendarId>,
    /// Who gets its dialogs.
    pub routing: RoutingPolicy,
    /// The priority that its dialogs begin with.
    pub base_priority: i32,
    /// Its automatic texts.
    pub texts: Texts,
    /// Sent when an operator closes a dialog.
    pub closing: Option<TemplateId>,
}

/// Who gets the dialogs of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoutingPolicy {
    /// How one of several is chosen.
    pub strategy: Strategy,
    /// The operators of the line, in order.
    pub members: Vec<Member>,
    /// How long an offer stands, in ms; 0: until it is answered.
    pub offer_timeout_ms: u64,
    /// Whether only operators who are online get offers.
    pub require_presence: bool,
    /// Most work of this line per operator at a time, in thousandths of a dialog; `None`: unlimited.
    pub limit_milli: Option<u32>,
    /// What a dialog of a channel kind weighs, in thousandths; 1000 where nothing is said.
    pub weights_milli: BTreeMap<ChannelKind, u32>,
}

impl RoutingPolicy {
    /// What a dialog weighs where nothing is said.
    pub const WEIGHT_MILLI: u32 = 1000;
    /// How long an offer stands where nothing is said.
    pub const OFFER_TIMEOUT_MS: u64 = 60_000;

    /// What a dialog of a channel of `kind` weighs, in thousandths.
    pub fn weight_milli(&self, kind: ChannelKind) -> u32 {
        self.weights_milli.get(&kind).copied().unwrap_or(Self::WEIGHT_MILLI)
    }
}

/// A member of a line's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// One operator.
    Operator(OperatorId),
    /// All operators of a team, in the order of their ids.
    Team(TeamId),
}

/// How one of several operators is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The first of the list who can.
    InOrder,
    /// Who was offered work longest ago.
    RoundRobin,
    /// Who has the lowest load relative to the limit.
    LeastLoaded,
    /// Everybody at once; the first to accept wins.
    Broadcast,
}

/// Automatic texts of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Texts {
    /// Sent at the beginning.
    pub welcome: Option<Welcome>,
    /// Sent when a client writes outside the hours, once until an operator writes.
    pub out_of_hours: Option<TemplateId>,
}

/// The welcome text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Which text.
    pub template: TemplateId,
    /// How often.
    pub each: WelcomeEach,
}

/// How often a client is welcomed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WelcomeEach {
    /// At the first dialog of a chat.
    FirstContact,
    /// At each dialog.
    Dialog,
}
