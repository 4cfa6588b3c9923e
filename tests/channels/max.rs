//! MAX: updates that no recorded payload shows.

use switchboard::channels::DecodeError;

use super::*;

fn message(body: Value, link: Value) -> Value {
    json!({
        "update_type": "message_created", "timestamp": 1_775_025_603_399_u64, "user_locale": "ru",
        "message": {
            "sender": { "user_id": 5, "first_name": "Ann", "username": "ann" },
            "recipient": { "chat_id": 7, "chat_type": "dialog" },
            "timestamp": 1_775_025_603_399_u64, "link": link, "body": body
        }
    })
}

fn with(attachment: Value) -> Value {
    message(json!({ "mid": "mid.1", "text": null, "attachments": [attachment] }), Value::Null)
}

#[test]
fn further_updates_become_facts() {
    let forward = json!({ "type": "forward", "sender": { "user_id": 9 }, "message": {
        "text": "one\ntwo", "attachments": [
            { "type": "image", "payload": { "url": "https://i/1" } },
            { "type": "contact", "payload": { "vcf_info": "TEL:1", "max_info": { "user_id": 5 } } }
        ]
    } });
    let callback = json!({ "callback_id": "cb", "timestamp": 3, "payload": "yes", "user": { "user_id": 5 } });
    let keyboard = json!([{ "type": "inline_keyboard", "payload": {
        "buttons": [[{ "type": "callback", "text": "Да", "payload": "yes" }]]
    } }]);
    let mut by_bot = message(json!({ "mid": "mid.1", "text": "x" }), Value::Null);
    by_bot["message"]["sender"]["is_bot"] = json!(true);
    let mut in_channel = message(json!({ "mid": "mid.1", "text": "x" }), Value::Null);
    in_channel["message"]["recipient"]["chat_type"] = json!("channel");
    let mut without_sender = message(json!({ "mid": "mid.1", "text": "x" }), Value::Null);
    without_sender["message"]["sender"] = Value::Null;
    let payloads = [
        ("forwarded", message(json!({ "mid": "mid.1", "text": null }), forward)),
        ("video", with(json!({ "type": "video", "payload": { "url": "https://v/1", "token": "t" } }))),
        ("audio", with(json!({ "type": "audio", "payload": { "url": "https://a/1", "token": "t" } }))),
        ("sticker", with(json!({ "type": "sticker", "payload": { "url": "https://s/1", "code": "c" } }))),
        ("share", with(json!({ "type": "share", "payload": { "url": "https://example.com" } }))),
        (
            "card of another person",
            with(json!({ "type": "contact", "payload": {
                "vcf_info": "BEGIN:VCARD\r\nitem1.TEL;TYPE=cell:+7900\r\nFN:Bob\r\n", "max_info": { "user_id": 6 }
            } })),
        ),
        ("unknown attachment", with(json!({ "type": "poll", "payload": {} }))),
        ("empty", message(json!({ "mid": "mid.1" }), Value::Null)),
        ("no mid", message(json!({ "text": "x" }), Value::Null)),
        ("by a bot", by_bot),
        ("in a channel", in_channel),
        ("without sender", without_sender),
        (
            "press with its title",
            json!({ "update_type": "message_callback", "timestamp": 4, "callback": callback, "message": {
                "recipient": { "chat_id": 7, "chat_type": "dialog" },
                "body": { "mid": "mid.2", "attachments": keyboard }
            } }),
        ),
        (
            "press under a deleted message",
            json!({ "update_type": "message_callback", "timestamp": 4, "callback": callback, "message": null }),
        ),
        ("no update", json!({ "update_type": "message_created" })),
    ];
    insta::assert_json_snapshot!(all_facts(&*max(Groups::Refuse), &payloads));
}

#[test]
fn groups_are_accepted_by_a_setting() {
    let accepted = facts(&*max(Groups::Accept), &fixture("max/message_created_reply.json"));
    let message = &accepted[0]["inbound"]["fact"]["message"];
    assert_eq!((&message["chat"]["id"], &message["user"]["id"]), (&json!("-72000000001"), &json!("101")));
    assert_eq!(message["reply_to"], "mid.bot");
}

#[test]
fn a_body_that_is_no_update_is_refused() {
    let max = max(Groups::Refuse);
    let refused = |body: &[u8]| max.decode(&call(&HeaderMap::new(), body)).unwrap_err();
    assert!(matches!(refused(b"x"), DecodeError::NotJson { .. }));
    assert_eq!(refused(br#"{"updates":[]}"#), DecodeError::Missing("update_type"));
}
