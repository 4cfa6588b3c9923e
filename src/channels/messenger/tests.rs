//! Messages of ours in Messenger's words, and the set-up.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::channels::codec::{Channel, EncodeError, Progress};
use crate::channels::files::FileFault;
use crate::channels::samples::{Names, effect, outgoing};
use crate::model::channel::GRAPH_API_BASE;
use crate::model::effect::{EffectAction, Outgoing};
use crate::model::message::Button;
use crate::model::secret::SecretRef;

fn started(human_agent: bool) -> Page {
    let env = |name: &str| SecretRef::Env(name.to_owned());
    let settings = MessengerSettings {
        page_id: "370873143344730".to_owned(),
        access_token: env("TOKEN"),
        app_secret: env("APP"),
        verify_token: env("VERIFY"),
        api_base: format!("{GRAPH_API_BASE}/"),
        human_agent,
    };
    connect(&ChannelId::from("shop"), &settings, &Names).unwrap()
}

fn body(page: &Page, outgoing: Outgoing) -> Value {
    let request = page.encode(&effect(EffectAction::Send(outgoing)), &Progress::default()).unwrap();
    assert_eq!(request.url, "https://graph.facebook.com/v26.0/370873143344730/messages");
    assert_eq!(request.headers["authorization"], "Bearer TOKEN");
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn messages_have_the_forms_of_messenger() {
    let page = started(false);
    let button = |title: &str| Button { title: title.to_owned(), data: "d".to_owned() };
    let buttons = vec![button("Yes"), button("A label that is longer than a quick reply")];
    let file = |kind| Attachment { url: Some("https://example.com/a".to_owned()), ..Attachment::of(kind) };
    let bodies = [
        body(&page, Outgoing { reply_to: Some("m_1".to_owned()), ..outgoing("Hello") }),
        body(&page, Outgoing { buttons, ..outgoing("Sure?") }),
        body(&page, Outgoing { attachments: vec![file(AttachmentKind::Voice)], ..outgoing("") }),
        body(&page, Outgoing { attachments: vec![file(AttachmentKind::Document)], ..outgoing("") }),
        serde_json::from_slice(&page.typing("1", None).unwrap().body).unwrap(),
    ];
    insta::assert_json_snapshot!(bodies);
}

#[test]
fn people_may_write_as_human_agents_and_machines_may_not() {
    let page = started(true);
    assert_eq!(body(&page, outgoing("Hello"))["tag"], "HUMAN_AGENT");
    let automatic = body(&page, Outgoing { automatic: true, ..outgoing("Hello") });
    assert_eq!((&automatic["messaging_type"], automatic.get("tag")), (&json!("RESPONSE"), None));
    assert_eq!(body(&started(false), outgoing("Hello")).get("tag"), None);
}

#[test]
fn a_file_that_cannot_go_is_found_before_the_text_goes() {
    let refused = |file| {
        let effect = effect(EffectAction::Send(Outgoing { attachments: vec![file], ..outgoing("Look") }));
        started(false).encode(&effect, &Progress::default())
    };
    let plain =
        Attachment { url: Some("http://example.com/a".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    assert_eq!(refused(plain), Err(EncodeError::File { number: 1, fault: FileFault::NoAddress }));
    let place = Attachment::of(AttachmentKind::Location);
    assert_eq!(refused(place), Err(EncodeError::File { number: 1, fault: FileFault::Kind }));
}

#[test]
fn a_file_is_fetched_from_hosts_of_meta_without_the_token() {
    let page = started(false);
    let file = |url: &str| Attachment { url: Some(url.to_owned()), ..Attachment::of(AttachmentKind::Image) };
    let request = page.fetch(&file("https://scontent.xx.fbcdn.net/v/a.jpg?oh=1"), &[]).unwrap();
    assert!(request.headers.is_empty());
    assert!(page.fetch(&file("https://example.com/a.jpg"), &[]).is_err());
    assert!(page.fetch(&file("/reel/1"), &[]).is_err());
}

#[test]
fn an_examination_says_what_to_do() {
    let page = started(false);
    let mut lines = Vec::new();
    for check in page.checks().into_iter().chain(page.registration("https://chat.example.com/webhooks/shop"))
    {
        for said in [
            r#"{"data":{"is_valid":true,"expires_at":0,"scopes":["pages_messaging","pages_manage_metadata"]}}"#,
            r#"{"data":{"is_valid":false}}"#,
            r#"{"id":"370873143344730","name":"Shop"}"#,
            r#"{"id":"2"}"#,
            r#"{"data":[{"id":"9","subscribed_fields":["messages"]}]}"#,
            r#"{"success":true}"#,
            r#"{"error":{"code":200,"message":"Permissions error"}}"#,
        ] {
            let response = WireResponse {
                status: 200,
                headers: HeaderMap::new(),
                body: Bytes::from_static(said.as_bytes()),
            };
            for finding in page.examine(&check, None, &response) {
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
