//! Messages, timelines and decisions, in both directions.

use crate::engine::rows::WriteSet;
use crate::model::dialog::Dialog;
use crate::model::event::EventKind;
use crate::model::id::{ChatId, DialogId, MessageId};
use crate::model::message::{Message, MessageStatus};
use crate::store::queries::timeline::Item;
use crate::store::queries::{Page, Walk, decisions, messages, timeline};
use crate::store::{Store, StoreError};

use super::on_each;
use super::samples::*;

/// All pages of a walk in either direction.
fn walk_all<T>(limit: usize, backward: bool, page: impl Fn(Walk<'_>, usize) -> Page<T>) -> Vec<T> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let walk = match backward {
            true => Walk::Backward(cursor.as_deref()),
            false => Walk::Forward(cursor.as_deref()),
        };
        let next = page(walk, limit);
        assert!(next.items.len() <= limit);
        found.extend(next.items);
        match next.next_cursor {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

/// Walks with several page sizes and in both directions give the same list.
fn assert_walks<T: PartialEq + std::fmt::Debug>(expected: &[T], page: impl Fn(Walk<'_>, usize) -> Page<T>) {
    for limit in [1, 2, 3, 7, 100] {
        let forward = walk_all(limit, false, &page);
        assert_eq!(forward, expected, "forward by {limit}");
        let mut backward = walk_all(limit, true, &page);
        backward.reverse();
        assert_eq!(backward, expected, "backward by {limit}");
    }
}

/// Two dialogs of one chat and one of another, with messages.
fn chats(store: &Store) -> (Dialog, Dialog, Vec<Message>, Vec<Message>) {
    let (first, mut second, other) = (dialog(1), dialog(20), dialog(10));
    second.chat = first.chat;
    let earlier: Vec<Message> = (1..=9).map(|seq| message(&first, seq, 0)).collect();
    let later: Vec<Message> = (0..5).map(|index| message(&second, 20, index)).collect();
    store
        .write(&WriteSet {
            messages: shared(earlier.iter().chain(&later).cloned().chain([message(&other, 10, 0)])),
            dialogs: vec![first.clone(), second.clone(), other],
            ..up_to(20)
        })
        .unwrap();
    (first, second, earlier, later)
}

#[test]
fn messages_of_a_dialog_come_in_order_from_either_end() {
    on_each(|store| {
        let (first, second, earlier, later) = chats(store);
        assert_walks(&earlier, |walk, limit| messages::of_dialog(store, first.id, walk, limit).unwrap());
        assert_walks(&later, |walk, limit| messages::of_dialog(store, second.id, walk, limit).unwrap());
        assert_walks(&[], |walk, limit| {
            messages::of_dialog(store, DialogId::new(99, 0), walk, limit).unwrap()
        });
    });
}

#[test]
fn messages_of_many_pages_come_in_order_and_as_they_are_now() {
    on_each(|store| {
        let one = dialog(1);
        let mut all: Vec<Message> = (1..=50).map(|seq| message(&one, seq, u32::from(seq == 20))).collect();
        all[3].text = "x".repeat(5_000);
        for part in all.chunks(7) {
            let seq = part.last().unwrap().id.seq;
            let dialogs = vec![one.clone()];
            store.write(&WriteSet { messages: shared(part.to_vec()), dialogs, ..up_to(seq) }).unwrap();
        }
        let assert_stored = |all: &[Message]| {
            assert_walks(all, |walk, limit| messages::of_dialog(store, one.id, walk, limit).unwrap());
            let shown: Vec<Item> = all.iter().cloned().map(|one| Item::Message(Box::new(one))).collect();
            assert_walks(&shown, |walk, limit| timeline::of_dialog(store, one.id, walk, limit).unwrap());
            for message in all {
                assert_eq!(messages::get(store, one.id, message.id).unwrap().as_ref(), Some(message));
            }
            for absent in [MessageId::new(0, 0), MessageId::new(20, 0), MessageId::new(51, 0)] {
                assert_eq!(messages::get(store, one.id, absent).unwrap(), None);
            }
        };
        assert_stored(&all);
        // A long one becomes short, a short one long, and some in the middle change with a new one.
        all[3].text = "short".to_owned();
        all[4].text = "y".repeat(5_000);
        all[30].status = MessageStatus::Failed;
        all.push(message(&one, 50, 7));
        let changed = [50, 30, 4, 3].map(|place: usize| all[place].clone());
        let dialogs = vec![one.clone()];
        store.write(&WriteSet { messages: shared(changed), dialogs, ..up_to(51) }).unwrap();
        assert_stored(&all);
    });
}

#[test]
fn a_message_that_was_skipped_cannot_be_added_to_its_page() {
    on_each(|store| {
        let one = dialog(1);
        let messages = shared([message(&one, 1, 0), message(&one, 3, 0)]);
        store.write(&WriteSet { messages, dialogs: vec![one.clone()], ..up_to(3) }).unwrap();
        let set = WriteSet { messages: shared([message(&one, 2, 0)]), ..up_to(4) };
        assert!(matches!(store.write(&set), Err(StoreError::OutOfOrder { stored: 3, given: 2 })));
    });
}

#[test]
fn messages_of_a_chat_span_its_dialogs() {
    on_each(|store| {
        let (first, _, earlier, later) = chats(store);
        let all: Vec<Message> = earlier.into_iter().chain(later).collect();
        assert_walks(&all, |walk, limit| messages::of_chat(store, first.chat, walk, limit).unwrap());
        assert_walks(&[], |walk, limit| messages::of_chat(store, ChatId::new(99, 0), walk, limit).unwrap());
        let of_other_list = messages::of_dialog(store, first.id, Walk::Forward(None), 1).unwrap().next_cursor;
        assert!(matches!(
            messages::of_chat(store, first.chat, Walk::Forward(of_other_list.as_deref()), 1),
            Err(StoreError::Cursor)
        ));
    });
}

#[test]
fn a_timeline_merges_messages_with_what_happened_around_them() {
    on_each(|store| {
        let one = dialog(1);
        let id = Some(one.id);
        let (opening, reply, closing) = (message(&one, 1, 0), message(&one, 5, 0), message(&one, 7, 0));
        let events = vec![
            event(1, 0, EventKind::ClientCreated, id),
            event(1, 1, EventKind::DialogOpened, id),
            event(1, 2, EventKind::MessageReceived, id),
            event(1, 3, EventKind::DialogQueued, id),
            event(1, 4, EventKind::DialogOffered, id),
            event(2, 0, EventKind::OperatorPresence, None),
            event(3, 0, EventKind::DialogAccepted, id),
            event(4, 0, EventKind::DialogOpened, Some(DialogId::new(4, 0))),
            event(5, 0, EventKind::MessageQueued, id),
            event(6, 0, EventKind::MessageSent, id),
            event(7, 0, EventKind::DialogClosed, id),
        ];
        store
            .write(&WriteSet {
                dialogs: vec![one.clone()],
                messages: shared([opening.clone(), reply.clone(), closing.clone()]),
                events: shared(events.clone()),
                ..up_to(7)
            })
            .unwrap();
        let expected = [
            Item::Event(events[0].clone()),
            Item::Event(events[1].clone()),
            Item::Message(Box::new(opening)),
            Item::Event(events[3].clone()),
            Item::Event(events[4].clone()),
            Item::Event(events[6].clone()),
            Item::Message(Box::new(reply)),
            Item::Message(Box::new(closing)),
            Item::Event(events[10].clone()),
        ];
        assert_walks(&expected, |walk, limit| timeline::of_dialog(store, one.id, walk, limit).unwrap());
    });
}

#[test]
fn decisions_of_a_dialog_come_in_order() {
    on_each(|store| {
        let (one, other) = (DialogId::new(1, 0), DialogId::new(1, 1));
        let mine = vec![decision(1, 0, one), decision(1, 2, one), decision(300, 0, one)];
        let mut all = mine.clone();
        all.push(decision(1, 1, other));
        store.write(&WriteSet { decisions: all, ..up_to(300) }).unwrap();
        assert_walks(&mine, |walk, limit| decisions::of_dialog(store, one, walk, limit).unwrap());
    });
}
