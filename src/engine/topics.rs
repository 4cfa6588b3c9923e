//! What a dialog is about, and for whom a client who comes again is kept: what decides, before the queue, who
//! is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::decision::Trigger;
use crate::model::dialog::Reservation;
use crate::model::event::EventKind;
use crate::model::id::{ChatId, DialogId, MessageId};
use crate::model::line::StickyTo;
use crate::model::offer::OfferEnd;

use super::overflow;
use super::routing::candidates;
use super::routing::queue::Audience;
use super::rules::facts;
use super::step::Step;

/// Looks for the topic of a dialog that waits and has none, in what the client wrote. Returns what changed,
/// to be told.
pub(super) fn find(step: &mut Step<'_>, dialog: DialogId, message: MessageId) -> Option<Value> {
    let live = Arc::clone(&step.live);
    let row = step.dialog(dialog)?;
    if row.topic.is_some() || !row.state.is_waiting() {
        return None;
    }
    let line = live.line(&row.line)?;
    let topics = live.topics_of(&row.line)?;
    let asked =
        facts::document(step, EventKind::MessageReceived, Some(dialog), Some(message), topics.wanted());
    let place = topics.matching(&asked, &BTreeSet::new()).first().copied()?;
    let topic = line.routing.topics.get(place)?;
    let mut told = Map::from_iter([("topic".to_owned(), json!(topic.topic))]);
    told.extend(topic.priority.map(|priority| ("priority".to_owned(), json!(priority))));
    change_audience(step, dialog, |step| {
        step.change_dialog(dialog, |row| {
            row.topic = Some(topic.topic.clone());
            row.priority = topic.priority.unwrap_or(row.priority);
        });
    });
    Some(told.into())
}

/// Does something to a dialog that may change for whom it waits. If it does, everybody is asked anew, and
/// offers to those who are not asked any more end.
pub(super) fn change_audience(step: &mut Step<'_>, dialog: DialogId, change: impl FnOnce(&mut Step<'_>)) {
    let live = Arc::clone(&step.live);
    let waits_for = |step: &Step<'_>| {
        step.dialog(dialog).filter(|row| row.state.is_waiting()).map(|row| Audience::of(row, &live))
    };
    let before = waits_for(step);
    change(step);
    if before.is_none() || before == waits_for(step) {
        return;
    }
    step.change_dialog(dialog, |row| {
        row.declined.clear();
        row.rounds = 0;
    });
    overflow::withdraw_from_others(step, dialog, OfferEnd::TopicChanged);
    step.decide(dialog, Trigger::TopicChanged);
}

/// For whom a dialog that is about to open in a chat is kept: whoever had the last one, if they are there.
pub(super) fn keep_for(
    step: &Step<'_>,
    chat: ChatId,
    line: &crate::model::id::LineId,
) -> Option<Reservation> {
    let declared = step.live.line(line)?;
    let sticky = declared.routing.sticky.as_ref()?;
    let last = step.dialog(step.state.chats.get(&chat)?.last_dialog?).and_then(|last| last.owner.as_ref());
    sticky
        .to
        .iter()
        .find_map(|to| match to {
            StickyTo::LastOperator => last,
        })
        .filter(|operator| step.live.may_serve(operator, line))
        .filter(|operator| candidates::is_there(step.state, declared, operator))
        .map(|operator| Reservation {
            operator: operator.clone(),
            until_ms: step.at_ms.saturating_add(sticky.wait_ms),
        })
}
