//! Which dialog a client's message belongs to, and what it means there.
//!
//! Most messages are words for people. Some are votes, or answers to a reminder; those of a machine never wake a
//! dialog that is closing.

use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::id::{ChatId, DialogId};
use crate::model::inbound::InboundMessage;
use crate::model::line::NudgeChoice;
use crate::model::offer::OfferEnd;

use super::step::Step;
use super::{close, comeback, offers, rating, silence};

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The dialog; `None`: a new one is to be opened.
    pub(super) dialog: Option<DialogId>,
    /// The dialog that ends because the client wants a new one.
    replaces: Option<DialogId>,
    /// What it means there.
    pub(super) meaning: Meaning,
}

/// What a client's message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something to be read by people.
    Words,
    /// A vote about the dialog.
    Vote(u8),
    /// The client wants the dialog closed.
    Close,
    /// Nothing follows: it is kept for the record.
    Kept,
}

impl Place {
    const fn of(dialog: DialogId, meaning: Meaning) -> Self {
        Self { dialog: Some(dialog), replaces: None, meaning }
    }
}

/// Finds the place of a message.
pub(super) fn find(step: &Step<'_>, chat: ChatId, inbound: &InboundMessage, button: Option<&str>) -> Place {
    if let Some(place) = button.and_then(|data| of_button(step, chat, data)) {
        return place;
    }
    let Some(row) = step.state.chats.get(&chat) else {
        return Place { dialog: None, replaces: None, meaning: Meaning::Words };
    };
    // A button that is not ours is no vote, whatever is written on it.
    let text = inbound.text.as_str();
    let is_typed = button.is_none() && !inbound.automatic;
    match row.open_dialog {
        Some(open) => {
            let Some(dialog) = step.dialog(open) else { return Place::of(open, Meaning::Words) };
            if dialog.state == DialogState::Closing {
                let meaning = match rating::of_text(step, dialog, text).filter(|_| is_typed) {
                    Some(score) => Meaning::Vote(score),
                    None if inbound.automatic => Meaning::Kept,
                    None => Meaning::Words,
                };
                return Place::of(open, meaning);
            }
            match silence::of_text(step, dialog, text).filter(|_| is_typed) {
                Some(choice) => of_choice(dialog, choice),
                None => Place::of(open, Meaning::Words),
            }
        }
        None => {
            let last = row.last_dialog.and_then(|last| step.dialog(last));
            if let Some(last) = last {
                if let Some(score) = rating::of_text(step, last, text).filter(|_| is_typed) {
                    return Place::of(last.id, Meaning::Vote(score));
                }
                if comeback::is_within_window(step, last) {
                    return Place::of(last.id, Meaning::Words);
                }
            }
            Place { dialog: None, replaces: None, meaning: Meaning::Words }
        }
    }
}

/// The place of the press of a button that we made, for a dialog of this chat.
fn of_button(step: &Step<'_>, chat: ChatId, data: &str) -> Option<Place> {
    let own = |dialog: DialogId| step.dialog(dialog).filter(|row| row.chat == chat);
    if let Some((dialog, score)) = rating::of_button(data) {
        own(dialog)?.life.rating.as_ref().filter(|asked| asked.scale.has(score))?;
        return Some(Place::of(dialog, Meaning::Vote(score)));
    }
    let (dialog, choice) = silence::of_button(data)?;
    let row = own(dialog)?;
    match (row.state, choice) {
        (DialogState::Closing | DialogState::Closed, NudgeChoice::Close) => {
            Some(Place::of(dialog, Meaning::Kept))
        }
        // An old button under a dialog that is over is a message like any other.
        (DialogState::Closed, NudgeChoice::Continue | NudgeChoice::New) => None,
        (_, choice) => Some(of_choice(row, choice)),
    }
}

fn of_choice(row: &Dialog, choice: NudgeChoice) -> Place {
    match choice {
        NudgeChoice::Close => Place::of(row.id, Meaning::Close),
        NudgeChoice::Continue => Place::of(row.id, Meaning::Words),
        NudgeChoice::New => Place { dialog: None, replaces: Some(row.id), meaning: Meaning::Words },
    }
}

/// Makes room for the message: a dialog that is replaced ends, one that was over goes on.
pub(super) fn prepare(step: &mut Step<'_>, place: &Place) {
    if let Some(old) = place.replaces {
        // The client wants to speak of something else: no goodbye, and no questions about the old dialog.
        offers::end_all(step, old, OfferEnd::DialogClosed);
        let reason = step.dialog(old).map(|row| close::reason_of(step, row, CloseReason::Client));
        close::finish(step, old, reason.unwrap_or(CloseReason::Client));
    }
    let Some(dialog) = place.dialog.filter(|_| place.meaning == Meaning::Words) else { return };
    match step.dialog(dialog).map(|row| row.state) {
        Some(DialogState::Closing) => comeback::return_from_closing(step, dialog),
        Some(DialogState::Closed) => comeback::reopen_by_message(step, dialog),
        _ => {}
    }
}

/// What follows from a message that is not for people.
pub(super) fn conclude(step: &mut Step<'_>, dialog: DialogId, meaning: Meaning) {
    match meaning {
        Meaning::Vote(score) => rating::vote(step, dialog, score),
        // A rule on the message may have closed it before.
        Meaning::Close => drop(close::close(step, dialog, CloseReason::Client)),
        Meaning::Words | Meaning::Kept => {}
    }
}
