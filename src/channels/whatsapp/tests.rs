//! Messages of ours in WhatsApp's words, files in both directions, and the set-up.

use std::sync::Arc;

use super::*;
use crate::channels::files::FileBytes;
use crate::channels::samples::{Names, effect, outgoing};
use crate::model::channel::GRAPH_API_BASE;
use crate::model::message::{AttachmentKind, Button, Contact, Location};
use crate::model::secret::SecretRef;

fn settings() -> WhatsappSettings {
    let env = |name: &str| SecretRef::Env(name.to_owned());
    WhatsappSettings {
        phone_number_id: "106540352242922".to_owned(),
        access_token: env("TOKEN"),
        app_secret: env("APP"),
        verify_token: env("VERIFY"),
        api_base: GRAPH_API_BASE.to_owned(),
        groups: Groups::Refuse,
        window_template: None,
    }
}

fn started(settings: &WhatsappSettings) -> Whatsapp {
    Whatsapp::connect(&ChannelId::from("shop"), settings, &Names).unwrap()
}

fn with_template() -> Whatsapp {
    let template = WhatsappTemplate { name: "we_answered".to_owned(), language: "pt_BR".to_owned() };
    started(&WhatsappSettings { window_template: Some(template), ..settings() })
}

fn send(outgoing: Outgoing) -> Effect {
    effect(EffectAction::Send(outgoing))
}

fn body(request: &WireRequest) -> Value {
    assert_eq!(request.url, "https://graph.facebook.com/v26.0/106540352242922/messages");
    assert_eq!(request.headers["authorization"], "Bearer TOKEN");
    serde_json::from_slice(&request.body).unwrap()
}

fn answer(status: u16, body: &str) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) }
}

const TAKEN: &str = r#"{"messages":[{"id":"wamid.1"}]}"#;

/// All requests of an attempt, with the answers of a messenger that takes everything or says `answers` first.
fn requests(
    channel: &Whatsapp,
    effect: &Effect,
    progress: Progress,
    answers: &[&str],
) -> (Vec<WireRequest>, Attempt) {
    let (mut progress, mut requests, mut answers) = (progress, Vec::new(), answers.iter());
    loop {
        let request = channel.encode(effect, &progress).unwrap();
        let is_upload = request.url.path().ends_with("/media");
        requests.push(request);
        let said = answers.next().copied().unwrap_or(if is_upload { r#"{"id":"42"}"# } else { TAKEN });
        match channel.classify(effect, &progress, Ok(&answer(200, said))) {
            Verdict::More(next) => progress = next,
            Verdict::Ended(attempt) => return (requests, attempt),
        }
    }
}

fn buttons(titles: &[&str]) -> Vec<Button> {
    titles
        .iter()
        .map(|title| Button { title: (*title).to_owned(), data: format!("d-{}", title.len()) })
        .collect()
}

#[test]
fn messages_have_the_forms_of_whatsapp() {
    let channel = started(&settings());
    let reply = Outgoing { reply_to: Some("wamid.0".to_owned()), ..outgoing("Hello") };
    let person = Outgoing { chat: "US.1349".to_owned(), ..outgoing("Hello") };
    let group = Outgoing {
        chat: "1203.63".to_owned(),
        context: Some(inbound::GROUP.to_owned()),
        ..outgoing("Hello")
    };
    let few = Outgoing { buttons: buttons(&["Yes", "No"]), ..outgoing("Sure?") };
    let long = "A label that is longer than a button";
    let list = Outgoing { buttons: buttons(&["Yes", long]), ..outgoing("Sure?") };
    let place = Attachment {
        location: Some(Location {
            latitude: "1.5".to_owned(),
            longitude: "2".to_owned(),
            title: Some("Shop".to_owned()),
        }),
        ..Attachment::of(AttachmentKind::Location)
    };
    let card = Attachment {
        contact: Some(Contact { name: Some("Ann".to_owned()), phone: Some("+1".to_owned()), own: false }),
        ..Attachment::of(AttachmentKind::Contact)
    };
    let linked = Attachment {
        url: Some("https://example.com/a.pdf".to_owned()),
        name: Some("a.pdf".to_owned()),
        ..Attachment::of(AttachmentKind::Document)
    };
    let files = Outgoing { attachments: vec![place, card, linked], ..outgoing("") };
    let bodies: Vec<Value> = [reply, person, group, few, list, files]
        .into_iter()
        .flat_map(|outgoing| requests(&channel, &send(outgoing), Progress::default(), &[]).0)
        .map(|request| body(&request))
        .collect();
    insta::assert_json_snapshot!(bodies);
}

#[test]
fn a_long_text_above_buttons_leaves_its_end_above_them() {
    let channel = started(&settings());
    let text = "word ".repeat(700);
    let effect = send(Outgoing { buttons: buttons(&["Yes"]), ..outgoing(text.trim()) });
    let (sent, _) = requests(&channel, &effect, Progress::default(), &[]);
    let bodies: Vec<Value> = sent.iter().map(body).collect();
    let head = bodies[0]["text"]["body"].as_str().unwrap();
    let tail = bodies[1]["interactive"]["body"]["text"].as_str().unwrap();
    assert_eq!((bodies.len(), format!("{head} {tail}").as_str()), (2, text.trim()));
    assert!(tail.len() <= 1024 && !tail.is_empty());
}

#[test]
fn a_file_is_uploaded_and_then_sent() {
    let channel = started(&settings());
    let file = |kind, name: &str, media_type: &str| {
        (
            Attachment::of(kind),
            Some(FileBytes {
                name: name.to_owned(),
                media_type: media_type.to_owned(),
                bytes: Bytes::from_static(b"\xff\xd8\x00content"),
            }),
        )
    };
    let files = [
        file(AttachmentKind::Image, "a\"\r\nb.jpg", "image/jpeg"),
        file(AttachmentKind::Document, "прайс.pdf", "application/pdf"),
        file(AttachmentKind::Voice, "v.ogg", "audio/ogg; codecs=opus"),
        file(AttachmentKind::Image, "a.heic", "image/heic\r\nX: 1"),
    ];
    let (attachments, bytes): (Vec<_>, Vec<_>) = files.into_iter().unzip();
    let effect = send(Outgoing { attachments, ..outgoing("Look") });
    let progress = Progress::resume(&effect).with_files(Arc::from(bytes));
    let (sent, attempt) = requests(&channel, &effect, progress.clone(), &[]);
    let shown: Vec<String> = sent
        .iter()
        .map(|request| format!("{}\n{}", request.url.path(), String::from_utf8_lossy(&request.body)))
        .collect();
    assert_eq!(attempt, Attempt::Delivered { external_id: Some("wamid.1".to_owned()) });
    insta::assert_snapshot!(shown.join("\n---\n"));

    // An upload whose answer never came is made again; a message is in doubt.
    let failure = SendFailure::Ambiguous("cut".to_owned());
    let at_file = Progress { parts_done: 1, ..progress };
    let verdict = |progress: &Progress| channel.classify(&effect, progress, Err(&failure));
    assert!(matches!(verdict(&at_file), Verdict::Ended(Attempt::Retry { parts_done: 1, .. })));
    let uploaded = at_file.prepared_with("42".to_owned());
    assert!(matches!(verdict(&uploaded), Verdict::Ended(Attempt::Ambiguous { parts_done: 1, .. })));
}

#[test]
fn a_file_without_content_and_address_is_refused() {
    let effect = send(Outgoing { attachments: vec![Attachment::of(AttachmentKind::Image)], ..outgoing("") });
    let refused = started(&settings()).encode(&effect, &Progress::default());
    assert_eq!(refused, Err(EncodeError::File { number: 1, fault: super::super::files::FileFault::NoBytes }));
}

const CLOSED: &str = r#"{"error":{"code":131047,"message":"Re-engagement message"}}"#;

#[test]
fn a_closed_window_opens_with_the_template() {
    let effect = send(outgoing("Line one\n\nand    two"));
    let (sent, attempt) = requests(&with_template(), &effect, Progress::default(), &[CLOSED]);
    assert_eq!(attempt, Attempt::Delivered { external_id: Some("wamid.1".to_owned()) });
    let template = &body(&sent[1])["template"];
    assert_eq!(template["language"]["code"], "pt_BR");
    assert_eq!(template.pointer("/components/0/parameters/0/text").unwrap(), "Line one and two");

    // A template without a variable goes as it is.
    let other = r#"{"error":{"code":132000,"message":"Number of parameters does not match"}}"#;
    let (sent, attempt) = requests(&with_template(), &effect, Progress::default(), &[CLOSED, other]);
    assert_eq!(body(&sent[2])["template"].get("components"), None);
    assert!(matches!(attempt, Attempt::Delivered { .. }));
}

#[test]
fn a_window_that_stays_closed_is_told_as_such() {
    let reason = |channel: &Whatsapp, effect: &Effect, answers: &[&str]| match requests(
        channel,
        effect,
        Progress::default(),
        answers,
    )
    .1
    {
        Attempt::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    let text = send(outgoing("Hello"));
    assert_eq!(reason(&started(&settings()), &text, &[CLOSED]), Refusal::WindowClosed);
    let paused = r#"{"error":{"code":132015,"message":"Template is paused"}}"#;
    assert_eq!(reason(&with_template(), &text, &[CLOSED, paused]), Refusal::WindowClosed);
    let linked =
        Attachment { url: Some("https://example.com/a".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    let file = send(Outgoing { attachments: vec![linked], ..outgoing("") });
    assert_eq!(reason(&with_template(), &file, &[CLOSED]), Refusal::WindowClosed);
}

#[test]
fn a_file_is_fetched_by_its_id_and_only_from_hosts_of_meta() {
    let channel = started(&settings());
    let file = Attachment { reference: Some("27/54".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    let first = channel.fetch(&file, &[]).unwrap();
    assert_eq!(first.url, "https://graph.facebook.com/v26.0/27%2F54?phone_number_id=106540352242922");
    let url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";
    let said = format!(r#"{{"url":"{url}","mime_type":"image/jpeg"}}"#);
    let next = Fetched::More(vec![url.to_owned()]);
    assert_eq!(channel.fetched(&file, &[], &answer(200, &said)), next);
    let second = channel.fetch(&file, &[url.to_owned()]).unwrap();
    assert_eq!(
        (second.url.to_string().as_str(), &second.headers["authorization"]),
        (url, &first.headers["authorization"])
    );
    assert_eq!(channel.fetched(&file, &[url.to_owned()], &answer(200, "bytes")), Fetched::File);

    // Another place of Meta sees no token, and a stranger is not asked.
    let plain = channel.fetch(&file, &["https://scontent.xx.fbcdn.net/v/1".to_owned()]).unwrap();
    assert!(plain.headers.is_empty());
    for foreign in [
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com.example.com/x",
        "https://evilfbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://a@lookaside.fbsbx.com/x",
        "http://graph.facebook.com/x",
        "https://169.254.169.254/x",
    ] {
        assert!(channel.fetch(&file, &[foreign.to_owned()]).is_err(), "{foreign}");
    }
    let gone = r#"{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request"}}"#;
    assert_eq!(channel.fetched(&file, &[], &answer(400, gone)), Fetched::Failed(FetchError::Gone));
}

#[test]
fn typing_marks_the_last_message_as_read() {
    let channel = started(&settings());
    assert_eq!(channel.typing("1", None), None);
    let request = body(&channel.typing("1", Some("wamid.9")).unwrap());
    assert_eq!((&request["status"], &request["message_id"]), (&json!("read"), &json!("wamid.9")));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |settings: &WhatsappSettings| {
        Whatsapp::connect(&ChannelId::from("shop"), settings, &Names).unwrap_err().to_string()
    };
    let env = |name: &str| SecretRef::Env(name.to_owned());
    for (settings, words) in [
        (WhatsappSettings { phone_number_id: "+1".to_owned(), ..settings() }, "`phone_number_id`"),
        (WhatsappSettings { app_secret: env("MISSING"), ..settings() }, "`app_secret`"),
        (WhatsappSettings { access_token: env("TO KEN\n"), ..settings() }, "`access_token`"),
        (WhatsappSettings { verify_token: env(""), ..settings() }, "`verify_token`"),
        (WhatsappSettings { api_base: "graph".to_owned(), ..settings() }, "`api_base`"),
        (WhatsappSettings { api_base: "https://a/?b".to_owned(), ..settings() }, "`api_base`"),
    ] {
        let error = refused(&settings);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn an_examination_says_what_to_do() {
    let channel = started(&settings());
    let ours = "https://chat.example.com/webhooks/shop";
    let mut lines = Vec::new();
    let checks = channel.checks().into_iter().chain(channel.registration(ours));
    for check in checks {
        assert!(check.request.url.path().starts_with("/v26.0/"));
        for body in [
            r#"{"data":{"is_valid":true,"expires_at":1800000000,"scopes":["whatsapp_business_messaging"]}}"#,
            r#"{"display_phone_number":"+1","webhook_configuration":{"application":"https://old.example.com"}}"#,
            r#"{"display_phone_number":"+1","webhook_configuration":{"phone_number":"https://chat.example.com/webhooks/shop"}}"#,
            r#"{"success":true}"#,
            r#"{"error":{"code":190,"message":"expired TOKEN"}}"#,
            r#"{"error":{"code":100,"message":"no such id"}}"#,
            "<html>",
        ] {
            for finding in channel.examine(&check, Some(ours), &answer(200, body)) {
                lines.push(format!(
                    "{} {} {}",
                    check.name,
                    if finding.good { "good" } else { "BAD" },
                    finding.text
                ));
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
