//! Each recorded answer to what we send, and what it means.

use switchboard::channels::{Progress, Verdict};
use switchboard::model::channel::SignatureEncoding;
use switchboard::model::effect::{Attempt, Refusal};

use super::*;

#[test]
fn recorded_answers_have_their_meanings() {
    let effect = send("hello");
    let telegram = telegram();
    let webhook = webhook(lead(), SignatureEncoding::Hex);
    let (whatsapp, messenger, instagram) = (whatsapp(), messenger(PAGE), instagram(ACCOUNT));
    let (viber, vk, max) = (viber(), vk(Groups::Refuse), max(Groups::Refuse));
    let mut lines = Vec::new();
    for name in fixtures_of("outbound") {
        // The name says the status; without one it is 200.
        let status = ["http403", "_400", "_401", "_403", "_429"]
            .into_iter()
            .find(|part| name.contains(part))
            .map_or(200, |part| {
                part.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap()
            });
        let channel = match name.split(['/', '_']).nth(1) {
            Some("telegram") => &telegram,
            Some("whatsapp") => &whatsapp,
            Some("messenger") => &messenger,
            Some("instagram") => &instagram,
            Some("viber") => &viber,
            Some("vk") => &vk,
            Some("max") => &max,
            _ => &webhook,
        };
        let verdict = channel.classify(&effect, &Progress::default(), Ok(&answer(status, fixture(&name))));
        lines.push(format!("{name} {status}\n    {verdict:?}"));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_system_says_when_to_come_back_in_seconds() {
    let webhook = webhook(lead(), SignatureEncoding::Hex);
    let mut busy = answer(503, "busy");
    busy.headers = header("retry-after", "7");
    let verdict = webhook.classify(&send("hello"), &Progress::default(), Ok(&busy));
    insta::assert_snapshot!(format!("{verdict:?}"), @r#"Ended(Retry { after_ms: Some(7000), error: "HTTP 503: busy", parts_done: 0, scope: Chat })"#);
}

#[test]
fn a_webhook_can_say_that_no_answers_are_taken_until_the_client_writes() {
    let webhook = webhook(lead(), SignatureEncoding::Hex);
    let reason = |status, body: &'static str| {
        let verdict = webhook.classify(&send("hello"), &Progress::default(), Ok(&answer(status, body)));
        match verdict {
            Verdict::Ended(Attempt::Refused { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(409, r#"{"code": "window_closed"}"#), Refusal::WindowClosed);
    assert_eq!(reason(409, r#"{"code": "other"}"#), Refusal::Permanent);
    assert_eq!(reason(409, "window_closed"), Refusal::Permanent);
    assert_eq!(reason(410, r#"{"code": "window_closed"}"#), Refusal::Gone);
}
