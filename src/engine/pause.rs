//! Pauses: a dialog that is pinned is not closed by silence, up to a limit.

use serde_json::json;

use crate::model::decision::{TimerDone, TimerVerdict, Verdict};
use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::DialogId;
use crate::model::life::Pause;
use crate::model::line::Silence;
use crate::model::outcome::{Receipt, Rejection};
use crate::model::timer::LifeTimer;

use super::close;
use super::deadlines::Due;
use super::step::Step;

/// Pins a dialog, until a time or as long as the line allows. Pinning again changes the end.
pub(super) fn pause(
    step: &mut Step<'_>,
    dialog: DialogId,
    until_ms: Option<u64>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if !row.state.is_owned() {
        return Err(Rejection::WrongState { state: row.state });
    }
    let at_ms = step.at_ms;
    let latest_ms = at_ms.saturating_add(limit_ms(step, row));
    if until_ms.is_some_and(|until_ms| until_ms <= at_ms || until_ms > latest_ms) {
        return Err(Rejection::PauseBeyondLimit { latest_ms });
    }
    let since_ms = row.life.paused.as_ref().map_or(at_ms, |pause| pause.since_ms);
    let pause = Pause { since_ms, until_ms: until_ms.unwrap_or(latest_ms), until_asked: until_ms.is_some() };
    if row.life.paused.as_ref() != Some(&pause) {
        let data = json!({"paused": true, "pause_ends_at_ms": pause.until_ms});
        step.change_dialog(dialog, |row| row.life.paused = Some(pause));
        step.emit(EventKind::DialogUpdated, dialog, None, data);
    }
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// Pins a dialog for a time, or as long as the line allows: a longer time is cut to that.
pub(super) fn pause_for(
    step: &mut Step<'_>,
    dialog: DialogId,
    for_ms: Option<u64>,
) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    let limit_ms = limit_ms(step, row);
    let until_ms = for_ms.filter(|for_ms| *for_ms < limit_ms).map(|for_ms| step.at_ms.saturating_add(for_ms));
    pause(step, dialog, until_ms)
}

fn limit_ms(step: &Step<'_>, row: &Dialog) -> u64 {
    let silence = step.live.line(&row.line).and_then(|line| line.silence.as_ref());
    silence.map_or(Silence::PAUSE_LIMIT_MS, |silence| silence.pause_limit_ms)
}

/// Ends a pause. The client's silence counts from now.
pub(super) fn resume(step: &mut Step<'_>, dialog: DialogId) -> Result<Receipt, Rejection> {
    let row = step.dialog(dialog).ok_or(Rejection::UnknownDialog)?;
    if row.life.paused.is_some() {
        let at_ms = step.at_ms;
        step.change_dialog(dialog, |row| {
            row.life.paused = None;
            row.life.begin_silence((row.state == DialogState::WaitingClient).then_some(at_ms));
        });
        step.emit(EventKind::DialogUpdated, dialog, None, json!({"paused": false}));
    }
    Ok(Receipt { dialog: Some(dialog), message: None })
}

/// A pause has lasted long enough. At the limit of the line a dialog whose client is silent is closed, if
/// silence closes dialogs there; otherwise the dialog goes on.
pub(super) fn ended(step: &mut Step<'_>, dialog: DialogId, due: Due) {
    let Some(row) = step.dialog(dialog) else { return };
    let is_limit = row.life.paused.as_ref().is_some_and(|pause| !pause.until_asked);
    let closes = step.live.line(&row.line).is_some_and(|line| line.silence.is_some());
    let is_silent = row.state == DialogState::WaitingClient;
    let done = if is_limit && closes && is_silent { TimerDone::Closed } else { TimerDone::Resumed };
    let verdict = TimerVerdict { timer: LifeTimer::Pause, due_ms: due.at_ms, since_ms: due.since_ms, done };
    step.record(dialog, Verdict::Timer(verdict));
    let refused = match done {
        TimerDone::Closed => close::close(step, dialog, CloseReason::Silence).err(),
        _ => resume(step, dialog).err(),
    };
    debug_assert!(refused.is_none(), "a dialog that is owned can be closed and go on: {refused:?}");
}
