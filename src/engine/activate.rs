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
use super::rows::ActiveConfig;
use super::step::Step;
use super::{offers, transfer};

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
        .map(|(id, dialog)| (*id, dialog.owner.clone(), dialog.team.clone()))
        .collect();
    for (dialog, owner, team) in open {
        if team.is_some_and(|team| !step.live.config.teams.contains_key(&team)) {
            step.change_dialog(dialog, |row| row.team = None);
            step.decide(dialog, Trigger::ConfigChanged);
        }
        for (offer, end) in lost_offers(step, dialog) {
            offers::end(step, dialog, offer, end);
            step.decide(dialog, Trigger::OperatorGone);
        }
        // Being taken off the list stops new work; only who is not an operator at all loses what they have.
        if owner.is_some_and(|owner| !step.live.config.operators.contains_key(&owner)) {
            let requeued = transfer::requeue(step, dialog, OfferEnd::OperatorRemoved, Trigger::OwnerRemoved);
            debug_assert!(requeued.is_ok(), "an owned dialog can be put back");
        }
    }
}

/// The offers of a dialog that cannot stand any more, each with how it ends.
fn lost_offers(step: &Step<'_>, dialog: DialogId) -> Vec<(OfferId, OfferEnd)> {
    let Some(row) = step.dialog(dialog) else { return Vec::new() };
    let Some(line) = step.live.line(&row.line) else { return Vec::new() };
    row.offers
        .iter()
        .filter_map(|offer| {
            let operator = &offer.operator;
            // Who was asked as one of a team serves the dialog even where the team does not serve its line.
            let may_serve = step.live.may_serve(operator, &row.line)
                || step.live.is_member(operator, &row.line, row.team.as_ref());
            if !may_serve {
                Some((offer.id, OfferEnd::OperatorRemoved))
            } else if !candidates::is_there(step.state, &step.live, line, operator) {
                // The line asks for presence now, and did not before.
                Some((offer.id, OfferEnd::OperatorAway))
            } else {
                None
            }
        })
        .collect()
}
