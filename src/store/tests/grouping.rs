//! The contents do not depend on how entries were grouped into write sets.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::engine::rows::WriteSet;
use crate::model::dialog::DialogState;
use crate::model::effect::EffectState;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, EffectId};
use crate::model::message::MessageStatus;
use crate::model::operator::Presence;
use crate::model::timer::TimerKey;
use crate::store::Store;

use super::samples::*;

/// What entry `seq` changes: a bit of everything, on rows that other entries change too.
fn changes_of(seq: u64) -> WriteSet {
    let number = seq % 5 + 1;
    let mut row = dialog(number);
    row.state = DialogState::ALL[usize::try_from(seq % 7).unwrap()];
    row.updated_at_ms = at(seq);
    row.priority = i32::try_from(seq % 3).unwrap();
    let state = match seq % 4 {
        0 => EffectState::Pending,
        1 => EffectState::InFlight { epoch: 1, deadline_ms: seq },
        _ => EffectState::Delivered,
    };
    let timer = TimerKey::EffectRetry { effect: EffectId::new(number, 0) };
    let mut person = client(number);
    if seq.is_multiple_of(2) {
        person.identities.insert(identity("shared"));
    }
    let events: Vec<_> = (0..u32::try_from(seq % 3).unwrap())
        .map(|index| {
            let mut event = event(seq, index, EventKind::DialogUpdated, Some(DialogId::new(number, 0)));
            event.data = serde_json::json!("x".repeat(usize::try_from(seq % 7).unwrap() * 2_000));
            event
        })
        .collect();
    let mut messages = vec![message(&row, seq, 0)];
    messages[0].text = "x".repeat(usize::try_from(seq % 4).unwrap() * 700);
    // An earlier message of the dialog changes: it grows out of its page, or back into it.
    if let Some(earlier) = seq.checked_sub(5 * (seq % 6)).filter(|earlier| (1..seq).contains(earlier)) {
        let mut message = message(&row, earlier, 0);
        message.status = MessageStatus::Read;
        message.text = "y".repeat(usize::try_from(seq % 3).unwrap() * 1_200);
        messages.push(message);
    }
    let mut input = match seq % 7 {
        0 => (format!("input {seq}").into(), known_input(seq)),
        _ => brought(&row, seq),
    };
    if seq.is_multiple_of(11) {
        input.1.fingerprint = Some("f".repeat(64));
    }
    WriteSet {
        known_inputs: vec![input],
        messages: shared(messages),
        decisions: vec![decision(seq, 0, row.id)],
        dialogs: vec![row],
        chats: vec![chat(number)],
        clients: vec![person],
        effects: vec![effect(number, number, state)],
        operators: vec![status(
            "anna",
            if seq.is_multiple_of(3) { Presence::Online } else { Presence::Away },
        )],
        timers: vec![(timer, (!seq.is_multiple_of(4)).then_some(seq))],
        events: shared(events),
        ..up_to(seq)
    }
}

/// Two write sets as one. Rows may be there twice: the later one counts.
fn joined(mut first: WriteSet, second: WriteSet) -> WriteSet {
    first.position = second.position;
    first.known_inputs.extend(second.known_inputs);
    first.dialogs.extend(second.dialogs);
    first.chats.extend(second.chats);
    first.clients.extend(second.clients);
    first.messages.extend(second.messages);
    first.effects.extend(second.effects);
    first.operators.extend(second.operators);
    first.timers.extend(second.timers);
    first.events.extend(second.events);
    first.decisions.extend(second.decisions);
    first
}

/// The digest after these groups of entries.
fn digest_of(store: &Store, groups: &[u64]) -> String {
    let mut seq = 0;
    for size in groups {
        let set = (seq + 1..=seq + size).map(changes_of).reduce(joined);
        seq += size;
        store.write(&set.unwrap()).unwrap();
    }
    store.digest().unwrap()
}

/// Groups that add up to `total`, with these sizes over and over.
fn groups(sizes: &[u64], total: u64) -> Vec<u64> {
    let mut left = total;
    let mut groups = Vec::new();
    for size in sizes.iter().cycle() {
        if left == 0 {
            break;
        }
        let size = (*size).min(left);
        left -= size;
        groups.push(size);
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_grouping_of_the_same_entries_gives_the_same_store(sizes in vec(1..30u64, 1..6), total in 1..240u64) {
        let one_by_one = digest_of(&Store::in_memory().unwrap(), &groups(&[1], total));
        let grouped = digest_of(&Store::in_memory().unwrap(), &groups(&sizes, total));
        prop_assert_eq!(grouped, one_by_one);
    }
}

#[test]
fn files_and_memory_have_the_same_digest_and_it_tells_changes_apart() {
    let memory = digest_of(&Store::in_memory().unwrap(), &groups(&[3, 1], 50));
    let files = Store::temporary().unwrap();
    assert_eq!(digest_of(&files, &groups(&[1, 17], 50)), memory);
    files
        .write(&WriteSet {
            messages: shared([message(&dialog(1), 50, 1)]),
            dialogs: vec![dialog(1)],
            ..up_to(50)
        })
        .unwrap();
    assert_ne!(files.digest().unwrap(), memory);
}
