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

/// What a place is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The priority without what waiting adds.
    pub priority: i32,
    /// When it should be answered at the latest, in ms.
    pub deadline_ms: Option<u64>,
    /// Since when it has its place, in ms.
    pub queued_at_ms: u64,
    /// Whose it is.
    pub dialog: DialogId,
}

impl Standing {
    /// That of a dialog.
    pub const fn of(dialog: &Dialog) -> Self {
        Self {
            priority: dialog.priority,
            deadline_ms: dialog.route.deadline_ms,
            queued_at_ms: dialog.queued_at_ms,
            dialog: dialog.id,
        }
    }
}

impl Place {
    /// The place of a dialog at an instant.
    pub fn of(dialog: &Dialog, ageing: Option<&Ageing>, at_ms: u64) -> Self {
        Self::at(&Standing::of(dialog), ageing, at_ms)
    }

    /// The place of what stands so, at an instant.
    pub fn at(standing: &Standing, ageing: Option<&Ageing>, at_ms: u64) -> Self {
        let aged = ageing.map_or(0, |ageing| aged(ageing, at_ms.saturating_sub(standing.queued_at_ms)));
        let score = i64::from(standing.priority).saturating_add(aged);
        Self::new(score, standing.deadline_ms, standing.queued_at_ms, standing.dialog)
    }

    /// The place with this score, deadline and time in the queue.
    pub fn new(score: i64, deadline_ms: Option<u64>, queued_at_ms: u64, dialog: DialogId) -> Self {
        let deadline_ms = deadline_ms.unwrap_or(u64::MAX);
        Self { score: Reverse(score), deadline_ms, queued_at_ms, dialog }
    }

    /// Priority and what waiting added to it.
    pub const fn score(&self) -> i64 {
        self.score.0
    }

    /// When it should be answered at the latest, in ms.
    pub fn deadline_ms(&self) -> Option<u64> {
        Some(self.deadline_ms).filter(|deadline_ms| *deadline_ms < u64::MAX)
    }

    /// Since when it waits, in ms.
    pub const fn queued_at_ms(&self) -> u64 {
        self.queued_at_ms
    }
}

/// What waiting for so long adds to a priority.
pub fn aged(ageing: &Ageing, waited_ms: u64) -> i64 {
    let steps = waited_ms.checked_div(ageing.every_ms).unwrap_or(0);
    let gained = steps.saturating_mul(u64::from(ageing.gain));
    let gained = ageing.cap.map_or(gained, |cap| gained.min(u64::from(cap)));
    i64::try_from(gained).unwrap_or(i64::MAX)
}

/// The last time in the queue, in ms, since when waiting has added as much as since `queued_at_ms`: between the two
/// are all that gained the same and do not wait longer.
pub fn last_alike(ageing: &Ageing, queued_at_ms: u64, at_ms: u64) -> u64 {
    let waited_ms = at_ms.saturating_sub(queued_at_ms);
    let (Some(steps), gain) = (waited_ms.checked_div(ageing.every_ms), u64::from(ageing.gain)) else {
        return u64::MAX;
    };
    // Once the cap is reached further steps add nothing.
    let capped_after = ageing.cap.filter(|_| gain > 0).map(|cap| u64::from(cap).div_ceil(gain));
    let steps = capped_after.map_or(steps, |capped| steps.min(capped));
    if steps == 0 || gain == 0 {
        return u64::MAX;
    }
    at_ms.saturating_sub(steps.saturating_mul(ageing.every_ms))
}

/// The first time in the queue, in ms, since when waiting has added no more than `most`; `None`: waiting adds more
/// than that to everybody.
pub fn first_with_at_most(ageing: &Ageing, most: i64, at_ms: u64) -> Option<u64> {
    let most = u64::try_from(most).ok()?;
    let gain = u64::from(ageing.gain);
    if ageing.every_ms == 0 || ageing.cap.is_some_and(|cap| u64::from(cap) <= most) {
        return Some(0);
    }
    let Some(steps) = most.checked_div(gain) else { return Some(0) };
    let too_long_ms = steps.saturating_add(1).saturating_mul(ageing.every_ms);
    Some(at_ms.checked_sub(too_long_ms).map_or(0, |at_ms| at_ms.saturating_add(1)))
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
    fn those_who_gained_the_same_are_between_two_times() {
        let at_ms = 1_000_000;
        for ageing in [AGEING, Ageing { cap: None, ..AGEING }, Ageing { gain: 0, ..AGEING }] {
            let gained = |queued_at_ms: u64| aged(&ageing, at_ms - queued_at_ms);
            for queued_at_ms in (0..=at_ms).step_by(997) {
                let last = last_alike(&ageing, queued_at_ms, at_ms);
                assert_eq!(gained(last.min(at_ms)), gained(queued_at_ms));
                assert!(last >= at_ms || gained(last + 1) < gained(queued_at_ms));
                let first = first_with_at_most(&ageing, gained(queued_at_ms), at_ms).unwrap();
                assert_eq!(gained(first), gained(queued_at_ms));
                assert!(first == 0 || gained(first - 1) > gained(queued_at_ms));
            }
            assert_eq!(first_with_at_most(&ageing, -1, at_ms), None);
        }
    }

    #[test]
    fn the_next_step_is_known_until_the_cap() {
        let next = |at_ms| grows_at_ms(&AGEING, 1_000, at_ms);
        assert_eq!((next(1_000), next(60_999), next(61_000)), (Some(61_000), Some(61_000), Some(121_000)));
        assert_eq!((next(121_000), next(181_000)), (Some(181_000), None));
    }
}
