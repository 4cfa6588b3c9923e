//! Giving waiting dialogs to free operators until nothing more can be given.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::offers::{self, ChosenBy};
use crate::engine::step::Step;
use crate::model::decision::{
    Candidate, CandidateVerdict, OfferMade, Routing, RoutingOutcome, Trigger, Verdict,
};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::DialogId;
use crate::model::line::Strategy;

use super::candidates;
use super::queue::{Audience, Place};

/// Looks through the queues that may have something to give, all of them together in the order of their
/// places: who serves several queues gets the dialog that has waited longest in any of them. Returns
/// whether anything was decided.
pub(in crate::engine) fn settle(step: &mut Step<'_>) -> bool {
    let mut decided = false;
    let mut heads: BTreeSet<(Place, Audience)> = BTreeSet::new();
    for audience in std::mem::take(&mut step.to_route) {
        // Without anybody who has room the queue need not be gone through, however long it is.
        if !candidates::anybody_has_room(step.state, &step.live, &audience) {
            continue;
        }
        heads.extend(place_after(step, &audience, None).map(|place| (place, audience)));
    }
    while let Some((place, audience)) = heads.pop_first() {
        match settle_place(step, place) {
            Settled::Offered => decided = true,
            Settled::Passed => {}
            Settled::NobodyHasRoom => continue,
        }
        heads.extend(place_after(step, &audience, Some(place)).map(|next| (next, audience)));
    }
    // Dialogs that the queues did not come to still get their record of why they wait.
    while let Some((dialog, trigger)) = step.undecided.pop_first() {
        if step.dialog(dialog).is_some_and(|row| may_be_offered(step, row)) {
            decide(step, dialog, trigger, Recorded::Always);
            decided = true;
        }
    }
    decided
}

fn place_after(step: &Step<'_>, audience: &Audience, after: Option<Place>) -> Option<Place> {
    let queue = step.state.queues.get(audience)?;
    match after {
        None => queue.first().copied(),
        Some(place) => queue.range((Bound::Excluded(place), Bound::Unbounded)).next().copied(),
    }
}

/// What looking at one place came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Offered,
    Passed,
    /// Nobody has room for the lightest dialog that may come: the rest of the queue need not be asked.
    NobodyHasRoom,
}

fn settle_place(step: &mut Step<'_>, place: Place) -> Settled {
    let live = Arc::clone(&step.live);
    let asked = step.undecided.remove(&place.dialog);
    let Some(row) = step.dialog(place.dialog) else { return Settled::Passed };
    if !may_be_offered(step, row) {
        return Settled::Passed;
    }
    let anybody_could = row.declined.is_empty() && row.offers.is_empty();
    let is_lightest = live.weight_milli(&row.line, &row.channel) <= live.lightest_milli(&row.line);
    let recorded = if asked.is_some() { Recorded::Always } else { Recorded::WhenOffered };
    if decide(step, place.dialog, asked.unwrap_or(Trigger::CapacityFreed), recorded) {
        Settled::Offered
    } else if anybody_could && is_lightest {
        Settled::NobodyHasRoom
    } else {
        Settled::Passed
    }
}

/// Whether routing may offer a dialog to somebody, or to somebody more. While the operator whom a person
/// chose is asked, nobody else is.
fn may_be_offered(step: &Step<'_>, row: &Dialog) -> bool {
    let is_broadcast =
        || step.live.line(&row.line).is_some_and(|line| line.routing.strategy == Strategy::Broadcast);
    match row.state {
        DialogState::Queued => true,
        DialogState::Offered => is_broadcast() && !row.offers.iter().any(|offer| offer.by_hand),
        _ => false,
    }
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
    let (line_id, team) = (row.line.clone(), row.team.clone());
    let mut judged = candidates::judge(step.state, &live, line, row);
    if !judged.iter().any(is_eligible) && row.offers.is_empty() && begin_new_round(step, dialog) {
        let Some(row) = step.dialog(dialog) else { return false };
        judged = candidates::judge(step.state, &live, line, row);
    }
    let winners: Vec<_> = match line.routing.strategy {
        Strategy::Broadcast => judged.iter().filter(|candidate| is_eligible(candidate)).collect(),
        Strategy::InOrder | Strategy::RoundRobin | Strategy::LeastLoaded => {
            judged.iter().take(1).filter(|candidate| is_eligible(candidate)).collect()
        }
    };
    let offers: Vec<OfferMade> = winners
        .into_iter()
        .map(|winner| OfferMade {
            offer: offers::make(step, dialog, &winner.operator, ChosenBy::Policy),
            operator: winner.operator.clone(),
        })
        .collect();
    let offered = !offers.is_empty();
    if offered || recorded == Recorded::Always {
        let expires_at_ms = step.dialog(dialog).and_then(|row| row.offers.last()?.expires_at_ms);
        let outcome =
            if offered { RoutingOutcome::Offered { offers, expires_at_ms } } else { RoutingOutcome::Waits };
        let omitted = judged.len().saturating_sub(Routing::CANDIDATES_MAX);
        judged.truncate(Routing::CANDIDATES_MAX);
        step.record(
            dialog,
            Verdict::Routing(Routing {
                trigger,
                line: line_id,
                team,
                strategy: line.routing.strategy,
                candidates: judged,
                candidates_omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
                outcome,
            }),
        );
    }
    offered
}

/// Everybody who is there and has room was tried: a new round begins with nobody tried. Returns whether
/// that changes anything.
fn begin_new_round(step: &mut Step<'_>, dialog: DialogId) -> bool {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return false };
    let Some(line) = live.line(&row.line) else { return false };
    let weight = live.weight_milli(&row.line, &row.channel);
    let members = live.members(&row.line, row.team.as_ref());
    let somebody = members.iter().any(|operator| {
        row.declined.contains_key(operator)
            && candidates::is_there(step.state, &live, line, operator)
            && candidates::has_room(step.state, &live, line, &row.line, operator, weight)
    });
    if somebody {
        step.change_dialog(dialog, |row| {
            row.declined.clear();
            row.rounds = row.rounds.saturating_add(1);
        });
    }
    somebody
}

fn is_eligible(candidate: &Candidate) -> bool {
    candidate.verdict == CandidateVerdict::Eligible
}
