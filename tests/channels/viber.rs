//! Viber: events that no recorded payload shows.

use switchboard::channels::{DecodeError, Progress};
use switchboard::model::effect::EffectAction;
use switchboard::model::message::Button;

use super::*;

fn message(content: Value) -> Value {
    json!({
        "event": "message", "timestamp": 1_700_000_000_123_u64, "message_token": 18_000_000_000_000_000_001_u64,
        "sender": { "id": "u=", "name": "Ann", "language": "en-CA" }, "message": content
    })
}

#[test]
fn further_events_become_facts() {
    let payloads = [
        ("file", message(json!({ "type": "file", "media": "https://v/f", "file_name": "a.pdf", "size": 9 }))),
        (
            "location",
            message(
                json!({ "type": "location", "location": { "lat": 50.76891, "lon": 6.11499, "address": "A" } }),
            ),
        ),
        ("link with words", message(json!({ "type": "url", "media": "https://v/f", "text": "look" }))),
        ("carousel", message(json!({ "type": "rich_media", "rich_media": {} }))),
        ("no text", message(json!({ "type": "text" }))),
        ("empty contact", message(json!({ "type": "contact", "contact": {} }))),
        (
            "message of a chat extension",
            json!({ "event": "message", "message_token": 1, "chat_id": "c=", "sender": { "id": "u=" },
                    "message": { "type": "text", "text": "hi" } }),
        ),
        ("no sender", json!({ "event": "message", "message_token": 1, "message": { "type": "text" } })),
        ("no token", json!({ "event": "message", "sender": { "id": "u=" } })),
        ("token as text", json!({ "event": "seen", "message_token": "12", "user_id": "u=" })),
        ("failed without a reason", json!({ "event": "failed", "message_token": 3, "user_id": "u=" })),
        ("state of nobody", json!({ "event": "seen", "message_token": 3 })),
        ("subscribed by number alone", json!({ "event": "subscribed", "message_token": 4, "user_id": "u=" })),
        ("client status", json!({ "event": "client_status", "message_token": 5 })),
    ];
    insta::assert_json_snapshot!(all_facts(&*viber(), &payloads));
}

#[test]
fn a_pressed_button_is_known_again_and_a_forged_one_is_a_text() {
    let viber = viber();
    let mut effect = send("Ready?");
    let EffectAction::Send(outgoing) = &mut effect.action else { panic!() };
    outgoing.chat = "u=".to_owned();
    outgoing.buttons = vec![Button { title: "Да".to_owned(), data: "yes:1".to_owned() }];
    let request = viber.encode(&effect, &Progress::default()).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let pressed = body["keyboard"]["Buttons"][0]["ActionBody"].as_str().unwrap();
    let fact = |text: &str| {
        let facts = facts(&*viber, message(json!({ "type": "text", "text": text })).to_string().as_bytes());
        (facts[0]["input_id"].clone(), facts[0]["inbound"]["fact"].clone())
    };
    let (key, press) = fact(pressed);
    assert_eq!(key, "shop/button/18000000000000000001");
    assert_eq!((&press["button"]["data"], &press["button"]["title"]), (&json!("yes:1"), &json!("Да")));
    let (key, forged) = fact(&pressed.replace("yes:1", "vip"));
    assert_eq!(key, "shop/message/u=/18000000000000000001");
    assert!(forged.get("button").is_none());
}

#[test]
fn a_body_that_is_no_event_is_refused() {
    let viber = viber();
    let refused = |body: &[u8]| viber.decode(&call(&HeaderMap::new(), body)).unwrap_err();
    assert!(matches!(refused(b"event=message"), DecodeError::NotJson { .. }));
    assert_eq!(refused(b"[]"), DecodeError::Missing("event"));
    assert_eq!(refused(br#"{"event":1}"#), DecodeError::Missing("event"));
}
