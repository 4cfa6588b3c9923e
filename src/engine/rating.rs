//! Ratings: asked for once when the work on a dialog is done, voted by button or by a word.
//!
//! The first vote ends `closing`; until the deadline a later one replaces it. A vote after the close is stored
//! and reopens nothing.

use std::sync::Arc;

use serde_json::json;

use crate::model::dialog::{CloseReason, Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::DialogId;
use crate::model::life::{Rating, Vote};
use crate::model::line::RatingScale;
use crate::model::message::Button;

use super::phrases::{Language, plain};
use super::rules::facts;
use super::step::Step;
use super::{close, texts};

/// What the data of a button that votes begins with; the dialog and the score follow.
const BUTTON: &str = "rate";

/// Asks the client for a rating, if this dialog is to be rated and was not before. Returns what was asked.
pub(super) fn ask(step: &mut Step<'_>, dialog: DialogId, reason: CloseReason) -> Option<Rating> {
    let live = Arc::clone(&step.live);
    let row = step.dialog(dialog)?;
    let policy = live.line(&row.line)?.rating.as_ref()?;
    let is_worth_it = reason.is_rated() && row.first_response_at_ms.is_some() && row.life.rating.is_none();
    if !is_worth_it || !texts::may_be_written_to(step, row) {
        return None;
    }
    let has_buttons = has_buttons(step, row);
    let operator = row.owner.clone();
    let (buttons, hint) = if has_buttons {
        (buttons(dialog, policy.scale), None)
    } else {
        let language = Language::of(&facts::languages(step, dialog));
        (Vec::new(), Some(language.how_to_vote(policy.scale).to_owned()))
    };
    texts::say_with(step, dialog, &policy.template, buttons, hint).then(|| Rating {
        scale: policy.scale,
        asked_at_ms: step.at_ms,
        until_ms: step.at_ms.saturating_add(policy.window_ms),
        operator,
        vote: None,
    })
}

/// Whether the client of a dialog can press buttons.
pub(super) fn has_buttons(step: &Step<'_>, row: &Dialog) -> bool {
    let channel = step.live.config.channels.get(&row.channel);
    channel.is_some_and(|channel| channel.kind().has_buttons())
}

fn buttons(dialog: DialogId, scale: RatingScale) -> Vec<Button> {
    let button = |title: &str, score: u8| Button {
        title: title.to_owned(),
        data: format!("{BUTTON}:{dialog}:{score}"),
    };
    match scale {
        RatingScale::LikeDislike => vec![button("👍", 5), button("👎", 1)],
        RatingScale::OneToFive => (1..=5).map(|score| button(&score.to_string(), score)).collect(),
    }
}

/// The dialog and the score that a pressed button means, if it is one of ours.
pub(super) fn of_button(data: &str) -> Option<(DialogId, u8)> {
    let (dialog, score) = data.strip_prefix(BUTTON)?.strip_prefix(':')?.split_once(':')?;
    Some((dialog.parse().ok()?, score.parse().ok()?))
}

/// The score that a text means where there are no buttons, if it is nothing but a vote.
pub(super) fn of_text(step: &Step<'_>, row: &Dialog, text: &str) -> Option<u8> {
    let asked = row.life.rating.as_ref()?;
    if step.at_ms >= asked.until_ms || has_buttons(step, row) {
        return None;
    }
    let word = plain(text);
    match asked.scale {
        RatingScale::OneToFive => word.parse().ok().filter(|score| asked.scale.has(*score)),
        RatingScale::LikeDislike => match word.as_str() {
            "+" | "👍" | "5" | "like" | "good" | "лайк" | "хорошо" => Some(5),
            "-" | "−" | "–" | "👎" | "1" | "dislike" | "bad" | "дизлайк" | "плохо" => {
                Some(1)
            }
            _ => None,
        },
    }
}

/// Counts a vote. A first one always counts, a later one until the deadline.
pub(super) fn vote(step: &mut Step<'_>, dialog: DialogId, score: u8) {
    let at_ms = step.at_ms;
    let Some(row) = step.dialog(dialog) else { return };
    let Some(asked) = &row.life.rating else { return };
    let earlier = asked.vote.as_ref().map(|vote| vote.score);
    if !asked.scale.has(score) || earlier == Some(score) || (earlier.is_some() && at_ms >= asked.until_ms) {
        return;
    }
    let (operator, line, state) = (asked.operator.clone(), row.line.clone(), row.state);
    let reason = row.close_reason.unwrap_or(CloseReason::Operator);
    step.change_dialog(dialog, |row| {
        if let Some(asked) = &mut row.life.rating {
            asked.vote = Some(Vote { score, at_ms });
        }
    });
    let data = json!({"score": score, "before": earlier, "operator": operator});
    step.emit(EventKind::DialogRated, dialog, None, data);
    let live = Arc::clone(&step.live);
    let thanks =
        live.line(&line).and_then(|line| line.rating.as_ref()).and_then(|policy| policy.thanks.as_ref());
    if let Some(thanks) = thanks.filter(|_| earlier.is_none()) {
        texts::say_even_if_closed(step, dialog, thanks);
    }
    if state == DialogState::Closing {
        close::finish(step, dialog, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_which_dialog_it_rates() {
        let dialog = DialogId::new(17, 2);
        for button in buttons(dialog, RatingScale::OneToFive) {
            assert_eq!(of_button(&button.data), Some((dialog, button.title.parse().unwrap())));
        }
        for data in ["rate", "rate:d-1", "rate:d-01:5", "rate:d-1:300", "other:d-1:5"] {
            assert_eq!(of_button(data), None, "{data}");
        }
    }

    #[test]
    fn the_longest_button_fits_every_messenger() {
        let dialog = DialogId::new(u64::MAX, u32::MAX);
        assert!(buttons(dialog, RatingScale::LikeDislike).iter().all(|button| button.data.len() <= 64));
    }
}
