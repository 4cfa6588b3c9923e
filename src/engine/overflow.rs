//! Dialogs that wait long: more people are asked, others are asked, another line is asked, and in the end
//! the last resort of the line is taken.

use serde_json::{Value, json};

use crate::model::decision::{Overflow, OverflowChange, Trigger, Verdict};
use crate::model::dialog::Dialog;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, LineId};
use crate::model::line::{OverflowStage, RoutingPolicy};
use crate::model::offer::OfferEnd;

use super::derived::Alarms;
use super::live::Live;
use super::offers;
use super::routing::queue::Audience;
use super::rules::act::{self, By, Cause};
use super::rules::facts::{self, Wanted};
use super::step::Step;

/// A dialog begins to wait, with everything that waiting leads to still before it.
pub(super) fn begin(dialog: &mut Dialog, live: &Live, at_ms: u64) {
    dialog.route.line_hops = 0;
    begin_on_line(dialog, live, at_ms);
}

fn begin_on_line(dialog: &mut Dialog, live: &Live, at_ms: u64) {
    let watches = live
        .line(&dialog.line)
        .is_some_and(|line| line.routing.watches_waiting() || line.texts.queue_position.is_some());
    dialog.route.waits_since_ms = if watches && at_ms > dialog.queued_at_ms { at_ms } else { 0 };
    dialog.route.stage = 0;
    dialog.route.otherwise_done = false;
}

/// The time of an overflow stage has come.
pub(super) fn advance(step: &mut Step<'_>, dialog: DialogId) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let is_due = Alarms::of(row, &live).overflow_ms.is_some_and(|due_ms| due_ms <= step.at_ms);
    let Some(line) = live.line(&row.line).filter(|_| is_due) else { return };
    let reached = usize::try_from(row.route.stage).unwrap_or(usize::MAX);
    let Some(stage) = line.routing.overflow.get(reached) else { return };
    let (since_ms, from, number) =
        (row.waits_since_ms(), row.line.clone(), row.route.stage.saturating_add(1));
    step.change_dialog(dialog, |row| {
        row.route.stage = number;
        row.declined.clear();
        row.rounds = 0;
    });
    let moved = stage.line.as_ref().map(|to| (to, move_to(step, dialog, to)));
    let change = match moved {
        Some((to, Ok(()))) => OverflowChange::Moved { to: to.clone() },
        Some((to, Err(reason))) => OverflowChange::Stayed { to: to.clone(), reason },
        None => ask_others(step, dialog, stage),
    };
    let mut data = json!({"stage": number, "from": from});
    if let (OverflowChange::Moved { to }, Some(data)) = (&change, data.as_object_mut()) {
        data.insert("to".to_owned(), json!(to));
    }
    step.record(dialog, Verdict::Overflow(Overflow { since_ms, stage: number, line: from, change }));
    step.emit(EventKind::DialogOverflowed, dialog, None, data);
    step.decide(dialog, Trigger::Overflowed);
}

/// Offers to those who are not asked at this stage end; an operator whom a person chose is not disturbed.
fn ask_others(step: &mut Step<'_>, dialog: DialogId, stage: &OverflowStage) -> OverflowChange {
    let Some(row) = step.dialog(dialog) else { return OverflowChange::Asks { candidates: 0 } };
    let audience = Audience::of(row, &step.live);
    let pool = step.state.pool(&audience);
    if !stage.replace.is_empty() {
        withdraw_from_others(step, dialog, OfferEnd::Overflowed);
    }
    OverflowChange::Asks { candidates: pool.set.len() }
}

/// Ends the offers that routing made to operators who are not asked any more.
pub(super) fn withdraw_from_others(step: &mut Step<'_>, dialog: DialogId, how: OfferEnd) {
    let Some(row) = step.dialog(dialog) else { return };
    let live = std::sync::Arc::clone(&step.live);
    let audience = Audience::of(row, &live);
    let pool = step.state.pool(&audience);
    offers::end_those(step, dialog, how, |offer| {
        let is_asked = live.people.number(&offer.operator).is_some_and(|number| pool.set.has(number));
        !offer.by_hand && !is_asked
    });
}

/// Moves a waiting dialog to another line, as often as that may be done without anybody's touch.
pub(super) fn move_to(step: &mut Step<'_>, dialog: DialogId, to: &LineId) -> Result<(), String> {
    let live = std::sync::Arc::clone(&step.live);
    let row = step.dialog(dialog).ok_or("the dialog is gone")?;
    if live.line(to).is_none() {
        return Err("there is no such line".to_owned());
    }
    if row.line == *to {
        return Err("it is on this line already".to_owned());
    }
    if row.route.line_hops >= RoutingPolicy::LINE_HOPS_MAX {
        return Err(format!("it was moved {} times already", RoutingPolicy::LINE_HOPS_MAX));
    }
    offers::end_all(step, dialog, OfferEnd::Overflowed);
    let at_ms = step.at_ms;
    step.change_dialog(dialog, |row| {
        row.line = to.clone();
        row.team = None;
        row.declined.clear();
        row.rounds = 0;
        row.route.reserved = None;
        row.route.line_hops = row.route.line_hops.saturating_add(1);
        begin_on_line(row, &live, at_ms);
    });
    Ok(())
}

/// The time of the last resort has come.
pub(super) fn otherwise(step: &mut Step<'_>, dialog: DialogId) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let is_due = Alarms::of(row, &live).otherwise_ms.is_some_and(|due_ms| due_ms <= step.at_ms);
    let Some(line) = live.line(&row.line).filter(|_| is_due) else { return };
    let Some(otherwise) = &line.routing.otherwise else { return };
    let (since_ms, from) = (row.waits_since_ms(), row.line.clone());
    step.change_dialog(dialog, |row| row.route.otherwise_done = true);
    step.emit(EventKind::DialogOverflowed, dialog, None, json!({"stage": Value::Null, "from": from}));
    let facts = facts::document(step, EventKind::DialogOverflowed, Some(dialog), None, &Wanted::all());
    let cause = Cause { by: By::Waiting, facts: &facts };
    let actions = otherwise.actions.iter().map(|action| act::act(step, dialog, &cause, action)).collect();
    // Being given to others begins the waiting anew, but not the last resort of the same line.
    step.change_dialog(dialog, |row| row.route.otherwise_done |= row.line == from && row.state.is_waiting());
    let change = OverflowChange::Acted { actions };
    step.record(dialog, Verdict::Overflow(Overflow { since_ms, stage: 0, line: from, change }));
    step.decide(dialog, Trigger::Overflowed);
}

/// A dialog was kept for one operator for long enough.
pub(super) fn end_reservation(step: &mut Step<'_>, dialog: DialogId) {
    let kept = step.dialog(dialog).and_then(|row| row.route.reserved.as_ref());
    if kept.is_none_or(|kept| kept.until_ms > step.at_ms) {
        return;
    }
    step.change_dialog(dialog, |row| row.route.reserved = None);
    withdraw_from_others(step, dialog, OfferEnd::Expired);
    step.decide(dialog, Trigger::ReservationEnded);
}
