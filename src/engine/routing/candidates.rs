//! Judging operators for one dialog.

use std::cmp::Ordering;

use crate::engine::live::Live;
use crate::engine::state::State;
use crate::model::decision::{Candidate, CandidateVerdict, OrderingKeys, Routing};
use crate::model::dialog::Dialog;
use crate::model::id::{LineId, OperatorId};
use crate::model::line::{Line, Strategy};
use crate::model::operator::Presence;

use super::bits::Bits;
use super::pool::Pool;
use super::roster::Seat;
use super::shifts::Duty;
use super::slots::Slot;

/// What stands for "no limit" where loads are compared: far more than a person can do.
const UNLIMITED_MILLI: u32 = 1_000_000;

/// Those of a pool who could take a dialog now.
pub(in crate::engine) fn eligible(state: &State, live: &Live, pool: &Pool, dialog: &Dialog) -> Bits {
    let mut able = pool.set.and(state.roster.free(pool.slot));
    for operator in dialog.declined.keys().chain(dialog.offers.iter().map(|offer| &offer.operator)) {
        if let Some(number) = live.people.number(operator) {
            able.set(number, false);
        }
    }
    able
}

/// Whether one of those who were tried in this round could take the dialog all the same.
pub(in crate::engine) fn anybody_tried_could(
    state: &State,
    live: &Live,
    pool: &Pool,
    dialog: &Dialog,
) -> bool {
    let free = state.roster.free(pool.slot);
    let mut tried = dialog.declined.keys().filter_map(|operator| live.people.number(operator));
    tried.any(|number| pool.set.has(number) && free.has(number))
}

/// Those who get the offer by the strategy of the line, out of those who could.
pub(in crate::engine) fn choose(state: &State, line: &Line, pool: &Pool, able: &Bits) -> Vec<u32> {
    let roster = &state.roster;
    let line_limit = line.routing.limit_milli;
    let first = |order: &dyn Fn(&Seat, &Seat) -> Ordering| {
        able.iter()
            .filter_map(|number| Some((number, roster.seat(number)?)))
            .min_by(|(a, a_seat), (b, b_seat)| order(a_seat, b_seat).then(a.cmp(b)))
            .map(|(number, _)| number)
    };
    let winner = match line.routing.strategy {
        Strategy::Broadcast => {
            return pool.members.iter().copied().filter(|number| able.has(*number)).collect();
        }
        Strategy::InOrder => pool.members.iter().copied().find(|number| able.has(*number)),
        Strategy::RoundRobin => first(&longest_without),
        Strategy::LeastLoaded => {
            first(&|a, b| least_loaded(a, b, line_limit).then_with(|| longest_without(a, b)))
        }
    };
    winner.into_iter().collect()
}

/// Everybody who was considered, best first: those who could take it in the order of the strategy, then the
/// others in the order of the list, then those who are not asked at all. At most
/// [`Routing::CANDIDATES_MAX`], with the number of those who are left out.
pub(in crate::engine) fn describe(
    state: &State,
    live: &Live,
    line: &Line,
    dialog: &Dialog,
    pool: &Pool,
    able: &Bits,
) -> (Vec<Candidate>, u32) {
    let Some(slot) = live.slots.all().get(pool.slot) else { return (Vec::new(), 0) };
    let mut best: Vec<(u32, u32, &Seat)> = pool
        .members
        .iter()
        .zip(0u32..)
        .filter(|(number, _)| able.has(**number))
        .filter_map(|(number, place)| Some((place, *number, state.roster.seat(*number)?)))
        .collect();
    let line_limit = line.routing.limit_milli;
    let order =
        |(a_place, a, a_seat): &(u32, u32, &Seat), (b_place, b, b_seat): &(u32, u32, &Seat)| match line
            .routing
            .strategy
        {
            Strategy::InOrder | Strategy::Broadcast => a_place.cmp(b_place),
            Strategy::RoundRobin => longest_without(a_seat, b_seat).then(a.cmp(b)),
            Strategy::LeastLoaded => least_loaded(a_seat, b_seat, line_limit)
                .then_with(|| longest_without(a_seat, b_seat))
                .then(a.cmp(b)),
        };
    // Only the first ones are shown: the others need no order.
    if best.len() > Routing::CANDIDATES_MAX {
        best.select_nth_unstable_by(Routing::CANDIDATES_MAX, order);
        best.truncate(Routing::CANDIDATES_MAX);
    }
    best.sort_unstable_by(order);
    let shown = |number: u32, place: u32, verdict: CandidateVerdict| {
        let (seat, operator) = (state.roster.seat(number)?, live.people.id(number)?.clone());
        Some(Candidate { operator, verdict, order: keys(seat, slot, place) })
    };
    let mut candidates: Vec<Candidate> = best
        .into_iter()
        .filter_map(|(place, number, _)| shown(number, place, CandidateVerdict::Eligible))
        .collect();
    let others = pool.members.iter().zip(0u32..).filter(|(number, _)| !able.has(**number));
    for (number, place) in others {
        if candidates.len() >= Routing::CANDIDATES_MAX {
            break;
        }
        let verdict = verdict(state, live, slot, dialog, *number);
        candidates.extend(shown(*number, place, verdict));
    }
    let first = u32::try_from(pool.members.len()).unwrap_or(u32::MAX);
    for ((number, reason), place) in pool.barred.iter().zip(first..) {
        if candidates.len() >= Routing::CANDIDATES_MAX {
            break;
        }
        candidates.extend(shown(*number, place, *reason));
    }
    let omitted = (pool.members.len() + pool.barred.len()).saturating_sub(candidates.len());
    (candidates, u32::try_from(omitted).unwrap_or(u32::MAX))
}

/// Why a member of a pool cannot take a dialog now.
fn verdict(state: &State, live: &Live, slot: &Slot, dialog: &Dialog, number: u32) -> CandidateVerdict {
    let (Some(seat), Some(operator)) = (state.roster.seat(number), live.people.id(number)) else {
        return CandidateVerdict::Offline;
    };
    if seat.duty == Duty::OnLeave {
        CandidateVerdict::OnLeave
    } else if slot.require_presence && !seat.is_online {
        CandidateVerdict::Offline
    } else if slot.require_presence && seat.duty == Duty::OffShift {
        CandidateVerdict::OffShift
    } else if let Some(end) = dialog.declined.get(operator) {
        (*end).into()
    } else if dialog.offers.iter().any(|offer| offer.operator == *operator) {
        CandidateVerdict::Offered
    } else if !seat.has_room(slot) {
        CandidateVerdict::Full
    } else {
        CandidateVerdict::Returning
    }
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

/// Whether an operator may be asked at all: declared, not on leave, and there and on shift if the line wants
/// that.
pub(in crate::engine) fn is_there(state: &State, line: &Line, operator: &OperatorId) -> bool {
    state.seat_of(operator).is_some_and(|seat| seat.is_there(line.routing.require_presence))
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

fn keys(seat: &Seat, slot: &Slot, place: u32) -> OrderingKeys {
    OrderingKeys {
        place,
        load_milli: seat.load_milli,
        limit_milli: seat.limit_milli.or(slot.limit_milli),
        line_load_milli: seat.on_line(slot.line),
        line_limit_milli: slot.limit_milli,
        last_offered_ms: seat.last_offered.0,
    }
}

fn longest_without(a: &Seat, b: &Seat) -> Ordering {
    a.last_offered.cmp(&b.last_offered)
}

/// Compares load ÷ limit without dividing.
fn least_loaded(a: &Seat, b: &Seat, line_limit: Option<u32>) -> Ordering {
    let limit = |seat: &Seat| u64::from(seat.limit_milli.or(line_limit).unwrap_or(UNLIMITED_MILLI).max(1));
    let ours = u64::from(a.load_milli).saturating_mul(limit(b));
    let theirs = u64::from(b.load_milli).saturating_mul(limit(a));
    ours.cmp(&theirs)
}

/// Whether somebody is online whom routing may ask for work: rules look before they transfer.
pub(in crate::engine) fn is_online(state: &State, operator: &OperatorId) -> bool {
    state.presence(operator) == Presence::Online
        && state.seat_of(operator).is_none_or(|seat| seat.duty == Duty::OnShift)
}
