//! Giving waiting dialogs to free operators until nothing more can be given.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use serde_json::json;

use crate::engine::derived::Alarms;
use crate::engine::offers::{self, ChosenBy};
use crate::engine::step::Step;
use crate::engine::texts;
use crate::model::decision::{
    NextStep, NextTimer, OfferMade, Path, Rank, Routing, RoutingOutcome, Trigger, Verdict,
};
use crate::model::dialog::Dialog;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::line::Line;

use super::candidates;
use super::pool::Pool;
use super::queue::{Audience, Place, aged, may_be_offered};

/// Looks through the queues that may have something to give, all of them together in the order of their
/// places: who serves several queues gets the dialog that comes first in any of them. Returns whether
/// anything was decided.
pub(in crate::engine) fn settle(step: &mut Step<'_>) -> bool {
    let mut decided = false;
    let mut heads: BTreeSet<(Place, Audience)> = BTreeSet::new();
    for audience in std::mem::take(&mut step.to_route) {
        // Without anybody who has room the queue need not be gone through, however long it is.
        heads.extend(next_place(step, &audience, None).map(|place| (place, audience)));
    }
    while let Some((place, audience)) = heads.pop_first() {
        if is_anybody_free(step, &audience) {
            decided |= settle_place(step, place);
        }
        heads.extend(next_place(step, &audience, Some(place)).map(|next| (next, audience)));
    }
    // Dialogs that the queues did not come to still get their record of why they wait.
    while let Some((dialog, trigger)) = step.undecided.pop_first() {
        if step.dialog(dialog).is_some_and(|row| may_be_offered(row, &step.live)) {
            decide(step, dialog, trigger, Recorded::Always);
            decided = true;
        }
    }
    decided
}

/// Whether somebody of an audience could take one of its dialogs now.
fn is_anybody_free(step: &Step<'_>, audience: &Audience) -> bool {
    step.state
        .queues
        .get(audience)
        .is_some_and(|queue| queue.pool.set.meets(step.state.roster.free(queue.pool.slot)))
}

/// The place behind `after` in a queue, as long as somebody could take what stands there.
fn next_place(step: &Step<'_>, audience: &Audience, after: Option<Place>) -> Option<Place> {
    if !is_anybody_free(step, audience) {
        return None;
    }
    let places = &step.state.queues.get(audience)?.places;
    match after {
        None => places.first().copied(),
        Some(place) => places.range((Bound::Excluded(place), Bound::Unbounded)).next().copied(),
    }
}

fn settle_place(step: &mut Step<'_>, place: Place) -> bool {
    let asked = step.undecided.remove(&place.dialog);
    let is_open = step.dialog(place.dialog).is_some_and(|row| may_be_offered(row, &step.live));
    let recorded = if asked.is_some() { Recorded::Always } else { Recorded::WhenOffered };
    is_open && decide(step, place.dialog, asked.unwrap_or(Trigger::CapacityFreed), recorded)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Always,
    WhenOffered,
}

/// Decides about one waiting dialog. Returns whether it was offered to somebody.
fn decide(step: &mut Step<'_>, dialog: DialogId, trigger: Trigger, recorded: Recorded) -> bool {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return false };
    let Some(line) = live.line(&row.line) else { return false };
    let audience = Audience::of(row, &live);
    let pool = step.state.pool(&audience);
    begin_new_round(step, dialog, line, &pool);
    let Some(row) = step.dialog(dialog) else { return false };
    let able = candidates::eligible(step.state, &live, &pool, row);
    let winners: Vec<OperatorId> = candidates::choose(step.state, line, &pool, &able)
        .into_iter()
        .filter_map(|number| live.people.id(number).cloned())
        .collect();
    let offered = !winners.is_empty();
    if !offered && recorded == Recorded::WhenOffered {
        return false;
    }
    let (candidates, candidates_omitted) = candidates::describe(step.state, &live, line, row, &pool, &able);
    let (path, rank) = (path(row, line, audience), rank(row, line, step.at_ms));
    let offers: Vec<OfferMade> = winners
        .into_iter()
        .map(|operator| OfferMade {
            offer: offers::make(step, dialog, &operator, ChosenBy::Policy),
            operator,
        })
        .collect();
    let expires_at_ms = step.dialog(dialog).and_then(|row| row.offers.last()?.expires_at_ms);
    let outcome =
        if offered { RoutingOutcome::Offered { offers, expires_at_ms } } else { RoutingOutcome::Waits };
    let Some(row) = step.dialog(dialog) else { return offered };
    let routing = Routing {
        trigger,
        line: row.line.clone(),
        team: row.team.clone(),
        strategy: line.routing.strategy,
        candidates,
        candidates_omitted,
        outcome,
        path,
        rank,
        next: next(Alarms::of(row, &live)),
    };
    step.record(dialog, Verdict::Routing(routing));
    offered
}

/// How the dialog came to these people.
fn path(row: &Dialog, line: &Line, audience: Audience) -> Path {
    let Audience { topic, stage, language, reserved, .. } = audience;
    // Where nobody counts the rounds they say nothing.
    let rounds = if line.routing.max_rounds.is_some() { row.rounds } else { 0 };
    Path { topic, stage, language, reserved, rounds }
}

/// What the dialog is ordered by, where that is more than its row says.
fn rank(row: &Dialog, line: &Line, at_ms: u64) -> Option<Rank> {
    let grown = line.ageing.as_ref().map(|ageing| aged(ageing, at_ms.saturating_sub(row.queued_at_ms)));
    if grown.is_none() && row.route.deadline_ms.is_none() {
        return None;
    }
    let aged = grown.unwrap_or(0);
    Some(Rank {
        score: i64::from(row.priority).saturating_add(aged),
        aged,
        deadline_ms: row.route.deadline_ms,
        queued_at_ms: row.queued_at_ms,
    })
}

/// What happens to a dialog next by itself.
fn next(alarms: Alarms) -> Option<NextTimer> {
    [
        (NextStep::ReservationEnds, alarms.reservation_ms),
        (NextStep::Overflow, alarms.overflow_ms),
        (NextStep::Otherwise, alarms.otherwise_ms),
    ]
    .into_iter()
    .filter_map(|(what, due_ms)| Some(NextTimer { what, due_ms: due_ms? }))
    .min_by_key(|next| next.due_ms)
}

/// Everybody who is there and has room was tried: a new round begins with nobody tried, unless everybody was
/// asked as often as the line allows.
fn begin_new_round(step: &mut Step<'_>, dialog: DialogId, line: &Line, pool: &Pool) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    if row.declined.is_empty()
        || !row.offers.is_empty()
        || !candidates::eligible(step.state, &live, pool, row).is_empty()
        || !candidates::anybody_tried_could(step.state, &live, pool, row)
    {
        return;
    }
    let rounds = row.rounds.saturating_add(1);
    match line.routing.max_rounds {
        Some(max) if row.rounds >= max => {}
        Some(max) if rounds >= max => {
            step.change_dialog(dialog, |row| row.rounds = rounds);
            step.emit(EventKind::DialogUnanswered, dialog, None, json!({"rounds": rounds}));
            texts::unanswered(step, dialog);
        }
        Some(_) | None => {
            step.change_dialog(dialog, |row| {
                row.declined.clear();
                row.rounds = rounds;
            });
        }
    }
}
