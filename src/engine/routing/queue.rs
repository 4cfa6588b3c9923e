//! The order in which dialogs wait, and for whom.
//!
//! Dialogs that wait for exactly the same people, and weigh the same, share an audience: what can be given to
//! one of them can be given to any. So routing asks once for each audience whether anybody is free, never
//! once for each dialog.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::live::Live;
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{DialogId, LineId, OperatorId, TeamId, TopicId};
use crate::model::line::{Ageing, Strategy};

use super::pool::Pool;

/// For whom dialogs wait.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience {
    /// The line.
    pub line: LineId,
    /// The team; `None`: the operators of the line, or of the topic.
    pub team: Option<TeamId>,
    /// The topic, where the line says something about it.
    pub topic: Option<TopicId>,
    /// How many overflow stages were reached.
    pub stage: u32,
    /// The language that is asked for, where operators are chosen by it.
    pub language: Option<String>,
    /// For whom alone the dialog is kept.
    pub reserved: Option<OperatorId>,
    /// What the dialog weighs, in thousandths.
    pub weight_milli: u32,
}

impl Audience {
    /// Whom a dialog waits for.
    pub fn of(dialog: &Dialog, live: &Live) -> Self {
        let line = live.line(&dialog.line);
        let topic = dialog
            .topic
            .as_ref()
            .filter(|topic| {
                dialog.team.is_none() && line.is_some_and(|line| line.routing.topic(topic).is_some())
            })
            .cloned();
        Self {
            line: dialog.line.clone(),
            team: dialog.team.clone(),
            topic,
            stage: dialog.route.stage,
            language: dialog.route.language.clone(),
            reserved: dialog.route.reserved.as_ref().map(|kept| kept.operator.clone()),
            weight_milli: live.weight_milli(&dialog.line, &dialog.channel),
        }
    }
}

/// The dialogs of one audience that may be offered to somebody, or to somebody more.
#[derive(Debug)]
pub struct Queue {
    /// Whom they may be offered to.
    pub pool: Arc<Pool>,
    /// In their order.
    pub places: BTreeSet<Place>,
}

/// Whether routing may offer a dialog to somebody, or to somebody more. While the operator whom a person
/// chose is asked, nobody else is.
pub fn may_be_offered(dialog: &Dialog, live: &Live) -> bool {
    let is_broadcast =
        || live.line(&dialog.line).is_some_and(|line| line.routing.strategy == Strategy::Broadcast);
    match dialog.state {
        DialogState::Queued => true,
        DialogState::Offered => is_broadcast() && !dialog.offers.iter().any(|offer| offer.by_hand),
        _ => false,
    }
}

/// A dialog's place among those that wait: higher score first, then the earlier deadline, then who waits
/// longest, then the older dialog. Good for the moment that it was made for: scores grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    score: Reverse<i64>,
    /// `u64::MAX`: none.
    deadline_ms: u64,
    queued_at_ms: u64,
    /// Whose place it is.
    pub dialog: DialogId,
}

impl Place {
    /// The place of a dialog at an instant.
    pub fn of(dialog: &Dialog, ageing: Option<&Ageing>, at_ms: u64) -> Self {
        let aged = ageing.map_or(0, |ageing| aged(ageing, at_ms.saturating_sub(dialog.queued_at_ms)));
        Self {
            score: Reverse(i64::from(dialog.priority).saturating_add(aged)),
            deadline_ms: dialog.route.deadline_ms.unwrap_or(u64::MAX),
            queued_at_ms: dialog.queued_at_ms,
            dialog: dialog.id,
        }
    }

    /// Priority and what waiting added to it.
    pub const fn score(&self) -> i64 {
        self.score.0
    }
}

/// What waiting for so long adds to a priority.
pub fn aged(ageing: &Ageing, waited_ms: u64) -> i64 {
    let steps = waited_ms.checked_div(ageing.every_ms).unwrap_or(0);
    let gained = steps.saturating_mul(u64::from(ageing.gain));
    let gained = ageing.cap.map_or(gained, |cap| gained.min(u64::from(cap)));
    i64::try_from(gained).unwrap_or(i64::MAX)
}

/// When the score of somebody who waits since `queued_at_ms` grows next; `None`: never again.
pub fn grows_at_ms(ageing: &Ageing, queued_at_ms: u64, at_ms: u64) -> Option<u64> {
    let waited_ms = at_ms.saturating_sub(queued_at_ms);
    let is_capped =
        ageing.cap.is_some_and(|cap| aged(ageing, waited_ms) >= i64::from(cap)) || ageing.gain == 0;
    let steps = waited_ms.checked_div(ageing.every_ms)?;
    (!is_capped).then(|| queued_at_ms.saturating_add(steps.saturating_add(1).saturating_mul(ageing.every_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGEING: Ageing = Ageing { every_ms: 60_000, gain: 2, cap: Some(5) };

    #[test]
    fn of_equal_score_the_earlier_deadline_goes_first_and_then_who_waits_longest() {
        let place = |score, deadline_ms, queued_at_ms, seq| Place {
            score: Reverse(score),
            deadline_ms,
            queued_at_ms,
            dialog: DialogId::new(seq, 0),
        };
        let mut places = [
            place(0, u64::MAX, 1, 1),
            place(0, 500, 9, 3),
            place(0, 500, 9, 2),
            place(0, 400, 50, 4),
            place(7, u64::MAX, 90, 5),
        ];
        places.sort_unstable();
        assert_eq!(places.map(|place| place.dialog.seq), [5, 4, 2, 3, 1]);
    }

    #[test]
    fn a_score_grows_by_steps_up_to_the_cap() {
        let at = |waited_ms| aged(&AGEING, waited_ms);
        assert_eq!((at(0), at(59_999), at(60_000), at(120_000)), (0, 0, 2, 4));
        assert_eq!((at(180_000), at(86_400_000)), (5, 5), "the cap cuts the last step");
        assert_eq!(aged(&Ageing { cap: None, ..AGEING }, 600_000), 20);
    }

    #[test]
    fn the_next_step_is_known_until_the_cap() {
        let next = |at_ms| grows_at_ms(&AGEING, 1_000, at_ms);
        assert_eq!((next(1_000), next(60_999), next(61_000)), (Some(61_000), Some(61_000), Some(121_000)));
        assert_eq!((next(121_000), next(181_000)), (Some(181_000), None));
    }
}
