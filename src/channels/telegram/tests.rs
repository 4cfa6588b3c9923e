//! Tests of what is sent to Telegram and of what its answers mean.

use serde_json::json;

use crate::channels::samples::{Names, effect, outgoing, send};
use crate::channels::{ButtonFault, FileBytes, FileFault, Progress, connect};
use crate::model::channel::ChannelSettings;
use crate::model::effect::Outgoing;
use crate::model::message::{AttachmentKind, Button};
use crate::model::secret::SecretRef;

use super::*;

fn settings(token: &str, webhook_secret: &str, api_base: &str) -> ChannelSettings {
    ChannelSettings::Telegram(TelegramSettings {
        groups: Default::default(),
        token: SecretRef::Env(token.to_owned()),
        webhook_secret: SecretRef::Env(webhook_secret.to_owned()),
        api_base: api_base.to_owned(),
    })
}

fn in_groups() -> Box<dyn Channel> {
    let ChannelSettings::Telegram(mut row) = settings("12:AAA", "hook", "http://127.0.0.1:9000") else {
        panic!("another kind")
    };
    row.groups = Groups::Accept;
    connect(&ChannelId::from("shop"), &ChannelSettings::Telegram(row), &Names).unwrap()
}

fn bot() -> Box<dyn Channel> {
    connect(&ChannelId::from("shop"), &settings("12:AAA", "hook", "http://127.0.0.1:9000/"), &Names).unwrap()
}

fn button(title: &str, data: &str) -> Button {
    Button { title: title.to_owned(), data: data.to_owned() }
}

fn body_of(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn first_request(effect: &Effect) -> Result<WireRequest, EncodeError> {
    bot().encode(effect, &Progress::resume(effect))
}

fn answer(status: u16, body: &str) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn verdict(status: u16, body: &str) -> Attempt {
    let effect = send("hello");
    match bot().classify(&effect, &Progress::default(), Ok(&answer(status, body))) {
        Verdict::Ended(attempt) => attempt,
        Verdict::More(progress) => panic!("a short text has no second part: {progress:?}"),
    }
}

#[test]
fn a_message_is_plain_text_to_a_numeric_chat() {
    let request = first_request(&send("*Hi* <b>there</b> _x_")).unwrap();
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.url.to_string(), "http://127.0.0.1:9000/bot12:AAA/sendMessage");
    assert_eq!(request.headers.get(CONTENT_TYPE).unwrap(), "application/json");
    assert_eq!(body_of(&request), json!({ "chat_id": 1_111_111, "text": "*Hi* <b>there</b> _x_" }));
}

#[test]
fn a_quotation_and_buttons_go_along() {
    let mut message = outgoing("Ready?");
    message.buttons = vec![button("Да", "yes"), button("Нет", "no")];
    message.reply_to = Some("1365".to_owned());
    let request = first_request(&effect(EffectAction::Send(message))).unwrap();
    assert_eq!(
        body_of(&request),
        json!({
            "chat_id": 1_111_111,
            "text": "Ready?",
            "reply_parameters": { "message_id": 1365, "allow_sending_without_reply": true },
            "reply_markup": { "inline_keyboard": [
                [{ "text": "Да", "callback_data": "yes" }],
                [{ "text": "Нет", "callback_data": "no" }],
            ] },
        })
    );
}

#[test]
fn a_quotation_that_is_no_message_of_telegram_does_not_prevent_the_message() {
    let mut message = outgoing("Ready?");
    message.reply_to = Some("wamid.1".to_owned());
    let request = first_request(&effect(EffectAction::Send(message))).unwrap();
    assert_eq!(body_of(&request), json!({ "chat_id": 1_111_111, "text": "Ready?" }));
}

#[test]
fn a_press_is_acknowledged_by_its_reference() {
    let press = effect(EffectAction::AcknowledgeButton {
        channel: ChannelId::from("shop"),
        reference: "4382bf".to_owned(),
    });
    let request = first_request(&press).unwrap();
    assert_eq!(request.url.path(), "/bot12:AAA/answerCallbackQuery");
    assert_eq!(body_of(&request), json!({ "callback_query_id": "4382bf" }));
    let done = bot().classify(&press, &Progress::default(), Ok(&answer(200, r#"{"ok":true,"result":true}"#)));
    assert_eq!(done, Verdict::Ended(Attempt::Delivered { external_id: None }));
}

#[test]
fn what_telegram_would_refuse_is_refused_before_the_first_part() {
    let long = "word ".repeat(2000);
    let with = |buttons: Vec<Button>| {
        let mut message = outgoing(&long);
        message.buttons = buttons;
        first_request(&effect(EffectAction::Send(message))).unwrap_err()
    };
    assert_eq!(
        with(vec![button("a", "ok"), button("b", &"я".repeat(33))]),
        EncodeError::Button { number: 2, fault: ButtonFault::DataTooLong { bytes: 66, max: 64 } }
    );
    assert_eq!(with(vec![button(" ", "ok")]), EncodeError::Button { number: 1, fault: ButtonFault::NoTitle });
    assert_eq!(with(vec![button("a", "")]), EncodeError::Button { number: 1, fault: ButtonFault::NoData });
    assert_eq!(with(vec![button("a", "b"); 101]), EncodeError::TooManyButtons { count: 101, max: 100 });
    assert_eq!(first_request(&send(" \n ")), Err(EncodeError::EmptyText));

    let mut message = outgoing("see the file");
    message.attachments = vec![Attachment::of(AttachmentKind::Document)];
    assert_eq!(
        first_request(&effect(EffectAction::Send(message.clone()))),
        Err(EncodeError::File { number: 1, fault: FileFault::NoBytes })
    );
    message.attachments = vec![Attachment::of(AttachmentKind::Location)];
    assert_eq!(
        first_request(&effect(EffectAction::Send(message))),
        Err(EncodeError::File { number: 1, fault: FileFault::Kind })
    );
    assert!(matches!(EncodeError::EmptyText.attempt(0), Attempt::Refused { reason: Refusal::Permanent, .. }));
}

#[test]
fn a_long_text_goes_in_parts_and_a_retry_begins_with_the_missing_one() {
    let mut message = outgoing(&format!("{} {}", "а".repeat(4000), "б".repeat(4000)));
    message.reply_to = Some("5".to_owned());
    message.buttons = vec![button("Да", "yes")];
    let mut effect = effect(EffectAction::Send(message));
    let first = body_of(&first_request(&effect).unwrap());
    assert_eq!(first.get("text").unwrap(), &json!("а".repeat(4000)));
    assert!(first.get("reply_parameters").is_some() && first.get("reply_markup").is_none());

    let bot = bot();
    let ok = answer(200, r#"{"ok":true,"result":{"message_id":10}}"#);
    let Verdict::More(progress) = bot.classify(&effect, &Progress::default(), Ok(&ok)) else {
        panic!("two parts")
    };
    assert_eq!(progress.parts_done, 1);
    let flood =
        answer(429, r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":3}}"#);
    assert_eq!(
        bot.classify(&effect, &progress, Ok(&flood)),
        Verdict::Ended(Attempt::Retry {
            after_ms: Some(3000),
            error: "x".to_owned(),
            parts_done: 1,
            scope: crate::model::effect::Scope::Chat
        })
    );

    // The engine keeps `parts_done`; the next attempt begins there.
    effect.parts_done = 1;
    let second = body_of(&bot.encode(&effect, &Progress::resume(&effect)).unwrap());
    assert_eq!(second.get("text").unwrap(), &json!("б".repeat(4000)));
    assert!(second.get("reply_parameters").is_none() && second.get("reply_markup").is_some());
    let ok = answer(200, r#"{"ok":true,"result":{"message_id":11}}"#);
    assert_eq!(
        bot.classify(&effect, &Progress::resume(&effect), Ok(&ok)),
        Verdict::Ended(Attempt::Delivered { external_id: Some("11".to_owned()) })
    );
    effect.parts_done = 2;
    assert_eq!(bot.encode(&effect, &Progress::resume(&effect)), Err(EncodeError::Complete));
    assert_eq!(EncodeError::Complete.attempt(2), Attempt::Delivered { external_id: None });
}

#[test]
fn the_error_code_of_the_body_counts_more_than_the_status() {
    assert!(matches!(
        verdict(403, r#"{"ok":false,"error_code":400,"description":"Bot domain invalid."}"#),
        Attempt::Refused { reason: Refusal::Permanent, error, .. } if error == "Bot domain invalid."
    ));
}

#[test]
fn a_refused_token_waits_for_a_person() {
    for (status, body) in [
        (401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
        (404, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#),
    ] {
        let Attempt::Retry { after_ms: Some(TOKEN_WAIT_MS), error, .. } = verdict(status, body) else {
            panic!("{status}");
        };
        assert!(error.starts_with("token refused"), "{error}");
    }
}

#[test]
fn an_answer_that_is_not_of_the_bot_api_is_not_taken_for_one() {
    let html = "<html>502 Bad Gateway</html>";
    assert!(matches!(verdict(502, html), Attempt::Retry { after_ms: None, .. }));
    assert!(matches!(verdict(403, html), Attempt::Retry { after_ms: Some(TOKEN_WAIT_MS), .. }));
    assert!(matches!(verdict(302, ""), Attempt::Retry { .. }));
    assert!(matches!(verdict(200, html), Attempt::Ambiguous { .. }));
    assert!(matches!(verdict(200, r#"{"ok":"yes"}"#), Attempt::Ambiguous { .. }));
}

#[test]
fn a_secret_that_an_answer_repeats_is_cut_out() {
    let body = r#"{"ok":false,"error_code":400,"description":"no method at /bot12:AAA/x; AAA; hook"}"#;
    let Attempt::Refused { error, .. } = verdict(400, body) else { panic!("not refused") };
    assert_eq!(error, "no method at /bot[secret]/x; [secret]; [secret]");
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_names() {
    let fails = |token: &str, secret: &str, base: &str| {
        connect(&ChannelId::from("shop"), &settings(token, secret, base), &Names).unwrap_err().to_string()
    };
    let base = "https://api.telegram.org";
    insta::assert_snapshot!([
        fails("MISSING", "hook", base),
        fails("", "hook", base),
        fails("12:AAA/../getMe?x", "hook", base),
        fails("12:AAA", "", base),
        fails("12:AAA", "with space", base),
        fails("12:AAA", &"x".repeat(257), base),
        fails("12:AAA", "hook", "api.telegram.org"),
        fails("12:AAA", "hook", "ftp://api.telegram.org"),
        fails("12:AAA", "hook", "https://me:pw@api.telegram.org"),
        fails("12:AAA", "hook", "https://api.telegram.org?a=b"),
        fails("12:AAA", "hook", "https://api.telegram.org/#a"),
    ]
    .join("\n"), @r"
    the secret `token` (environment variable MISSING) has no value: set it and reload
    the secret `token` is empty
    the secret `token` is not a bot token: it looks like 123456:ABC-def, with A-Z a-z 0-9 _ - after the colon
    the secret `webhook_secret` is empty
    the secret `webhook_secret` must be 1 to 256 characters of A-Z a-z 0-9 _ -, as setWebhook asks
    the secret `webhook_secret` must be 1 to 256 characters of A-Z a-z 0-9 _ -, as setWebhook asks
    `api_base`: the address must begin with https:// or http://
    `api_base`: the address must begin with https:// or http://
    `api_base`: the address must not contain a user name or password
    `api_base`: the address must not have a query
    `api_base`: the address must not have a fragment (#)
    ");
}

fn with_files(text: &str, files: &[(AttachmentKind, &str, usize)]) -> (Effect, Progress) {
    let mut message: Outgoing = outgoing(text);
    message.attachments = files.iter().map(|(kind, ..)| Attachment::of(*kind)).collect();
    let bytes: Vec<_> = files
        .iter()
        .map(|(_, media_type, size)| {
            let bytes = Bytes::from(vec![b'x'; *size]);
            Some(FileBytes { name: "a.bin".to_owned(), media_type: (*media_type).to_owned(), bytes })
        })
        .collect();
    (effect(EffectAction::Send(message)), Progress::default().with_files(bytes.into()))
}

#[test]
fn one_file_carries_a_short_text_and_several_follow_it() {
    let ok = answer(200, r#"{"ok":true,"result":{"message_id":10}}"#);
    let (photo, progress) = with_files("Look", &[(AttachmentKind::Image, "image/png", 3)]);
    let request = bot().encode(&photo, &progress).unwrap();
    assert_eq!(request.url.path(), "/bot12:AAA/sendPhoto");
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    for part in
        ["name=\"chat_id\"\r\n\r\n1111111\r\n", "name=\"caption\"\r\n\r\nLook\r\n", "name=\"photo\"", "xxx"]
    {
        assert!(body.contains(part), "{part} in {body}");
    }
    let done = bot().classify(&photo, &progress, Ok(&ok));
    assert!(matches!(done, Verdict::Ended(Attempt::Delivered { .. })), "{done:?}");

    let files = [(AttachmentKind::Voice, "audio/ogg", 3), (AttachmentKind::Image, "image/bmp", 3)];
    let (several, mut progress) = with_files("Two files", &files);
    let mut methods = Vec::new();
    loop {
        methods.push(bot().encode(&several, &progress).unwrap().url.path().to_owned());
        match bot().classify(&several, &progress, Ok(&ok)) {
            Verdict::More(next) => progress = next,
            Verdict::Ended(end) => break assert!(matches!(end, Attempt::Delivered { .. }), "{end:?}"),
        }
    }
    assert_eq!(
        methods,
        ["sendMessage", "sendVoice", "sendDocument"].map(|name| format!("/bot12:AAA/{name}"))
    );

    let long = "x".repeat(1025);
    let (long, progress) = with_files(&long, &[(AttachmentKind::Image, "image/png", 3)]);
    assert_eq!(bot().encode(&long, &progress).unwrap().url.path(), "/bot12:AAA/sendMessage");
    let (huge, progress) = with_files("", &[(AttachmentKind::Document, "a/b", 50 * 1024 * 1024 + 1)]);
    let error = bot().encode(&huge, &progress).unwrap_err();
    assert!(matches!(error, EncodeError::File { number: 1, fault: FileFault::TooLarge { .. } }), "{error}");
}

#[test]
fn a_group_that_moved_is_written_to_at_its_new_number_once() {
    let body = r#"{"ok":false,"error_code":400,"description":"x","parameters":{"migrate_to_chat_id":-1001}}"#;
    let effect = send("hello");
    let bot = in_groups();
    let Verdict::More(progress) = bot.classify(&effect, &Progress::default(), Ok(&answer(400, body))) else {
        panic!("not tried again")
    };
    assert_eq!(body_of(&bot.encode(&effect, &progress).unwrap())["chat_id"], json!(-1001));
    let again = bot.classify(&effect, &progress, Ok(&answer(400, body)));
    assert!(matches!(again, Verdict::Ended(Attempt::Refused { .. })), "{again:?}");
    assert!(matches!(verdict(400, body), Attempt::Refused { .. }), "groups are refused");
}

#[test]
fn a_file_is_fetched_by_its_path_and_from_nowhere_else() {
    let file = Attachment { reference: Some("F1".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    let ask = bot().fetch(&file, &[]).unwrap();
    assert_eq!((ask.url.path(), body_of(&ask)), ("/bot12:AAA/getFile", json!({ "file_id": "F1" })));
    let told = |body: &str| bot().fetched(&file, &[], &answer(200, body));
    let path = "photos/file_0.jpg".to_owned();
    assert_eq!(
        told(r#"{"ok":true,"result":{"file_path":"photos/file_0.jpg"}}"#),
        Fetched::More(vec![path.clone()])
    );
    let get = bot().fetch(&file, std::slice::from_ref(&path)).unwrap();
    assert_eq!(get.url.to_string(), "http://127.0.0.1:9000/file/bot12:AAA/photos/file_0.jpg");
    assert_eq!(bot().fetched(&file, &[path], &answer(200, "bytes")), Fetched::File);
    for evil in ["../getMe", "/etc/passwd", "a?b", "a b", "http://x/"] {
        let body = json!({ "ok": true, "result": { "file_path": evil } }).to_string();
        assert!(matches!(told(&body), Fetched::Failed(FetchError::Refused(_))), "{evil}");
    }
    let gone = r#"{"ok":false,"error_code":400,"description":"Bad Request: wrong file_id or the file is temporarily unavailable"}"#;
    assert_eq!(told(gone), Fetched::Failed(FetchError::Gone));
    let big = r#"{"ok":false,"error_code":400,"description":"Bad Request: file is too big 12:AAA"}"#;
    let said = FetchError::Refused("Bad Request: file is too big [secret]".to_owned());
    assert_eq!(told(big), Fetched::Failed(said));
    assert_eq!(told("<html>"), Fetched::Failed(FetchError::Refused("HTTP 200".to_owned())));
    assert_eq!(bot().fetch(&Attachment::of(AttachmentKind::Image), &[]), Err(FetchError::NoAddress));
}

#[test]
fn the_webhook_is_registered_with_its_secret_and_examined_with_advice() {
    let url = "https://chat.example.com/webhooks/shop";
    let register = bot().registration(url).remove(0);
    assert_eq!(register.request.url.path(), "/bot12:AAA/setWebhook");
    let body = body_of(&register.request);
    assert_eq!((&body["url"], &body["secret_token"]), (&json!(url), &json!("hook")));
    assert!(body["allowed_updates"].as_array().unwrap().contains(&json!("message_reaction")));
    let typing = bot().typing("7", None).unwrap();
    assert_eq!(body_of(&typing), json!({ "chat_id": 7, "action": "typing" }));

    let checks = bot().checks();
    let say = |bot: &dyn Channel, at: usize, status: u16, body: &str| -> String {
        let findings = bot.examine(&checks[at], Some(url), &answer(status, body));
        let lines =
            findings.iter().map(|found| format!("{} {}", if found.good { "+" } else { "-" }, found.text));
        lines.collect::<Vec<_>>().join("\n")
    };
    let own = settings("12:AAA", "Hidden", "http://127.0.0.1:9000");
    let own = connect(&ChannelId::from("shop"), &own, &Names).unwrap();
    let info = |rest: &str| {
        format!(
            r#"{{"ok":true,"result":{{"url":"{url}","allowed_updates":["message","edited_message","callback_query","my_chat_member","message_reaction"]{rest}}}}}"#
        )
    };
    let failed = |message: &str, waiting: u8| {
        info(&format!(
            r#","pending_update_count":{waiting},"last_error_date":1764000000,"last_error_message":"{message}""#
        ))
    };
    let private =
        r#"{"ok":true,"result":{"id":12,"username":"shop_bot","can_read_all_group_messages":false}}"#;
    insta::assert_snapshot!(
        [
            say(&*own, 0, 200, private),
            say(&*in_groups(), 0, 200, private),
            say(&*own, 0, 401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
            say(&*own, 0, 502, "<html>"),
            say(&*own, 1, 200, r#"{"ok":true,"result":{"url":""}}"#),
            say(&*own, 1, 200, r#"{"ok":true,"result":{"url":"https://other.example.com/bot12:AAA"}}"#),
            say(&*own, 1, 200, &info("")),
            say(&*own, 1, 200, &failed("Wrong response from the webhook: 401 Unauthorized", 3)),
            say(&*own, 1, 200, &failed("SSL error", 1)),
            say(&*own, 1, 200, &failed("Connection timed out", 0)),
            say(&*own, 1, 429, r#"{"ok":false,"error_code":429,"description":"Too Many Requests"}"#),
        ]
        .join("\n")
    );
}
