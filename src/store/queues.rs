//! Who waits on each line, in the order in which routing gives dialogs out: kept in memory, made from the rows.
//!
//! The order is by score, then deadline, then time in the queue, then id. A score is a priority and what waiting
//! added to it, so it depends on the moment and on the configuration, and no index holds it. But dialogs of one
//! priority are ordered by score when they are ordered by time, in groups that gained the same; within a group the
//! deadline decides. So each priority is walked group by group, and the walks are merged: a page costs about as much
//! as what is on it, however many wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use parking_lot::RwLock;

use crate::engine::routing::queue::{Place, Standing, first_with_at_most, last_alike};
use crate::model::id::{DialogId, LineId};
use crate::model::line::Ageing;

/// A group of at most so many is put in order by itself; one that is larger is found in the order of deadlines, of
/// which it is a good part then.
const SORTED_MAX: usize = 512;

/// A dialog that waits on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waits {
    pub(super) line: LineId,
    pub(super) standing: Standing,
}

/// How a dialog stood, and how it stands; `None`: it does not wait.
pub(super) type Change = (Option<Waits>, Option<Waits>);

/// What a page of a queue is cut by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    /// How waiting raises a priority.
    pub(super) ageing: Option<&'a Ageing>,
    /// The moment that scores are of, in ms.
    pub(super) at_ms: u64,
    /// Only what comes behind this place.
    pub(super) after: Option<Place>,
    /// At most so many.
    pub(super) limit: usize,
}

/// The queues of all lines.
#[derive(Debug, Default)]
pub(super) struct Queues(RwLock<BTreeMap<LineId, Queue>>);

impl Queues {
    /// Makes changes; whoever reads sees all of them or none.
    pub(super) fn change(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut queues = self.0.write();
        for (stood, stands) in changes {
            if let Some(Waits { line, standing }) = stood
                && let Some(queue) = queues.get_mut(&line)
            {
                queue.remove(&standing);
                if queue.total == 0 {
                    queues.remove(&line);
                }
            }
            if let Some(Waits { line, standing }) = stands {
                queues.entry(line).or_default().insert(&standing);
            }
        }
    }

    /// How many wait on a line, and since when the one that waits longest, in ms.
    pub(super) fn count(&self, line: &LineId) -> (usize, Option<u64>) {
        let queues = self.0.read();
        let Some(queue) = queues.get(line) else { return (0, None) };
        let firsts = queue.classes.values().filter_map(|class| class.first_from(0));
        (queue.total, firsts.min())
    }

    /// How many wait on a line, and the places of a page of them.
    pub(super) fn page(&self, line: &LineId, cut: &Cut<'_>) -> (usize, Vec<Place>) {
        let queues = self.0.read();
        queues.get(line).map_or((0, Vec::new()), |queue| (queue.total, queue.page(cut)))
    }
}

/// The queue of a line, by priority.
#[derive(Debug, Default)]
struct Queue {
    total: usize,
    classes: BTreeMap<i32, Class>,
}

/// Those of one priority.
#[derive(Debug, Default)]
struct Class {
    /// Their deadlines, in the order of time.
    by_time: BTreeMap<(u64, DialogId), Option<u64>>,
    /// Deadline (none comes last), time, id.
    by_deadline: BTreeSet<(u64, u64, DialogId)>,
}

const fn deadline(standing: &Standing) -> (u64, u64, DialogId) {
    let deadline_ms = match standing.deadline_ms {
        Some(deadline_ms) => deadline_ms,
        None => u64::MAX,
    };
    (deadline_ms, standing.queued_at_ms, standing.dialog)
}

impl Queue {
    fn insert(&mut self, standing: &Standing) {
        let class = self.classes.entry(standing.priority).or_default();
        let before = class.by_time.insert((standing.queued_at_ms, standing.dialog), standing.deadline_ms);
        class.by_deadline.insert(deadline(standing));
        self.total += usize::from(before.is_none());
    }

    fn remove(&mut self, standing: &Standing) {
        let Some(class) = self.classes.get_mut(&standing.priority) else { return };
        let before = class.by_time.remove(&(standing.queued_at_ms, standing.dialog));
        class.by_deadline.remove(&deadline(standing));
        self.total = self.total.saturating_sub(usize::from(before.is_some()));
        if class.by_time.is_empty() {
            self.classes.remove(&standing.priority);
        }
    }

    /// Merges the walks of all priorities. A walk is begun only when what it can bring at best may come next.
    fn page(&self, cut: &Cut<'_>) -> Vec<Place> {
        let mut walks: Vec<Walk<'_>> =
            self.classes.iter().filter_map(|(priority, class)| Walk::new(*priority, class, cut)).collect();
        let mut sleeping: BTreeSet<(Reverse<i64>, usize)> =
            walks.iter().enumerate().map(|(number, walk)| (Reverse(walk.best), number)).collect();
        let mut heads: BTreeMap<Place, usize> = BTreeMap::new();
        let mut places = Vec::new();
        while places.len() < cut.limit {
            while let Some((Reverse(best), number)) = sleeping.first().copied()
                && heads.first_key_value().is_none_or(|(head, _)| head.score() <= best)
            {
                sleeping.pop_first();
                let head = walks.get_mut(number).and_then(|walk| walk.next(cut));
                heads.extend(head.map(|head| (head, number)));
            }
            let Some((place, number)) = heads.pop_first() else { break };
            places.push(place);
            let next = walks.get_mut(number).and_then(|walk| walk.next(cut));
            heads.extend(next.map(|next| (next, number)));
        }
        places
    }
}

impl Class {
    /// The first time in the queue that is not before `from_ms`.
    fn first_from(&self, from_ms: u64) -> Option<u64> {
        self.by_time
            .range((from_ms, DialogId::new(0, 0))..)
            .next()
            .map(|((queued_at_ms, _), _)| *queued_at_ms)
    }
}

/// A walk over those of one priority, in their order.
struct Walk<'q> {
    priority: i32,
    class: &'q Class,
    /// The best score in it.
    best: i64,
    /// Where the next group begins, in the order of time.
    from_ms: Option<u64>,
    /// What is left of the present group, or as much of it as a page can take.
    group: std::vec::IntoIter<Place>,
}

impl<'q> Walk<'q> {
    /// A walk from where the page begins; `None`: all of it is before that.
    fn new(priority: i32, class: &'q Class, cut: &Cut<'_>) -> Option<Self> {
        // Those whose score is higher than that of the last place were on earlier pages.
        let from_ms = match (cut.after, cut.ageing) {
            (None, _) => 0,
            (Some(after), Some(ageing)) => {
                let most = after.score().saturating_sub(i64::from(priority));
                first_with_at_most(ageing, most, cut.at_ms)?
            }
            (Some(after), None) if i64::from(priority) <= after.score() => 0,
            (Some(_), None) => return None,
        };
        let from_ms = class.first_from(from_ms)?;
        let best = place(priority, None, (from_ms, DialogId::new(0, 0)), cut).score();
        Some(Self { priority, class, best, from_ms: Some(from_ms), group: Vec::new().into_iter() })
    }

    fn next(&mut self, cut: &Cut<'_>) -> Option<Place> {
        loop {
            if let Some(place) = self.group.next() {
                return Some(place);
            }
            let from_ms = self.from_ms?;
            let to_ms = cut.ageing.map_or(u64::MAX, |ageing| last_alike(ageing, from_ms, cut.at_ms));
            self.group = self.first_of(from_ms, to_ms, cut).into_iter();
            self.from_ms = to_ms.checked_add(1).and_then(|from_ms| self.class.first_from(from_ms));
        }
    }

    /// Those who wait since a time between two, in the order of deadlines: as many as a page takes.
    fn first_of(&self, from_ms: u64, to_ms: u64, cut: &Cut<'_>) -> Vec<Place> {
        let is_behind = |place: &Place| cut.after.is_none_or(|after| *place > after);
        let group = || {
            self.class
                .by_time
                .range((from_ms, DialogId::new(0, 0))..)
                .take_while(|((at_ms, _), _)| *at_ms <= to_ms)
        };
        if group().nth(SORTED_MAX).is_none() {
            let places = group().map(|(key, deadline_ms)| place(self.priority, *deadline_ms, *key, cut));
            let mut places: Vec<Place> = places.filter(is_behind).collect();
            places.sort_unstable();
            places.truncate(cut.limit);
            return places;
        }
        // Of the same score as the last place, those behind it begin with its deadline.
        let score = place(self.priority, None, (from_ms, DialogId::new(0, 0)), cut).score();
        let begin = match cut.after.filter(|after| after.score() == score) {
            Some(after) => {
                Excluded((after.deadline_ms().unwrap_or(u64::MAX), after.queued_at_ms(), after.dialog))
            }
            None => Unbounded,
        };
        let places = self.class.by_deadline.range((begin, Unbounded));
        let places = places.filter(|(_, queued_at_ms, _)| (from_ms..=to_ms).contains(queued_at_ms));
        let places = places.map(|(deadline_ms, queued_at_ms, dialog)| {
            let deadline_ms = Some(*deadline_ms).filter(|deadline_ms| *deadline_ms < u64::MAX);
            place(self.priority, deadline_ms, (*queued_at_ms, *dialog), cut)
        });
        places.filter(is_behind).take(cut.limit).collect()
    }
}

fn place(
    priority: i32,
    deadline_ms: Option<u64>,
    (queued_at_ms, dialog): (u64, DialogId),
    cut: &Cut<'_>,
) -> Place {
    Place::at(&Standing { priority, deadline_ms, queued_at_ms, dialog }, cut.ageing, cut.at_ms)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: u64 = 10_000;

    /// Of few priorities or of several, so that some groups have more than [`SORTED_MAX`].
    fn standings() -> impl Strategy<Value = Vec<Standing>> {
        let standing = (0..6_i32, option::of(0..40_u64), 0..11_000_u64);
        (1..7_i32, vec(standing, 0..1_500)).prop_map(|(priorities, rows)| {
            let rows = rows.into_iter().zip(1..);
            rows.map(|((priority, deadline_ms, queued_at_ms), seq)| Standing {
                priority: priority % priorities - 2,
                deadline_ms,
                queued_at_ms,
                dialog: DialogId::new(seq, 0),
            })
            .collect()
        })
    }

    fn ageings() -> impl Strategy<Value = Option<Ageing>> {
        let every_ms = prop_oneof![Just(7_u64), Just(900), Just(5_000), Just(60_000)];
        option::of((every_ms, 0..4_u32, option::of(1..9_u32)).prop_map(|(every_ms, gain, cap)| Ageing {
            every_ms,
            gain,
            cap,
        }))
    }

    fn waits(standing: &Standing) -> Option<Waits> {
        Some(Waits { line: "shop".into(), standing: *standing })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pages_joined_are_the_queue_in_order(
            standings in standings(),
            ageing in ageings(),
            limit in 1..300_usize,
            gone in 0..7_usize,
        ) {
            let queues = Queues::default();
            queues.change(standings.iter().map(|standing| (None, waits(standing))).collect());
            let line = "shop".into();
            // Some go, some get another deadline.
            let mut left = Vec::new();
            for (number, standing) in standings.iter().enumerate() {
                let after = match (number % 7 == gone, number % 5) {
                    (true, _) => None,
                    (false, 0) => Some(Standing { deadline_ms: Some(1), ..*standing }),
                    (false, _) => Some(*standing),
                };
                queues.change(vec![(waits(standing), after.as_ref().and_then(waits))]);
                left.extend(after);
            }
            let ageing = ageing.as_ref();
            let mut expected: Vec<Place> =
                left.iter().map(|standing| Place::at(standing, ageing, NOW_MS)).collect();
            expected.sort_unstable();
            let mut found: Vec<Place> = Vec::new();
            loop {
                let cut = Cut { ageing, at_ms: NOW_MS, after: found.last().copied(), limit };
                let (total, page) = queues.page(&line, &cut);
                prop_assert_eq!(total, left.len());
                if page.is_empty() {
                    break;
                }
                prop_assert!(page.len() <= limit);
                found.extend(page);
            }
            prop_assert_eq!(&found, &expected);
            let longest = left.iter().map(|standing| standing.queued_at_ms).min();
            prop_assert_eq!(queues.count(&line), (left.len(), longest));
        }
    }
}
