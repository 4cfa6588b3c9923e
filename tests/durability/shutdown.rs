//! Stopping in an orderly way, in the middle of work.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use switchboard::model::effect::EffectState;
use switchboard::node::Clock;

use super::contents::Contents;
use super::daemon::Daemon;
use super::deadline::eventually;
use super::messenger::{Manner, Messenger};
use super::node::{done, message, running};
use super::site::Site;
use super::wire::{Wire, telegram_update};

#[test]
fn sigterm_under_load_loses_nothing_and_leaves_nothing_to_replay() {
    let messenger = Messenger::start(|_| Manner::Accept);
    let site = Site::new(messenger.address());
    let daemon = Daemon::start(&site);
    let address = daemon.address();
    let (acknowledged, count) = (Mutex::new(BTreeSet::new()), AtomicU64::new(0));
    let ended = std::thread::scope(|scope| {
        for client in 0..6_u64 {
            let (acknowledged, count) = (&acknowledged, &count);
            scope.spawn(move || {
                write_until_closed(address, client, |message| {
                    acknowledged.lock().insert(message);
                    count.fetch_add(1, Ordering::SeqCst);
                });
            });
        }
        eventually("the daemon is under load", || (count.load(Ordering::SeqCst) > 150).then_some(()));
        daemon.stop()
    });
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
    let contents = Contents::of(&site);
    contents.assert_kept(&acknowledged.into_inner());
    assert_eq!(contents.stored, contents.head, "nothing is left to replay");
    let in_flight = contents.effects.iter().filter(|effect| is_in_flight(&effect.state)).count();
    assert_eq!(in_flight, 0, "no attempt is left uncertain");
    assert_eq!(messenger.calls().len(), contents.delivered().count(), "nothing was sent that is not known");
}

/// Writes until the daemon closes the connection; each answer that comes is a whole one.
fn write_until_closed(address: SocketAddr, client: u64, mut acknowledged: impl FnMut(u64)) {
    let mut wire = Wire::connect(address).unwrap();
    for number in 0.. {
        let message = client * 1_000_000 + number;
        match wire.telegram(&telegram_update(client * 1_000 + number % 20, message, "hello")) {
            Ok(reply) if reply.status == 200 => acknowledged(message),
            Ok(reply) => {
                assert_eq!((reply.status, reply.retry_after.as_deref()), (503, Some("1")), "{reply:?}");
            }
            Err(_) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_claimed_when_the_daemon_stops_is_finished_not_repeated() {
    let messenger = Messenger::start(|_| Manner::Accept);
    let site = Site::new(messenger.address());
    for round in 0..4_u64 {
        let node = running(&site, Clock::system()).await;
        for number in 0..40 {
            // Each first message of a client is answered with a welcome.
            let message = message(round * 100 + number, round * 100 + number, "hello");
            drop(node.shared().handle.enqueue(message).unwrap());
        }
        node.stop().await.unwrap();
        let contents = Contents::of(&site);
        assert!(contents.effects.iter().all(|effect| !is_in_flight(&effect.state)));
        assert_eq!(contents.delivered().count(), messenger.calls().len());
    }
    let node = running(&site, Clock::system()).await;
    done(&node, message(9_999, 9_999, "hello")).await;
    eventually("what was not begun is sent after the start", || {
        (messenger.calls().len() > 160).then_some(())
    });
    node.stop().await.unwrap();
    assert_eq!(messenger.calls().len(), 161, "each welcome once");
}

const fn is_in_flight(state: &EffectState) -> bool {
    matches!(state, EffectState::InFlight { .. })
}
