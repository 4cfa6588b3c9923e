//! A disk that takes no more: nothing is acknowledged from then on, and nothing that was is lost.

use switchboard::model::command::Action;
use switchboard::model::id::DialogId;
use switchboard::node::Clock;

use super::contents::Contents;
use super::daemon::Daemon;
use super::node::{running, submit, wish};
use super::site::Site;
use super::wire::{Wire, telegram_update};

/// Makes the journal far larger than the store, so that it is the first to meet the limit.
const BALLAST: usize = 20;
/// More messages than the journal has room for.
const MESSAGES: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_grow_ends_the_daemon_without_a_false_acknowledgement() {
    let site = Site::without_messenger();
    let node = running(&site, Clock::system()).await;
    for number in 0..BALLAST {
        // A wish that is refused leaves almost nothing in the store.
        let note = Action::AddNote { dialog: DialogId::new(1, 0), text: "x".repeat(100_000) };
        submit(&node, wish("anna", &number.to_string(), note)).await;
    }
    node.stop().await.unwrap();
    let last = site.segments().pop().unwrap();
    let limit = std::fs::metadata(&last).unwrap().len() + 48 * 1024;

    let daemon = Daemon::start_with_files_up_to(&site, limit);
    let mut wire = Wire::connect(daemon.address()).unwrap();
    let mut acknowledged = Vec::new();
    let mut refused = None;
    for message in 0..MESSAGES {
        match wire.telegram(&telegram_update(message % 5, message, "hello")) {
            Ok(reply) if reply.status == 200 => {
                assert_eq!(refused, None, "an acknowledgement after a failed write");
                acknowledged.push(message);
            }
            Ok(reply) => {
                assert_eq!((reply.status, reply.retry_after.as_deref()), (503, Some("1")), "{reply:?}");
                refused.get_or_insert(message);
            }
            Err(_) => break,
        }
    }
    let ended = daemon.ended();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.said);
    assert!(ended.said.contains("cannot write to"), "{}", ended.said);
    assert!(ended.said.contains(last.file_name().unwrap().to_str().unwrap()), "{}", ended.said);
    assert!(ended.said.contains("check space"), "{}", ended.said);
    assert!(acknowledged.len() > 10, "{} messages", acknowledged.len());
    assert!(std::fs::metadata(&last).unwrap().len() > limit - 2_048, "the disk was full");

    let more_room = Daemon::start(&site);
    let mut wire = Wire::connect(more_room.address()).unwrap();
    for message in acknowledged.len() as u64..acknowledged.len() as u64 + 20 {
        let reply = wire.telegram(&telegram_update(message % 5, message, "hello")).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        acknowledged.push(message);
    }
    let ended = more_room.stop();
    assert!(ended.status.success(), "{}", ended.said);
    let contents = Contents::of(&site);
    contents.assert_kept(&acknowledged);
    assert_eq!(contents.stored, contents.head);
}
