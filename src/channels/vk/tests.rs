//! Tests of what is sent to VK, of what its answers mean, and of its set-up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::channels::samples::{Names, effect, outgoing, send};
use crate::channels::{FileBytes, FileFault, connect};
use crate::model::channel::ChannelSettings;
use crate::model::effect::{Outgoing, Scope};
use crate::model::id::EffectId;
use crate::model::message::{AttachmentKind, Button};
use crate::model::secret::SecretRef;

use super::*;

fn settings() -> VkSettings {
    VkSettings {
        group_id: "123456".to_owned(),
        access_token: SecretRef::Env("TOKEN".to_owned()),
        secret: SecretRef::Env("SECRET".to_owned()),
        confirmation: Some("2fd0e2a1".to_owned()),
        api_base: "https://api.vk.com/method".to_owned(),
        api_version: VkSettings::API_VERSION.to_owned(),
        groups: Groups::Refuse,
    }
}

fn community() -> Box<dyn Channel> {
    connect(&ChannelId::from("shop"), &ChannelSettings::Vk(settings()), &Names).unwrap()
}

/// The pairs of a request, decoded.
fn pairs(request: &WireRequest) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte == b'%' {
                let (digits, after) = rest.split_at(2);
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                rest = after;
            } else {
                bytes.push(*byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let body = std::str::from_utf8(&request.body).unwrap();
    body.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn answer(status: u16, body: &str) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn verdict(body: &str) -> Attempt {
    match community().classify(&send("hello"), &Progress::default(), Ok(&answer(200, body))) {
        Verdict::Ended(attempt) => attempt,
        Verdict::More(progress) => panic!("a short text has no second part: {progress:?}"),
    }
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

#[test]
fn a_text_is_a_form_whose_number_is_the_same_for_each_attempt_on_one_part() {
    let vk = community();
    let request = vk.encode(&send("Да & нет"), &Progress::default()).unwrap();
    assert_eq!(request.url.to_string(), "https://api.vk.com/method/messages.send");
    let first = pairs(&request);
    let get = |key: &str| first[key].as_str();
    assert_eq!((get("peer_id"), get("message"), get("v")), ("1111111", "Да & нет", "5.199"));
    assert_eq!((get("access_token"), get("group_id")), ("TOKEN", "123456"));
    assert_eq!(get("payload"), r#"{"switchboard":"e-7 0"}"#);
    let number: i32 = get("random_id").parse().unwrap();
    assert!(number > 0);

    let random_id = |effect: &Effect, part: u32| {
        let progress = Progress { parts_done: part, ..Progress::default() };
        pairs(&vk.encode(effect, &progress).unwrap()).remove("random_id").unwrap()
    };
    let long = send(&format!("{} {}", "а".repeat(4000), "б".repeat(4000)));
    let again = Effect { attempts: 5, last_error: Some("x".to_owned()), updated_at_ms: 9, ..long.clone() };
    assert_eq!(random_id(&long, 1), random_id(&again, 1));
    assert_ne!(random_id(&long, 0), random_id(&long, 1));
    assert_ne!(random_id(&long, 0), random_id(&Effect { id: EffectId::new(8, 0), ..long.clone() }, 0));
    // A journal that begins anew counts from 1 again.
    assert_ne!(random_id(&long, 0), random_id(&Effect { created_at_ms: 1, ..long.clone() }, 0));
}

#[test]
fn a_quotation_and_buttons_go_along() {
    let of = |edit: &dyn Fn(&mut Outgoing)| {
        let mut message = outgoing("Ready?");
        edit(&mut message);
        pairs(&community().encode(&effect(EffectAction::Send(message)), &Progress::default()).unwrap())
    };
    let buttons = |count: usize| {
        of(&|message| {
            message.buttons = vec![Button { title: "Да".repeat(30), data: "\"yes".to_owned() }; count];
        })
    };
    let keyboard: serde_json::Value = serde_json::from_str(&buttons(1)["keyboard"]).unwrap();
    assert_eq!(
        keyboard,
        json!({ "inline": true, "buttons": [[{ "action": {
            "type": "callback", "label": "Да".repeat(20), "payload": json!({ "button": "\"yes", "title": "Да".repeat(20) }).to_string()
        } }]] })
    );
    let keyboard: serde_json::Value = serde_json::from_str(&buttons(10)["keyboard"]).unwrap();
    assert_eq!(keyboard["buttons"].as_array().map(Vec::len), Some(5));
    assert_eq!(of(&|message| message.reply_to = Some("501".to_owned()))["reply_to"], "501");
    assert_eq!(
        of(&|message| message.reply_to = Some("c66".to_owned()))["forward"],
        r#"{"peer_id":"1111111","conversation_message_ids":[66],"is_reply":1}"#
    );
    let foreign = of(&|message| message.reply_to = Some("mid.1".to_owned()));
    assert!(!foreign.contains_key("reply_to") && !foreign.contains_key("forward"));
}

#[test]
fn a_press_is_acknowledged_to_whom_it_belongs() {
    let acknowledge = |reference: &str| {
        effect(EffectAction::AcknowledgeButton { channel: "shop".into(), reference: reference.to_owned() })
    };
    let request = community().encode(&acknowledge("5 2000000001 a b"), &Progress::default()).unwrap();
    let sent = pairs(&request);
    assert_eq!(request.url.path(), "/method/messages.sendMessageEventAnswer");
    assert_eq!(
        (sent["user_id"].as_str(), sent["peer_id"].as_str(), sent["event_id"].as_str()),
        ("5", "2000000001", "a b")
    );
    assert!(community().encode(&acknowledge("x"), &Progress::default()).is_err());
    let done = community().classify(
        &acknowledge("5 5 x"),
        &Progress::default(),
        Ok(&answer(200, r#"{"response":1}"#)),
    );
    assert_eq!(done, Verdict::Ended(Attempt::Delivered { external_id: None }));
}

#[test]
fn a_photo_goes_in_four_steps_and_only_its_upload_leaves_the_api() {
    let vk = community();
    let (effect, mut progress) = with_file(AttachmentKind::Image, "image/jpeg");
    let mut steps = Vec::new();
    for body in [
        include_str!("../../../tests/fixtures/channels/setup/vk_upload_server_ok.json"),
        include_str!("../../../tests/fixtures/channels/setup/vk_upload_photo_ok.json"),
        include_str!("../../../tests/fixtures/channels/setup/vk_save_photo_ok.json"),
    ] {
        let request = vk.encode(&effect, &progress).unwrap();
        steps.push(request.url.to_string());
        if request.url.host() == Some("pu.vk.com") {
            let body = String::from_utf8(request.body.to_vec()).unwrap();
            assert!(
                body.contains("name=\"photo\"; filename=\"a.bin\"") && body.contains("\r\n\r\ncontent\r\n")
            );
            assert!(!body.contains("TOKEN") && request.headers.len() == 1);
        }
        match vk.classify(&effect, &progress, Ok(&answer(200, body))) {
            Verdict::More(further) => progress = further,
            ended => panic!("{steps:?}: {ended:?}"),
        }
    }
    let sent = pairs(&vk.encode(&effect, &progress).unwrap());
    assert_eq!((sent["attachment"].as_str(), sent.contains_key("message")), ("photo-1_1", false));
    assert_eq!(
        steps,
        [
            "https://api.vk.com/method/photos.getMessagesUploadServer",
            "https://pu.vk.com/c1/upload.php?sample",
            "https://api.vk.com/method/photos.saveMessagesPhoto"
        ]
    );
    assert_eq!(
        vk.classify(&effect, &progress, Ok(&answer(200, r#"{"response":506}"#))),
        Verdict::Ended(Attempt::Delivered { external_id: Some("506".to_owned()) })
    );
}

#[test]
fn a_document_and_a_voice_message_are_saved_by_their_kind() {
    let vk = community();
    for (kind, media_type, word, saved, attachment) in [
        (
            AttachmentKind::Document,
            "application/pdf",
            "doc",
            r#"{"response":{"type":"doc","doc":{"id":3,"owner_id":-1,"access_key":"k"}}}"#,
            "doc-1_3_k",
        ),
        (
            AttachmentKind::Voice,
            "audio/ogg",
            "audio_message",
            r#"{"response":{"type":"audio_message","audio_message":{"id":3,"owner_id":-1}}}"#,
            "audio_message-1_3",
        ),
    ] {
        let (effect, progress) = with_file(kind, media_type);
        assert_eq!(pairs(&vk.encode(&effect, &progress).unwrap())["type"], word);
        let progress = progress.prepared_with("https://pu.vk.com/x".to_owned());
        let Verdict::More(progress) = vk.classify(&effect, &progress, Ok(&answer(200, r#"{"file":"f|1"}"#)))
        else {
            panic!("uploaded")
        };
        let save = pairs(&vk.encode(&effect, &progress).unwrap());
        assert_eq!((save["file"].as_str(), save["title"].as_str()), ("f|1", "a.bin"));
        let Verdict::More(progress) = vk.classify(&effect, &progress, Ok(&answer(200, saved))) else {
            panic!("saved")
        };
        assert_eq!(pairs(&vk.encode(&effect, &progress).unwrap())["attachment"], attachment);
    }
}

#[test]
fn what_goes_wrong_with_an_upload_sends_nothing() {
    let vk = community();
    let (effect, progress) = with_file(AttachmentKind::Image, "image/png");
    let meaning = |progress: &Progress, response: Result<&WireResponse, &SendFailure>| match vk
        .classify(&effect, progress, response)
    {
        Verdict::Ended(Attempt::Retry { .. }) => "retry",
        Verdict::Ended(Attempt::Refused { .. }) => "refused",
        Verdict::Ended(Attempt::Ambiguous { .. }) => "ambiguous",
        other => panic!("{other:?}"),
    };
    let lost = SendFailure::Ambiguous("lost".to_owned());
    assert_eq!(meaning(&progress, Err(&lost)), "retry");
    assert_eq!(meaning(&progress, Ok(&answer(200, "<html>"))), "retry");
    for address in ["http://pu.vk.com/x", "https://me:pw@pu.vk.com/x", "file:///etc/passwd", "", "/x"] {
        let body = json!({ "response": { "upload_url": address } }).to_string();
        assert_eq!(meaning(&progress, Ok(&answer(200, &body))), "retry", "{address}");
    }
    let uploading = progress.prepared_with("https://pu.vk.com/x".to_owned());
    assert_eq!(meaning(&uploading, Err(&lost)), "retry");
    for (status, body, expected) in [
        (200, r#"{"error":"ERR_UPLOAD_BAD_IMAGE_SIZE"}"#, "refused"),
        (200, r#"{"server":1,"photo":"[]","hash":"h"}"#, "retry"),
        (413, "", "refused"),
        (429, "", "retry"),
        (502, "<html>", "retry"),
    ] {
        assert_eq!(meaning(&uploading, Ok(&answer(status, body))), expected, "{status} {body}");
    }
    let saved = uploading.prepared_with("{}".to_owned()).prepared_with("photo1_1".to_owned());
    assert_eq!(meaning(&saved, Err(&lost)), "ambiguous");
    // A file that is not there is found before the first request.
    let none = Progress::resume(&effect);
    let missing = EncodeError::File { number: 1, fault: FileFault::NoBytes };
    assert_eq!(vk.encode(&effect, &none), Err(missing));
}

#[test]
fn each_error_has_its_meaning() {
    let word = |code: u64| {
        let body = json!({ "error": { "error_code": code, "error_msg": "m" } }).to_string();
        match verdict(&body) {
            Attempt::Retry { scope, after_ms, .. } => {
                let whom = if scope == Scope::Channel { "the channel" } else { "the chat" };
                format!("{whom} waits {after_ms:?}")
            }
            Attempt::Refused { reason, .. } => format!("{reason:?}"),
            other => panic!("{other:?}"),
        }
    };
    let codes = [1, 5, 6, 7, 9, 10, 14, 15, 27, 28, 29, 100, 900, 901, 902, 911, 914, 917, 945, 950, 9999];
    let words: Vec<String> = codes.iter().map(|code| format!("{code} {}", word(*code))).collect();
    insta::assert_snapshot!(words.join("\n"));
    // With a list of receivers each has its own error.
    let one = verdict(r#"{"response":[{"peer_id":5,"error":{"code":901,"description":"no"}}]}"#);
    assert!(matches!(one, Attempt::Refused { reason: Refusal::Blocked, .. }));
    let number = verdict(r#"{"response":[{"peer_id":5,"message_id":506}]}"#);
    assert_eq!(number, Attempt::Delivered { external_id: Some("506".to_owned()) });
    assert_eq!(verdict(r#"{"response":0}"#), Attempt::Delivered { external_id: None });
}

#[test]
fn the_server_is_registered_in_one_go_and_examined() {
    let vk = community();
    let url = "https://chat.example.com/webhooks/shop";
    let checks = vk.registration(url);
    let script = pairs(&checks.last().unwrap().request).remove("code").unwrap();
    insta::assert_snapshot!("registration_script", script);
    let said = |name: &'static str, body: &str| {
        let request = checks[0].request.clone();
        let findings = vk.examine(&Check { name, request }, Some(url), &answer(200, body));
        findings
            .iter()
            .map(|finding| format!("{name}: {} {}", finding.good, finding.text))
            .collect::<Vec<_>>()
    };
    let servers =
        |status: &str| json!({ "response": { "items": [{ "url": url, "status": status }] } }).to_string();
    let lines = [
        said(
            "confirmation",
            include_str!("../../../tests/fixtures/channels/setup/vk_confirmation_code_ok.json"),
        ),
        said("confirmation", r#"{"response":{"code":"other"}}"#),
        said("webhook", r#"{"response":3}"#),
        said("webhook", r#"{"response":0}"#),
        said(
            "webhook",
            r#"{"response":0,"execute_errors":[{"error_code":15,"error_msg":"Access denied TOKEN"}]}"#,
        ),
        said("token", r#"{"response":{"groups":[{"id":123456,"name":"Shop"}]}}"#),
        said("token", r#"{"response":[{"id":7}]}"#),
        said("token", r#"{"error":{"error_code":5,"error_msg":"invalid"}}"#),
        said("servers", &servers("ok")),
        said("servers", &servers("failed")),
        said("servers", &servers("unconfigured")),
        said("servers", r#"{"response":{"items":[]}}"#),
        said("servers", "<html>"),
    ];
    insta::assert_snapshot!("findings", lines.concat().join("\n"));
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_names() {
    let fails = |edit: &dyn Fn(&mut VkSettings)| {
        let mut settings = settings();
        edit(&mut settings);
        connect(&ChannelId::from("shop"), &ChannelSettings::Vk(settings), &Names).unwrap_err().to_string()
    };
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    insta::assert_snapshot!(
        [
            fails(&|settings| settings.access_token = secret("two words")),
            fails(&|settings| settings.secret = secret("")),
            fails(&|settings| settings.secret = secret(&"x".repeat(51))),
            fails(&|settings| settings.group_id = "-1".to_owned()),
            fails(&|settings| settings.group_id = "club1".to_owned()),
            fails(&|settings| settings.api_version = "5.199&x".to_owned()),
            fails(&|settings| settings.confirmation = Some("<b>".to_owned())),
            fails(&|settings| settings.api_base = "https://api.vk.com/method?a".to_owned()),
        ]
        .join("\n")
    );
}

#[test]
fn typing_is_shown_to_the_chat() {
    let request = community().typing("5", None).unwrap();
    assert_eq!(request.url.path(), "/method/messages.setActivity");
    assert_eq!(pairs(&request)["type"], "typing");
}
