//! Tests of attempts that consist of several requests, with a messenger whose slowness is counted, not waited for.

use std::sync::atomic::{AtomicU64, Ordering};

use ::http::HeaderMap;
use bytes::Bytes;

use crate::channels::connect;
use crate::channels::samples::{self, Names};
use crate::model::channel::{ChannelSettings, TelegramSettings};
use crate::model::secret::SecretRef;

use super::*;

fn telegram() -> Box<dyn Channel> {
    let settings = ChannelSettings::Telegram(TelegramSettings {
        groups: Default::default(),
        token: SecretRef::Env("12:AAA".to_owned()),
        webhook_secret: SecretRef::Env("hook".to_owned()),
        api_base: TelegramSettings::API_BASE.to_owned(),
    });
    connect(&ChannelId::from("shop"), &settings, &Names).unwrap()
}

/// A text in `parts` messages.
fn long_text(parts: usize) -> Effect {
    samples::send(&vec!["x".repeat(4096); parts].join(" "))
}

/// Answers each request after `each_ms`; stays silent when that is longer than it may take.
struct Slow {
    each_ms: u64,
    elapsed_ms: AtomicU64,
    taken: AtomicU64,
}

impl Slow {
    fn new(each_ms: u64) -> Self {
        Self { each_ms, elapsed_ms: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    /// Tries once; the time begins anew.
    async fn attempt(&self, effect: &Effect) -> Attempt {
        self.elapsed_ms.store(0, Ordering::Relaxed);
        let attempt = attempt(telegram().as_ref(), effect, Progress::resume(effect), self).await;
        assert!(self.elapsed() <= ATTEMPT_MAX, "{:?}", self.elapsed());
        attempt
    }
}

impl Carrier for Slow {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::Relaxed))
    }

    async fn pause(&self, time: Duration) {
        self.elapsed_ms.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    async fn send(&self, _request: Outbound, limit: Duration) -> Result<WireResponse, SendFailure> {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap();
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.elapsed_ms.fetch_add(self.each_ms.min(limit_ms), Ordering::Relaxed);
        if self.each_ms > limit_ms {
            return Err(SendFailure::Ambiguous("no answer in time".to_owned()));
        }
        let body = Bytes::from_static(br#"{"ok":true,"result":{"message_id":5}}"#);
        Ok(WireResponse { status: 200, headers: HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn a_text_goes_out_in_one_attempt_when_the_receiver_is_quick() {
    let messenger = Slow::new(500);
    let attempt = messenger.attempt(&long_text(16)).await;
    assert_eq!(attempt, Attempt::Delivered { external_id: Some("5".to_owned()) });
}

#[tokio::test]
async fn a_slow_receiver_gets_each_part_once_over_several_attempts_that_end_in_time() {
    for each_ms in [900, 7_000, 19_000, 29_000] {
        let messenger = Slow::new(each_ms);
        let mut effect = long_text(16);
        loop {
            match messenger.attempt(&effect).await {
                Attempt::Retry { after_ms: Some(REST_AFTER_MS), parts_done, .. } => {
                    assert!(parts_done > effect.parts_done, "each attempt brings the text forward");
                    effect.parts_done = parts_done;
                }
                Attempt::Delivered { .. } => break,
                other => panic!("{each_ms}: {other:?}"),
            }
        }
        assert_eq!(messenger.taken.load(Ordering::Relaxed), 16, "{each_ms}");
    }
}

#[tokio::test]
async fn a_receiver_that_stays_silent_ends_the_attempt_in_time_and_keeps_what_arrived() {
    let messenger = Slow::new(40_000);
    let mut effect = long_text(16);
    effect.parts_done = 4;
    let attempt = messenger.attempt(&effect).await;
    assert!(matches!(attempt, Attempt::Ambiguous { parts_done: 4, .. }), "{attempt:?}");
}
