//! Timers: set, cancelled and fired, in the order of their deadlines.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::timer::{Timer, TimerKey};

/// All live timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_key: BTreeMap<TimerKey, u64>,
    by_deadline: BTreeSet<(u64, TimerKey)>,
    changed: BTreeSet<TimerKey>,
}

impl Timers {
    /// Takes a timer as it is stored.
    pub(super) fn load(&mut self, timer: Timer) {
        self.by_deadline.insert((timer.due_ms, timer.key.clone()));
        self.by_key.insert(timer.key, timer.due_ms);
    }

    /// Sets a timer; an earlier one with the same key is replaced.
    pub(super) fn set(&mut self, key: TimerKey, due_ms: u64) {
        if self.by_key.get(&key) == Some(&due_ms) {
            return;
        }
        self.remove(&key);
        self.by_deadline.insert((due_ms, key.clone()));
        self.by_key.insert(key.clone(), due_ms);
        self.changed.insert(key);
    }

    /// Sets a timer, unless it is set for that time already.
    pub(super) fn keep(&mut self, key: TimerKey, due_ms: u64) {
        if self.due_of(&key) != Some(due_ms) {
            self.set(key, due_ms);
        }
    }

    /// When a timer is due; `None`: it is not set.
    pub(super) fn due_of(&self, key: &TimerKey) -> Option<u64> {
        self.by_key.get(key).copied()
    }

    /// The timers of shifts and vacations.
    pub(super) fn borders(&self) -> Vec<TimerKey> {
        let first = TimerKey::ShiftBorder { operator: "".into() };
        let is_border = |key: &&TimerKey| matches!(key, TimerKey::ShiftBorder { .. });
        self.by_key.range(first..).map(|(key, _)| key).take_while(is_border).cloned().collect()
    }

    /// Cancels a timer, if it is set.
    pub(super) fn cancel(&mut self, key: &TimerKey) {
        if self.remove(key) {
            self.changed.insert(key.clone());
        }
    }

    /// Takes out the first timer that is due, if there is one.
    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<TimerKey> {
        let (due_ms, key) = self.by_deadline.first()?;
        if *due_ms > now_ms {
            return None;
        }
        let key = key.clone();
        self.cancel(&key);
        Some(key)
    }

    /// The timers that are due, in order.
    pub(super) fn due(&self, now_ms: u64) -> impl Iterator<Item = &TimerKey> {
        self.by_deadline.iter().take_while(move |(due_ms, _)| *due_ms <= now_ms).map(|(_, key)| key)
    }

    /// When the next timer is due.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.by_deadline.first().map(|(due_ms, _)| *due_ms)
    }

    /// All timers, in the order of their keys.
    pub(super) fn all(&self) -> impl Iterator<Item = Timer> {
        self.by_key.iter().map(|(key, due_ms)| Timer { key: key.clone(), due_ms: *due_ms })
    }

    /// The timers that were set (`Some`) or removed (`None`) since the last call.
    pub(super) fn hand_over(&mut self) -> Vec<(TimerKey, Option<u64>)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|key| {
                let due_ms = self.by_key.get(&key).copied();
                (key, due_ms)
            })
            .collect()
    }

    fn remove(&mut self, key: &TimerKey) -> bool {
        match self.by_key.remove(key) {
            Some(due_ms) => self.by_deadline.remove(&(due_ms, key.clone())),
            None => false,
        }
    }
}
