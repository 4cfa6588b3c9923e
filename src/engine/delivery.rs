//! Effects: put into the outbox, claimed by workers, ended by results.
//!
//! Effects of one lane are done one after another: only the first open effect of a lane can be
//! claimed, and it blocks the lane until it is terminal. So the messages of a chat never overtake one
//! another, and one slow chat delays nobody else.

use std::sync::Arc;

use serde_json::json;

use crate::model::effect::{Attempt, Effect, EffectAction, EffectState, Lane, Refusal};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, EffectId};
use crate::model::message::MessageStatus;
use crate::model::outcome::{Outcome, Receipt, Rejection};
use crate::model::timer::TimerKey;

use super::step::Step;
use super::{backoff, close, fates};

/// An attempt that has no result after this time is uncertain. Far above the time that the outbox gives a
/// whole attempt (30 s), so that it strikes only when the worker is gone.
const ATTEMPT_DEADLINE_MS: u64 = 180_000;

/// Puts an effect into the outbox.
pub(super) fn emit_effect(
    step: &mut Step<'_>,
    dialog: DialogId,
    lane: Lane,
    action: EffectAction,
) -> EffectId {
    let id = step.new_effect();
    let line = step.dialog(dialog).map(|dialog| dialog.line.clone());
    let effect = Effect {
        id,
        lane: lane.clone(),
        line: line.unwrap_or_else(|| crate::model::id::LineId::from("")),
        dialog,
        action,
        state: EffectState::Pending,
        attempts: 0,
        parts_done: 0,
        last_error: None,
        created_at_ms: step.at_ms,
        updated_at_ms: step.at_ms,
    };
    step.state.effects.put(id, effect);
    step.state.lanes.entry(lane.clone()).or_default().open.insert(id);
    step.lanes.insert(lane);
    id
}

/// A worker begins an attempt.
pub(super) fn claim(step: &mut Step<'_>, id: EffectId, attempt: u32) -> Outcome {
    let (epoch, deadline_ms, at_ms) =
        (step.epoch, step.at_ms.saturating_add(ATTEMPT_DEADLINE_MS), step.at_ms);
    let Some(effect) = step.state.effects.get(&id) else {
        return Outcome::Rejected(Rejection::UnknownEffect);
    };
    let head = step.state.lanes.get(&effect.lane).and_then(|lane| step.state.head_of(lane));
    if head.is_none_or(|head| head.effect != id || head.attempt != attempt) {
        return Outcome::Rejected(Rejection::StaleAttempt);
    }
    let (lane, dialog) = (effect.lane.clone(), effect.dialog);
    if let Some(lane) = step.state.lanes.get_mut(&lane) {
        lane.in_flight = Some(id);
    }
    if let Some(effect) = step.state.effects.get_mut(&id) {
        effect.state = EffectState::InFlight { epoch, deadline_ms };
        effect.attempts = attempt;
        effect.updated_at_ms = at_ms;
    }
    step.state.timers.set(TimerKey::EffectDeadline { effect: id }, deadline_ms);
    Outcome::Applied(Receipt { dialog: Some(dialog), message: None })
}

/// An attempt ended.
pub(super) fn result(step: &mut Step<'_>, id: EffectId, attempt: u32, result: &Attempt) -> Outcome {
    let Some(effect) = step.state.effects.get(&id) else {
        return Outcome::Rejected(Rejection::UnknownEffect);
    };
    let dialog = effect.dialog;
    match effect.state {
        EffectState::InFlight { epoch, .. } if epoch == step.epoch && effect.attempts == attempt => {}
        _ => return Outcome::Rejected(Rejection::StaleAttempt),
    }
    conclude(step, id, result);
    Outcome::Applied(Receipt { dialog: Some(dialog), message: None })
}

/// What an earlier epoch left in flight is uncertain now.
pub(super) fn recover(step: &mut Step<'_>) {
    let epoch_now = step.epoch;
    let uncertain: Vec<EffectId> = step
        .state
        .effects
        .iter()
        .filter(
            |(_, effect)| matches!(effect.state, EffectState::InFlight { epoch, .. } if epoch < epoch_now),
        )
        .map(|(id, _)| *id)
        .collect();
    for id in uncertain {
        let error = "the daemon stopped before the answer came".to_owned();
        let parts_done = step.state.effects.get(&id).map_or(0, |effect| effect.parts_done);
        conclude(step, id, &Attempt::Ambiguous { error, parts_done });
    }
}

/// No result came in time.
pub(super) fn deadline_passed(step: &mut Step<'_>, id: EffectId) {
    if let Some(effect) = step.state.effects.get(&id)
        && matches!(effect.state, EffectState::InFlight { .. })
    {
        let (error, parts_done) = ("no result came in time".to_owned(), effect.parts_done);
        conclude(step, id, &Attempt::Ambiguous { error, parts_done });
    }
}

/// The time for another attempt has come.
pub(super) fn retry_due(step: &mut Step<'_>, id: EffectId) {
    let at_ms = step.at_ms;
    if let Some(effect) = step.state.effects.get_mut(&id)
        && matches!(effect.state, EffectState::Waiting { .. })
    {
        effect.state = EffectState::Pending;
        effect.updated_at_ms = at_ms;
        let lane = effect.lane.clone();
        step.lanes.insert(lane);
    }
}

/// A person wants a terminal effect to be tried once more.
pub(super) fn retry_by_hand(step: &mut Step<'_>, id: EffectId) -> Outcome {
    let at_ms = step.at_ms;
    let Some(effect) = step.state.effects.get(&id) else {
        return Outcome::Rejected(Rejection::UnknownEffect);
    };
    let dialog = effect.dialog;
    match effect.state {
        EffectState::Failed | EffectState::Dead | EffectState::Cancelled => {}
        // It waits for its next attempt: that comes now.
        EffectState::Waiting { .. } => {
            step.state.timers.cancel(&TimerKey::EffectRetry { effect: id });
            retry_due(step, id);
            return Outcome::Applied(Receipt { dialog: Some(dialog), message: None });
        }
        EffectState::Pending | EffectState::InFlight { .. } | EffectState::Delivered => {
            return Outcome::Rejected(Rejection::WrongEffectState(effect.state.as_str().to_owned()));
        }
    }
    let lane = effect.lane.clone();
    if let Some(effect) = step.state.effects.get_mut(&id) {
        effect.state = EffectState::Pending;
        effect.attempts = 0;
        effect.created_at_ms = at_ms;
        effect.updated_at_ms = at_ms;
    }
    set_message_status(step, id, MessageStatus::Queued, None, None, at_ms);
    step.state.lanes.entry(lane.clone()).or_default().open.insert(id);
    step.lanes.insert(lane);
    Outcome::Applied(Receipt { dialog: Some(dialog), message: None })
}

/// A person gives an effect up.
pub(super) fn cancel_by_hand(step: &mut Step<'_>, id: EffectId) -> Outcome {
    let Some(effect) = step.state.effects.get(&id) else {
        return Outcome::Rejected(Rejection::UnknownEffect);
    };
    let dialog = effect.dialog;
    match effect.state {
        EffectState::Pending | EffectState::Waiting { .. } => {
            finish(step, id, EffectState::Cancelled, None, Some("cancelled by hand".to_owned()));
            Outcome::Applied(Receipt { dialog: Some(dialog), message: None })
        }
        _ => Outcome::Rejected(Rejection::WrongEffectState(effect.state.as_str().to_owned())),
    }
}

/// The messenger shows that a message reached the client, whatever became of the attempt.
pub(super) fn arrived(step: &mut Step<'_>, id: EffectId, external_id: Option<String>) {
    if step.state.effects.get(&id).is_some_and(|effect| effect.state != EffectState::Delivered) {
        finish(step, id, EffectState::Delivered, external_id, None);
    }
}

fn conclude(step: &mut Step<'_>, id: EffectId, result: &Attempt) {
    match result {
        Attempt::Delivered { external_id } => {
            finish(step, id, EffectState::Delivered, external_id.clone(), None);
        }
        Attempt::Refused { reason, error, parts_done } => {
            keep_parts(step, id, *parts_done);
            let written = step.state.effects.get(&id).map(|effect| (effect.dialog, effect.created_at_ms));
            if *reason == Refusal::Blocked
                && let Some((dialog, _)) = written
            {
                forbid_writing(step, dialog);
            }
            finish(step, id, EffectState::Failed, None, Some(error.clone()));
            if *reason == Refusal::WindowClosed
                && let Some((dialog, written_at_ms)) = written
            {
                close_window(step, dialog, written_at_ms);
            }
        }
        // At least once: what may not have arrived is sent again, under the same key.
        Attempt::Ambiguous { error, parts_done } => {
            keep_parts(step, id, *parts_done);
            again(step, id, None, error);
        }
        Attempt::Retry { after_ms, error, parts_done, scope: _ } => {
            keep_parts(step, id, *parts_done);
            again(step, id, *after_ms, error);
        }
    }
}

/// What surely arrived stays so, however the attempt ended: a further one, by hand too, goes on behind it.
fn keep_parts(step: &mut Step<'_>, id: EffectId, parts_done: u32) {
    if let Some(effect) = step.state.effects.get_mut(&id) {
        effect.parts_done = effect.parts_done.max(parts_done);
    }
}

fn again(step: &mut Step<'_>, id: EffectId, after_ms: Option<u64>, error: &str) {
    let at_ms = step.at_ms;
    let Some(effect) = step.state.effects.get(&id) else { return };
    let Some(delay_ms) = backoff::delay_ms(effect, after_ms, at_ms) else {
        finish(step, id, EffectState::Dead, None, Some(error.to_owned()));
        return;
    };
    let until_ms = at_ms.saturating_add(delay_ms);
    let lane = effect.lane.clone();
    if let Some(effect) = step.state.effects.get_mut(&id) {
        effect.state = EffectState::Waiting { until_ms };
        effect.last_error = Some(error.to_owned());
        effect.updated_at_ms = at_ms;
    }
    leave_flight(step, id, &lane);
    step.state.timers.set(TimerKey::EffectRetry { effect: id }, until_ms);
}

fn finish(
    step: &mut Step<'_>,
    id: EffectId,
    state: EffectState,
    external_id: Option<String>,
    error: Option<String>,
) {
    let at_ms = step.at_ms;
    let Some(effect) = step.state.effects.get_mut(&id) else { return };
    let (lane, dialog, attempts) = (effect.lane.clone(), effect.dialog, effect.attempts);
    // Of an attempt that runs: when it began.
    let since_ms = effect.updated_at_ms;
    effect.state = state.clone();
    effect.updated_at_ms = at_ms;
    if error.is_some() {
        effect.last_error.clone_from(&error);
    }
    leave_flight(step, id, &lane);
    step.state.timers.cancel(&TimerKey::EffectRetry { effect: id });
    if let Some(row) = step.state.lanes.get_mut(&lane) {
        row.open.remove(&id);
        if row.open.is_empty() {
            step.state.lanes.remove(&lane);
        }
    }
    let status = match state {
        EffectState::Delivered => MessageStatus::Sent,
        _ => MessageStatus::Failed,
    };
    set_message_status(step, id, status, external_id, error.clone(), since_ms);
    if state == EffectState::Dead {
        let data = json!({"delivery": id, "attempts": attempts, "error": error});
        match step.state.effects.get(&id).map(|effect| &effect.action) {
            // A rule on dead deliveries sent this one: one that reacted to its death would never end.
            Some(EffectAction::Notify(sent))
                if sent.data.get("event") == Some(&json!(EventKind::DeliveryDead)) =>
            {
                let line = step.dialog(dialog).map(|row| row.line.clone());
                step.emit_unheard(EventKind::DeliveryDead, dialog, line, data);
            }
            Some(EffectAction::Send(sent)) => {
                let message = sent.message;
                step.emit(EventKind::DeliveryDead, dialog, Some(message), data);
            }
            _ => step.emit(EventKind::DeliveryDead, dialog, None, data),
        }
    }
}

fn leave_flight(step: &mut Step<'_>, id: EffectId, lane: &Lane) {
    step.state.timers.cancel(&TimerKey::EffectDeadline { effect: id });
    if let Some(row) = step.state.lanes.get_mut(lane)
        && row.in_flight == Some(id)
    {
        row.in_flight = None;
    }
    step.lanes.insert(lane.clone());
}

fn set_message_status(
    step: &mut Step<'_>,
    id: EffectId,
    status: MessageStatus,
    external_id: Option<String>,
    error: Option<String>,
    since_ms: u64,
) {
    let Some(effect) = step.state.effects.get(&id) else { return };
    let EffectAction::Send(outgoing) = &effect.action else { return };
    let (message, dialog) = (outgoing.message, effect.dialog);
    let Some(row) = step.state.messages.get_mut(&message).map(Arc::make_mut) else { return };
    row.status = status;
    row.error.clone_from(&error);
    if status == MessageStatus::Queued {
        row.lost_at_ms = None;
    }
    if external_id.is_some() {
        row.external_id.clone_from(&external_id);
    }
    match status {
        MessageStatus::Sent => {
            if let Some(external) = &external_id {
                fates::remember(step, dialog, message, external, since_ms);
            }
            step.emit(EventKind::MessageSent, dialog, Some(message), json!({"message": message}));
        }
        MessageStatus::Failed => {
            let data = json!({"message": message, "error": error});
            step.emit(EventKind::MessageFailed, dialog, Some(message), data);
        }
        _ => {}
    }
}

/// The messenger takes no answers to a client who has not written for long. Who wrote since the message was
/// written opened the window again.
pub(super) fn close_window(step: &mut Step<'_>, dialog: DialogId, written_at_ms: u64) {
    let at_ms = step.at_ms;
    let Some(row) = step.dialog(dialog) else { return };
    if row.closed_at_ms.is_none()
        && row.life.window_closed_at_ms.is_none()
        && row.last_inbound_at_ms <= written_at_ms
    {
        step.change_dialog(dialog, |row| row.life.window_closed_at_ms = Some(at_ms));
        step.emit(EventKind::DialogUpdated, dialog, None, json!({"window_closed": true}));
    }
}

/// The client does not let us write any more.
pub(super) fn forbid_writing(step: &mut Step<'_>, dialog: DialogId) {
    let Some(row) = step.state.dialogs.get(&dialog) else { return };
    let (line, chat) = (row.line.clone(), row.chat);
    let Some(row) = step.state.chats.get_mut(&chat) else { return };
    if !std::mem::replace(&mut row.allowed, false) {
        return;
    }
    let (client, channel) = (row.client, row.address.channel.clone());
    let open = row.open_dialog;
    let data = json!({"client": client, "channel": channel, "allowed": false});
    match open {
        Some(dialog) => {
            step.emit(EventKind::ClientBlocked, dialog, None, data);
            close::abandon(step, dialog);
        }
        None => step.emit_general(EventKind::ClientBlocked, Some(line), data),
    }
}
