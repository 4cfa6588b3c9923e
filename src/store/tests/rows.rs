//! What was written is read back, by the engine and at a start.

use std::sync::Arc;

use crate::engine::rows::{ActiveConfig, Archive, HotRows, WriteSet};
use crate::model::dialog::DialogState;
use crate::model::effect::EffectState;
use crate::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId, OfferId};
use crate::model::line::Ageing;
use crate::model::operator::Presence;
use crate::model::outcome::KnownInput;
use crate::model::timer::{Timer, TimerKey};
use crate::store::StoreError;
use crate::store::queries::{clients, configs, dialogs, messages, operators, queue};

use super::on_each;
use super::samples::*;

#[test]
fn an_empty_store_knows_nothing() {
    on_each(|store| {
        assert_eq!(store.position().unwrap().seq, 0);
        assert_eq!(store.hot_rows().unwrap(), HotRows::default());
        assert_eq!(store.known_input("x").unwrap(), None);
        assert_eq!(store.dialog(DialogId::new(1, 0)).unwrap(), None);
        assert_eq!(queue::of_line(store, &"sales".into(), None, 0, None, 10).unwrap().total, 0);
        assert_eq!(configs::history(store, 10).unwrap(), []);
        store.flush().unwrap();
    });
}

#[test]
fn each_row_is_found_by_its_id_and_the_addresses_lead_to_it() {
    on_each(|store| {
        let dialog = dialog(1);
        let long_id = "webhook:".to_owned() + &"x".repeat(5_000);
        store
            .write(&WriteSet {
                known_inputs: vec![
                    ("a\0b".into(), known_input(1)),
                    (long_id.as_str().into(), known_input(2)),
                ],
                dialogs: vec![dialog.clone()],
                chats: vec![chat(1)],
                clients: vec![client(1)],
                messages: shared([message(&dialog, 1, 0)]),
                effects: vec![effect(1, 1, EffectState::Pending)],
                ..up_to(2)
            })
            .unwrap();
        assert_eq!(store.position().unwrap(), position(2));
        assert_eq!(store.known_input("a\0b").unwrap(), Some(known_input(1)));
        assert_eq!(store.known_input("a").unwrap(), None);
        assert_eq!(store.known_input(&long_id).unwrap(), Some(known_input(2)));
        assert_eq!(store.dialog(dialog.id).unwrap().as_ref(), Some(&dialog));
        assert_eq!(store.chat(ChatId::new(1, 0)).unwrap(), Some(chat(1)));
        assert_eq!(store.chat_at(&chat(1).address).unwrap(), Some(ChatId::new(1, 0)));
        assert_eq!(store.chat_at(&chat(2).address).unwrap(), None);
        assert_eq!(store.client(ClientId::new(1, 0)).unwrap(), Some(client(1)));
        assert_eq!(store.client_of(&identity("user 1")).unwrap(), Some(ClientId::new(1, 0)));
        assert_eq!(
            Archive::message(store, dialog.id, MessageId::new(1, 0)).unwrap(),
            Some(message(&dialog, 1, 0))
        );
        assert_eq!(
            Archive::effect(store, EffectId::new(1, 0)).unwrap(),
            Some(effect(1, 1, EffectState::Pending))
        );
        assert_eq!(dialogs::get(store, dialog.id).unwrap(), Some(dialog.clone()));
        assert_eq!(store.chat(ChatId::new(1, 0)).unwrap(), Some(chat(1)));
        assert_eq!(store.chat_at(&chat(1).address).unwrap(), Some(ChatId::new(1, 0)));
        assert_eq!(clients::get(store, ClientId::new(2, 0)).unwrap(), None);
        assert_eq!(store.client_of(&identity("user 1")).unwrap(), Some(ClientId::new(1, 0)));
        assert!(messages::get(store, dialog.id, MessageId::new(1, 0)).unwrap().is_some());
    });
}

#[test]
fn each_of_many_inputs_of_a_chat_is_found_and_no_other() {
    on_each(|store| {
        let (first, mut second, other) = (dialog(1), dialog(2), dialog(3));
        second.chat = first.chat;
        second.external_chat.clone_from(&first.external_chat);
        let dialog_of = |seq: u64| match seq {
            0..=70 => &first,
            71..=80 => &other,
            _ => &second,
        };
        let addresses = vec![chat(1), chat(3)];
        store.write(&WriteSet { chats: addresses, ..up_to(0) }).unwrap();
        for sets in [4..=40, 41..=90, 91..=200] {
            // Every tenth is one that brought no message.
            let kept = sets.clone().filter(|seq| seq % 10 != 0);
            store
                .write(&WriteSet {
                    known_inputs: sets.clone().rev().map(|seq| brought(dialog_of(seq), seq)).collect(),
                    messages: shared(kept.map(|seq| message(dialog_of(seq), seq, 0))),
                    dialogs: vec![first.clone(), second.clone(), other.clone()],
                    ..up_to(*sets.end())
                })
                .unwrap();
        }
        for seq in 4..=200 {
            let (input_id, known) = brought(dialog_of(seq), seq);
            assert_eq!(store.known_input(&input_id).unwrap(), Some(known));
            let elsewhere = if (71..=80).contains(&seq) { &first } else { &other };
            assert_eq!(store.known_input(&brought(elsewhere, seq).0).unwrap(), None);
        }
        let chat = "shop-telegram/message/1";
        for other in [format!("{chat}/"), format!("{chat}/m-20"), chat.to_owned(), format!("{chat}/2")] {
            assert_eq!(store.known_input(&other).unwrap(), None, "{other}");
        }
    });
}

#[test]
fn an_input_that_its_message_does_not_tell_has_a_row_of_its_own() {
    on_each(|store| {
        let one = dialog(1);
        let (own, known) = brought(&one, 1);
        let of_another_chat: Arc<str> = "shop-telegram/message/7/2".into();
        let with_print = KnownInput { fingerprint: Some("f".repeat(64)), ..brought(&one, 3).1 };
        store
            .write(&WriteSet {
                known_inputs: vec![
                    (Arc::clone(&own), known.clone()),
                    (Arc::clone(&of_another_chat), brought(&one, 2).1),
                    (brought(&one, 3).0, with_print.clone()),
                ],
                messages: shared((1..=3).map(|seq| message(&one, seq, 0))),
                dialogs: vec![one.clone()],
                chats: vec![chat(1)],
                ..up_to(3)
            })
            .unwrap();
        assert_eq!(store.known_input(&own).unwrap(), Some(known));
        assert_eq!(store.known_input(&of_another_chat).unwrap(), Some(brought(&one, 2).1));
        assert_eq!(store.known_input(&brought(&one, 3).0).unwrap(), Some(with_print));
    });
}

#[test]
fn a_message_without_its_dialog_is_refused() {
    on_each(|store| {
        let set = WriteSet { messages: shared([message(&dialog(1), 1, 0)]), ..up_to(1) };
        assert!(matches!(store.write(&set), Err(StoreError::Damaged { .. })));
    });
}

#[test]
fn an_identity_follows_the_client_to_whom_it_moves() {
    on_each(|store| {
        store.write(&WriteSet { clients: vec![client(1), client(2)], ..up_to(1) }).unwrap();
        let (mut kept, mut emptied) = (client(1), client(2));
        kept.identities.append(&mut emptied.identities);
        store.write(&WriteSet { clients: vec![kept.clone(), emptied.clone()], ..up_to(2) }).unwrap();
        assert_eq!(store.client_of(&identity("user 2")).unwrap(), Some(kept.id));
        // Also when the two changes come one after the other, and when an identity is forgotten.
        let moved = std::mem::take(&mut kept.identities);
        emptied.identities = moved;
        store.write(&WriteSet { clients: vec![emptied.clone()], ..up_to(3) }).unwrap();
        store.write(&WriteSet { clients: vec![kept], ..up_to(4) }).unwrap();
        assert_eq!(store.client_of(&identity("user 1")).unwrap(), Some(emptied.id));
        emptied.identities.clear();
        store.write(&WriteSet { clients: vec![emptied], ..up_to(5) }).unwrap();
        assert_eq!(store.client_of(&identity("user 1")).unwrap(), None);
    });
}

#[test]
fn a_start_gets_what_is_open_and_nothing_that_is_over() {
    on_each(|store| {
        let (open, mut closed) = (dialog(1), dialog(2));
        let expires = TimerKey::OfferExpires { dialog: open.id, offer: OfferId::new(1, 0) };
        let retry = TimerKey::EffectRetry { effect: EffectId::new(1, 0) };
        store
            .write(&WriteSet {
                dialogs: vec![open.clone(), closed.clone()],
                chats: vec![chat(1), chat(2)],
                clients: vec![client(1), client(2)],
                effects: vec![
                    effect(1, 1, EffectState::InFlight { epoch: 1, deadline_ms: 5 }),
                    effect(2, 1, EffectState::Pending),
                    effect(3, 1, EffectState::Waiting { until_ms: 9 }),
                    effect(4, 2, EffectState::Dead),
                ],
                operators: vec![status("anna", Presence::Online), status("boris", Presence::Away)],
                timers: vec![(expires.clone(), Some(7)), (retry.clone(), Some(8))],
                configs: vec![config(1, "{}"), config(2, &"ф".repeat(200_000))],
                ..up_to(4)
            })
            .unwrap();
        closed.state = DialogState::Closed;
        store
            .write(&WriteSet {
                dialogs: vec![closed],
                effects: vec![effect(2, 1, EffectState::Delivered)],
                operators: vec![status("anna", Presence::Offline)],
                timers: vec![(retry, None)],
                ..up_to(5)
            })
            .unwrap();
        let hot = store.hot_rows().unwrap();
        assert_eq!(
            hot,
            HotRows {
                position: position(5),
                config: Some(config(2, &"ф".repeat(200_000))),
                dialogs: vec![open],
                chats: vec![chat(1)],
                clients: vec![client(1)],
                effects: vec![
                    effect(1, 1, EffectState::InFlight { epoch: 1, deadline_ms: 5 }),
                    effect(3, 1, EffectState::Waiting { until_ms: 9 }),
                ],
                operators: vec![status("anna", Presence::Offline), status("boris", Presence::Away)],
                timers: vec![Timer { key: expires, due_ms: 7 }],
            }
        );
        assert_eq!(operators::statuses(store).unwrap(), hot.operators);
        let history: Vec<u64> = configs::history(store, 9).unwrap().iter().map(|one| one.seq).collect();
        assert_eq!(history, [2, 1]);
    });
}

#[test]
fn an_operator_s_work_is_found_without_reading_dialogs() {
    on_each(|store| {
        let mut owned = dialog(1);
        owned.state = DialogState::Accepted;
        owned.owner = Some("anna".into());
        let mut offered = dialog(2);
        offered.state = DialogState::Offered;
        offered.offers = vec![offer(2, "anna"), offer(2, "boris")];
        store.write(&WriteSet { dialogs: vec![owned.clone(), offered.clone()], ..up_to(2) }).unwrap();
        let load = operators::load(store, &"anna".into()).unwrap();
        assert_eq!((load.owned, load.offered), (vec![owned.id], vec![offered.id]));
        owned.state = DialogState::Closed;
        offered.offers.clear();
        offered.state = DialogState::Queued;
        store.write(&WriteSet { dialogs: vec![owned, offered], ..up_to(3) }).unwrap();
        assert_eq!(operators::load(store, &"anna".into()).unwrap(), operators::Load::default());
        assert_eq!(operators::load(store, &"boris".into()).unwrap(), operators::Load::default());
    });
}

#[test]
fn a_queue_is_in_order_of_priority_then_time_then_id() {
    on_each(|store| {
        let mut rows = Vec::new();
        for (seq, priority, queued) in [(1, 0, 50), (2, -5, 10), (3, 7, 90), (4, 0, 40), (5, 0, 40)] {
            let mut row = dialog(seq);
            (row.priority, row.queued_at_ms) = (priority, queued);
            rows.push(row);
        }
        let mut other = dialog(6);
        other.line = "sales-2".into();
        rows.push(other);
        store.write(&WriteSet { dialogs: rows, ..up_to(6) }).unwrap();
        let queue = queue::of_line(store, &"sales".into(), None, 0, None, 4).unwrap();
        assert_eq!(queue.total, 5);
        let order: Vec<u64> = queue.dialogs.iter().map(|row| row.id.seq).collect();
        assert_eq!(order, [3, 4, 5, 1]);
    });
}

#[test]
fn a_queue_is_in_order_of_score_then_deadline_and_goes_on_behind_a_place() {
    on_each(|store| {
        let ageing = Ageing { every_ms: 10, gain: 1, cap: None };
        let now_ms = 100;
        let mut rows = Vec::new();
        // Score at 100: 5, 5, 5, 9, 4.
        for (seq, priority, queued, deadline) in [
            (1, 0, 50, None),
            (2, 4, 85, Some(300)),
            (3, 1, 55, Some(200)),
            (4, 9, 100, None),
            (5, -1, 45, Some(1)),
        ] {
            let mut row = dialog(seq);
            (row.priority, row.queued_at_ms, row.route.deadline_ms) = (priority, queued, deadline);
            rows.push(row);
        }
        store.write(&WriteSet { dialogs: rows.clone(), ..up_to(5) }).unwrap();
        let page = |after| queue::of_line(store, &"sales".into(), Some(&ageing), now_ms, after, 2).unwrap();
        let seqs = |page: &queue::Queue| page.dialogs.iter().map(|row| row.id.seq).collect::<Vec<_>>();
        let first = page(None);
        assert_eq!(seqs(&first), [4, 3]);
        // The next one leaves, another one gets a deadline.
        rows[1].state = DialogState::Closed;
        rows[0].route.deadline_ms = Some(900);
        store.write(&WriteSet { dialogs: rows, ..up_to(6) }).unwrap();
        let second = page(first.next);
        assert_eq!((first.total, second.total), (5, 4));
        assert_eq!((seqs(&second), second.next), (vec![1, 5], None));
    });
}

fn config(seq: u64, canonical: &str) -> ActiveConfig {
    ActiveConfig {
        seq,
        at_ms: at(seq),
        version: format!("sha256:{seq}"),
        commit: (seq == 1).then(|| "abc".to_owned()),
        canonical: canonical.to_owned(),
    }
}
