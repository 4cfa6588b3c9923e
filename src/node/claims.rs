//! Which effects are tried now: a bounded number per target, and at the pace of its messenger, so that a slow one
//! delays no other.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::engine::State;
use crate::model::channel::Pace;
use crate::model::effect::{Effect, EffectAction, EffectState, Lane};
use crate::model::id::{ChannelId, EffectId, EndpointId};
use crate::model::outcome::ReadyEffect;

use super::pace::Pacing;

/// Attempts at a time per channel or endpoint.
const PER_TARGET_MAX: usize = 64;

/// Whom a lane leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Channel(ChannelId),
    Endpoint(EndpointId),
}

impl Target {
    pub(super) fn of(lane: &Lane) -> Self {
        match lane {
            Lane::Chat { channel, .. } => Self::Channel(channel.clone()),
            Lane::Endpoint { endpoint, .. } => Self::Endpoint(endpoint.clone()),
        }
    }
}

impl fmt::Display for Target {
    /// As metrics and logs name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(channel) => write!(f, "channel/{channel}"),
            Self::Endpoint(endpoint) => write!(f, "endpoint/{endpoint}"),
        }
    }
}

/// Effects that wait for a claim, and how many are tried.
#[derive(Debug, Default)]
pub(super) struct Claims {
    queues: BTreeMap<Target, Queue>,
    /// What waits in a queue, with the attempt: an effect may be reported ready more than once, and the newest report
    /// counts (a person may have cancelled and retried it meanwhile).
    listed: BTreeMap<EffectId, u32>,
    in_flight: BTreeMap<EffectId, Target>,
    draining: bool,
}

/// What waits for one target. It stays as long as its pace may matter.
#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// What waits until its chat is free, by that time.
    later: BTreeMap<(u64, EffectId), Waiting>,
    pacing: Pacing,
    busy: usize,
}

/// An effect that can be tried.
#[derive(Debug, Clone)]
struct Waiting {
    ready: ReadyEffect,
    /// The chat of a message.
    chat: Option<String>,
}

impl Queue {
    const fn new(pace: Pace) -> Self {
        Self { waiting: VecDeque::new(), later: BTreeMap::new(), pacing: Pacing::new(pace), busy: 0 }
    }

    /// The next effect that may be tried, of which nothing asks for a wait.
    fn pop(&mut self, now_ms: u64) -> Option<ReadyEffect> {
        // Those whose chat is free again go behind those who wait for the account.
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now_ms
        {
            self.waiting.push_back(entry.remove());
        }
        while self.busy < PER_TARGET_MAX && self.pacing.free_at_ms() <= now_ms {
            let next = self.waiting.pop_front()?;
            let free_at_ms = next.chat.as_deref().map_or(0, |chat| self.pacing.chat_free_at_ms(chat));
            if free_at_ms > now_ms {
                self.later.insert((free_at_ms, next.ready.effect), next);
                continue;
            }
            self.pacing.begin(next.chat.as_deref(), now_ms);
            self.busy += 1;
            return Some(next.ready);
        }
        None
    }

    /// When something may be tried at the earliest, in ms; `None`: nothing waits, or an attempt has to end before.
    fn next_ms(&self) -> Option<u64> {
        if self.busy >= PER_TARGET_MAX {
            return None;
        }
        let waiting_ms = (!self.waiting.is_empty()).then_some(0);
        let later_ms = self.later.first_key_value().map(|((at_ms, _), _)| *at_ms);
        let earliest_ms = waiting_ms.into_iter().chain(later_ms).min()?;
        Some(earliest_ms.max(self.pacing.free_at_ms()))
    }
}

/// An effect that was claimed and is to be tried.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    /// The effect.
    pub effect: Effect,
    /// The attempt.
    pub attempt: u32,
}

impl Claims {
    /// Takes an effect that can be tried.
    pub(super) fn add(&mut self, state: &State, ready: ReadyEffect) {
        let Some(effect) = state.effect(ready.effect) else { return };
        let chat = match &effect.action {
            EffectAction::Send(outgoing) => Some(outgoing.chat.clone()),
            EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => None,
        };
        self.wait(Target::of(&effect.lane), pace_of(state, &effect.lane), Waiting { ready, chat });
    }

    fn wait(&mut self, target: Target, pace: Pace, waiting: Waiting) {
        let ReadyEffect { effect, attempt } = waiting.ready;
        if !self.in_flight.contains_key(&effect) && self.listed.insert(effect, attempt).is_none() {
            self.queues.entry(target).or_insert_with(|| Queue::new(pace)).waiting.push_back(waiting);
        }
    }

    /// From now on nothing is claimed any more.
    pub(super) const fn drain(&mut self) {
        self.draining = true;
    }

    /// An attempt ended with a wait that concerns everything that goes to its target: nothing of it is tried before
    /// the effect itself is.
    pub(super) fn hold(&mut self, state: &State, effect: EffectId) {
        if let Some(effect) = state.effect(effect)
            && let EffectState::Waiting { until_ms } = effect.state
        {
            self.hold_target(Target::of(&effect.lane), pace_of(state, &effect.lane), until_ms);
        }
    }

    fn hold_target(&mut self, target: Target, pace: Pace, until_ms: u64) {
        self.queues.entry(target).or_insert_with(|| Queue::new(pace)).pacing.hold(until_ms);
    }

    /// Another configuration is live: what was wrong with a channel may be right now.
    pub(super) fn release(&mut self) {
        self.queues.values_mut().for_each(|queue| queue.pacing.release());
    }

    /// The effects to claim now.
    pub(super) fn next(&mut self, now_ms: u64) -> Vec<ReadyEffect> {
        let mut next = Vec::new();
        if self.draining {
            return next;
        }
        for (target, queue) in &mut self.queues {
            while let Some(listed) = queue.pop(now_ms) {
                let attempt = self.listed.remove(&listed.effect).unwrap_or(listed.attempt);
                let ready = ReadyEffect { attempt, ..listed };
                self.in_flight.insert(ready.effect, target.clone());
                next.push(ready);
            }
        }
        next
    }

    /// When something can be claimed at the earliest, in ms: in the past, when it can now. `None`: not before
    /// something else happens.
    pub(super) fn next_ms(&self) -> Option<u64> {
        if self.draining {
            return None;
        }
        self.queues.values().filter_map(Queue::next_ms).min()
    }

    /// An attempt ended, or was not claimed after all.
    pub(super) fn ended(&mut self, effect: EffectId) {
        if let Some(target) = self.in_flight.remove(&effect)
            && let Some(queue) = self.queues.get_mut(&target)
        {
            queue.busy = queue.busy.saturating_sub(1);
        }
    }

    /// Time passed: attempts whose deadline struck are over.
    pub(super) fn forget_overdue(&mut self, state: &State) {
        let over: Vec<EffectId> = self
            .in_flight
            .keys()
            .filter(|id| {
                !state.effect(**id).is_some_and(|effect| matches!(effect.state, EffectState::InFlight { .. }))
            })
            .copied()
            .collect();
        over.into_iter().for_each(|id| self.ended(id));
    }
}

/// The pace of whom a lane leads to, by the live configuration.
fn pace_of(state: &State, lane: &Lane) -> Pace {
    let Lane::Chat { channel, .. } = lane else { return Pace::FREE };
    let channel = state.live().and_then(|live| live.config.channels.get(channel));
    channel.map_or(Pace::FREE, |channel| channel.kind().pace())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Pace = Pace { per_second: 2, chat_ms: 1_000, group_ms: 0 };

    fn target(name: &str) -> Target {
        Target::Channel(ChannelId::from(name))
    }

    fn message(number: u64, chat: &str) -> Waiting {
        let ready = ReadyEffect { effect: EffectId::new(number, 0), attempt: 1 };
        Waiting { ready, chat: Some(chat.to_owned()) }
    }

    /// What is claimed by itself up to a time, each with its time.
    fn play(claims: &mut Claims, until_ms: u64) -> Vec<(u64, u64)> {
        let mut claimed = Vec::new();
        let mut now_ms = 0;
        while let Some(next_ms) = claims.next_ms().filter(|next_ms| *next_ms <= until_ms) {
            now_ms = next_ms.max(now_ms);
            let next = claims.next(now_ms);
            for ready in next {
                claims.ended(ready.effect);
                claimed.push((ready.effect.seq, now_ms));
            }
        }
        claimed
    }

    #[test]
    fn a_slow_messenger_delays_no_other() {
        let mut claims = Claims::default();
        (1..=6).for_each(|number| claims.wait(target("slow"), SLOW, message(number, &number.to_string())));
        (11..=16).for_each(|number| claims.wait(target("fast"), Pace::FREE, message(number, "1")));
        let claimed = play(&mut claims, 10_000);
        let at = |number: u64| claimed.iter().find(|(effect, _)| *effect == number).unwrap().1;
        assert_eq!((11..=16).map(at).max(), Some(0), "{claimed:?}");
        assert_eq!((1..=6).map(at).collect::<Vec<_>>(), [0, 0, 0, 500, 1_000, 1_500], "{claimed:?}");
    }

    #[test]
    fn a_chat_that_is_written_to_often_delays_no_other_chat() {
        let mut claims = Claims::default();
        let pace = Pace { per_second: 100, ..SLOW };
        (1..=5).for_each(|number| claims.wait(target("a"), pace, message(number, "busy")));
        claims.wait(target("a"), pace, message(9, "quiet"));
        let claimed = play(&mut claims, 10_000);
        assert_eq!(claimed, [(1, 0), (2, 0), (3, 0), (9, 0), (4, 1_000), (5, 2_000)]);
    }

    #[test]
    fn a_wait_of_the_whole_channel_holds_everything_that_goes_through_it() {
        let mut claims = Claims::default();
        claims.hold_target(target("a"), Pace::FREE, 7_000);
        claims.wait(target("a"), Pace::FREE, message(1, "1"));
        claims.wait(target("b"), Pace::FREE, message(2, "1"));
        assert_eq!(play(&mut claims, 6_999), [(2, 0)]);
        assert_eq!(claims.next_ms(), Some(7_000), "the writer wakes then");
        assert_eq!(play(&mut claims, 7_000), [(1, 7_000)]);
        // Another configuration may have another token.
        claims.hold_target(target("a"), Pace::FREE, 90_000);
        claims.wait(target("a"), Pace::FREE, message(3, "1"));
        claims.release();
        assert_eq!(play(&mut claims, 8_000), [(3, 0)]);
    }

    #[test]
    fn the_newest_report_of_an_effect_counts() {
        let mut claims = Claims::default();
        claims.hold_target(target("a"), Pace::FREE, 1_000);
        let report =
            |attempt| Waiting { ready: ReadyEffect { effect: EffectId::new(1, 0), attempt }, chat: None };
        claims.wait(target("a"), Pace::FREE, report(3));
        claims.wait(target("a"), Pace::FREE, report(1));
        assert_eq!(claims.next(1_000), [report(1).ready]);
    }

    #[test]
    fn a_bounded_number_is_tried_at_a_time_and_nothing_while_draining() {
        let mut claims = Claims::default();
        (0..100).for_each(|number| claims.wait(target("a"), Pace::FREE, message(number, "1")));
        claims.wait(target("a"), Pace::FREE, message(5, "1"));
        assert_eq!(claims.next(0).len(), PER_TARGET_MAX);
        assert_eq!(claims.next_ms(), None, "an attempt has to end first");
        claims.ended(EffectId::new(0, 0));
        assert_eq!(claims.next(0).len(), 1);
        claims.ended(EffectId::new(1, 0));
        claims.drain();
        assert_eq!((claims.next_ms(), claims.next(0).len()), (None, 0));
    }
}
