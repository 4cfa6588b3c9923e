//! A configuration becomes the live one.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::model::config::Config;
use crate::model::decision::Trigger;
use crate::model::event::EventKind;
use crate::model::id::{ChannelId, DialogId, LineId, OfferId, OperatorId, TeamId};
use crate::model::input::ConfigActivated;
use crate::model::offer::OfferEnd;
use crate::model::outcome::{Outcome, Receipt, Rejection};

use super::live::Live;
use super::routing::candidates;
use super::routing::queue::Audience;
use super::routing::shifts::Duty;
use super::rows::ActiveConfig;
use super::step::Step;
use super::{offers, sla, transfer};

/// Compiles a configuration and checks that live dialogs can go on under it.
pub(super) fn prepare(step: &Step<'_>, activated: &ConfigActivated) -> Result<Live, Rejection> {
    let unusable = |reason: String| Rejection::UnusableConfig(reason);
    let config: Config =
        serde_json::from_str(activated.config.get()).map_err(|error| unusable(error.to_string()))?;
    let live =
        Live::compile(config, activated.version.clone()).map_err(|error| unusable(error.to_string()))?;
    let mut lines: BTreeSet<&LineId> = BTreeSet::new();
    let mut channels: BTreeSet<&ChannelId> = BTreeSet::new();
    for (_, dialog) in step.state.dialogs.iter().filter(|(_, dialog)| dialog.closed_at_ms.is_none()) {
        lines.insert(&dialog.line);
        channels.insert(&dialog.channel);
    }
    if let Some(line) = lines.into_iter().find(|line| live.line(line).is_none()) {
        return Err(Rejection::ConfigInUse(format!(
            "the line `{line}` is gone but has open dialogs; close or transfer them first"
        )));
    }
    if let Some(channel) = channels.into_iter().find(|channel| !live.config.channels.contains_key(*channel)) {
        return Err(Rejection::ConfigInUse(format!(
            "the channel `{channel}` is gone but has open dialogs; close them first"
        )));
    }
    Ok(live)
}

/// Makes a prepared configuration the live one and brings dialogs and offers in line with it.
pub(super) fn activate(step: &mut Step<'_>, activated: &ConfigActivated, live: Live) -> Outcome {
    let live = Arc::new(live);
    step.state.live = Some(Arc::clone(&live));
    step.live = Arc::clone(&live);
    step.state.configs.push(ActiveConfig {
        seq: step.seq,
        at_ms: step.at_ms,
        version: activated.version.clone(),
        commit: activated.commit.clone(),
        canonical: activated.config.get().to_owned(),
    });
    step.state.derive_all();
    let data = json!({"version": activated.version, "commit": activated.commit});
    step.emit_general(EventKind::ConfigActivated, None, data);
    release_orphans(step);
    // What is due follows from the configuration too, and is counted from its original start.
    let open = step.state.dialogs.iter().filter(|(_, dialog)| dialog.closed_at_ms.is_none());
    let open: Vec<DialogId> = open.map(|(id, _)| *id).collect();
    step.changed.extend(open);
    sla::settle_all(step);
    let waiting: Vec<Audience> = step.state.queues.keys().cloned().collect();
    step.to_route.extend(waiting);
    Outcome::Applied(Receipt::default())
}

/// Dialogs of operators who are declared no more return to the queue; offers to operators who may not serve
/// the line end; who waits for a team that is gone waits for the line.
fn release_orphans(step: &mut Step<'_>) {
    let open: Vec<(DialogId, Option<OperatorId>, Option<TeamId>)> = step
        .state
        .dialogs
        .iter()
        .filter(|(_, dialog)| dialog.closed_at_ms.is_none())
        .map(|(id, dialog)| {
            // The work on a dialog that is closing is done: it stays what it was of whoever did it.
            let owner = dialog.owner.clone().filter(|_| dialog.state.is_owned());
            (*id, owner, dialog.team.clone())
        })
        .collect();
    for (dialog, owner, team) in open.iter().cloned() {
        forget_rounds_and_reservation(step, dialog);
        if team.is_some_and(|team| !step.live.config.teams.contains_key(&team)) {
            step.change_dialog(dialog, |row| row.team = None);
            step.decide(dialog, Trigger::ConfigChanged);
        }
        for (offer, end) in lost_offers(step, dialog) {
            offers::end(step, dialog, offer, end);
            step.decide(dialog, Trigger::OperatorGone);
        }
        // Being taken off the list stops new work; only who is not an operator at all, or not at work, loses
        // what they have.
        let Some(owner) = owner else { continue };
        let lost = match step.state.seat_of(&owner).map(|seat| seat.duty) {
            None => (OfferEnd::OperatorRemoved, Trigger::OwnerRemoved),
            Some(Duty::OnLeave) => (OfferEnd::OnLeave, Trigger::OwnerOnLeave),
            Some(Duty::OnShift | Duty::OffShift) => continue,
        };
        let requeued = transfer::requeue(step, dialog, lost.0, lost.1, None);
        debug_assert!(requeued.is_ok(), "an owned dialog can be put back");
    }
    if step.apply_version >= 2 {
        withdraw_over_limits(step, open.into_iter().map(|(dialog, ..)| dialog));
    }
}

/// Limits that were lowered leave operators what they have accepted, and no more offers than still fit: the
/// newest end. What people gave by hand stays.
fn withdraw_over_limits(step: &mut Step<'_>, open: impl Iterator<Item = DialogId>) {
    let mut made: Vec<(OfferId, DialogId, OperatorId)> = Vec::new();
    for dialog in open {
        let offers = step.dialog(dialog).map_or(&[] as &[_], |row| &row.offers);
        let by_routing = offers.iter().filter(|offer| !offer.by_hand);
        made.extend(by_routing.map(|offer| (offer.id, dialog, offer.operator.clone())));
    }
    made.sort_unstable_by(|(one, ..), (other, ..)| other.cmp(one));
    let live = Arc::clone(&step.live);
    for (offer, dialog, operator) in made {
        let fits = step.dialog(dialog).is_none_or(|row| {
            live.line(&row.line)
                .is_none_or(|line| candidates::has_room(step.state, &live, line, &row.line, &operator, 0))
        });
        if !fits {
            offers::end(step, dialog, offer, OfferEnd::Full);
            step.decide(dialog, Trigger::ConfigChanged);
        }
    }
}

/// Of another configuration everybody may be asked once more; and who may not serve the line any more, or is
/// not there as the line asks now, is not waited for.
fn forget_rounds_and_reservation(step: &mut Step<'_>, dialog: DialogId) {
    let Some(row) = step.dialog(dialog) else { return };
    let is_kept_in_vain = row.route.reserved.as_ref().is_some_and(|kept| {
        let line = step.live.line(&row.line);
        !step.live.may_serve(&kept.operator, &row.line)
            || line.is_none_or(|line| !candidates::is_there(step.state, line, &kept.operator))
    });
    if is_kept_in_vain {
        step.change_dialog(dialog, |row| row.route.reserved = None);
        step.decide(dialog, Trigger::ConfigChanged);
    }
    if step.state.tired.contains(&dialog) {
        step.change_dialog(dialog, |row| {
            row.declined.clear();
            row.rounds = 0;
        });
        step.decide(dialog, Trigger::ConfigChanged);
    }
}

/// The offers of a dialog that cannot stand any more, each with how it ends.
fn lost_offers(step: &mut Step<'_>, dialog: DialogId) -> Vec<(OfferId, OfferEnd)> {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog).filter(|row| !row.offers.is_empty()) else { return Vec::new() };
    let audience = Audience::of(row, &live);
    let pool = step.state.pool(&audience);
    let Some(row) = step.dialog(dialog) else { return Vec::new() };
    let Some(line) = step.live.line(&row.line) else { return Vec::new() };
    row.offers
        .iter()
        .filter_map(|offer| {
            let operator = &offer.operator;
            // Who was asked as one of a team serves the dialog even where the team does not serve its line.
            let is_asked = step.live.people.number(operator).is_some_and(|number| pool.set.has(number));
            let Some(seat) = step.state.seat_of(operator) else {
                return Some((offer.id, OfferEnd::OperatorRemoved));
            };
            if !step.live.may_serve(operator, &row.line) && !is_asked {
                Some((offer.id, OfferEnd::OperatorRemoved))
            } else if seat.is_there(line.routing.require_presence) {
                None
            } else {
                // The line asks for presence now and did not before, or the shift is another one now.
                Some((
                    offer.id,
                    match seat.duty {
                        Duty::OnLeave => OfferEnd::OnLeave,
                        Duty::OffShift if seat.is_online => OfferEnd::OffShift,
                        Duty::OffShift | Duty::OnShift => OfferEnd::OperatorAway,
                    },
                ))
            }
        })
        .collect()
}
