//! The bytes of keys and values. A change of this snapshot is a change of the format: raise
//! `keys::FORMAT`, so that old stores are rebuilt.

use std::fmt::Write as _;

use crate::engine::rows::{ActiveConfig, WriteSet};
use crate::model::dialog::DialogState;
use crate::model::effect::EffectState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, EffectId, OfferId};
use crate::model::message::Message;
use crate::model::operator::Presence;
use crate::model::timer::TimerKey;
use crate::store::Store;
use crate::store::error::hexadecimal;
use crate::store::key_value::Order;
use crate::store::keys::{FORMAT, KeyRange};

use super::samples::*;

#[test]
fn keys_and_values_of_this_format_stay_as_they_are() {
    let store = Store::in_memory().unwrap();
    let mut offered = dialog(1);
    offered.state = DialogState::Offered;
    offered.priority = -1;
    offered.offers = vec![offer(1, "anna")];
    let mut owned = dialog(2);
    owned.state = DialogState::WaitingClient;
    owned.owner = Some("anna".into());
    let mut closed = dialog(3);
    closed.state = DialogState::Closed;
    let mut long = message(&offered, 3, 0);
    long.text = "long".repeat(600);
    let mut messages = vec![message(&offered, 1, 0), message(&offered, 2, 1), long];
    messages.extend((0..33).map(|index| Message { text: String::new(), ..message(&owned, 4, index) }));
    store
        .write(&WriteSet {
            known_inputs: vec![
                ("a\0b".into(), known_input(1)),
                ("x".repeat(129).into(), known_input(2)),
                brought(&offered, 1),
                ("shop-telegram/message/1/3".into(), known_input(4)),
            ],
            messages: shared(messages),
            decisions: vec![decision(1, 0, offered.id)],
            dialogs: vec![offered, owned, closed],
            chats: vec![chat(1)],
            clients: vec![client(1)],
            effects: vec![
                effect(1, 1, EffectState::Pending),
                effect(2, 2, EffectState::InFlight { epoch: 1, deadline_ms: 2 }),
                effect(3, 3, EffectState::Cancelled),
            ],
            operators: vec![status("anna", Presence::Online)],
            timers: vec![
                (TimerKey::OfferExpires { dialog: DialogId::new(1, 0), offer: OfferId::new(1, 0) }, Some(5)),
                (TimerKey::EffectRetry { effect: EffectId::new(1, 0) }, Some(6)),
                (TimerKey::EffectDeadline { effect: EffectId::new(2, 0) }, Some(7)),
            ],
            events: shared([
                event(1, 0, EventKind::DialogOpened, Some(DialogId::new(1, 0))),
                event(2, 0, EventKind::OperatorPresence, None),
                event(16, 0, EventKind::ConfigActivated, None),
            ]),
            configs: vec![ActiveConfig {
                seq: 16,
                at_ms: at(16),
                version: "sha256:0".to_owned(),
                commit: None,
                canonical: "{}".to_owned(),
            }],
            ..up_to(16)
        })
        .unwrap();
    let mut text = format!("format {FORMAT}\n");
    for pair in store.scan(KeyRange { start: Vec::new(), end: vec![u8::MAX] }, Order::Ascending) {
        let (key, value) = pair.unwrap();
        let prefix = char::from(key[0]);
        writeln!(text, "{prefix} {} {}", hexadecimal(&key[1..]), shown(&value)).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// A value as text.
fn shown(value: &[u8]) -> String {
    let text = String::from_utf8(value.to_vec()).unwrap();
    text.replace("long".repeat(600).as_str(), "(2,400 bytes)").trim_end().to_owned()
}
