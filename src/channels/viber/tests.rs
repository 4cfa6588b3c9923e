//! Tests of what is sent to Viber, of what its answers mean, and of its set-up.

use crate::channels::samples::{Names, effect, outgoing, send};
use crate::channels::{ButtonFault, FileFault, connect};
use crate::model::channel::ChannelSettings;
use crate::model::effect::{Attempt, Scope};
use crate::model::message::{Attachment, AttachmentKind, Button};
use crate::model::secret::SecretRef;

use super::*;

fn settings(token: &str, name: &str, avatar: Option<&str>, api_base: &str) -> ChannelSettings {
    ChannelSettings::Viber(ViberSettings {
        token: SecretRef::Env(token.to_owned()),
        sender: ViberSender { name: name.to_owned(), avatar: avatar.map(str::to_owned) },
        api_base: api_base.to_owned(),
    })
}

fn bot() -> Box<dyn Channel> {
    let settings = settings("TOKEN", "Shop", Some("https://shop.example/a.png"), "http://127.0.0.1:9000/pa/");
    connect(&ChannelId::from("shop"), &settings, &Names).unwrap()
}

fn body_of(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn first(effect: &Effect) -> Result<Value, EncodeError> {
    bot().encode(effect, &Progress::resume(effect)).map(|request| body_of(&request))
}

fn answer(status: u16, body: &str) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn verdict(status: u16, body: &str) -> Attempt {
    match bot().classify(&send("hello"), &Progress::default(), Ok(&answer(status, body))) {
        Verdict::Ended(attempt) => attempt,
        Verdict::More(progress) => panic!("a short text has no second part: {progress:?}"),
    }
}

fn file(kind: AttachmentKind, url: &str, name: Option<&str>, size: Option<u64>) -> Attachment {
    Attachment { url: Some(url.to_owned()), name: name.map(str::to_owned), size, ..Attachment::of(kind) }
}

#[test]
fn a_text_goes_with_its_sender_and_the_token_in_a_header() {
    let request = bot().encode(&send("Hi"), &Progress::default()).unwrap();
    assert_eq!(request.url.to_string(), "http://127.0.0.1:9000/pa/send_message");
    assert_eq!(request.headers.get("x-viber-auth-token").unwrap(), "TOKEN");
    assert!(request.headers.get("x-viber-auth-token").unwrap().is_sensitive());
    assert_eq!(
        body_of(&request),
        json!({
            "receiver": "1111111", "min_api_version": 1, "type": "text", "text": "Hi",
            "sender": { "name": "Shop", "avatar": "https://shop.example/a.png" }
        })
    );
}

#[test]
fn buttons_stand_under_the_last_part_and_their_titles_are_no_markup() {
    let mut message = outgoing("Ready?");
    message.buttons = vec![Button { title: "<b>Да".to_owned(), data: "yes".to_owned() }];
    message.attachments = vec![file(AttachmentKind::Image, "https://f.example/1/a.jpg", None, None)];
    let effect = effect(EffectAction::Send(message));
    assert!(first(&effect).unwrap().get("keyboard").is_none());
    let progress = Progress { parts_done: 1, ..Progress::default() };
    let last = body_of(&bot().encode(&effect, &progress).unwrap());
    assert_eq!(last["type"], "picture");
    let button = &last["keyboard"]["Buttons"][0];
    assert_eq!((&button["Text"], &button["Silent"]), (&json!("&lt;b>Да"), &json!(true)));
    assert!(button["ActionBody"].as_str().unwrap().starts_with(r#"{"button":"yes","title":"<b>Да","#));
}

#[test]
fn a_file_goes_as_what_viber_can_show_of_it_and_as_a_link_otherwise() {
    let kind_of = |attachment: Attachment| {
        let mut message = outgoing("");
        message.attachments = vec![attachment];
        first(&effect(EffectAction::Send(message))).map(|body| body["type"].as_str().unwrap().to_owned())
    };
    let url = "https://f.example/1/a";
    for (kind, ending, name, size, expected) in [
        (AttachmentKind::Image, ".png", None, None, "picture"),
        (AttachmentKind::Image, ".png?x=.pdf", None, Some(5), "picture"),
        (AttachmentKind::Image, ".png", Some("a.png"), Some(9_000_000), "file"),
        (AttachmentKind::Image, "", Some("a.webp"), Some(5), "file"),
        (AttachmentKind::Video, ".mp4", Some("a.mp4"), Some(5), "video"),
        (AttachmentKind::Video, ".mp4", Some("a.mp4"), None, "url"),
        (AttachmentKind::Video, ".mp4", Some("a.mp4"), Some(27 * 1024 * 1024), "file"),
        (AttachmentKind::Document, ".pdf", Some("a.pdf"), Some(5), "file"),
        (AttachmentKind::Document, ".pdf", Some("a"), Some(5), "url"),
        (AttachmentKind::Document, ".pdf", Some("a.pdf"), Some(60 * 1024 * 1024), "url"),
        (AttachmentKind::Voice, "", None, None, "url"),
    ] {
        assert_eq!(kind_of(file(kind, &format!("{url}{ending}"), name, size)).unwrap(), expected, "{ending}");
    }
    let refused = |attachment| match kind_of(attachment).unwrap_err() {
        EncodeError::File { number: 1, fault } => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(Attachment::of(AttachmentKind::Document)), FileFault::NoAddress);
    let plain = file(AttachmentKind::Document, "http://f.example/a.pdf", None, None);
    assert_eq!(refused(plain), FileFault::NoAddress);
    assert_eq!(refused(file(AttachmentKind::Contact, url, None, None)), FileFault::Kind);
}

#[test]
fn what_viber_would_refuse_is_refused_before_the_first_part() {
    let with = |text: &str, buttons: Vec<Button>| {
        let mut message = outgoing(text);
        message.buttons = buttons;
        first(&effect(EffectAction::Send(message))).unwrap_err()
    };
    let button = |data: &str| Button { title: "a".to_owned(), data: data.to_owned() };
    assert_eq!(
        with("x", vec![button(&"я".repeat(65))]),
        EncodeError::Button { number: 1, fault: ButtonFault::DataTooLong { bytes: 130, max: 128 } }
    );
    assert_eq!(with("x", vec![button("a"); 25]), EncodeError::TooManyButtons { count: 25, max: 24 });
    let huge = "\u{1}".repeat(6000);
    assert_eq!(
        with(&format!("{} {huge}", "x".repeat(6000)), vec![]),
        EncodeError::TooLarge { max: REQUEST_MAX }
    );
    // The longest ordinary text goes out, whatever its letters.
    first(&send(&"я".repeat(7000))).unwrap();
    first(&send(&"😀".repeat(7000))).unwrap();
}

#[test]
fn each_status_has_its_meaning() {
    let word =
        |status: u64| match verdict(200, &json!({ "status": status, "status_message": "x" }).to_string()) {
            Attempt::Delivered { .. } => "delivered",
            Attempt::Retry { scope: Scope::Channel, after_ms: Some(_), .. } => "the channel waits",
            Attempt::Retry { scope: Scope::Chat, .. } => "the chat waits",
            Attempt::Refused { reason: Refusal::Blocked, .. } => "blocked",
            Attempt::Refused { reason: Refusal::Permanent, .. } => "refused",
            other => panic!("{other:?}"),
        };
    let words: Vec<String> = (0..=26).map(|status| format!("{status} {}", word(status))).collect();
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn the_status_of_the_body_counts_and_the_token_is_cut_out_of_its_words() {
    assert!(matches!(verdict(429, r#"{"status":"5"}"#), Attempt::Refused { reason: Refusal::Blocked, .. }));
    let Attempt::Retry { error, .. } = verdict(200, r#"{"status":2,"status_message":"no TOKEN"}"#) else {
        panic!("a refused token waits for a person")
    };
    assert!(error.contains("[secret]") && !error.contains("TOKEN"), "{error}");
    assert!(matches!(verdict(502, "<html>"), Attempt::Retry { after_ms: None, .. }));
    assert!(matches!(verdict(200, "<html>"), Attempt::Ambiguous { .. }));
    let ok = include_str!("../../../tests/fixtures/channels/outbound/viber_send_ok.json");
    assert_eq!(verdict(200, ok), Attempt::Delivered { external_id: Some("5741311803571721087".to_owned()) });
}

#[test]
fn the_webhook_is_registered_with_its_events_and_examined() {
    let bot = bot();
    let [check] = bot.registration("https://chat.example.com/webhooks/shop").try_into().unwrap();
    let check: Check = check;
    assert_eq!(check.request.url.path(), "/pa/set_webhook");
    assert_eq!(body_of(&check.request)["url"], "https://chat.example.com/webhooks/shop");
    let said = |check: &Check, body: &str| -> Vec<String> {
        let ours = Some("https://chat.example.com/webhooks/shop");
        let findings = bot.examine(check, ours, &answer(200, body));
        findings.iter().map(|finding| format!("{} {}", finding.good, finding.text)).collect()
    };
    let [token] = bot.checks().try_into().unwrap();
    let ok = include_str!("../../../tests/fixtures/channels/setup/viber_set_webhook_ok.json");
    let other = r#"{"status":0,"name":"Shop","webhook":"https://old.example","event_types":["seen"]}"#;
    let mut lines = said(&check, ok);
    lines.extend(said(&check, r#"{"status":1,"status_message":"invalidUrl"}"#));
    lines.extend(said(&token, r#"{"status":2,"status_message":"invalidAuthToken TOKEN"}"#));
    lines.extend(said(&token, other));
    lines.extend(said(&token, r#"{"status":0,"name":"Shop"}"#));
    lines.extend(said(&token, "<html>"));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_names() {
    let base = "https://chatapi.viber.com/pa";
    let fails = |settings: ChannelSettings| {
        connect(&ChannelId::from("shop"), &settings, &Names).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            fails(settings("MISSING", "Shop", None, base)),
            fails(settings("", "Shop", None, base)),
            fails(settings("two words", "Shop", None, base)),
            fails(settings("TOKEN", &"я".repeat(29), None, base)),
            fails(settings("TOKEN", " ", None, base)),
            fails(settings("TOKEN", "Shop", Some("a.png"), base)),
            fails(settings("TOKEN", "Shop", None, "chatapi.viber.com")),
        ]
        .join("\n")
    );
}
