//! Each recorded payload, and the facts that it becomes.

use switchboard::channels::DecodeError;
use switchboard::model::channel::SignatureEncoding;

use super::*;

fn snapshots_of(channel: &dyn Channel, names: &[String]) {
    for name in names {
        let title = name.trim_end_matches(".json").trim_end_matches(".eml").replace('/', "__");
        insta::assert_json_snapshot!(title, facts(channel, &fixture(name)));
    }
}

#[test]
fn telegram_updates_become_facts() {
    let names = fixtures_of("telegram");
    assert!(names.len() >= 20, "fixtures are missing: {names:?}");
    snapshots_of(&*telegram(), &names);
}

#[test]
fn whatsapp_notices_become_facts() {
    let names = fixtures_of("whatsapp");
    assert!(names.len() >= 35, "fixtures are missing: {names:?}");
    snapshots_of(&*whatsapp(), &names);
}

/// The samples are of several accounts; each is read by the channel of the account that it names first.
#[test]
fn events_of_messenger_and_instagram_become_facts() {
    for (folder, at_least) in [("messenger", 24), ("instagram", 21)] {
        let names = fixtures_of(folder);
        assert!(names.len() >= at_least, "fixtures are missing: {names:?}");
        for name in names {
            let body: Value = serde_json::from_slice(&fixture(&name)).unwrap();
            let account = body.pointer("/entry/0/id").and_then(Value::as_str).unwrap_or("0");
            let channel = if folder == "messenger" { messenger(account) } else { instagram(account) };
            snapshots_of(&*channel, &[name]);
        }
    }
}

#[test]
fn events_of_viber_become_facts() {
    let names = fixtures_of("viber");
    assert!(names.len() >= 21, "fixtures are missing: {names:?}");
    snapshots_of(&*viber(), &names);
}

#[test]
fn events_of_vk_become_facts() {
    let names = fixtures_of("vk");
    assert!(names.len() >= 22, "fixtures are missing: {names:?}");
    snapshots_of(&*vk(Groups::Refuse), &names);
}

#[test]
fn updates_of_max_become_facts() {
    let names = fixtures_of("max");
    assert!(names.len() >= 20, "fixtures are missing: {names:?}");
    snapshots_of(&*max(Groups::Refuse), &names);
}

#[test]
fn mail_becomes_facts() {
    let names = fixtures_of("email");
    assert!(names.len() >= 8, "fixtures are missing: {names:?}");
    snapshots_of(&*email(), &names);
}

#[test]
fn items_of_any_system_become_facts() {
    let lead = webhook(lead(), SignatureEncoding::Hex);
    snapshots_of(&*lead, &["webhook/form_lead.json".to_owned(), "webhook/missing_fields.json".to_owned()]);
    let batch = webhook(batch(), SignatureEncoding::Hex);
    snapshots_of(&*batch, &["webhook/batch_array.json".to_owned()]);
}

/// Facts that no recorded payload shows.
#[test]
fn further_telegram_updates_become_facts() {
    let private = json!({ "id": 5, "type": "private", "first_name": "Ann" });
    let message = |content: Value| {
        let mut message = json!({ "message_id": 9, "date": 1, "chat": private, "from": { "id": 5 } });
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        json!({ "update_id": 1, "message": message })
    };
    let updates = [
        (
            "own contact",
            message(json!({ "contact": { "phone_number": "+7900", "first_name": "Ann", "user_id": 5 } })),
        ),
        ("poll", message(json!({ "poll": { "id": "1", "question": "?" } }))),
        (
            "animation",
            message(json!({
                "animation": { "file_id": "A" }, "document": { "file_id": "A" }, "caption": "look"
            })),
        ),
        ("reply", message(json!({ "text": "yes", "reply_to_message": { "message_id": 8 } }))),
        ("pinned", message(json!({ "pinned_message": { "message_id": 8 } }))),
        ("start with a wrong parameter", message(json!({ "text": "/start a b" }))),
        (
            "no sender",
            json!({ "update_id": 1, "message": { "message_id": 9, "chat": private, "text": "hi" } }),
        ),
        ("no chat", json!({ "update_id": 1, "message": { "message_id": 9, "text": "hi" } })),
        (
            "no chat type",
            json!({ "update_id": 1, "message": { "message_id": 9, "chat": { "id": -5 }, "text": "hi" } }),
        ),
        (
            "inline press",
            json!({ "update_id": 1, "callback_query": { "id": "p", "inline_message_id": "i", "data": "d" } }),
        ),
        (
            "press in a group",
            json!({ "update_id": 1, "callback_query": {
            "id": "p", "data": "d", "message": { "message_id": 9, "chat": { "id": -5, "type": "group" } }
        } }),
        ),
        (
            "unblocked",
            json!({ "update_id": 1, "my_chat_member": {
            "chat": private, "from": { "id": 5 }, "date": 1, "new_chat_member": { "status": "member" }
        } }),
        ),
        (
            "caption removed",
            json!({ "update_id": 1, "edited_message": {
            "message_id": 9, "chat": private, "photo": [{ "file_id": "P" }]
        } }),
        ),
        (
            "live location",
            json!({ "update_id": 1, "edited_message": {
            "message_id": 9, "chat": private, "location": { "latitude": 1.5, "longitude": 2 }
        } }),
        ),
        ("message of a wrong type", json!({ "update_id": 1, "message": "hi" })),
    ];
    let telegram = telegram();
    let all: serde_json::Map<String, Value> = updates
        .into_iter()
        .map(|(name, update)| (name.to_owned(), facts(&*telegram, update.to_string().as_bytes())))
        .collect();
    insta::assert_json_snapshot!(all);
}

/// Where groups are accepted, each member who writes is a client, and signs become facts.
#[test]
fn telegram_updates_of_groups_and_signs_become_facts() {
    let group = json!({ "id": -5, "type": "supergroup", "title": "Shop" });
    let ann = json!({ "id": 5, "first_name": "Ann" });
    let heart = json!({ "type": "emoji", "emoji": "❤" });
    let reaction = |old: Value, new: Value| {
        json!({ "update_id": 1, "message_reaction": {
            "chat": { "id": 5, "type": "private" }, "message_id": 9, "user": ann, "date": 1,
            "old_reaction": old, "new_reaction": new
        } })
    };
    let in_group = |content: Value| {
        let mut message = json!({ "message_id": 9, "date": 1, "chat": group, "from": ann });
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        json!({ "update_id": 1, "message": message })
    };
    let updates = [
        ("member", in_group(json!({ "text": "hello" }))),
        (
            "in the name of the group",
            in_group(json!({ "text": "hello", "sender_chat": { "id": -5, "type": "supergroup" } })),
        ),
        ("new number", in_group(json!({ "migrate_to_chat_id": -1005 }))),
        (
            "press",
            json!({ "update_id": 1, "callback_query": {
            "id": "p", "data": "d", "from": ann, "message": { "message_id": 9, "chat": group }
        } }),
        ),
        (
            "removed from the group",
            json!({ "update_id": 1, "my_chat_member": {
            "chat": group, "from": ann, "date": 1, "new_chat_member": { "status": "kicked" }
        } }),
        ),
        (
            "channel",
            json!({ "update_id": 1, "message": { "message_id": 9, "chat": { "id": -7, "type": "channel" } } }),
        ),
        ("sign taken back", reaction(json!([heart]), json!([]))),
        ("sign changed", reaction(json!([heart]), json!([{ "type": "emoji", "emoji": "👎" }]))),
        (
            "second sign",
            reaction(json!([heart]), json!([heart, { "type": "custom_emoji", "custom_emoji_id": "77" }])),
        ),
        ("paid sign", reaction(json!([]), json!([{ "type": "paid" }]))),
        (
            "sign without a message",
            json!({ "update_id": 1, "message_reaction": { "chat": { "id": 5, "type": "private" } } }),
        ),
    ];
    let telegram = started(&ChannelSettings::Telegram(TelegramSettings {
        groups: switchboard::model::channel::Groups::Accept,
        token: env("TOKEN"),
        webhook_secret: env("SECRET"),
        api_base: TelegramSettings::API_BASE.to_owned(),
    }));
    let all: serde_json::Map<String, Value> = updates
        .into_iter()
        .map(|(name, update)| (name.to_owned(), facts(&*telegram, update.to_string().as_bytes())))
        .collect();
    insta::assert_json_snapshot!(all);
}

#[test]
fn a_body_that_is_no_update_is_refused() {
    let telegram = telegram();
    let refused = |body: &[u8]| telegram.decode(&call(&HeaderMap::new(), body)).unwrap_err();
    assert!(matches!(refused(b""), DecodeError::NotJson { .. }));
    assert!(matches!(refused(b"update_id=1"), DecodeError::NotJson { .. }));
    assert!(matches!(refused(b"\xff\xfe"), DecodeError::NotJson { .. }));
    assert_eq!(refused(b"[]"), DecodeError::Missing("update_id"));
    assert_eq!(refused(br#"{"message":{}}"#), DecodeError::Missing("update_id"));
    assert_eq!(refused(br#"{"update_id":1.5}"#), DecodeError::Missing("update_id"));
    // Deeper than the parser goes.
    assert!(matches!(refused("[".repeat(100_000).as_bytes()), DecodeError::NotJson { .. }));
}

#[test]
fn one_bad_item_does_not_spoil_the_batch() {
    let batch = webhook(batch(), SignatureEncoding::Hex);
    let long = "x".repeat(513);
    let body = json!({ "items": [
        { "id": 1, "from": "u1", "text": "good" },
        { "from": "u1", "text": "no id" },
        { "id": 2, "text": "no conversation" },
        { "id": "", "from": "u1" },
        { "id": [3], "from": "u1" },
        { "id": 1.5, "from": "u1" },
        { "id": 99999999999999999999999_f64, "from": "u1" },
        { "id": "a\nb", "from": "u1" },
        { "id": long, "from": "u1" },
        { "id": "6", "from": "u1", "ts": "yesterday" },
        7
    ] });
    let facts = facts(&*batch, body.to_string().as_bytes());
    let short: Vec<String> = facts
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| {
            let what = fact.pointer("/inbound/fact/unsupported/what");
            let text = fact.pointer("/inbound/fact/message/text");
            let key = fact["input_id"].as_str().unwrap().split("sha256").next().unwrap();
            format!("{key} {}", what.or(text).unwrap())
        })
        .collect();
    insta::assert_snapshot!(short.join("\n"), @r#"
    shop/message/u1/1 "good"
    shop/item/ "item without id at `$.id`"
    shop/item/ "item without conversation at `$.from`"
    shop/item/ "item whose id at `$.id` is empty or neither text nor number"
    shop/item/ "item whose id at `$.id` is empty or neither text nor number"
    shop/item/ "item whose id at `$.id` is not a whole number below 2^64; send it as text"
    shop/item/ "item whose id at `$.id` is not a whole number below 2^64; send it as text"
    shop/item/ "item whose id at `$.id` has control characters"
    shop/item/ "item whose id at `$.id` is longer than 512 bytes"
    shop/message/u1/6 ""
    shop/item/ "item without id at `$.id`"
    "#);
}

#[test]
fn a_batch_without_items_is_kept_and_one_with_too_many_is_refused() {
    let batch = webhook(batch(), SignatureEncoding::Hex);
    let kept = facts(&*batch, br#"{"items":[]}"#);
    assert_eq!(kept[0]["inbound"]["fact"]["unsupported"]["raw"], json!(r#"{"items":[]}"#));
    let many = json!({ "items": vec![json!({ "id": 1, "from": 2 }); 1001] }).to_string();
    assert_eq!(
        batch.decode(&call(&HeaderMap::new(), many.as_bytes())),
        Err(DecodeError::TooManyItems { count: 1001, max: 1000 })
    );
}

#[test]
fn a_redelivery_has_the_same_key_however_it_is_written() {
    let lead = webhook(lead(), SignatureEncoding::Hex);
    let one = facts(&*lead, br#"{"client":{"uid":"c"},"event":"lead"}"#);
    let other = facts(&*lead, br#"{ "event": "lead", "client": { "uid": "c" } }"#);
    assert_eq!(one[0]["input_id"], other[0]["input_id"]);
}
