//! Which effects are tried now: a bounded number per target, so that a slow one delays no other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::engine::State;
use crate::model::effect::{Effect, EffectState, Lane};
use crate::model::id::{ChannelId, EffectId, EndpointId};
use crate::model::outcome::ReadyEffect;

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
    waiting: BTreeMap<Target, VecDeque<ReadyEffect>>,
    /// What stands in `waiting`: an effect may be reported ready more than once.
    listed: BTreeSet<EffectId>,
    in_flight: BTreeMap<EffectId, Target>,
    busy: BTreeMap<Target, usize>,
    draining: bool,
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
        if let Some(effect) = state.effect(ready.effect)
            && !self.in_flight.contains_key(&ready.effect)
            && self.listed.insert(ready.effect)
        {
            self.waiting.entry(Target::of(&effect.lane)).or_default().push_back(ready);
        }
    }

    /// From now on nothing is claimed any more.
    pub(super) const fn drain(&mut self) {
        self.draining = true;
    }

    /// The effects to claim now.
    pub(super) fn next(&mut self) -> Vec<ReadyEffect> {
        let mut next = Vec::new();
        if self.draining {
            return next;
        }
        for (target, waiting) in &mut self.waiting {
            let busy = self.busy.entry(target.clone()).or_default();
            while *busy < PER_TARGET_MAX
                && let Some(ready) = waiting.pop_front()
            {
                *busy += 1;
                self.listed.remove(&ready.effect);
                self.in_flight.insert(ready.effect, target.clone());
                next.push(ready);
            }
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
        next
    }

    /// Whether anything could be claimed.
    pub(super) fn has_next(&self) -> bool {
        !self.draining
            && self
                .waiting
                .keys()
                .any(|target| self.busy.get(target).is_none_or(|busy| *busy < PER_TARGET_MAX))
    }

    /// An attempt ended, or was not claimed after all.
    pub(super) fn ended(&mut self, effect: EffectId) {
        if let Some(target) = self.in_flight.remove(&effect)
            && let Some(busy) = self.busy.get_mut(&target)
        {
            *busy = busy.saturating_sub(1);
            if *busy == 0 {
                self.busy.remove(&target);
            }
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
