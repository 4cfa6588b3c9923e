//! Rows for tests: complete, small, and different where it matters.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::rows::{Position, WriteSet};
use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::{Client, Identity};
use crate::model::decision::{Decision, RuleMatch, Verdict};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::effect::{Effect, EffectAction, EffectState, Lane, Outgoing};
use crate::model::entry::EntryHash;
use crate::model::event::{Event, EventKind};
use crate::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId, OfferId};
use crate::model::input_id::of_parts;
use crate::model::message::{Author, Direction, Message, MessageStatus};
use crate::model::offer::Offer;
use crate::model::operator::{OperatorStatus, Presence};
use crate::model::outcome::{KnownInput, Outcome, Receipt};

/// When entry `seq` was taken in.
pub(super) fn at(seq: u64) -> u64 {
    1_700_000_000_000 + seq * 1_000
}

pub(super) fn position(seq: u64) -> Position {
    Position { seq, hash: EntryHash::of(&seq.to_be_bytes()), at_ms: at(seq), epoch: 1 }
}

/// A write set that ends with entry `seq` and changes nothing else.
pub(super) fn up_to(seq: u64) -> WriteSet {
    WriteSet { position: position(seq), ..WriteSet::default() }
}

/// A queued dialog opened by entry `seq`, in chat and with client of the same number.
pub(super) fn dialog(seq: u64) -> Dialog {
    Dialog {
        id: DialogId::new(seq, 0),
        line: "sales".into(),
        channel: "shop-telegram".into(),
        chat: ChatId::new(seq, 0),
        external_chat: seq.to_string(),
        client: ClientId::new(seq, 0),
        client_name: Some("Мария".to_owned()),
        state: DialogState::Queued,
        owner: None,
        team: None,
        topic: None,
        priority: 0,
        tags: BTreeSet::new(),
        custom: BTreeMap::new(),
        source: None,
        opened_at_ms: at(seq),
        queued_at_ms: at(seq),
        last_inbound_at_ms: at(seq),
        accepted_at_ms: None,
        first_response_at_ms: None,
        closed_at_ms: None,
        close_reason: None,
        offers: Vec::new(),
        declined: BTreeMap::new(),
        rounds: 0,
        last_message: None,
        unread: 1,
        messages: 1,
        out_of_hours_told: false,
        life: crate::model::life::Life::default(),
        updated_at_ms: at(seq),
        version: seq,
        route: crate::model::dialog::Route::default(),
        sla: crate::model::sla::SlaClocks::default(),
    }
}

/// An offer of entry `seq` to an operator.
pub(super) fn offer(seq: u64, operator: &str) -> Offer {
    Offer {
        id: OfferId::new(seq, 0),
        operator: operator.into(),
        offered_at_ms: at(seq),
        expires_at_ms: Some(at(seq) + 60_000),
        by_hand: false,
    }
}

pub(super) fn chat(number: u64) -> Chat {
    Chat {
        context: None,
        id: ChatId::new(number, 0),
        address: ChatAddress {
            channel: "shop-telegram".into(),
            chat: number.to_string(),
            user: format!("user {number}"),
        },
        client: ClientId::new(number, 0),
        open_dialog: Some(DialogId::new(number, 0)),
        last_dialog: None,
        dialogs: 1,
        allowed: true,
        consent_told: false,
        source: None,
        unseen: Vec::new(),
        former: Vec::new(),
        created_at_ms: at(number),
    }
}

pub(super) fn client(number: u64) -> Client {
    Client {
        automatic_mails_ms: Vec::new(),
        id: ClientId::new(number, 0),
        name: Some("Мария".to_owned()),
        username: None,
        language: Some("ru".to_owned()),
        phones: BTreeSet::new(),
        identities: BTreeSet::from([identity(&format!("user {number}"))]),
        tags: BTreeSet::new(),
        custom: BTreeMap::new(),
        source: None,
        created_at_ms: at(number),
    }
}

pub(super) fn identity(user: &str) -> Identity {
    Identity { channel: "shop-telegram".into(), user: user.to_owned() }
}

/// A client's message of entry `seq`.
pub(super) fn message(dialog: &Dialog, seq: u64, index: u32) -> Message {
    Message {
        id: MessageId::new(seq, index),
        dialog: dialog.id,
        chat: dialog.chat,
        direction: Direction::In,
        author: Author::Client,
        text: format!("message {seq}"),
        attachments: Vec::new(),
        buttons: Vec::new(),
        status: MessageStatus::Received,
        error: None,
        external_id: Some(seq.to_string()),
        at_ms: at(seq),
        external_at_ms: None,
        edited_at_ms: None,
        external_edited_at_ms: None,
        deleted_at_ms: None,
        delivered_at_ms: None,
        read_at_ms: None,
        lost_at_ms: None,
        revisions: Vec::new(),
        note: false,
        automatic: false,
        reply_to: None,
        button: None,
        unsupported: None,
        effect: None,
        letter: None,
    }
}

/// An effect of entry `seq` that sends a message.
pub(super) fn effect(seq: u64, dialog: u64, state: EffectState) -> Effect {
    Effect {
        id: EffectId::new(seq, 0),
        lane: Lane::Chat { channel: "shop-telegram".into(), chat: dialog.to_string() },
        line: "sales".into(),
        dialog: DialogId::new(dialog, 0),
        action: EffectAction::Send(Outgoing {
            automatic: false,
            context: None,
            sender: None,
            channel: "shop-telegram".into(),
            chat: dialog.to_string(),
            user: dialog.to_string(),
            message: MessageId::new(seq, 0),
            text: "Здравствуйте".to_owned(),
            buttons: Vec::new(),
            attachments: Vec::new(),
            reply_to: None,
        }),
        state,
        attempts: 0,
        parts_done: 0,
        last_error: None,
        created_at_ms: at(seq),
        updated_at_ms: at(seq),
    }
}

pub(super) fn event(seq: u64, index: u32, kind: EventKind, dialog: Option<DialogId>) -> Event {
    Event {
        seq,
        index,
        at_ms: at(seq),
        kind,
        line: Some("sales".into()),
        dialog,
        data: serde_json::json!({ "n": seq }),
    }
}

pub(super) fn decision(seq: u64, index: u32, dialog: DialogId) -> Decision {
    Decision {
        seq,
        index,
        at_ms: at(seq),
        dialog,
        config: "sha256:0".to_owned(),
        verdict: Verdict::Rule(RuleMatch {
            rule: "greet".into(),
            event: "message.received".to_owned(),
            chain: 0,
            actions: Vec::new(),
        }),
    }
}

/// Rows as the engine hands them over.
pub(super) fn shared<T>(rows: impl IntoIterator<Item = T>) -> Vec<Arc<T>> {
    rows.into_iter().map(Arc::new).collect()
}

pub(super) fn known_input(seq: u64) -> KnownInput {
    KnownInput {
        seq,
        at_ms: at(seq),
        fingerprint: None,
        outcome: Outcome::Applied(Receipt {
            dialog: Some(DialogId::new(seq, 0)),
            message: Some(MessageId::new(seq, 0)),
        }),
    }
}

/// What is known of the input with which the messenger brought the message of entry `seq`.
pub(super) fn brought(dialog: &Dialog, seq: u64) -> (Arc<str>, KnownInput) {
    let input_id = of_parts(dialog.channel.as_str(), &dialog.external_chat, &seq.to_string());
    let receipt = Receipt { dialog: Some(dialog.id), message: Some(MessageId::new(seq, 0)) };
    (input_id.into(), KnownInput { outcome: Outcome::Applied(receipt), ..known_input(seq) })
}

pub(super) fn status(operator: &str, presence: Presence) -> OperatorStatus {
    OperatorStatus { presence, ..OperatorStatus::unknown(operator.into(), at(1)) }
}
