//! More than the daemon can take: it says so, keeps its size, and keeps what it acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::contents::Contents;
use super::daemon::Daemon;
use super::deadline::eventually;
use super::site::Site;
use super::wire::{Reply, Wire, erp_message};

/// Calls at the same time.
const CALLS: u64 = 12;
/// Messages in each, as many as one call may have: together they are far more than the queue holds (8192).
const MESSAGES: u64 = 1_000;
/// Clients who write, in each call.
const CHATS: u64 = 3;
/// The most memory that the daemon may ever have used, in KiB. The queue at its fullest is a fraction of it.
const MEMORY_KIB_MAX: u64 = 256 * 1024;

#[test]
fn a_flood_is_told_to_come_back_and_what_was_acknowledged_is_kept() {
    let site = Site::without_messenger();
    let daemon = Daemon::start(&site);
    let address = daemon.address();
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for call in 0..CALLS {
            let refused = &refused;
            scope.spawn(move || {
                let messages: Vec<Value> = (0..MESSAGES)
                    .map(|number| {
                        let id = call * MESSAGES + number;
                        erp_message(&format!("chat-{}", call * CHATS + number % CHATS), id, "hello")
                    })
                    .collect();
                let mut wire = Wire::connect(address).unwrap();
                // As often as it takes: what was kept before is known.
                eventually("the call is acknowledged", || match wire.erp(&messages).unwrap() {
                    Reply { status: 200, .. } => Some(()),
                    Reply { status: 503, retry_after: Some(seconds), .. } => {
                        assert_eq!(seconds, "1");
                        refused.fetch_add(1, Ordering::SeqCst);
                        // As long as the answer asks for would be a long time for a test.
                        std::thread::park_timeout(Duration::from_millis(200));
                        None
                    }
                    other => panic!("{other:?}"),
                });
            });
        }
    });
    assert!(refused.load(Ordering::SeqCst) > 0, "it was not more than the daemon can take");
    let memory = peak_memory_kib(daemon.process_id());
    assert!(memory < MEMORY_KIB_MAX, "{memory} KiB");
    let ended = daemon.stop();
    assert!(ended.status.success(), "{}", ended.said);
    let contents = Contents::of(&site);
    contents.assert_kept(&(0..CALLS * MESSAGES).collect::<Vec<_>>());
    println!("{memory} KiB at most; {} refusals", refused.load(Ordering::SeqCst));
}

fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
