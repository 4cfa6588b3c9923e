//! Judging operators for one dialog.

use std::cmp::Ordering;

use crate::engine::live::Live;
use crate::engine::state::State;
use crate::model::decision::{Candidate, CandidateVerdict, OrderingKeys};
use crate::model::dialog::Dialog;
use crate::model::id::{LineId, OperatorId};

use crate::model::line::{Line, Strategy};
use crate::model::operator::Presence;

use super::queue::Audience;

/// What stands for "no limit" where loads are compared: far more than a person can do.
const UNLIMITED_MILLI: u32 = 1_000_000;

/// Everybody who could be asked about a dialog, best first: those who can take it in the order of the
/// strategy, then the others in the order of the list.
pub(in crate::engine) fn judge(state: &State, live: &Live, line: &Line, dialog: &Dialog) -> Vec<Candidate> {
    let weight = live.weight_milli(&dialog.line, &dialog.channel);
    let mut candidates: Vec<(Candidate, u64)> = live
        .members(&dialog.line, dialog.team.as_ref())
        .iter()
        .zip(0u32..)
        .map(|(operator, place)| judge_one(state, live, line, dialog, operator, place, weight))
        .collect();
    let is_eligible = |candidate: &Candidate| candidate.verdict == CandidateVerdict::Eligible;
    candidates.sort_by(|(a, a_seq), (b, b_seq)| {
        is_eligible(b).cmp(&is_eligible(a)).then_with(|| match (is_eligible(a), line.routing.strategy) {
            (true, Strategy::RoundRobin) => longest_without(a, *a_seq, b, *b_seq),
            (true, Strategy::LeastLoaded) => {
                least_loaded(a, b).then_with(|| longest_without(a, *a_seq, b, *b_seq))
            }
            (false, _) | (true, Strategy::InOrder | Strategy::Broadcast) => a.order.place.cmp(&b.order.place),
        })
    });
    candidates.into_iter().map(|(candidate, _)| candidate).collect()
}

/// Whether an operator has room for `weight` more on a line.
pub(in crate::engine) fn has_room(
    state: &State,
    live: &Live,
    line: &Line,
    line_id: &LineId,
    operator: &OperatorId,
    weight: u32,
) -> bool {
    let work = state.work.get(operator);
    let total = work.map_or(0, |work| work.load_milli);
    let on_line = work.and_then(|work| work.by_line.get(line_id)).copied().unwrap_or(0);
    let own_limit = live.config.operators.get(operator).and_then(|declared| declared.capacity_milli);
    let fits = |load: u32, limit: Option<u32>| limit.is_none_or(|limit| load.saturating_add(weight) <= limit);
    fits(total, own_limit) && fits(on_line, line.routing.limit_milli)
}

/// Whether an operator may be asked at all: declared, and there if the line wants that.
pub(in crate::engine) fn is_there(state: &State, live: &Live, line: &Line, operator: &OperatorId) -> bool {
    live.config.operators.contains_key(operator)
        && (!line.routing.require_presence || state.presence(operator) == Presence::Online)
}

/// Whether somebody whom an audience's dialogs may go to is there and has room for the lightest that may come.
pub(in crate::engine) fn anybody_has_room(state: &State, live: &Live, audience: &Audience) -> bool {
    let Some(line) = live.line(&audience.line) else { return false };
    let lightest = live.lightest_milli(&audience.line);
    live.members(&audience.line, audience.team.as_ref()).iter().any(|operator| {
        is_there(state, live, line, operator)
            && has_room(state, live, line, &audience.line, operator, lightest)
    })
}

fn judge_one(
    state: &State,
    live: &Live,
    line: &Line,
    dialog: &Dialog,
    operator: &OperatorId,
    place: u32,
    weight: u32,
) -> (Candidate, u64) {
    let status = state.operators.get(operator);
    let offered_already = dialog.offers.iter().any(|offer| offer.operator == *operator);
    let verdict = if !is_there(state, live, line, operator) {
        CandidateVerdict::Offline
    } else if let Some(end) = dialog.declined.get(operator) {
        (*end).into()
    } else if offered_already {
        CandidateVerdict::Offered
    } else if !has_room(state, live, line, &dialog.line, operator, weight) {
        CandidateVerdict::Full
    } else {
        CandidateVerdict::Eligible
    };
    let order = ordering_keys(state, live, line, &dialog.line, operator, place);
    let candidate = Candidate { operator: operator.clone(), verdict, order };
    (candidate, status.map_or(0, |status| status.last_offered_seq))
}

/// What an operator is compared by.
pub(in crate::engine) fn ordering_keys(
    state: &State,
    live: &Live,
    line: &Line,
    line_id: &LineId,
    operator: &OperatorId,
    place: u32,
) -> OrderingKeys {
    let work = state.work.get(operator);
    let own_limit = live.config.operators.get(operator).and_then(|declared| declared.capacity_milli);
    OrderingKeys {
        place,
        load_milli: work.map_or(0, |work| work.load_milli),
        limit_milli: own_limit.or(line.routing.limit_milli),
        line_load_milli: work.and_then(|work| work.by_line.get(line_id)).copied().unwrap_or(0),
        line_limit_milli: line.routing.limit_milli,
        last_offered_ms: state.operators.get(operator).map_or(0, |status| status.last_offered_ms),
    }
}

fn longest_without(a: &Candidate, a_seq: u64, b: &Candidate, b_seq: u64) -> Ordering {
    a.order
        .last_offered_ms
        .cmp(&b.order.last_offered_ms)
        .then(a_seq.cmp(&b_seq))
        .then_with(|| a.operator.cmp(&b.operator))
}

/// Compares load ÷ limit without dividing.
fn least_loaded(a: &Candidate, b: &Candidate) -> Ordering {
    let limit = |keys: &OrderingKeys| u64::from(keys.limit_milli.unwrap_or(UNLIMITED_MILLI).max(1));
    let ours = u64::from(a.order.load_milli).saturating_mul(limit(&b.order));
    let theirs = u64::from(b.order.load_milli).saturating_mul(limit(&a.order));
    ours.cmp(&theirs)
}
