//! Who gets what: limits hold, nobody who is away is asked, nobody waits while somebody is free, nobody is overtaken.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::live::Live;
use crate::engine::routing::queue::Place;
use crate::engine::state::State;
use crate::model::decision::{Decision, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{LineId, OfferId, OperatorId};
use crate::model::line::{Line, Strategy};
use crate::model::operator::Presence;

use super::{Found, open, weight};

/// What operators have in hand, summed from the rows.
struct Loads(BTreeMap<OperatorId, (i64, BTreeMap<LineId, i64>)>);

impl Loads {
    fn of(state: &State, live: &Live) -> Self {
        let mut loads = Self(BTreeMap::new());
        for dialog in open(state) {
            let holders = dialog.owner.iter().chain(dialog.offers.iter().map(|offer| &offer.operator));
            for holder in holders {
                loads.add(holder, dialog, i64::from(weight(live, dialog)));
            }
        }
        loads
    }

    fn add(&mut self, operator: &OperatorId, dialog: &Dialog, weight: i64) {
        let (total, by_line) = self.0.entry(operator.clone()).or_default();
        *total += weight;
        *by_line.entry(dialog.line.clone()).or_default() += weight;
    }

    /// Whether `more` fits within all limits.
    fn fits(&self, live: &Live, line_id: &LineId, line: &Line, operator: &OperatorId, more: u32) -> bool {
        let (total, on_line) = match self.0.get(operator) {
            Some((total, by_line)) => (*total, by_line.get(line_id).copied().unwrap_or(0)),
            None => (0, 0),
        };
        let own = live.config.operators.get(operator).and_then(|declared| declared.capacity_milli);
        own.is_none_or(|limit| total + i64::from(more) <= i64::from(limit))
            && line.routing.limit_milli.is_none_or(|limit| on_line + i64::from(more) <= i64::from(limit))
    }
}

/// Limits hold at each assignment: an offer that routing made in the last entry fits. What people gave by
/// hand may exceed them, and limits may be lowered below what operators have.
pub(super) fn capacity(state: &State, live: &Live, found: &mut Found) {
    let loads = Loads::of(state, live);
    let is_new = |offer: OfferId| offer.seq == state.position().seq;
    let mut by_hand: BTreeSet<&OperatorId> = BTreeSet::new();
    for dialog in open(state) {
        by_hand.extend(
            dialog
                .offers
                .iter()
                .filter(|offer| offer.by_hand && is_new(offer.id))
                .map(|offer| &offer.operator),
        );
    }
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        for offer in dialog.offers.iter().filter(|offer| !offer.by_hand && is_new(offer.id)) {
            let fits = loads.fits(live, &dialog.line, line, &offer.operator, 0);
            found.check("I10", fits || by_hand.contains(&offer.operator), || {
                format!("{} took {} over a limit", offer.id, offer.operator)
            });
        }
    }
}

fn is_there(state: &State, live: &Live, line: &Line, operator: &OperatorId) -> bool {
    live.config.operators.contains_key(operator)
        && (!line.routing.require_presence
            || state.operators.get(operator).is_some_and(|status| status.presence == Presence::Online))
}

/// Nobody is offered a dialog while they are not there.
pub(super) fn absent(state: &State, live: &Live, found: &mut Found) {
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        for offer in &dialog.offers {
            found.check("I16", is_there(state, live, line, &offer.operator), || {
                format!("{} is offered to {}, who is not there", dialog.id, offer.operator)
            });
        }
    }
}

/// No dialog waits while somebody who could take it is free.
pub(super) fn idle(state: &State, live: &Live, found: &mut Found) {
    let loads = Loads::of(state, live);
    for dialog in open(state) {
        let Some(line) = live.line(&dialog.line) else { continue };
        let is_queued = dialog.state == DialogState::Queued;
        let goes_to_all = dialog.state == DialogState::Offered
            && line.routing.strategy == Strategy::Broadcast
            && !dialog.offers.iter().any(|offer| offer.by_hand);
        if !is_queued && !goes_to_all {
            continue;
        }
        for operator in live.members(&dialog.line, dialog.team.as_ref()) {
            let was_tried = dialog.declined.contains_key(operator);
            let has_offer = dialog.offers.iter().any(|offer| offer.operator == *operator);
            let free = is_there(state, live, line, operator)
                && loads.fits(live, &dialog.line, line, operator, weight(live, dialog));
            // Who was tried becomes eligible again once nobody else is left: a queued dialog begins a new round.
            let eligible = free && !has_offer && (!was_tried || is_queued);
            found.check("I12", !eligible, || format!("{} waits while {operator} is free", dialog.id));
        }
    }
}

/// Nobody gets a dialog in the last entry while they could have had one that waits longer, in any queue.
pub(super) fn overtaken(state: &State, live: &Live, found: &mut Found) {
    let seq = state.position().seq;
    let is_rule = |decision: &Decision| decision.seq == seq && matches!(decision.verdict, Verdict::Rule(_));
    if state.decisions.iter().any(is_rule) {
        // A rule may have put the older dialog into the queue after the younger one was offered.
        return;
    }
    let mut loads = Loads::of(state, live);
    for younger in open(state) {
        for offer in younger.offers.iter().filter(|offer| offer.id.seq == seq && !offer.by_hand) {
            loads.add(&offer.operator, younger, -i64::from(weight(live, younger)));
            for older in open(state).filter(|older| older.state == DialogState::Queued) {
                let Some(line) = live.line(&older.line) else { continue };
                let could_have = Place::of(older) < Place::of(younger)
                    && live.is_member(&offer.operator, &older.line, older.team.as_ref())
                    && is_there(state, live, line, &offer.operator)
                    && !older.declined.contains_key(&offer.operator)
                    && loads.fits(live, &older.line, line, &offer.operator, weight(live, older));
                found.check("I12", !could_have, || {
                    format!("{} overtakes {} at {}", younger.id, older.id, offer.operator)
                });
            }
            loads.add(&offer.operator, younger, i64::from(weight(live, younger)));
        }
    }
}
