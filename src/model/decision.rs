//! Why something was decided: kept for each routing decision and each rule match.

use serde::{Deserialize, Serialize};

use super::id::{DialogId, LineId, OfferId, OperatorId, RuleId, TeamId, TopicId};
use super::line::Strategy;
use super::message::Author;
use super::offer::OfferEnd;
use super::timer::LifeTimer;

/// One explained decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The entry that called for it.
    pub seq: u64,
    /// Its place among the decisions of that entry.
    pub index: u32,
    /// When.
    pub at_ms: u64,
    /// About which dialog.
    pub dialog: DialogId,
    /// The configuration version that was live.
    pub config: String,
    /// What was decided.
    pub verdict: Verdict,
}

/// The kinds of decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Who gets the dialog.
    Routing(Routing),
    /// A rule matched.
    Rule(RuleMatch),
    /// Somebody chose the operator.
    Transfer(Transfer),
    /// Waiting long changed something.
    Overflow(Overflow),
    /// A dialog that was over goes on: with whom.
    Return(Return),
    /// Time did something to a dialog.
    Timer(TimerVerdict),
    /// Somebody took the dialog, or opened it by writing first.
    TakeOver(TakeOver),
    /// The client left before a person had written to them.
    Abandoned(Abandoned),
}

/// A client left before a person had written to them: the dialog is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandoned {
    /// Since when they waited for an answer, in ms.
    pub since_ms: u64,
    /// Who had accepted the dialog; `None`: nobody.
    pub owner: Option<OperatorId>,
}

/// A person made themself the owner: capacity is looked at but does not decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakeOver {
    /// Who has it now.
    pub operator: OperatorId,
    /// Who had it.
    pub from: Option<OperatorId>,
    /// What they had, and might have, before.
    pub order: OrderingKeys,
    /// Whether they have more than a limit allows now.
    pub over_limit: bool,
}

/// A dialog that was over, or nearly, goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Return {
    /// Why.
    pub trigger: Trigger,
    /// Who had it, or asked for it.
    pub operator: Option<OperatorId>,
    /// Whether they have it now; otherwise why not, and it is in the queue. `None`: there is nobody to ask.
    pub verdict: Option<CandidateVerdict>,
}

/// What time did to a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerVerdict {
    /// Which timer.
    pub timer: LifeTimer,
    /// When it was due, in ms.
    pub due_ms: u64,
    /// From when it was counted, in ms.
    pub since_ms: u64,
    /// What was done.
    pub done: TimerDone,
}

/// What a timer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerDone {
    /// A text was sent.
    TextSent,
    /// A text was due and not sent: it does not fit the moment, or the client cannot be written to.
    TextOmitted,
    /// The dialog was closed.
    Closed,
    /// The pause ended.
    Resumed,
}

/// A dialog waited long enough for an overflow stage, or for the last resort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overflow {
    /// Since when it waited.
    pub since_ms: u64,
    /// Which stage, from 1; 0: the last resort.
    pub stage: u32,
    /// The line that it was on.
    pub line: LineId,
    /// What changed.
    pub change: OverflowChange,
}

/// What an overflow stage changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowChange {
    /// Others are asked from now on.
    Asks {
        /// How many may be asked now.
        candidates: u32,
    },
    /// It moved to another line.
    Moved {
        /// Which.
        to: LineId,
    },
    /// It should have moved to another line, and stays.
    Stayed {
        /// Which.
        to: LineId,
        /// Why it stays.
        reason: String,
    },
    /// The actions of the last resort.
    Acted {
        /// What they came to, in order.
        actions: Vec<ActionTrace>,
    },
}

/// An operator was chosen by hand or by a rule: capacity is looked at but does not decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// The offer made.
    pub offer: OfferId,
    /// To whom.
    pub operator: OperatorId,
    /// Who chose.
    pub by: Author,
    /// What they had, and might have, before.
    pub order: OrderingKeys,
    /// Whether the offer goes beyond a limit of the operator.
    pub over_limit: bool,
}

/// Why these operators and not others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// Why the question came up.
    pub trigger: Trigger,
    /// The line.
    pub line: LineId,
    /// The team that the dialog waits for; `None`: the operators of the line.
    pub team: Option<TeamId>,
    /// The strategy of the line.
    pub strategy: Strategy,
    /// Everybody considered, best first; at most [`Routing::CANDIDATES_MAX`].
    pub candidates: Vec<Candidate>,
    /// How many candidates the list leaves out.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub candidates_omitted: u32,
    /// What followed.
    pub outcome: RoutingOutcome,
    /// Why these people were considered, where it is more than line and team.
    #[serde(default, skip_serializing_if = "Path::is_default")]
    pub path: Path,
    /// The dialog's place among those that wait, where it is more than its priority and since when it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// What happens next by itself, apart from the expiry of the offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextTimer>,
}

/// How a dialog came to those who were considered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Path {
    /// Its topic, where the line says something about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// The overflow stages it has reached.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub stage: u32,
    /// The language that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// For whom alone it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<OperatorId>,
    /// How often everybody was tried.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub rounds: u32,
}

impl Path {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What waiting dialogs are ordered by: higher score first, then the earlier deadline, then who waits longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// Priority and what waiting added to it.
    pub score: i64,
    /// What waiting added.
    pub aged: i64,
    /// When it should be answered at the latest.
    pub deadline_ms: Option<u64>,
    /// Since when it has its place.
    pub queued_at_ms: u64,
}

/// Something that will happen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTimer {
    /// What.
    pub what: NextStep,
    /// When, at the earliest.
    pub due_ms: u64,
}

/// What will happen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// It is kept for one operator no longer.
    ReservationEnds,
    /// The next overflow stage begins.
    Overflow,
    /// The last resort is taken.
    Otherwise,
}

impl Routing {
    /// A record must not grow with the company; the winners are always among the first.
    pub const CANDIDATES_MAX: usize = 50;
}

/// Why a routing decision was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The dialog was opened.
    Opened,
    /// An operator declined.
    Declined,
    /// An offer expired.
    Expired,
    /// The operator to whom it was offered went away or may not serve the line any more.
    OperatorGone,
    /// Somebody transferred it.
    Transferred,
    /// Somebody put it back.
    Requeued,
    /// The owner was removed from the configuration.
    OwnerRemoved,
    /// Capacity came free or an operator came online.
    CapacityFreed,
    /// The configuration changed.
    ConfigChanged,
    /// The owner is on vacation or works here no more.
    OwnerOnLeave,
    /// A shift ended or began.
    ShiftChanged,
    /// The topic changed.
    TopicChanged,
    /// It waited long enough for the next overflow stage.
    Overflowed,
    /// It was kept for one operator for long enough.
    ReservationEnded,
    /// The client wrote while it was closing.
    Returned,
    /// It was closed and is open again.
    Reopened,
}

/// One operator who was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub operator: OperatorId,
    /// Why they could or could not take it.
    pub verdict: CandidateVerdict,
    /// What the order was made by.
    pub order: OrderingKeys,
}

/// What candidates are ordered by, for `least_loaded` and `round_robin`; `in_order` uses the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderingKeys {
    /// The place in the line's list.
    pub place: u32,
    /// Load in thousandths of a dialog.
    pub load_milli: u32,
    /// The operator's own limit, else the line's, in thousandths; `None`: unlimited.
    pub limit_milli: Option<u32>,
    /// Load on the dialog's line, in thousandths.
    #[serde(default)]
    pub line_load_milli: u32,
    /// The line's limit per operator, in thousandths; `None`: unlimited.
    #[serde(default)]
    pub line_limit_milli: Option<u32>,
    /// When work was last offered to them; 0: never.
    pub last_offered_ms: u64,
}

/// Why an operator could or could not take the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateVerdict {
    /// Could take it.
    Eligible,
    /// Is not online.
    Offline,
    /// Has no free capacity.
    Full,
    /// Is not on shift.
    OffShift,
    /// Is on vacation or works here no more.
    OnLeave,
    /// Lacks a skill that the topic asks for.
    Skill,
    /// Does not answer in the client's language.
    Language,
    /// Serves the line, and is not asked at this stage.
    NotInStage,
    /// Came online a short time ago and has as many offers as they may have at a time.
    Returning,
    /// Has an offer of it already.
    Offered,
    /// Declined it in this round.
    Declined,
    /// Let the offer expire in this round.
    Expired,
    /// Gave it back in this round.
    GaveBack,
    /// May not serve the line, or is declared no more.
    NotOnLine,
}

/// What followed from a routing decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutingOutcome {
    /// It was offered.
    Offered {
        /// The offers made.
        offers: Vec<OfferMade>,
        /// When the offers expire.
        expires_at_ms: Option<u64>,
    },
    /// Nobody could take it: it keeps its place in the queue.
    Waits,
}

/// An offer made by a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferMade {
    /// Which.
    pub offer: OfferId,
    /// To whom.
    pub operator: OperatorId,
}

/// A rule matched and acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleMatch {
    /// Which rule.
    pub rule: RuleId,
    /// The event that it matched.
    pub event: String,
    /// How many rules caused one another before this one; 0: the event came from outside.
    pub chain: u32,
    /// What it did, in order.
    pub actions: Vec<ActionTrace>,
}

/// What one action of a rule came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionTrace {
    /// The action's name in the configuration.
    pub action: String,
    /// Whether it was done; otherwise why not.
    pub refused: Option<String>,
}

impl From<OfferEnd> for CandidateVerdict {
    /// The verdict on somebody whose offer ended that way in this round.
    fn from(end: OfferEnd) -> Self {
        match end {
            OfferEnd::Expired => Self::Expired,
            OfferEnd::Requeued => Self::GaveBack,
            _ => Self::Declined,
        }
    }
}
