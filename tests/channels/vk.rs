//! VK: the proof in the body, the handshake, and events that no recorded payload shows.

use switchboard::channels::{DecodeError, VerifyError, WebhookAnswer};

use super::*;

/// The pairs of a form.
pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = std::str::from_utf8(body).unwrap().split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

#[test]
fn only_the_right_secret_of_the_right_community_is_authentic() {
    let vk = vk(Groups::Refuse);
    let verify = |body: &str| vk.verify(&call(&HeaderMap::new(), body.as_bytes()));
    let message = |secret: &str, group: &str| {
        verify(&format!(r#"{{"type":"message_new","object":{{}},"group_id":{group},"secret":{secret}}}"#))
    };
    assert_eq!(message(r#""secret_123456""#, "123456"), Ok(()));
    // An escaped letter is the same letter.
    assert_eq!(message(r#""\u0073ecret_123456""#, "123456"), Ok(()));
    for (secret, group) in [
        (r#""secret_12345""#, "123456"),
        (r#""secret_1234567""#, "123456"),
        (r#""Secret_123456""#, "123456"),
        (r#""""#, "123456"),
        ("null", "123456"),
        ("123456", "123456"),
        ("[]", "123456"),
        (r#""secret_123456""#, "123457"),
        (r#""secret_123456""#, "1"),
        (r#""secret_123456""#, "-123456"),
        (r#""secret_123456""#, "123456.0"),
        (r#""secret_123456""#, r#""123456""#),
        (r#""secret_123456","secret":"secret_123456""#, "123456"),
        (r#""x","secret":"secret_123456""#, "123456"),
        (r#""secret_123456","type":"confirmation""#, "123456"),
    ] {
        assert_eq!(message(secret, group), Err(VerifyError::Mismatch), "{secret} {group}");
    }
    for body in [
        "",
        "secret=secret_123456",
        "[]",
        r#"{"type":"message_new","secret":"secret_123456"}"#,
        r#"{"group_id":123456,"secret":"secret_123456"}"#,
        // The secret stands elsewhere.
        r#"{"type":"message_new","group_id":123456,"object":{"secret":"secret_123456"}}"#,
        r#"{"type":"message_new","group_id":123456}"#,
        // Cut off, and with something behind it.
        r#"{"type":"message_new","group_id":123456,"secret":"secret_123456""#,
        r#"{"type":"message_new","group_id":123456,"secret":"secret_123456"}{}"#,
    ] {
        assert_eq!(verify(body), Err(VerifyError::Mismatch), "{body}");
    }
    let deep = format!(
        r#"{{"type":"message_new","group_id":123456,"secret":"secret_123456","object":{}"#,
        "[".repeat(100_000)
    );
    assert_eq!(verify(&deep), Err(VerifyError::Mismatch));
}

#[test]
fn a_confirmation_is_answered_with_the_code_and_everything_else_with_ok() {
    let vk = vk(Groups::Refuse);
    for name in ["vk/confirmation.json", "vk/confirmation_secret.json"] {
        let (headers, body) = (HeaderMap::new(), fixture(name));
        assert_eq!(vk.verify(&call(&headers, &body)), Ok(()), "{name}");
        let decoded = vk.decode(&call(&headers, &body)).unwrap();
        assert_eq!((decoded.received, decoded.answer), (Vec::new(), WebhookAnswer::plain("2fd0e2a1")));
    }
    let forged = br#"{"type":"confirmation","group_id":123456,"secret":"other"}"#;
    assert_eq!(vk.verify(&call(&HeaderMap::new(), forged)), Err(VerifyError::Mismatch));
    for name in fixtures_of("vk").iter().filter(|name| !name.contains("confirmation")) {
        let decoded = vk.decode(&call(&HeaderMap::new(), &fixture(name))).unwrap();
        assert_eq!(decoded.answer, WebhookAnswer::plain("ok"), "{name}");
    }
}

fn event(kind: &str, object: Value) -> Value {
    json!({ "type": kind, "group_id": 123_456, "event_id": "e1", "v": "5.199", "secret": VK_SECRET, "object": object })
}

fn message(content: Value) -> Value {
    let mut message =
        json!({ "id": 9, "date": 1_700_000_000, "peer_id": 5, "from_id": 5, "out": 0, "text": "" });
    message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
    event("message_new", json!({ "message": message, "client_info": { "lang_id": 3 } }))
}

fn with(kind: &str, body: Value) -> Value {
    let mut attachment = json!({ "type": kind });
    attachment.as_object_mut().unwrap().insert(kind.to_owned(), body);
    message(json!({ "attachments": [attachment] }))
}

#[test]
fn further_events_become_facts() {
    let payloads = [
        ("old form", event("message_new", json!({ "id": 9, "peer_id": 5, "from_id": 5, "text": "hi" }))),
        ("reply", message(json!({ "text": "yes", "reply_message": { "id": 8 } }))),
        (
            "forwarded",
            message(json!({ "fwd_messages": [
                { "text": "one\ntwo", "attachments": [{ "type": "photo", "photo": { "sizes": [{ "url": "https://v/p" }] } }] },
                { "text": "three" }
            ] })),
        ),
        ("video", with("video", json!({ "id": 2, "owner_id": -3, "title": "t", "access_key": "k" }))),
        (
            "audio",
            with(
                "audio",
                json!({ "id": 2, "owner_id": 3, "artist": "A", "title": "T", "url": "https://v/a" }),
            ),
        ),
        ("link", with("link", json!({ "url": "https://example.com", "title": "t" }))),
        ("wall post", with("wall", json!({ "id": 2 }))),
        ("photo without an address", with("photo", json!({ "id": 2, "sizes": [] }))),
        (
            "place with a name",
            message(json!({
                "geo": { "coordinates": { "latitude": 1, "longitude": -2.5 }, "place": { "title": "Here" } }
            })),
        ),
        ("our button", message(json!({ "text": "Да", "payload": "{\"button\":\"yes\"}" }))),
        ("start button", message(json!({ "text": "Начать", "payload": "{\"command\":\"start\"}" }))),
        ("nothing", message(json!({}))),
        (
            "no number",
            event("message_new", json!({ "message": { "peer_id": 5, "from_id": 5, "text": "hi" } })),
        ),
        ("from a community", message(json!({ "from_id": -7, "text": "hi" }))),
        ("service message", message(json!({ "action": { "type": "chat_invite_user" } }))),
        (
            "press without payload",
            event("message_event", json!({ "user_id": 5, "peer_id": 5, "event_id": "x" })),
        ),
        (
            "press with a text",
            event(
                "message_event",
                json!({
                    "user_id": 5, "peer_id": 5, "event_id": "x", "payload": "{\"button\":\"no\",\"title\":\"Нет\"}"
                }),
            ),
        ),
        (
            "read by us",
            event("message_read", json!({ "from_id": -123_456, "peer_id": 5, "read_message_id": 7 })),
        ),
        (
            "our own echo",
            event(
                "message_reply",
                json!({
                    "id": 10, "peer_id": 5, "from_id": -123_456, "text": "x", "payload": "{\"switchboard\":\"e-7 0\"}"
                }),
            ),
        ),
        (
            "reaction",
            event(
                "message_reaction_event",
                json!({ "reacted_id": 5, "peer_id": 5, "cmid": 3, "reaction_id": 4 }),
            ),
        ),
        (
            "reaction taken back",
            event("message_reaction_event", json!({ "reacted_id": 5, "peer_id": 5, "cmid": 3 })),
        ),
        (
            "unknown reaction",
            event(
                "message_reaction_event",
                json!({ "reacted_id": 5, "peer_id": 5, "cmid": 3, "reaction_id": 99 }),
            ),
        ),
        ("no object", json!({ "type": "message_new", "group_id": 123_456 })),
        ("object of a wrong type", event("message_new", json!("hi"))),
    ];
    insta::assert_json_snapshot!(all_facts(&*vk(Groups::Refuse), &payloads));
}

#[test]
fn chats_of_several_people_are_accepted_by_a_setting() {
    let body = fixture("vk/message_new_chat.json");
    let accepted = facts(&*vk(Groups::Accept), &body);
    let message = &accepted[0]["inbound"]["fact"]["message"];
    assert_eq!(accepted[0]["input_id"], "shop/message/2000000001/c147826");
    assert_eq!((&message["chat"]["id"], &message["user"]["id"]), (&json!("2000000001"), &json!("194250225")));
    let refused = facts(&*vk(Groups::Refuse), &body);
    assert_eq!(refused[0]["inbound"]["fact"]["unsupported"]["what"], "chat of several people");
}

#[test]
fn a_body_that_is_no_event_is_refused() {
    let vk = vk(Groups::Refuse);
    let refused = |body: &[u8]| vk.decode(&call(&HeaderMap::new(), body)).unwrap_err();
    assert!(matches!(refused(b"type=x"), DecodeError::NotJson { .. }));
    assert_eq!(refused(b"{}"), DecodeError::Missing("type"));
}
