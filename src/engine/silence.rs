//! A client is silent after the operator wrote: reminders with choices, then the close.
//!
//! Nothing of this happens while the client waits for an answer, nor during a pause.

use std::sync::Arc;

use crate::model::decision::{TimerDone, TimerVerdict, Verdict};
use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::id::DialogId;
use crate::model::line::{Nudge, NudgeChoice, Silence};
use crate::model::message::Button;
use crate::model::timer::LifeTimer;

use super::deadlines::Due;
use super::live::Live;
use super::phrases::{Language, plain};
use super::rules::facts;
use super::step::Step;
use super::{close, rating, texts};

/// What the data of a button that chooses begins with; the dialog and the choice follow.
const BUTTON: &str = "silence";

/// Since when the client of a dialog is silent; `None`: it is not the client's turn.
pub(super) fn since_ms(dialog: &Dialog) -> Option<u64> {
    if dialog.state != DialogState::WaitingClient {
        return None;
    }
    dialog.life.silent_since_ms.or_else(|| dialog.last_message.as_ref().map(|last| last.at_ms))
}

/// A machine writes into the client's silence: it goes on counting from where it began.
pub(super) fn keep_start(step: &mut Step<'_>, dialog: DialogId) {
    let Some(row) = step.dialog(dialog).filter(|row| row.life.silent_since_ms.is_none()) else { return };
    let counts = step.live.line(&row.line).is_some_and(|line| line.silence.is_some());
    let since_ms = since_ms(row).filter(|_| counts);
    if since_ms.is_some() {
        step.change_dialog(dialog, |row| row.life.silent_since_ms = since_ms);
    }
}

/// When the next reminder or the close is due.
pub(super) fn due(live: &Live, dialog: &Dialog) -> Option<Due> {
    let policy = live.line(&dialog.line)?.silence.as_ref().filter(|_| dialog.life.paused.is_none())?;
    let since_ms = since_ms(dialog)?;
    let close = Due::after(since_ms, policy.close_after_ms);
    let nudge = next_nudge(policy, dialog).map(|nudge| Due::after(since_ms, nudge.after_ms));
    Some(nudge.filter(|nudge| nudge.at_ms < close.at_ms).unwrap_or(close))
}

fn next_nudge<'a>(policy: &'a Silence, dialog: &Dialog) -> Option<&'a Nudge> {
    usize::try_from(dialog.life.nudges).ok().and_then(|number| policy.nudges.get(number))
}

/// The silence has lasted long enough for the next reminder, or for the close.
pub(super) fn fire(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(policy) = live.line(&row.line).and_then(|line| line.silence.as_ref()) else { return };
    let Some(since_ms) = since_ms(row) else { return };
    let at_ms = step.at_ms;
    let close = Due::after(since_ms, policy.close_after_ms);
    if close.at_ms <= at_ms {
        record(step, dialog, close, TimerDone::Closed);
        let closed = close::close(step, dialog, CloseReason::Silence);
        debug_assert!(closed.is_ok(), "a dialog whose client is silent is open");
        return;
    }
    // After a standstill several reminders may be due: the client gets the last of them alone.
    let is_due = |nudge: &&Nudge| Due::after(since_ms, nudge.after_ms).at_ms <= at_ms;
    let over = policy.nudges.iter().take_while(is_due).count();
    let Some(nudge) = over.checked_sub(1).and_then(|number| policy.nudges.get(number)) else { return };
    // The times are counted from the operator's message, which is not the last one any more.
    step.change_dialog(dialog, |row| {
        row.life.silent_since_ms = Some(since_ms);
        row.life.nudges = u32::try_from(over).unwrap_or(u32::MAX);
        row.life.choices.clone_from(&nudge.choices);
    });
    let is_sent = remind(step, dialog, policy, nudge);
    let done = if is_sent { TimerDone::TextSent } else { TimerDone::TextOmitted };
    record(step, dialog, Due::after(since_ms, nudge.after_ms), done);
}

fn record(step: &mut Step<'_>, dialog: DialogId, due: Due, done: TimerDone) {
    let verdict = TimerVerdict { timer: LifeTimer::Silence, due_ms: due.at_ms, since_ms: due.since_ms, done };
    step.record(dialog, Verdict::Timer(verdict));
}

fn remind(step: &mut Step<'_>, dialog: DialogId, policy: &Silence, nudge: &Nudge) -> bool {
    let Some(row) = step.dialog(dialog) else { return false };
    if !texts::may_be_written_to(step, row) {
        return false;
    }
    let language = Language::of(&facts::languages(step, dialog));
    let titles = nudge.choices.iter().map(|choice| (*choice, title(policy, language, *choice)));
    if rating::has_buttons(step, row) {
        let buttons = titles
            .map(|(choice, title)| Button {
                title: title.to_owned(),
                data: format!("{BUTTON}:{dialog}:{}", choice.as_str()),
            })
            .collect();
        texts::say_with(step, dialog, &nudge.template, buttons, None)
    } else {
        let list: Vec<String> =
            titles.zip(1..).map(|((_, title), number)| format!("{number} - {title}")).collect();
        let hint = (!list.is_empty()).then(|| list.join("\n"));
        texts::say_with(step, dialog, &nudge.template, Vec::new(), hint)
    }
}

fn title(policy: &Silence, language: Language, choice: NudgeChoice) -> &str {
    policy.labels.get(&choice).map_or_else(|| language.choice(choice), String::as_str)
}

/// The dialog and the choice that a pressed button means, if it is one of ours.
pub(super) fn of_button(data: &str) -> Option<(DialogId, NudgeChoice)> {
    let (dialog, choice) = data.strip_prefix(BUTTON)?.strip_prefix(':')?.split_once(':')?;
    let choice = NudgeChoice::ALL.into_iter().find(|known| known.as_str() == choice)?;
    Some((dialog.parse().ok()?, choice))
}

/// The choice that a text means where there are no buttons: its number, its name or its word.
pub(super) fn of_text(step: &Step<'_>, row: &Dialog, text: &str) -> Option<NudgeChoice> {
    let choices = &row.life.choices;
    if row.state != DialogState::WaitingClient || choices.is_empty() || rating::has_buttons(step, row) {
        return None;
    }
    let policy = step.live.line(&row.line)?.silence.as_ref()?;
    let language = Language::of(&facts::languages(step, row.id));
    let word = plain(text);
    choices.iter().zip(1..).find_map(|(choice, number): (_, u32)| {
        let is_meant = word == number.to_string()
            || word == choice.as_str()
            || word == plain(title(policy, language, *choice));
        is_meant.then_some(*choice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_which_dialog_it_is_about() {
        let found = of_button("silence:d-17-2:continue");
        assert_eq!(found, Some((DialogId::new(17, 2), NudgeChoice::Continue)));
        for data in ["silence", "silence:d-1", "silence:d-1:other", "rate:d-1:close"] {
            assert_eq!(of_button(data), None, "{data}");
        }
    }
}
