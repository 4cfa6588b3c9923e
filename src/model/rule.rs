//! Rules as declared: trigger → conditions → actions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::EventKind;
use super::id::{EndpointId, OperatorId, RuleId, TeamId, TemplateId, TopicId};

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, unique over all files.
    pub id: RuleId,
    /// What it reacts to.
    pub event: EventKind,
    /// What must hold; `None`: always.
    pub when: Option<Condition>,
    /// What it does, in order.
    pub actions: Vec<RuleAction>,
    /// Higher goes first; then file name and place.
    pub priority: i32,
    /// Whether later rules are left out once this one matched.
    pub stop: bool,
}

/// A condition on the facts of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// None of these holds.
    None(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// What stands at a path passes all tests.
    Test {
        /// `a.b` or a JSONPath (RFC 9535).
        path: String,
        /// All of them must pass.
        tests: Vec<Test>,
        /// Compare texts without regard to case.
        ignore_case: bool,
    },
}

/// One test of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Is equal.
    Eq(Value),
    /// Is there and is not equal.
    Ne(Value),
    /// Is one of these.
    In(Vec<Value>),
    /// Is there and is none of these.
    NotIn(Vec<Value>),
    /// Is greater.
    Gt(Value),
    /// Is greater or equal.
    Gte(Value),
    /// Is less.
    Lt(Value),
    /// Is less or equal.
    Lte(Value),
    /// Is between the two, both included.
    Between(Value, Value),
    /// The text contains this text.
    Contains(String),
    /// The text contains at least one of these.
    ContainsAny(Vec<String>),
    /// The text begins so.
    StartsWith(String),
    /// The text ends so.
    EndsWith(String),
    /// The text matches this regular expression somewhere.
    Matches(String),
    /// The list has this element.
    Has(Value),
    /// The list has at least one of these.
    HasAny(Vec<Value>),
    /// The list has all of these.
    HasAll(Vec<Value>),
    /// The list, text (in characters) or object has this many members.
    Size(u64),
    /// Whether anything stands there.
    Exists(bool),
    /// At least one of the values found passes all of these tests.
    AnyOf(Vec<Test>),
    /// There are values, and all of them pass all of these tests.
    AllOf(Vec<Test>),
}

/// Something that a rule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// Write to the client.
    Reply(Content),
    /// Write a note; a template text.
    Note(String),
    /// Add labels to the dialog.
    AddTags(BTreeSet<String>),
    /// Set the dialog's priority.
    SetPriority(i32),
    /// Set the dialog's topic.
    SetTopic(TopicId),
    /// Give the dialog to somebody.
    Transfer {
        /// To whom.
        to: Receiver,
        /// To whom if the first has nobody who is there.
        otherwise: Option<Receiver>,
    },
    /// Put the dialog back into its queue.
    Requeue {
        /// Why, in words.
        reason: Option<String>,
    },
    /// Close the dialog.
    Close,
    /// Close the dialog as unwanted mail.
    Spam,
    /// Pin the dialog.
    Pause {
        /// For how long, in ms, at most as long as the line allows; `None`: as long as that.
        for_ms: Option<u64>,
    },
    /// Post to an endpoint.
    Notify {
        /// Where.
        endpoint: EndpointId,
        /// With what words.
        content: Option<Content>,
    },
}

impl RuleAction {
    /// The action's name in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Note(_) => "note",
            Self::AddTags(_) => "add_tags",
            Self::SetPriority(_) => "set_priority",
            Self::SetTopic(_) => "set_topic",
            Self::Transfer { .. } => "transfer",
            Self::Requeue { .. } => "requeue",
            Self::Close => "close",
            Self::Spam => "spam",
            Self::Pause { .. } => "pause",
            Self::Notify { .. } => "notify",
        }
    }
}

/// Words to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A ready text.
    Template(TemplateId),
    /// A template text written in place.
    Text(String),
}

/// To whom a rule gives a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// One operator.
    Operator(OperatorId),
    /// Whoever is free in a team.
    Team(TeamId),
    /// The queue of another line.
    Line(super::id::LineId),
}
