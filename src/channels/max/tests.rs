//! Tests of what is sent to MAX, of what its answers mean, and of its set-up.

use std::sync::Arc;

use crate::channels::samples::{Names, effect, outgoing, send};
use crate::channels::{FileBytes, FileFault, connect};
use crate::model::channel::ChannelSettings;
use crate::model::effect::Scope;
use crate::model::message::Button;
use crate::model::secret::SecretRef;

use super::*;

fn settings(token: &str, webhook_secret: &str) -> ChannelSettings {
    ChannelSettings::Max(MaxSettings {
        token: SecretRef::Env(token.to_owned()),
        webhook_secret: SecretRef::Env(webhook_secret.to_owned()),
        api_base: MaxSettings::API_BASE.to_owned(),
        groups: Groups::Refuse,
    })
}

fn bot() -> Box<dyn Channel> {
    connect(&ChannelId::from("shop"), &settings("TOKEN", "SECRET"), &Names).unwrap()
}

fn body_of(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn answer(status: u16, body: &str) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn with_file(kind: AttachmentKind, media_type: &str) -> (Effect, Progress) {
    let mut message = outgoing("");
    message.attachments = vec![Attachment::of(kind)];
    let file = FileBytes {
        name: "a.bin".to_owned(),
        media_type: media_type.to_owned(),
        bytes: Bytes::from_static(b"content"),
    };
    let effect = effect(EffectAction::Send(message));
    let progress = Progress::resume(&effect).with_files(Arc::from(vec![Some(file)]));
    (effect, progress)
}

fn more(verdict: Verdict) -> Progress {
    match verdict {
        Verdict::More(progress) => progress,
        Verdict::Ended(attempt) => panic!("{attempt:?}"),
    }
}

#[test]
fn a_text_goes_to_its_chat_with_quotation_and_buttons() {
    let mut message = outgoing("*Ready?*");
    message.reply_to = Some("mid.1".to_owned());
    message.buttons = vec![Button { title: "Да".repeat(100), data: "yes".to_owned() }];
    let request = bot().encode(&effect(EffectAction::Send(message)), &Progress::default()).unwrap();
    assert_eq!(request.url.to_string(), "https://platform-api2.max.ru/messages?chat_id=1111111");
    assert_eq!(request.headers.get(AUTHORIZATION).unwrap(), "TOKEN");
    assert_eq!(
        body_of(&request),
        json!({
            "text": "*Ready?*",
            "link": { "type": "reply", "mid": "mid.1" },
            "attachments": [{ "type": "inline_keyboard", "payload": { "buttons": [[
                { "type": "callback", "text": "Да".repeat(64), "payload": "yes" }
            ]] } }]
        })
    );
}

#[test]
fn more_buttons_than_rows_stand_side_by_side() {
    for (count, rows) in [(1, 1), (30, 30), (31, 16), (210, 30)] {
        let mut message = outgoing("x");
        message.buttons = vec![Button { title: "a".to_owned(), data: "b".to_owned() }; count];
        let request = bot().encode(&effect(EffectAction::Send(message)), &Progress::default()).unwrap();
        let body = body_of(&request);
        let found = body["attachments"][0]["payload"]["buttons"].as_array().unwrap();
        assert_eq!(found.len(), rows, "{count}");
        assert!(found.iter().all(|row| row.as_array().unwrap().len() <= 7), "{count}");
    }
}

#[test]
fn a_press_is_acknowledged_by_its_reference() {
    let press =
        effect(EffectAction::AcknowledgeButton { channel: "shop".into(), reference: "a/b&c".to_owned() });
    let request = bot().encode(&press, &Progress::default()).unwrap();
    assert_eq!(request.url.query(), Some("callback_id=a%2Fb%26c"));
    let done = bot().classify(&press, &Progress::default(), Ok(&answer(200, r#"{"success":true}"#)));
    assert_eq!(done, Verdict::Ended(Attempt::Delivered { external_id: None }));
    let late = bot().classify(
        &press,
        &Progress::default(),
        Ok(&answer(200, r#"{"success":false,"message":"late"}"#)),
    );
    assert!(matches!(late, Verdict::Ended(Attempt::Refused { .. })));
}

#[test]
fn a_file_goes_in_three_steps_and_only_its_upload_leaves_the_api() {
    for (kind, media_type, word, placed, uploaded, payload) in [
        (
            AttachmentKind::Image,
            "image/png",
            "image",
            include_str!("../../../tests/fixtures/channels/setup/max_upload_url_ok.json"),
            r#"{"photos":{"p1":{"token":"t"}}}"#,
            json!({ "photos": { "p1": { "token": "t" } } }),
        ),
        (
            AttachmentKind::Document,
            "application/pdf",
            "file",
            include_str!("../../../tests/fixtures/channels/setup/max_upload_url_ok.json"),
            r#"{"token":"t"}"#,
            json!({ "token": "t" }),
        ),
        (
            AttachmentKind::Video,
            "video/mp4",
            "video",
            r#"{"url":"https://vu.okcdn.ru/upload.do","token":"early"}"#,
            "<retval>1</retval>",
            json!({ "token": "early" }),
        ),
    ] {
        let bot = bot();
        let (effect, progress) = with_file(kind, media_type);
        let request = bot.encode(&effect, &progress).unwrap();
        assert_eq!(request.url.query(), Some(format!("type={word}").as_str()));
        assert!(request.body.is_empty());
        let progress = more(bot.classify(&effect, &progress, Ok(&answer(200, placed))));
        let upload = bot.encode(&effect, &progress).unwrap();
        assert_eq!(upload.url.host(), Some("vu.okcdn.ru"));
        assert!(upload.headers.get(AUTHORIZATION).is_none());
        let progress = more(bot.classify(&effect, &progress, Ok(&answer(200, uploaded))));
        let sent = body_of(&bot.encode(&effect, &progress).unwrap());
        assert_eq!(sent, json!({ "attachments": [{ "type": word, "payload": payload }] }));

        // While MAX is busy the same request is made again, ever later, and then the attempt ends.
        let busy =
            include_str!("../../../tests/fixtures/channels/outbound/max_error_400_attachment_not_ready.json");
        let mut waiting = progress.clone();
        let mut pauses = Vec::new();
        let ended = loop {
            match bot.classify(&effect, &waiting, Ok(&answer(400, busy))) {
                Verdict::More(next) => {
                    pauses.push(next.pause_ms);
                    assert_eq!(bot.encode(&effect, &next).unwrap(), bot.encode(&effect, &progress).unwrap());
                    waiting = next;
                }
                Verdict::Ended(attempt) => break attempt,
            }
        };
        assert_eq!(pauses, [500, 1000, 2000, 4000]);
        assert!(matches!(ended, Attempt::Retry { after_ms: Some(4000), scope: Scope::Chat, .. }));
        let ok = include_str!("../../../tests/fixtures/channels/outbound/max_send_ok.json");
        let mid = "mid.000000000adf429c019d47d58f2b3d9e".to_owned();
        assert_eq!(
            bot.classify(&effect, &waiting, Ok(&answer(200, ok))),
            Verdict::Ended(Attempt::Delivered { external_id: Some(mid) })
        );
    }
}

#[test]
fn what_goes_wrong_with_an_upload_sends_nothing() {
    let bot = bot();
    let (effect, progress) = with_file(AttachmentKind::Image, "image/png");
    let lost = SendFailure::Ambiguous("lost".to_owned());
    let is_retry = |verdict: Verdict| matches!(verdict, Verdict::Ended(Attempt::Retry { .. }));
    assert!(is_retry(bot.classify(&effect, &progress, Err(&lost))));
    for address in ["http://vu.okcdn.ru/x", "https://me:pw@vu.okcdn.ru/x", "file:///etc/passwd", "", "/x"] {
        let body = json!({ "url": address }).to_string();
        assert!(is_retry(bot.classify(&effect, &progress, Ok(&answer(200, &body)))), "{address}");
    }
    let uploading = progress.prepared_with(String::new()).prepared_with("https://vu.okcdn.ru/x".to_owned());
    assert!(is_retry(bot.classify(&effect, &uploading, Ok(&answer(200, "<html>")))));
    assert!(is_retry(bot.classify(&effect, &uploading, Ok(&answer(502, "")))));
    let refused = bot.classify(&effect, &uploading, Ok(&answer(413, "")));
    assert!(matches!(refused, Verdict::Ended(Attempt::Refused { reason: Refusal::Permanent, .. })));
    let missing = EncodeError::File { number: 1, fault: FileFault::NoBytes };
    assert_eq!(bot.encode(&effect, &Progress::resume(&effect)), Err(missing));
}

#[test]
fn the_code_counts_and_the_status_only_where_the_code_is_unknown() {
    let meaning = |status: u16, code: &str| {
        let body = json!({ "code": code, "message": "m" }).to_string();
        match bot().classify(&send("x"), &Progress::default(), Ok(&answer(status, &body))) {
            Verdict::Ended(Attempt::Retry { scope: Scope::Channel, .. }) => "the channel waits",
            Verdict::Ended(Attempt::Retry { .. }) => "the chat waits",
            Verdict::Ended(Attempt::Refused { reason: Refusal::Blocked, .. }) => "blocked",
            Verdict::Ended(Attempt::Refused { reason: Refusal::Permanent, .. }) => "refused",
            other => panic!("{other:?}"),
        }
    };
    for (status, code, expected) in [
        (429, "too.many.requests", "the chat waits"),
        (400, "too.many.requests", "the chat waits"),
        (401, "verify.token", "the channel waits"),
        (403, "verify.token", "the channel waits"),
        (403, "deprecated.token", "the channel waits"),
        (403, "chat.denied", "blocked"),
        (403, "other", "blocked"),
        (404, "chat.not.found", "refused"),
        (400, "proto.payload", "refused"),
        (405, "method.not.allowed", "refused"),
        (503, "service.unavailable", "the chat waits"),
        (500, "other", "the chat waits"),
    ] {
        assert_eq!(meaning(status, code), expected, "{status} {code}");
    }
}

#[test]
fn a_video_is_fetched_by_its_token_and_other_files_by_their_address() {
    let bot = bot();
    let video = Attachment {
        reference: Some("a/b".to_owned()),
        url: Some("https://m.ok.ru/player".to_owned()),
        ..Attachment::of(AttachmentKind::Video)
    };
    let request = bot.fetch(&video, &[]).unwrap();
    assert_eq!(request.url.path(), "/videos/a%2Fb");
    let told = r#"{"urls":{"mp4_360":"https://v/360","mp4_720":"https://v/720"}}"#;
    let next = bot.fetched(&video, &[], &answer(200, told));
    assert_eq!(next, Fetched::More(vec!["https://v/720".to_owned()]));
    let request = bot.fetch(&video, &["https://v/720".to_owned()]).unwrap();
    assert!(request.url.host() == Some("v") && request.headers.is_empty());
    assert_eq!(bot.fetched(&video, &["https://v/720".to_owned()], &answer(200, "")), Fetched::File);
    assert_eq!(
        bot.fetched(&video, &[], &answer(200, r#"{"urls":null}"#)),
        Fetched::Failed(FetchError::NoAddress)
    );
    let image =
        Attachment { url: Some("https://i.oneme.ru/i".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    assert!(bot.fetch(&image, &[]).unwrap().headers.is_empty());
}

#[test]
fn the_webhook_is_registered_with_its_secret_and_examined() {
    let bot = bot();
    let url = "https://chat.example.com/webhooks/shop";
    let [check] = bot.registration(url).try_into().unwrap();
    let check: Check = check;
    assert_eq!(body_of(&check.request)["secret"], "SECRET");
    let said = |name: &'static str, status: u16, body: &str| {
        let check = Check { name, request: check.request.clone() };
        let findings = bot.examine(&check, Some(url), &answer(status, body));
        findings
            .iter()
            .map(|finding| format!("{name}: {} {}", finding.good, finding.text))
            .collect::<Vec<_>>()
    };
    let list = |types: Value| json!({ "subscriptions": [{ "url": url, "update_types": types }] }).to_string();
    let lines = [
        said("webhook", 200, include_str!("../../../tests/fixtures/channels/setup/max_subscribe_ok.json")),
        said("webhook", 200, r#"{"success":false,"message":"bad SECRET"}"#),
        said("token", 200, r#"{"user_id":1,"username":"shop_bot"}"#),
        said("token", 401, r#"{"code":"verify.token","message":"Invalid access_token"}"#),
        said("subscriptions", 200, &list(Value::Null)),
        said("subscriptions", 200, &list(json!(["message_created"]))),
        said("subscriptions", 200, r#"{"subscriptions":[]}"#),
        said("subscriptions", 502, "<html>"),
    ];
    insta::assert_snapshot!(lines.concat().join("\n"));
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_names() {
    let fails = |token: &str, secret: &str| {
        connect(&ChannelId::from("shop"), &settings(token, secret), &Names).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            fails("MISSING", "SECRET"),
            fails("two words", "SECRET"),
            fails("TOKEN", ""),
            fails("TOKEN", "four"),
            fails("TOKEN", "with space"),
            fails("TOKEN", &"x".repeat(257)),
        ]
        .join("\n")
    );
}
