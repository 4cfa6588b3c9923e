//! The automatic texts of a line. They are marked as such, and none answers an automatic message.

use std::sync::Arc;

use serde_json::Value;

use crate::model::decision::{TimerDone, TimerVerdict, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, TemplateId};
use crate::model::line::WelcomeEach;
use crate::model::message::{Author, Button};
use crate::model::timer::LifeTimer;

use super::deadlines::Due;
use super::live::Live;
use super::outgoing::{Draft, WrittenBy, send};
use super::render::Missing;
use super::rules::facts::{self, Wanted};
use super::step::Step;
use super::{identity, waiting};

/// A client is told the place in the queue at most this often in one dialog: who waits longer does not learn
/// more from another message.
const POSITIONS_TOLD_MAX: u32 = 60;

/// Sends the welcome text of a dialog that was just opened.
pub(super) fn welcome(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(welcome) = live.line(&row.line).and_then(|line| line.texts.welcome.as_ref()) else { return };
    let is_first = step.state.chats.get(&row.chat).is_some_and(|chat| chat.dialogs == 1);
    match welcome.each {
        WelcomeEach::FirstContact if !is_first => {}
        WelcomeEach::FirstContact | WelcomeEach::Dialog => drop(say(step, dialog, &welcome.template)),
    }
}

/// Tells a client who writes outside the hours, once until an operator writes within them.
pub(super) fn out_of_hours(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(line) = live.line(&row.line) else { return };
    let Some(template) = &line.texts.out_of_hours else { return };
    if row.out_of_hours_told || live.is_open(line, step.at_ms) {
        return;
    }
    step.change_dialog(dialog, |dialog| dialog.out_of_hours_told = true);
    say(step, dialog, template);
}

/// Says goodbye before an operator closes a dialog.
pub(super) fn closing(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    if row.state == DialogState::Closed {
        return;
    }
    if let Some(template) = live.line(&row.line).and_then(|line| line.closing.as_ref()) {
        say(step, dialog, template);
    }
}

/// Tells a client once what becomes of their data.
pub(super) fn consent(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(template) = live.line(&row.line).and_then(|line| line.texts.consent.as_ref()) else { return };
    let chat = row.chat;
    if step.state.chats.get(&chat).is_none_or(|chat| chat.consent_told) {
        return;
    }
    if let Some(chat) = step.state.chats.get_mut(&chat) {
        chat.consent_told = true;
    }
    say(step, dialog, template);
}

/// Whether a dialog's line has texts that come by themselves while it waits.
pub(super) fn has_timed(step: &Step<'_>, dialog: DialogId) -> bool {
    step.dialog(dialog)
        .and_then(|row| step.live.line(&row.line))
        .is_some_and(|line| line.texts.no_answer.is_some() || line.texts.queue_position.is_some())
}

/// Somebody accepted: that nobody answers will not be said any more.
pub(super) fn somebody_answers(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let line = step.dialog(dialog).and_then(|row| live.line(&row.line));
    if line.is_some_and(|line| line.texts.no_answer.is_some()) {
        step.change_dialog(dialog, |row| row.life.no_answer_over = true);
    }
}

/// When a client who waits is told that nobody answers. Who was told that the line is closed is not.
pub(super) fn no_answer_due(live: &Live, dialog: &Dialog) -> Option<Due> {
    let text = live.line(&dialog.line)?.texts.no_answer.as_ref()?;
    let life = &dialog.life;
    let is_wanted = dialog.state.is_waiting()
        && !life.no_answer_over
        && !life.only_automatic
        && !dialog.out_of_hours_told;
    is_wanted.then(|| Due::after(dialog.queued_at_ms, text.after_ms))
}

/// Nobody has accepted for some time, or as often as everybody may be asked.
pub(super) fn no_answer(step: &mut Step<'_>, dialog: DialogId, due: Due) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(text) = live.line(&row.line).and_then(|line| line.texts.no_answer.as_ref()) else { return };
    let is_sent = may_be_written_to(step, row) && say(step, dialog, &text.template);
    step.change_dialog(dialog, |row| row.life.no_answer_over = true);
    record(step, dialog, LifeTimer::NoAnswer, due, is_sent);
}

/// Everybody was asked as often as the line allows: that nobody answers is said now, if it was to be said later.
pub(super) fn unanswered(step: &mut Step<'_>, dialog: DialogId) {
    let live = Arc::clone(&step.live);
    let Some(later) = step.dialog(dialog).and_then(|row| no_answer_due(&live, row)) else { return };
    no_answer(step, dialog, Due { at_ms: step.at_ms.min(later.at_ms), ..later });
}

/// When a client who waits is next told the place in the queue.
pub(super) fn queue_position_due(live: &Live, dialog: &Dialog) -> Option<Due> {
    let text = live.line(&dialog.line)?.texts.queue_position.as_ref()?;
    let life = &dialog.life;
    let is_wanted =
        dialog.state.is_waiting() && !life.only_automatic && life.positions_told < POSITIONS_TOLD_MAX;
    let since_ms = life.position_told_ms.unwrap_or(0).max(dialog.waits_since_ms());
    is_wanted.then(|| Due::after(since_ms, text.every_ms))
}

/// The client has waited for another while. Outside the hours no place in a queue is of use.
pub(super) fn queue_position(step: &mut Step<'_>, dialog: DialogId, due: Due) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(line) = live.line(&row.line) else { return };
    let Some(text) = &line.texts.queue_position else { return };
    let is_fitting = live.is_open(line, step.at_ms) && may_be_written_to(step, row);
    let at_ms = step.at_ms;
    let is_sent = is_fitting && {
        let queue = waiting::facts(step, dialog);
        say_knowing(step, dialog, &text.template, Some(queue), Words::default())
    };
    step.change_dialog(dialog, |row| {
        row.life.position_told_ms = Some(at_ms);
        if is_sent {
            row.life.positions_told = row.life.positions_told.saturating_add(1);
        }
    });
    record(step, dialog, LifeTimer::QueuePosition, due, is_sent);
}

fn record(step: &mut Step<'_>, dialog: DialogId, timer: LifeTimer, due: Due, is_sent: bool) {
    let done = if is_sent { TimerDone::TextSent } else { TimerDone::TextOmitted };
    let verdict = TimerVerdict { timer, due_ms: due.at_ms, since_ms: due.since_ms, done };
    step.record(dialog, Verdict::Timer(verdict));
}

/// Whether the client of a dialog lets us write.
pub(super) fn may_be_written_to(step: &Step<'_>, row: &Dialog) -> bool {
    step.state.chats.get(&row.chat).is_some_and(|chat| chat.allowed)
}

/// What a text says beyond its template, and when it may be said.
#[derive(Default)]
struct Words {
    /// Below those of the template.
    buttons: Vec<Button>,
    /// A line below the text.
    hint: Option<String>,
    even_if_closed: bool,
}

/// Sends a text. Returns whether it could be sent; otherwise an event says why not.
fn say(step: &mut Step<'_>, dialog: DialogId, template: &TemplateId) -> bool {
    say_knowing(step, dialog, template, None, Words::default())
}

/// Sends a text with buttons of ours below it, or with a line that says how to do without.
pub(super) fn say_with(
    step: &mut Step<'_>,
    dialog: DialogId,
    template: &TemplateId,
    buttons: Vec<Button>,
    hint: Option<String>,
) -> bool {
    say_knowing(step, dialog, template, None, Words { buttons, hint, even_if_closed: false })
}

/// Sends a last word, to a dialog that may be closed.
pub(super) fn say_even_if_closed(step: &mut Step<'_>, dialog: DialogId, template: &TemplateId) {
    let words = Words { even_if_closed: true, ..Words::default() };
    say_knowing(step, dialog, template, None, words);
}

fn say_knowing(
    step: &mut Step<'_>,
    dialog: DialogId,
    template: &TemplateId,
    queue: Option<Value>,
    words: Words,
) -> bool {
    let mut known = facts::document(step, EventKind::DialogUpdated, Some(dialog), None, &Wanted::all());
    if let (Some(known), Some(queue)) = (known.as_object_mut(), queue) {
        known.insert("queue".to_owned(), queue);
    }
    if let Some(row) = step.dialog(dialog) {
        identity::show(step, row, &mut known);
    }
    let languages = facts::languages(step, dialog);
    let rendered = step.live.templates.render(template, &languages, &known, Missing::Empty);
    let failed = match rendered {
        Ok(rendered) => {
            let mut text = rendered.text;
            if let Some(hint) = words.hint {
                text.push('\n');
                text.push_str(&hint);
            }
            let mut buttons = rendered.buttons;
            buttons.extend(words.buttons);
            let draft = Draft {
                author: Author::System,
                text,
                buttons,
                attachments: Vec::new(),
                reply_to: None,
                written_by: WrittenBy::Machine,
                even_if_closed: words.even_if_closed,
            };
            send(step, dialog, draft).err().map(|rejection| rejection.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    let is_sent = failed.is_none();
    if let Some(reason) = failed {
        let data = serde_json::json!({"template": template, "reason": reason});
        step.emit(EventKind::TextNotSent, dialog, None, data);
    }
    is_sent
}
