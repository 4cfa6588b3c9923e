//! Why things happened to a dialog as they did: its decisions, oldest first, with everybody who was
//! considered.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use crate::model::decision::{
    ActionTrace, Candidate, CandidateVerdict, Decision, NextStep, OrderingKeys, Overflow, OverflowChange,
    Routing, RoutingOutcome, TimerDone, Trigger, Verdict,
};
use crate::model::id::{DialogId, LineId, OfferId, OperatorId, RuleId, TeamId, TopicId};
use crate::model::line::Strategy;
use crate::model::timer::LifeTimer;
use crate::store::queries::{Walk, decisions};

use super::answers::{self, Id};
use super::auth::Principal;
use super::dialogs::seen;
use super::message_shape::AuthorShape;
use super::paging::cursor_within;
use super::parameters::Parameters;
use super::problem::Problem;
use super::rule_conditions::RuleConditions;
use super::state::Api;
use super::time::Time;

/// `GET /v1/dialogs/{id}/explain`
pub(super) async fn explain(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    if parameters.text("why_not").is_some() {
        return Err(Problem::not_supported_yet("`why_not`"));
    }
    let limit = parameters.limit();
    let cursor = parameters.cursor_within(id);
    let taken = parameters.finish()?;
    seen(&api, &principal, id).await?;
    let live = Arc::clone(&principal.live);
    let (found, conditions) = api
        .read(move |store| {
            let found = decisions::of_dialog(store, id, Walk::Forward(cursor.as_deref()), limit)?;
            let conditions = RuleConditions::of(store, &live, &found.items)?;
            Ok((found, conditions))
        })
        .await?;
    let mut items: Vec<DecisionShape<'_>> = found.items.iter().map(DecisionShape::from).collect();
    for item in &mut items {
        if let VerdictShape::Rule(shape) = &mut item.verdict {
            shape.when = conditions.of_rule(item.config, shape.rule);
        }
    }
    let next_cursor = found.next_cursor.map(|place| cursor_within(id, place));
    answers::page(&taken, &items, next_cursor.as_deref())
}

/// One decision.
#[derive(Debug, Serialize)]
struct DecisionShape<'a> {
    seq: u64,
    index: u32,
    at: Time,
    dialog: DialogId,
    /// The configuration version that was live.
    config: &'a str,
    #[serde(flatten)]
    verdict: VerdictShape<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum VerdictShape<'a> {
    Routing(RoutingShape<'a>),
    Rule(RuleShape<'a>),
    Transfer(TransferShape<'a>),
    Overflow(OverflowShape<'a>),
    Return(ReturnShape<'a>),
    Timer(TimerShape),
    TakeOver(TakeOverShape<'a>),
    Abandoned(AbandonedShape<'a>),
}

#[derive(Debug, Serialize)]
struct AbandonedShape<'a> {
    /// Since when the client waited for an answer.
    since: Time,
    owner: Option<&'a OperatorId>,
}

#[derive(Debug, Serialize)]
struct TakeOverShape<'a> {
    operator: &'a OperatorId,
    from: Option<&'a OperatorId>,
    #[serde(flatten)]
    load: LoadShape,
    /// Whether they have more than a limit allows.
    over_limit: bool,
}

#[derive(Debug, Serialize)]
struct ReturnShape<'a> {
    trigger: Trigger,
    /// Who had it, or asked for it.
    operator: Option<&'a OperatorId>,
    /// `eligible`: they have it now; otherwise why not, and it is in the queue.
    verdict: Option<CandidateVerdict>,
}

#[derive(Debug, Serialize)]
struct TimerShape {
    timer: LifeTimer,
    due_at: Time,
    /// From when it was counted.
    since: Time,
    done: TimerDone,
}

#[derive(Debug, Serialize)]
struct TransferShape<'a> {
    operator: &'a OperatorId,
    offer: OfferId,
    by: AuthorShape<'a>,
    #[serde(flatten)]
    load: LoadShape,
    /// Whether the offer goes beyond a limit of the operator.
    over_limit: bool,
}

/// Waiting long changed something.
#[derive(Debug, Serialize)]
struct OverflowShape<'a> {
    line: &'a LineId,
    /// Since when it waited.
    since: Time,
    /// From 1; null: the last resort.
    stage: Option<u32>,
    /// `asks`: others are asked; `moved`: it is on another line; `stayed`: it should have moved; `acted`.
    change: &'static str,
    /// How many may be asked now.
    may_be_asked: Option<u32>,
    /// The line that it moved to, or should have.
    to: Option<&'a LineId>,
    /// Why it stays.
    reason: Option<&'a str>,
    actions: Vec<ActionShape<'a>>,
}

#[derive(Debug, Serialize)]
struct LoadShape {
    /// In dialogs, with the weights of their channels.
    load: f64,
    /// In dialogs; null: unlimited.
    limit: Option<f64>,
    /// The same on the dialog's line alone.
    line_load: f64,
    /// The line's limit for each operator; null: unlimited.
    line_limit: Option<f64>,
}

impl From<&OrderingKeys> for LoadShape {
    fn from(order: &OrderingKeys) -> Self {
        Self {
            load: dialogs_of(order.load_milli),
            limit: order.limit_milli.map(dialogs_of),
            line_load: dialogs_of(order.line_load_milli),
            line_limit: order.line_limit_milli.map(dialogs_of),
        }
    }
}

#[derive(Debug, Serialize)]
struct RoutingShape<'a> {
    trigger: Trigger,
    line: &'a LineId,
    team: Option<&'a TeamId>,
    strategy: Strategy,
    outcome: &'static str,
    /// To whom it was offered.
    winners: Vec<&'a OperatorId>,
    offers: Vec<OfferShape<'a>>,
    expires_at: Option<Time>,
    candidates: Vec<CandidateShape<'a>>,
    candidates_omitted: u32,
    /// The topic, where the line says something about it.
    topic: Option<&'a TopicId>,
    /// The overflow stages reached.
    stage: u32,
    /// The language that is asked for.
    language: Option<&'a str>,
    /// For whom alone it is kept.
    kept_for: Option<&'a OperatorId>,
    /// How often everybody was tried, where the line counts that.
    rounds: u32,
    /// The place among those that wait; null: by priority and waiting time alone.
    rank: Option<RankShape>,
    /// What happens next by itself, apart from the expiry of the offers.
    next: Option<NextShape>,
}

#[derive(Debug, Serialize)]
struct RankShape {
    /// Priority and what waiting added.
    score: i64,
    /// What waiting added.
    aged: i64,
    deadline: Option<Time>,
    queued_at: Time,
}

#[derive(Debug, Serialize)]
struct NextShape {
    what: NextStep,
    at: Time,
}

#[derive(Debug, Serialize)]
struct OfferShape<'a> {
    id: OfferId,
    operator: &'a OperatorId,
}

#[derive(Debug, Serialize)]
struct CandidateShape<'a> {
    operator: &'a OperatorId,
    verdict: CandidateVerdict,
    /// The place in the line's list, from 0.
    place: u32,
    #[serde(flatten)]
    load: LoadShape,
    last_offered_at: Option<Time>,
}

#[derive(Debug, Serialize)]
struct RuleShape<'a> {
    rule: &'a RuleId,
    event: &'a str,
    /// How many rules caused one another before this one.
    chain: u32,
    /// Its conditions; null: it has none, or the configuration that had them is not known any more.
    when: Option<&'a Value>,
    actions: Vec<ActionShape<'a>>,
}

#[derive(Debug, Serialize)]
struct ActionShape<'a> {
    action: &'a str,
    done: bool,
    reason: Option<&'a str>,
}

/// Thousandths as the number that people know.
pub(super) fn dialogs_of(milli: u32) -> f64 {
    f64::from(milli) / 1000.0
}

impl<'a> From<&'a Decision> for DecisionShape<'a> {
    fn from(decision: &'a Decision) -> Self {
        let verdict = match &decision.verdict {
            Verdict::Routing(routing) => VerdictShape::Routing(RoutingShape::from(routing)),
            Verdict::Transfer(transfer) => VerdictShape::Transfer(TransferShape {
                operator: &transfer.operator,
                offer: transfer.offer,
                by: AuthorShape::from(&transfer.by),
                load: LoadShape::from(&transfer.order),
                over_limit: transfer.over_limit,
            }),
            Verdict::Overflow(overflow) => VerdictShape::Overflow(OverflowShape::from(overflow)),
            Verdict::Return(back) => VerdictShape::Return(ReturnShape {
                trigger: back.trigger,
                operator: back.operator.as_ref(),
                verdict: back.verdict,
            }),
            Verdict::TakeOver(taken) => VerdictShape::TakeOver(TakeOverShape {
                operator: &taken.operator,
                from: taken.from.as_ref(),
                load: LoadShape::from(&taken.order),
                over_limit: taken.over_limit,
            }),
            Verdict::Abandoned(abandoned) => VerdictShape::Abandoned(AbandonedShape {
                since: Time(abandoned.since_ms),
                owner: abandoned.owner.as_ref(),
            }),
            Verdict::Timer(timer) => VerdictShape::Timer(TimerShape {
                timer: timer.timer,
                due_at: Time(timer.due_ms),
                since: Time(timer.since_ms),
                done: timer.done,
            }),
            Verdict::Rule(matched) => VerdictShape::Rule(RuleShape {
                rule: &matched.rule,
                event: &matched.event,
                chain: matched.chain,
                when: None,
                actions: matched.actions.iter().map(ActionShape::from).collect(),
            }),
        };
        Self {
            seq: decision.seq,
            index: decision.index,
            at: Time(decision.at_ms),
            dialog: decision.dialog,
            config: &decision.config,
            verdict,
        }
    }
}

impl<'a> From<&'a Routing> for RoutingShape<'a> {
    fn from(routing: &'a Routing) -> Self {
        let (outcome, made, expires_at_ms) = match &routing.outcome {
            RoutingOutcome::Offered { offers, expires_at_ms } => {
                ("offered", offers.as_slice(), *expires_at_ms)
            }
            RoutingOutcome::Waits => ("waits", [].as_slice(), None),
        };
        Self {
            trigger: routing.trigger,
            line: &routing.line,
            team: routing.team.as_ref(),
            strategy: routing.strategy,
            outcome,
            winners: made.iter().map(|offer| &offer.operator).collect(),
            offers: made
                .iter()
                .map(|offer| OfferShape { id: offer.offer, operator: &offer.operator })
                .collect(),
            expires_at: expires_at_ms.map(Time),
            candidates: routing.candidates.iter().map(CandidateShape::from).collect(),
            candidates_omitted: routing.candidates_omitted,
            topic: routing.path.topic.as_ref(),
            stage: routing.path.stage,
            language: routing.path.language.as_deref(),
            kept_for: routing.path.reserved.as_ref(),
            rounds: routing.path.rounds,
            rank: routing.rank.map(|rank| RankShape {
                score: rank.score,
                aged: rank.aged,
                deadline: rank.deadline_ms.map(Time),
                queued_at: Time(rank.queued_at_ms),
            }),
            next: routing.next.map(|next| NextShape { what: next.what, at: Time(next.due_ms) }),
        }
    }
}

impl<'a> From<&'a Overflow> for OverflowShape<'a> {
    fn from(overflow: &'a Overflow) -> Self {
        let (change, may_be_asked, to, reason, actions) = match &overflow.change {
            OverflowChange::Asks { candidates } => ("asks", Some(*candidates), None, None, [].as_slice()),
            OverflowChange::Moved { to } => ("moved", None, Some(to), None, [].as_slice()),
            OverflowChange::Stayed { to, reason } => {
                ("stayed", None, Some(to), Some(reason.as_str()), [].as_slice())
            }
            OverflowChange::Acted { actions } => ("acted", None, None, None, actions.as_slice()),
        };
        Self {
            line: &overflow.line,
            since: Time(overflow.since_ms),
            stage: (overflow.stage > 0).then_some(overflow.stage),
            change,
            may_be_asked,
            to,
            reason,
            actions: actions.iter().map(ActionShape::from).collect(),
        }
    }
}

impl<'a> From<&'a Candidate> for CandidateShape<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        let order = &candidate.order;
        Self {
            operator: &candidate.operator,
            verdict: candidate.verdict,
            place: order.place,
            load: LoadShape::from(order),
            last_offered_at: (order.last_offered_ms > 0).then_some(Time(order.last_offered_ms)),
        }
    }
}

impl<'a> From<&'a ActionTrace> for ActionShape<'a> {
    fn from(trace: &'a ActionTrace) -> Self {
        Self { action: &trace.action, done: trace.refused.is_none(), reason: trace.refused.as_deref() }
    }
}
