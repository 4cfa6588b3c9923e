//! What is Instagram's own: its limits, its files, its two kinds of login.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::*;
use crate::channels::codec::{Channel, Progress};
use crate::channels::samples::{Names, effect, outgoing};
use crate::model::channel::GRAPH_API_BASE;
use crate::model::effect::{EffectAction, Outgoing};
use crate::model::secret::SecretRef;

fn started(api_base: &str) -> Page {
    let env = |name: &str| SecretRef::Env(name.to_owned());
    let settings = InstagramSettings {
        account_id: "17841405822304914".to_owned(),
        access_token: env("TOKEN"),
        app_secret: env("APP"),
        instagram_app_secret: Some(env("OTHER")),
        verify_token: env("VERIFY"),
        api_base: api_base.to_owned(),
        human_agent: false,
    };
    connect(&ChannelId::from("shop"), &settings, &Names).unwrap()
}

#[test]
fn a_message_goes_in_the_name_of_whose_token_it_is() {
    for base in [GRAPH_API_BASE, "https://graph.instagram.com/v26.0"] {
        let effect = effect(EffectAction::Send(outgoing("Привет")));
        let request = started(base).encode(&effect, &Progress::default()).unwrap();
        assert_eq!(request.url.to_string(), format!("{base}/me/messages"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["message"], serde_json::json!({ "text": "Привет" }));
    }
}

#[test]
fn texts_are_measured_in_bytes() {
    let effect = effect(EffectAction::Send(Outgoing { ..outgoing(&"ж".repeat(501)) }));
    let request = started(GRAPH_API_BASE).encode(&effect, &Progress::default()).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["message"]["text"].as_str().unwrap().len(), 1000);
}

#[test]
fn of_documents_only_pdf_is_taken() {
    let document = |media_type: Option<&str>, name: Option<&str>| Attachment {
        media_type: media_type.map(str::to_owned),
        name: name.map(str::to_owned),
        ..Attachment::of(AttachmentKind::Document)
    };
    assert_eq!(form(&document(Some("application/pdf"), None)), Some("file"));
    assert_eq!(form(&document(None, Some("Price.PDF"))), Some("file"));
    assert_eq!(form(&document(Some("text/plain"), Some("a.pdf"))), None);
    assert_eq!(form(&document(None, None)), None);
    assert_eq!(form(&Attachment::of(AttachmentKind::Location)), None);
}

#[test]
fn an_examination_knows_both_kinds_of_login() {
    let mut lines = Vec::new();
    for base in [GRAPH_API_BASE, "https://graph.instagram.com/v26.0"] {
        let page = started(base);
        for check in page.checks() {
            lines.push(check.request.url.to_string());
            for said in [
                r#"{"user_id":"17841405822304914","username":"shop"}"#,
                r#"{"id":"1","name":"Shop","instagram_business_account":{"id":"17841405822304914"}}"#,
                r#"{"user_id":17841400000000000}"#,
                r#"{"id":"1","name":"Shop"}"#,
                r#"{"data":[{"subscribed_fields":["messages"]}]}"#,
                r#"{"data":[]}"#,
            ] {
                let response = WireResponse {
                    status: 200,
                    headers: HeaderMap::new(),
                    body: Bytes::from_static(said.as_bytes()),
                };
                for finding in page.examine(&check, None, &response) {
                    lines.push(format!("  {} {}", if finding.good { "good" } else { "BAD" }, finding.text));
                }
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
