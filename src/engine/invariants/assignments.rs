//! Who gets what: limits hold, nobody who is away is asked, nobody waits while somebody is free, nobody is overtaken.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::live::Live;
use crate::engine::routing::queue::Place;
use crate::engine::routing::shifts::{Duty, duty_at};
use crate::engine::state::State;
use crate::model::decision::{Decision, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{DialogId, LineId, OfferId, OperatorId};
use crate::model::line::{Line, Strategy};
use crate::model::operator::Presence;
use crate::model::timer::TimerKey;

use super::{Found, counts, open, weight};

/// What operators have in hand, summed from the rows.
struct Loads(BTreeMap<OperatorId, (i64, BTreeMap<LineId, i64>)>);

impl Loads {
    fn of(state: &State, live: &Live) -> Self {
        let mut loads = Self(BTreeMap::new());
        for dialog in open(state) {
            let owner = dialog.owner.iter().filter(|_| dialog.state.is_owned() && counts(live, dialog));
            let holders = owner.chain(dialog.offers.iter().map(|offer| &offer.operator));
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
    fitting(state, live, found, |offer| offer.seq == state.position().seq);
}

/// Offers that routing made fit within all limits, if `is_new` picks them.
pub(super) fn fitting(state: &State, live: &Live, found: &mut Found, is_new: impl Fn(OfferId) -> bool) {
    let loads = Loads::of(state, live);
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
    let Some(declared) = live.config.operators.get(operator) else { return false };
    let key = TimerKey::ShiftBorder { operator: operator.clone() };
    let as_of_ms =
        state.timers.due_of(&key).map_or(state.position().at_ms, |due_ms| due_ms.saturating_sub(1));
    let is_online = state.operators.get(operator).is_some_and(|status| status.presence == Presence::Online);
    match duty_at(live, declared, as_of_ms) {
        Duty::OnLeave => false,
        Duty::OffShift => !line.routing.require_presence,
        Duty::OnShift => !line.routing.require_presence || is_online,
    }
}

/// Whether somebody came back and has as many offers as they may have at a time, one dialog not counted.
fn is_returning(state: &State, line: &Line, operator: &OperatorId, but: Option<DialogId>) -> bool {
    let Some(status) = state.operators.get(operator) else { return false };
    let backlog = open(state)
        .filter(|dialog| dialog.queued_at_ms < status.since_ms && Some(dialog.id) != but)
        .filter(|dialog| dialog.offers.iter().any(|offer| offer.operator == *operator))
        .count();
    status.presence == Presence::Online
        && line
            .routing
            .max_offers_on_return
            .is_some_and(|max| u32::try_from(backlog).unwrap_or(u32::MAX) >= max)
}

/// Whom a dialog may be offered to, read plainly from the configuration.
fn asked(live: &Live, dialog: &Dialog, line: &Line) -> BTreeSet<OperatorId> {
    if let Some(kept) = &dialog.route.reserved {
        return BTreeSet::from([kept.operator.clone()]);
    }
    let topic = dialog.topic.as_ref().filter(|_| dialog.team.is_none()).and_then(|id| line.routing.topic(id));
    let mut asked: BTreeSet<OperatorId> = match (&dialog.team, topic) {
        (Some(team), _) => live.config.team_members(team).cloned().collect(),
        (None, Some(topic)) if !topic.operators.is_empty() => {
            live.config.members(&topic.operators).into_iter().collect()
        }
        (None, _) => live.config.members(&line.routing.members).into_iter().collect(),
    };
    let mut drops = false;
    let stages = line.routing.overflow.iter().zip(0..dialog.route.stage);
    for (stage, _) in stages {
        if !stage.replace.is_empty() {
            asked.clear();
        }
        asked.extend(live.config.members(&stage.replace));
        asked.extend(live.config.members(&stage.add));
        drops |= stage.drop_skills;
    }
    asked.retain(|operator| live.config.operators.contains_key(operator));
    if drops {
        return asked;
    }
    let able = |operator: &OperatorId| {
        let skills = live.config.operators.get(operator).map(|declared| &declared.skills);
        topic.is_none_or(|topic| skills.is_some_and(|skills| topic.skills.is_subset(skills)))
    };
    asked.retain(|operator| able(operator));
    let Some(language) = &dialog.route.language else { return asked };
    let speaks = |operator: &&OperatorId| {
        let main = |tag: &str| tag.get(..2).unwrap_or(tag).to_ascii_lowercase();
        live.config.operators.get(*operator).is_some_and(|declared| {
            declared.languages.is_empty()
                || declared.languages.iter().any(|spoken| main(spoken) == main(language))
        })
    };
    let speakers: BTreeSet<OperatorId> = asked.iter().filter(speaks).cloned().collect();
    if speakers.is_empty() { asked } else { speakers }
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
        let is_tired = line.routing.max_rounds.is_some_and(|max| dialog.rounds >= max);
        for operator in &asked(live, dialog, line) {
            let was_tried = dialog.declined.contains_key(operator);
            let has_offer = dialog.offers.iter().any(|offer| offer.operator == *operator);
            let free = is_there(state, live, line, operator)
                && !is_returning(state, line, operator, None)
                && loads.fits(live, &dialog.line, line, operator, weight(live, dialog));
            // Who was tried becomes eligible again once nobody else is left: a queued dialog begins a new round.
            let eligible = free && !has_offer && (!was_tried || (is_queued && !is_tired));
            found.check("I12", !eligible, || format!("{} waits while {operator} is free", dialog.id));
        }
    }
}

fn place(state: &State, live: &Live, dialog: &Dialog) -> Place {
    let ageing = live.line(&dialog.line).and_then(|line| line.ageing.as_ref());
    Place::of(dialog, ageing, state.position().at_ms)
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
                let could_have = place(state, live, older) < place(state, live, younger)
                    && asked(live, older, line).contains(&offer.operator)
                    && is_there(state, live, line, &offer.operator)
                    && !is_returning(state, line, &offer.operator, Some(younger.id))
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
