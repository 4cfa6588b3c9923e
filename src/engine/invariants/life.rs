//! The life of a dialog: closing, pauses, ratings, and when something in it is due.

use std::collections::BTreeMap;

use crate::engine::live::Live;
use crate::model::dialog::{Dialog, DialogState};
use crate::model::timer::{LifeTimer, TimerKey};

use super::Found;

/// What must hold of one dialog.
pub(super) fn dialog(dialog: &Dialog, found: &mut Found) {
    let (id, life) = (dialog.id, &dialog.life);
    let is_closing = dialog.state == DialogState::Closing;
    found.check("I7", is_closing == life.closing_until_ms.is_some(), || {
        format!("{id} is {:?} and closes at {:?}", dialog.state, life.closing_until_ms)
    });
    let is_over = is_closing || dialog.state == DialogState::Closed;
    found.check("I7", is_over == dialog.close_reason.is_some(), || {
        format!("{id} is {:?} with the close reason {:?}", dialog.state, dialog.close_reason)
    });
    found.check("I7", !is_closing || life.rating.as_ref().is_some_and(|asked| asked.vote.is_none()), || {
        format!("{id} waits for a vote that nobody was asked for, or that came")
    });
    found.check("I7", life.paused.is_none() || dialog.state.is_owned(), || {
        format!("{id} is {:?} and paused", dialog.state)
    });
    if let Some(vote) = life.rating.as_ref().and_then(|asked| asked.vote.as_ref().map(|vote| (asked, vote))) {
        let (asked, vote) = vote;
        found.check("I31", asked.scale.has(vote.score) && vote.at_ms >= asked.asked_at_ms, || {
            format!("{id} has the vote {} of another scale or time", vote.score)
        });
    }
    found.check("I32", dialog.first_response_at_ms.is_some() || life.rating.is_none(), || {
        format!("{id} was never answered and is to be rated")
    });
    let is_after_opening = dialog.first_response_at_ms.is_none_or(|at_ms| at_ms >= dialog.opened_at_ms);
    found.check("I32", is_after_opening, || format!("{id} was answered before it was opened"));
}

/// The timers that a dialog must have, read plainly from the configuration.
pub(super) fn timers(live: &Live, dialog: &Dialog) -> BTreeMap<TimerKey, u64> {
    let mut timers = BTreeMap::new();
    let mut expect = |kind, due_ms| timers.insert(TimerKey::Life { dialog: dialog.id, kind }, due_ms);
    let Some(line) = live.line(&dialog.line) else { return timers };
    let life = &dialog.life;
    if let Some(due_ms) = life.closing_until_ms {
        expect(LifeTimer::Closing, due_ms);
    }
    if let Some(pause) = &life.paused {
        expect(LifeTimer::Pause, pause.until_ms);
    }
    if let Some(silence) = &line.silence
        && dialog.state == DialogState::WaitingClient
        && life.paused.is_none()
    {
        let last_at_ms = dialog.last_message.as_ref().map_or(0, |last| last.at_ms);
        let since_ms = life.silent_since_ms.unwrap_or(last_at_ms);
        let sent = usize::try_from(life.nudges).unwrap_or(usize::MAX);
        let left = silence.nudges.iter().skip(sent).take(1).map(|nudge| nudge.after_ms);
        if let Some(after_ms) = left.chain([silence.close_after_ms]).min() {
            expect(LifeTimer::Silence, since_ms + after_ms);
        }
    }
    if dialog.state.is_waiting() && !life.only_automatic {
        if let Some(text) = &line.texts.no_answer
            && !life.no_answer_over
            && !dialog.out_of_hours_told
        {
            expect(LifeTimer::NoAnswer, dialog.queued_at_ms + text.after_ms);
        }
        if let Some(text) = &line.texts.queue_position
            && life.positions_told < 60
        {
            let since_ms = life.position_told_ms.unwrap_or(0).max(dialog.waits_since_ms());
            expect(LifeTimer::QueuePosition, since_ms + text.every_ms);
        }
    }
    timers
}
