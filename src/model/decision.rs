//! Why something was decided: kept for each routing decision and each rule match.

use serde::{Deserialize, Serialize};

use super::id::{DialogId, LineId, OfferId, OperatorId, RuleId, TeamId};
use super::line::Strategy;
use super::message::Author;
use super::offer::OfferEnd;

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
    #[serde(default, skip_serializing_if = "is_zero")]
    pub candidates_omitted: u32,
    /// What followed.
    pub outcome: RoutingOutcome,
}

impl Routing {
    /// A record must not grow with the company; the winners are always among the first.
    pub const CANDIDATES_MAX: usize = 50;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
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
    /// Has an offer of it already.
    Offered,
    /// Declined it in this round.
    Declined,
    /// Let the offer expire in this round.
    Expired,
    /// Gave it back in this round.
    GaveBack,
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
