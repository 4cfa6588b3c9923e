//! The automatic texts of a line. They are marked as such, and none answers an automatic message.

use crate::model::dialog::DialogState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, TemplateId};
use crate::model::line::WelcomeEach;
use crate::model::message::Author;

use super::outgoing::{Draft, WrittenBy, send};
use super::render::Missing;
use super::rules::facts::{self, Wanted};
use super::step::Step;

/// Sends the welcome text of a dialog that was just opened.
pub(super) fn welcome(step: &mut Step<'_>, dialog: DialogId) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(welcome) = live.line(&row.line).and_then(|line| line.texts.welcome.as_ref()) else { return };
    let is_first = step.state.chats.get(&row.chat).is_some_and(|chat| chat.dialogs == 1);
    match welcome.each {
        WelcomeEach::FirstContact if !is_first => {}
        WelcomeEach::FirstContact | WelcomeEach::Dialog => say(step, dialog, &welcome.template),
    }
}

/// Tells a client who writes outside the hours, once until an operator writes within them.
pub(super) fn out_of_hours(step: &mut Step<'_>, dialog: DialogId) {
    let live = std::sync::Arc::clone(&step.live);
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
    let live = std::sync::Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    if row.state == DialogState::Closed {
        return;
    }
    if let Some(template) = live.line(&row.line).and_then(|line| line.closing.as_ref()) {
        say(step, dialog, template);
    }
}

fn say(step: &mut Step<'_>, dialog: DialogId, template: &TemplateId) {
    let facts = facts::document(step, EventKind::DialogUpdated, Some(dialog), None, &Wanted::all());
    let languages = facts::languages(step, dialog);
    let rendered = step.live.templates.render(template, &languages, &facts, Missing::Empty);
    let failed = match rendered {
        Ok(rendered) => {
            let draft = Draft {
                author: Author::System,
                text: rendered.text,
                buttons: rendered.buttons,
                reply_to: None,
                written_by: WrittenBy::Machine,
            };
            send(step, dialog, draft).err().map(|rejection| rejection.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(reason) = failed {
        let data = serde_json::json!({"template": template, "reason": reason});
        step.emit(EventKind::TextNotSent, dialog, None, data);
    }
}
