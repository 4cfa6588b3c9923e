//! What was being sent when the daemon was killed: sent again, under the same key, in the same order.

use super::contents::Contents;
use super::daemon::Daemon;
use super::deadline::eventually;
use super::messenger::{Call, Manner, Messenger};
use super::site::Site;
use super::wire::{Wire, erp_message};

/// Chats with two texts each: a welcome, and what the rule about refunds says.
const CHATS: u64 = 8;

#[test]
fn what_the_messenger_took_without_a_known_answer_is_sent_again_with_the_same_key_in_order() {
    let messenger = Messenger::start(|_| Manner::AcceptInSilence);
    let site = Site::new(messenger.address());
    let daemon = Daemon::start(&site);
    let mut wire = Wire::connect(daemon.address()).unwrap();
    for chat in 0..CHATS {
        let reply = wire.erp(&[erp_message(&format!("chat-{chat}"), chat, "a refund, please")]).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let taken = eventually("the messenger takes the first text of each chat", || {
        let calls = replies(&messenger);
        (calls.len() as u64 == CHATS).then_some(calls)
    });
    daemon.kill();

    messenger.behave(|_| Manner::Accept);
    let daemon = Daemon::start(&site);
    let all = eventually("everything is sent after the start", || {
        let calls = replies(&messenger);
        (calls.len() as u64 >= 3 * CHATS).then_some(calls)
    });
    let ended = daemon.stop();
    assert!(ended.status.success(), "{}", ended.said);
    for chat in 0..CHATS {
        let chat = format!("chat-{chat}");
        let of_chat = |calls: &[Call]| -> Vec<Call> {
            calls.iter().filter(|call| call.chat() == chat).cloned().collect()
        };
        let (before, all) = (of_chat(&taken), of_chat(&all));
        assert_eq!((before.len(), all.len()), (1, 3), "{all:?}");
        assert!(before[0].key.is_some());
        assert_eq!((&all[1].key, all[1].text()), (&before[0].key, before[0].text()), "the same again first");
        assert_ne!(all[2].key, before[0].key, "and then what came behind it");
    }
    let contents = Contents::of(&site);
    let keys: Vec<String> = contents.delivered().map(|effect| effect.id.to_string()).collect();
    for call in replies(&messenger) {
        assert!(keys.contains(&call.key.unwrap()), "what was sent is shown as sent");
    }
    let attempts: Vec<u32> = contents.delivered().map(|effect| effect.attempts).collect();
    assert_eq!(attempts.iter().filter(|attempts| **attempts == 2).count() as u64, CHATS);
}

/// What went to clients; notifications of the duty room have an order of their own.
fn replies(messenger: &Messenger) -> Vec<Call> {
    messenger.calls().into_iter().filter(|call| call.path == "/erp/reply").collect()
}
