//! Tests of the request template.

use std::collections::BTreeMap;

use serde_json::json;

use crate::channels::samples::{self, Names};
use crate::model::effect::EffectAction;
use crate::model::message::Button;
use crate::model::secret::SecretRef;

use super::*;

fn settings(body: Value) -> WebhookOutbound {
    WebhookOutbound {
        url: "https://erp.example.com/reply".to_owned(),
        method: "POST".to_owned(),
        headers: BTreeMap::new(),
        body,
        message_id: Some("$.result.message.id".to_owned()),
    }
}

fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        sender: None,
        chat: "c-77".to_owned(),
        user: "u-5".to_owned(),
        buttons: vec![Button { title: "Yes".to_owned(), data: "y".to_owned() }],
        ..samples::outgoing(text)
    }
}

fn render(body: Value, text: &str) -> Result<Value, EncodeError> {
    let outgoing = outgoing(text);
    let effect = samples::effect(EffectAction::Send(outgoing.clone()));
    let template = RequestTemplate::compile(&settings(body), &Names).unwrap();
    let request = template.render(&effect, &outgoing)?;
    assert_eq!(request.headers.get(IDEMPOTENCY_KEY).unwrap(), "e-7");
    Ok(serde_json::from_slice(&request.body).unwrap())
}

fn refusal(settings: &WebhookOutbound) -> String {
    match RequestTemplate::compile(settings, &Names) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("compiled"),
    }
}

#[test]
fn texts_are_templates_and_a_sole_expression_keeps_its_type() {
    let body = json!({
        "to": "{{ chat.external_id }}",
        "user": "{{ chat.user }}",
        "text": "Re: {{ message.text }}",
        "buttons": "{{ message.buttons }}",
        "count": "{{ message.buttons | length }}",
        "ids": ["{{ effect.id }}", "{{ message.id }}", "{{ dialog.id }}"],
        "list": "{% for b in message.buttons %}[{{ b.title }}]{% endfor %}",
        "urgent": true,
        "n": 1.5,
        "none": null,
        "plain": "no template"
    });
    assert_eq!(
        render(body, "a \"quoted\" <b>").unwrap(),
        json!({
            "to": "c-77",
            "user": "u-5",
            "text": "Re: a \"quoted\" <b>",
            "buttons": [{ "title": "Yes", "data": "y" }],
            "count": 1,
            "ids": ["e-7", "m-7", "d-3"],
            "list": "[Yes]",
            "urgent": true,
            "n": 1.5,
            "none": null,
            "plain": "no template"
        })
    );
}

#[test]
fn what_a_client_or_operator_writes_is_never_a_template() {
    let text = "{{ chat.user }} {% for x in range(9) %}x{% endfor %}";
    assert_eq!(
        render(json!({ "t": "{{ message.text }}", "u": "-{{ message.text }}" }), text).unwrap(),
        json!({ "t": text, "u": format!("-{text}") })
    );
}

#[test]
fn two_expressions_are_a_text() {
    assert_eq!(render(json!("{{ chat.user }}{{ chat.user }}"), "x").unwrap(), json!("u-5u-5"));
}

#[test]
fn fields_with_dots_in_their_names_keep_their_own_templates() {
    let body = json!({ "a.b": "1{{ chat.user }}", "a": { "b": "2{{ chat.user }}" } });
    assert_eq!(render(body, "x").unwrap(), json!({ "a.b": "1u-5", "a": { "b": "2u-5" } }));
}

#[test]
fn output_and_work_are_bounded() {
    let large = "x".repeat(BODY_MAX / 2);
    let twice = json!(["{{ message.text }}", "-{{ message.text }}"]);
    assert_eq!(render(twice, &large), Err(EncodeError::TooLarge { max: BODY_MAX }));
    let expression = json!(["{{ message.text ~ message.text }}"]);
    assert_eq!(render(expression, &large), Err(EncodeError::TooLarge { max: BODY_MAX }));
    // Each of these is one byte in the text and six in JSON.
    assert_eq!(
        render(json!("{{ message.text }}-"), &"\u{1}".repeat(BODY_MAX / 4)),
        Err(EncodeError::TooLarge { max: BODY_MAX })
    );
    let endless = json!("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}");
    assert!(matches!(render(endless, "x"), Err(EncodeError::Template { .. })));
}

#[test]
fn an_error_of_one_message_names_its_place() {
    let Err(EncodeError::Template { place, .. }) =
        render(json!({ "a": [0, "{{ message.text | int + 1 }}"] }), "not a number")
    else {
        panic!("rendered");
    };
    assert_eq!(place, "outbound.body.a[1]");
}

#[test]
fn mistakes_of_the_settings_are_found_when_the_channel_is_connected() {
    let with = |body: Value| refusal(&settings(body));
    let header = |name: &str, value: &str| {
        let mut settings = settings(json!({}));
        settings.headers.insert(name.to_owned(), OutboundHeader::Text(value.to_owned()));
        refusal(&settings)
    };
    insta::assert_snapshot!([
        with(json!({ "a": "{{ message.txt }}" })),
        with(json!({ "a": "to {{ client.name }}" })),
        with(json!({ "a": "{{ message.text | shout }}" })),
        with(json!({ "a": "{{ message.text" })),
        with(json!({ "a": "{{ 1 + }}" })),
        with(json!({ "a": "{% include 'other' %}" })),
        header("X-Key", "a\r\nX-Other: b"),
        header("X Key", "a"),
        header("Host", "other.example.com"),
        header("Idempotency-Key", "1"),
        refusal(&WebhookOutbound { method: "GET".to_owned(), ..settings(json!({})) }),
        refusal(&WebhookOutbound { url: "erp.example.com".to_owned(), ..settings(json!({})) }),
        refusal(&WebhookOutbound { message_id: Some("result.id".to_owned()), ..settings(json!({})) }),
        refusal(&WebhookOutbound {
            message_id: Some("$[?match(@.id, 'a')]".to_owned()),
            ..settings(json!({}))
        }),
    ]
    .join("\n"), @r#"
    `outbound.body.a`: a variable that does not exist; there are chat.external_id, chat.user, message.id, message.text, message.sender, message.buttons, dialog.id, effect.id
    `outbound.body.a`: a variable that does not exist; there are chat.external_id, chat.user, message.id, message.text, message.sender, message.buttons, dialog.id, effect.id
    `outbound.body.a`: unknown filter: filter shout is unknown
    `outbound.body.a`: syntax error: unexpected end of input, expected end of variable block
    `outbound.body.a`: syntax error: unexpected end of input, expected expression
    `outbound.body.a`: template not found: tried to include non-existing template "other"
    `outbound.headers.X-Key`: the value must be one line of visible ASCII
    `outbound.headers.X Key`: not the name of a header
    `outbound.headers.Host`: this header is set by the daemon
    `outbound.headers.Idempotency-Key`: this header is set by the daemon
    `outbound.method`: only POST and PUT carry a body
    `outbound.url`: the address must begin with https:// or http://
    `outbound.message_id`: `result.id` is not a JSONPath; write one such as $.message.id
    `outbound.message_id`: match() and search() are not allowed here
    "#);
}

#[test]
fn the_receivers_id_is_read_from_its_answer() {
    let template = RequestTemplate::compile(&settings(json!({})), &Names).unwrap();
    let id = |answer: Value| template.message_id(&answer);
    assert_eq!(id(json!({ "result": { "message": { "id": "ext-501" } } })), Some("ext-501".to_owned()));
    assert_eq!(id(json!({ "result": { "message": { "id": 501 } } })), Some("501".to_owned()));
    assert_eq!(id(json!({ "result": {} })), None);
    assert_eq!(id(json!({ "result": { "message": { "id": "x".repeat(513) } } })), None);
}

#[test]
fn a_header_can_be_a_secret_that_is_sent_and_shown_nowhere() {
    let with = |variable: &str| {
        let mut settings = settings(json!({ "a": 1 }));
        let header = OutboundHeader::Secret(SecretRef::Env(variable.to_owned()));
        settings.headers.insert("Authorization".to_owned(), header);
        settings
    };
    let template = RequestTemplate::compile(&with("Bearer abc123"), &Names).unwrap();
    let value = template.headers.get("authorization").unwrap();
    assert_eq!(value, "Bearer abc123");
    assert!(!format!("{value:?}").contains("abc123"));
    assert_eq!(template.secrets().collect::<Vec<_>>(), ["Bearer abc123", "abc123"]);
    assert_eq!(
        refusal(&with("MISSING")),
        "the secret `outbound.headers` (environment variable MISSING) has no value: set it and reload"
    );
    assert_eq!(
        refusal(&with("a\nb")),
        "`outbound.headers.Authorization`: the value must be one line of visible ASCII"
    );
}
