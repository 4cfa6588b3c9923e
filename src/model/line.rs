//! Open lines as declared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::channel::ChannelKind;
use super::id::{CalendarId, LineId, OperatorId, TeamId, TemplateId, TopicId};
use super::rule::{Condition, RuleAction};
use super::sla::SlaPolicy;

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
    /// How the priority of waiting dialogs grows; `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ageing: Option<Ageing>,
    /// Its automatic texts.
    pub texts: Texts,
    /// Sent when an operator or the client closes a dialog.
    pub closing: Option<TemplateId>,
    /// A client who writes within this time after the close reopens the dialog, in ms; 0: never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reopen_window_ms: u64,
    /// What happens when the client is silent; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// How clients rate dialogs; `None`: they are not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatingPolicy>,
    /// Under which name clients see operators; `None`: texts carry no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_identity: Option<OperatorIdentity>,
    /// How soon clients are answered: the first policy that matches a dialog counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sla: Vec<SlaPolicy>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(time_ms: &u64) -> bool {
    *time_ms == 0
}

/// What happens when an operator wrote last and the client is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Reminders, in the order of their times.
    pub nudges: Vec<Nudge>,
    /// The dialog is closed after this time, in ms.
    pub close_after_ms: u64,
    /// A pause ends after this time at the latest, in ms.
    pub pause_limit_ms: u64,
    /// What the choices are called, where that is not the built-in word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<NudgeChoice, String>,
}

impl Silence {
    /// When a silent dialog is closed where nothing is said: 4 hours.
    pub const CLOSE_AFTER_MS: u64 = 4 * 60 * 60 * 1000;
    /// How long a pause lasts at most where nothing is said: 7 days.
    pub const PAUSE_LIMIT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
}

/// A reminder to a silent client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudge {
    /// After how much silence, in ms.
    pub after_ms: u64,
    /// Which text.
    pub template: TemplateId,
    /// What the client can choose.
    pub choices: Vec<NudgeChoice>,
}

/// What a silent client can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NudgeChoice {
    /// Close the dialog.
    Close,
    /// Go on with it.
    Continue,
    /// Close it and begin a new one.
    New,
}

impl NudgeChoice {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Close, Self::Continue, Self::New];

    /// The word used in YAML.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Continue => "continue",
            Self::New => "new",
        }
    }
}

/// How clients rate dialogs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingPolicy {
    /// By what scale.
    pub scale: RatingScale,
    /// How long a dialog waits for the vote, and a vote can be changed, in ms.
    pub window_ms: u64,
    /// The text that asks.
    pub template: TemplateId,
    /// The text that thanks for the first vote.
    pub thanks: Option<TemplateId>,
}

impl RatingPolicy {
    /// How long a dialog waits for the vote where nothing is said: 10 minutes.
    pub const WINDOW_MS: u64 = 10 * 60 * 1000;
}

/// A scale of ratings. Scores are 1 (bad) to 5 (good) in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RatingScale {
    /// 5 or 1.
    #[serde(rename = "like_dislike")]
    LikeDislike,
    /// 1 to 5.
    #[serde(rename = "1..5")]
    OneToFive,
}

impl RatingScale {
    /// Whether a score is one of this scale.
    pub const fn has(self, score: u8) -> bool {
        match self {
            Self::LikeDislike => matches!(score, 1 | 5),
            Self::OneToFive => matches!(score, 1..=5),
        }
    }
}

/// Under which name clients see operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorIdentity {
    /// The name of the operator.
    Profile,
    /// No name.
    Hidden,
    /// Another name.
    Alias {
        /// Of everybody who has none of their own; `None`: the name of the operator.
        name: Option<String>,
        /// Of single operators.
        operators: BTreeMap<OperatorId, String>,
    },
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
    /// Which dialogs of an owner count against the limits.
    #[serde(default, skip_serializing_if = "Counts::is_default")]
    pub counts: Counts,
    /// How often everybody is asked before nobody is asked by itself any more; `None`: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rounds: Option<u32>,
    /// After so many offers in a row that they let expire, an operator is set away; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_missed: Option<u32>,
    /// The most offers at a time for who came online while the dialogs were waiting already; `None`: as many
    /// as there is room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_offers_on_return: Option<u32>,
    /// Whom a client who comes again is kept for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// What dialogs may be about; the first that matches counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<Topic>,
    /// What changes for dialogs that wait long, by waiting time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<OverflowStage>,
    /// What is done in the end about a dialog that nobody took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
}

impl Default for RoutingPolicy {
    fn default() -> Self {
        Self {
            strategy: Strategy::RoundRobin,
            members: Vec::new(),
            offer_timeout_ms: Self::OFFER_TIMEOUT_MS,
            require_presence: true,
            limit_milli: None,
            weights_milli: BTreeMap::new(),
            counts: Counts::UntilClosed,
            max_rounds: None,
            max_missed: None,
            max_offers_on_return: None,
            sticky: None,
            topics: Vec::new(),
            overflow: Vec::new(),
            otherwise: None,
        }
    }
}

impl RoutingPolicy {
    /// What a dialog weighs where nothing is said.
    pub const WEIGHT_MILLI: u32 = 1000;
    /// How long an offer stands where nothing is said.
    pub const OFFER_TIMEOUT_MS: u64 = 60_000;
    /// How many offers at a time who comes online gets where nothing is said: enough to choose from, and far
    /// from a night's backlog.
    pub const MAX_OFFERS_ON_RETURN: u32 = 5;
    /// How long a dialog is kept for one operator where nothing is said.
    pub const STICKY_WAIT_MS: u64 = 60_000;
    /// How often overflow may send one dialog to another line: two lines that name each other must not play
    /// with it for ever.
    pub const LINE_HOPS_MAX: u32 = 3;

    /// What a dialog of a channel of `kind` weighs, in thousandths.
    pub fn weight_milli(&self, kind: ChannelKind) -> u32 {
        self.weights_milli.get(&kind).copied().unwrap_or(Self::WEIGHT_MILLI)
    }

    /// What the line says about a topic.
    pub fn topic(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.topic == *id)
    }

    /// Whether anything happens to dialogs because they wait long.
    pub const fn watches_waiting(&self) -> bool {
        !self.overflow.is_empty() || self.otherwise.is_some()
    }
}

/// Which dialogs of an owner count against the limits. Offers always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// All of them.
    #[default]
    UntilClosed,
    /// Those in which the client does not have the turn.
    UntilClientTurn,
    /// Those in which the owner has not answered yet.
    UntilFirstAnswer,
}

impl Counts {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    const fn is_default(&self) -> bool {
        matches!(self, Self::UntilClosed)
    }
}

/// How the priority of waiting dialogs grows: by `gain` for each `every_ms` waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ageing {
    /// The length of a step, in ms; more than 0.
    pub every_ms: u64,
    /// What a step adds.
    pub gain: u32,
    /// The most that waiting adds; `None`: without end.
    pub cap: Option<u32>,
}

/// Keeping a client who comes again for an operator who knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sticky {
    /// For whom, in order.
    pub to: Vec<StickyTo>,
    /// For how long, in ms; then the normal queue.
    pub wait_ms: u64,
}

/// For whom a client is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StickyTo {
    /// Who had the last dialog of the chat when it was closed.
    LastOperator,
}

/// What a dialog may be about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub topic: TopicId,
    /// What must hold of a client's message.
    pub when: Condition,
    /// Who gets such dialogs; empty: the operators of the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Member>,
    /// What they must be able to do, all of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skills: BTreeSet<String>,
    /// The priority that such dialogs get; `None`: stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// What changes for a dialog that has waited for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverflowStage {
    /// After how long in the queue, in ms.
    pub after_ms: u64,
    /// Who is asked as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Member>,
    /// Who is asked instead of all others; empty: nobody is replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<Member>,
    /// Whether skills and languages count no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drop_skills: bool,
    /// The line that it moves to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
}

/// What is done in the end about a dialog that nobody took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Otherwise {
    /// After how long in the queue, in ms.
    pub after_ms: u64,
    /// What, in order.
    pub actions: Vec<RuleAction>,
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
    /// Sent at the first message of a chat: what becomes of the client's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<TemplateId>,
    /// Sent once when nobody has accepted for some time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<NoAnswer>,
    /// Sent at intervals while a dialog waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<QueuePosition>,
}

/// The text about nobody answering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoAnswer {
    /// After how much waiting, in ms.
    pub after_ms: u64,
    /// Which text.
    pub template: TemplateId,
}

/// The text about the place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePosition {
    /// How often, in ms.
    pub every_ms: u64,
    /// Which text.
    pub template: TemplateId,
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
