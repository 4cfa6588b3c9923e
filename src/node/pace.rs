//! How fast one channel is written to: by its account as a whole, by each of its chats, and not at all for a while
//! when the messenger asks for that.
//!
//! Nothing here sleeps: it says whether an attempt may begin at a time, and if not, when. All of it is in memory; after
//! a start everything is free, and a messenger that minds says so.

use std::collections::BTreeMap;

use crate::model::channel::Pace;

/// So many messages to one chat may follow one another at once, when it was quiet before: an answer in three
/// sentences. Messengers allow short bursts.
const CHAT_BURST: u64 = 3;

/// So many chats are remembered before those that are free again are forgotten.
const CHATS_KEPT: usize = 1_024;

/// The pace of one channel.
#[derive(Debug)]
pub(super) struct Pacing {
    pace: Pace,
    /// Not before this time, in ms: the messenger asked for it.
    held_until_ms: u64,
    /// When the account would be free if its messages went evenly, in µs.
    account_us: u64,
    /// When a chat would be free if its messages went evenly, in ms.
    chats: BTreeMap<String, u64>,
}

impl Pacing {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, held_until_ms: 0, account_us: 0, chats: BTreeMap::new() }
    }

    /// Everything waits until then.
    pub(super) fn hold(&mut self, until_ms: u64) {
        self.held_until_ms = self.held_until_ms.max(until_ms);
    }

    /// The reason to wait may be gone.
    pub(super) const fn release(&mut self) {
        self.held_until_ms = 0;
    }

    /// When the account takes a message at the earliest, in ms: in the past, when it takes one now.
    pub(super) fn free_at_ms(&self) -> u64 {
        // A second's worth of messages may go at once.
        let paced_ms = self.account_us.div_ceil(1_000).saturating_sub(1_000);
        self.held_until_ms.max(if self.pace.per_second == 0 { 0 } else { paced_ms })
    }

    /// When a chat takes a message at the earliest, in ms.
    pub(super) fn chat_free_at_ms(&self, chat: &str) -> u64 {
        let burst_ms = self.interval_ms(chat).saturating_mul(CHAT_BURST.saturating_sub(1));
        self.chats.get(chat).map_or(0, |even_ms| even_ms.saturating_sub(burst_ms))
    }

    /// An attempt begins; `chat` is that of a message.
    pub(super) fn begin(&mut self, chat: Option<&str>, now_ms: u64) {
        if let Some(interval_us) = 1_000_000_u64.checked_div(u64::from(self.pace.per_second)) {
            let now_us = now_ms.saturating_mul(1_000);
            self.account_us = self.account_us.max(now_us).saturating_add(interval_us);
        }
        let Some((chat, interval_ms)) = chat.map(|chat| (chat, self.interval_ms(chat))) else { return };
        if interval_ms == 0 {
            return;
        }
        if self.chats.len() >= CHATS_KEPT {
            self.chats.retain(|_, even_ms| *even_ms > now_ms);
        }
        let even_ms = self.chats.get(chat).copied().unwrap_or(0).max(now_ms).saturating_add(interval_ms);
        self.chats.insert(chat.to_owned(), even_ms);
    }

    /// Groups have negative numbers where they have a pace of their own.
    fn interval_ms(&self, chat: &str) -> u64 {
        if self.pace.group_ms > 0 && chat.starts_with('-') { self.pace.group_ms } else { self.pace.chat_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_takes_a_seconds_worth_at_once_and_then_goes_evenly() {
        let mut pacing = Pacing::new(Pace { per_second: 10, chat_ms: 0, group_ms: 0 });
        let (mut now_ms, mut begun) = (50_000, Vec::new());
        while begun.len() < 25 {
            now_ms = now_ms.max(pacing.free_at_ms());
            pacing.begin(Some("1"), now_ms);
            begun.push(now_ms - 50_000);
        }
        assert!(begun.iter().take(10).all(|at_ms| *at_ms == 0), "{begun:?}");
        assert_eq!(begun.iter().filter(|at_ms| **at_ms <= 1_000).count(), 21, "{begun:?}");
        assert_eq!(begun.last(), Some(&1_400));
        // After a quiet time it is as in the beginning.
        assert!(pacing.free_at_ms() <= now_ms + 2_000);
    }

    #[test]
    fn a_chat_takes_a_short_burst_and_delays_no_other() {
        let mut pacing = Pacing::new(Pace { per_second: 0, chat_ms: 1_000, group_ms: 3_000 });
        let mut begun = Vec::new();
        let mut now_ms = 10_000;
        for _ in 0..5 {
            now_ms = now_ms.max(pacing.chat_free_at_ms("7"));
            pacing.begin(Some("7"), now_ms);
            begun.push(now_ms);
        }
        assert_eq!(begun, [10_000, 10_000, 10_000, 11_000, 12_000]);
        assert_eq!((pacing.chat_free_at_ms("8"), pacing.free_at_ms()), (0, 0));
        (0..3).for_each(|_| pacing.begin(Some("-5"), 20_000));
        assert_eq!(pacing.chat_free_at_ms("-5"), 23_000);
        (0..5_000).for_each(|chat| pacing.begin(Some(&chat.to_string()), 100_000 + chat * 10));
        assert!(pacing.chats.len() <= CHATS_KEPT + 1, "{}", pacing.chats.len());
    }

    #[test]
    fn what_the_messenger_asks_for_holds_until_then_or_until_another_configuration() {
        let mut pacing = Pacing::new(Pace::FREE);
        pacing.hold(5_000);
        pacing.hold(3_000);
        assert_eq!(pacing.free_at_ms(), 5_000);
        pacing.release();
        assert_eq!(pacing.free_at_ms(), 0);
    }
}
