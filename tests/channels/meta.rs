//! What WhatsApp, Messenger and Instagram share: the handshake, the two secrets, batches, and the errors of Meta.

use switchboard::channels::{DecodeError, Progress, Verdict, VerifyError, WebhookAnswer};
use switchboard::model::effect::{Attempt, Refusal, Scope};

use super::*;

fn all() -> [(&'static str, Box<dyn Channel>); 3] {
    [("whatsapp", whatsapp()), ("messenger", messenger(PAGE)), ("instagram", instagram(ACCOUNT))]
}

#[test]
fn a_handshake_is_answered_with_its_challenge() {
    let headers = HeaderMap::new();
    for (name, channel) in all() {
        let get = |query| WebhookCall { method: &Method::GET, query, ..call(&headers, b"") };
        let right = "hub.mode=subscribe&hub.challenge=11582%3Cb%3E&hub.verify_token=example-verify-token";
        assert_eq!(channel.verify_head(&get(right).head()), Ok(()), "{name}");
        assert_eq!(channel.verify(&get(right)), Ok(()), "{name}");
        let decoded = channel.decode(&get(right)).unwrap();
        assert_eq!(decoded.answer, WebhookAnswer::plain("11582<b>"), "{name}");
        assert_eq!(decoded.received, [], "{name}");

        for (query, error) in [
            ("", VerifyError::Method),
            ("hub.challenge=1&hub.verify_token=example-verify-token", VerifyError::Method),
            ("hub.mode=subscribe&hub.challenge=1", VerifyError::Mismatch),
            ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", VerifyError::Mismatch),
            (
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=example-verify-toke",
                VerifyError::Mismatch,
            ),
            (
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=example-verify-token0",
                VerifyError::Mismatch,
            ),
            (
                "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=example-verify-token",
                VerifyError::Mismatch,
            ),
            ("hub.mode=subscribe&hub.verify_token=example-verify-token", VerifyError::Mismatch),
            (
                "hub.mode=subscribe&hub.challenge=&hub.verify_token=example-verify-token",
                VerifyError::Mismatch,
            ),
            (
                "hub.mode=subscribe&hub.challenge=%0A&hub.verify_token=example-verify-token",
                VerifyError::Mismatch,
            ),
            (
                "hub.mode=subscribe&hub.challenge=%ff&hub.verify_token=example-verify-token",
                VerifyError::Mismatch,
            ),
            (
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=example-verify-token&hub.verify_token=x",
                VerifyError::Mismatch,
            ),
        ] {
            assert_eq!(channel.verify_head(&get(query).head()), Err(error.clone()), "{name} {query}");
            assert_eq!(channel.verify(&get(query)), Err(error), "{name} {query}");
        }
        assert_eq!(channel.decode(&get("")), Err(DecodeError::Missing("hub.challenge")), "{name}");
        let put = WebhookCall { method: &Method::PUT, ..get(right) };
        assert_eq!(channel.verify(&put), Err(VerifyError::Method), "{name}");
    }
}

#[test]
fn the_older_signature_and_wrong_forms_are_refused() {
    for (name, channel) in all() {
        let body = fixture(&format!("{name}/text.wire.json"));
        let head =
            |value: &str| channel.verify_head(&call(&header("x-hub-signature-256", value), &body).head());
        for malformed in
            ["sha1=00", "sha256=", "sha256=00", "sha256=zz", &format!("SHA256={}", "0".repeat(64))]
        {
            assert_eq!(head(malformed).unwrap_err().reason(), "malformed", "{name} {malformed}");
        }
        assert_eq!(head(&format!("sha256={}", "0".repeat(64))), Ok(()), "{name}");
        let old = header("x-hub-signature", &format!("sha256={}", "0".repeat(64)));
        assert_eq!(channel.verify(&call(&old, &body)).unwrap_err().reason(), "missing", "{name}");
    }
}

#[test]
fn a_batch_has_an_end_and_a_call_has_an_object() {
    let refused =
        |channel: &dyn Channel, body: &[u8]| channel.decode(&call(&HeaderMap::new(), body)).unwrap_err();
    for (name, channel) in all() {
        assert_eq!(refused(&*channel, b"[]"), DecodeError::Missing("object"), "{name}");
        assert_eq!(refused(&*channel, b"{}"), DecodeError::Missing("object"), "{name}");
        assert!(matches!(refused(&*channel, b"object=page"), DecodeError::NotJson { .. }), "{name}");
        assert!(matches!(refused(&*channel, "[".repeat(100_000).as_bytes()), DecodeError::NotJson { .. }));
    }
    let many = json!({ "object": "page", "entry": [{ "id": PAGE, "messaging": vec![1; 1001] }] }).to_string();
    let expected = DecodeError::TooManyItems { count: 1001, max: 1000 };
    assert_eq!(refused(&*messenger(PAGE), many.as_bytes()), expected);
    let value = json!({ "metadata": { "phone_number_id": NUMBER }, "statuses": vec![1; 1001] });
    let many = json!({ "object": "whatsapp_business_account", "entry": [{ "changes": [
        { "field": "messages", "value": value }
    ] }] });
    assert_eq!(refused(&*whatsapp(), many.to_string().as_bytes()), expected);
}

/// Each truncation of each payload: refused, or kept.
#[test]
fn no_truncated_payload_is_taken_for_a_whole_one() {
    for (name, channel) in all() {
        let body = fixture(&format!("{name}/text.wire.json"));
        for end in 0..body.len() {
            let decoded = channel.decode(&call(&HeaderMap::new(), &body[..end]));
            assert!(matches!(decoded, Err(DecodeError::NotJson { .. })), "{name} {end}");
        }
    }
}

#[test]
fn the_dashboards_sample_and_foreign_conversations_open_no_dialog() {
    let event = json!({ "sender": { "id": "1" }, "recipient": { "id": PAGE }, "timestamp": 1,
        "message": { "mid": "m", "text": "x" } });
    for entry in [
        json!({ "id": "0", "messaging": [event] }),
        json!({ "id": PAGE, "standby": [event] }),
        json!({ "id": PAGE, "changes": [{ "field": "feed", "value": { "item": "post" } }] }),
    ] {
        let facts =
            facts(&*messenger(PAGE), json!({ "object": "page", "entry": [entry] }).to_string().as_bytes());
        assert_eq!(facts.as_array().unwrap().len(), 1);
        assert!(facts[0]["inbound"]["fact"]["unsupported"].is_object(), "{facts}");
    }
}

#[test]
fn an_echo_with_our_own_mark_is_left_out() {
    let echo = |metadata: &str| {
        json!({ "object": "page", "entry": [{ "id": PAGE, "messaging": [{
            "sender": { "id": PAGE }, "recipient": { "id": "1" }, "timestamp": 1_701_427_704_837_u64,
            "message": { "mid": "m", "is_echo": true, "app_id": 1, "metadata": metadata, "text": "hello" }
        }] }] })
    };
    let facts = |metadata| facts(&*messenger(PAGE), echo(metadata).to_string().as_bytes());
    assert_eq!(facts("e-7"), json!([]));
    assert_eq!(facts("crm-7")[0]["inbound"]["fact"]["echo"]["tracking"], "crm-7");
}

/// Every documented code: `code[/subcode]`, and what it means at the first attempt.
#[test]
fn documented_errors_have_their_meanings() {
    let mut lines = Vec::new();
    for (channel, codes) in [
        (
            whatsapp(),
            &[
                "0", "1", "2", "3", "4", "10", "33", "100", "190/463", "200", "299", "368", "613", "80007",
                "130429", "130472", "130497", "131000", "131005", "131008", "131009", "131016", "131021",
                "131026", "131030", "131031", "131042", "131045", "131047", "131048", "131049", "131050",
                "131051", "131052", "131053", "131056", "131057", "132000", "132001", "132005", "132007",
                "132012", "132015", "132016", "133004", "133010", "999999",
            ][..],
        ),
        (
            messenger(PAGE),
            &[
                "1",
                "2",
                "3",
                "4",
                "4/2018022",
                "10",
                "10/1893063",
                "10/2018065",
                "10/2018108",
                "10/2018278",
                "17",
                "32",
                "100",
                "100/33",
                "100/2018001",
                "100/2018007",
                "100/2018008",
                "190",
                "200",
                "200/1545041",
                "230",
                "368",
                "551",
                "551/1545041",
                "613",
                "613/1893016",
                "1200",
                "36000",
                "80006",
                "999999",
            ][..],
        ),
        (instagram(ACCOUNT), &["10/2534022", "100/2534014", "10903", "2534039", "1545041"][..]),
    ] {
        for code in codes {
            let (number, subcode) = code.split_once('/').unwrap_or((code, "0"));
            let mut error = json!({ "message": "words", "code": number.parse::<i64>().unwrap() });
            if subcode != "0" {
                error["error_subcode"] = json!(subcode.parse::<i64>().unwrap());
            }
            // The status says nothing.
            let verdicts = [200, 400, 403, 500].map(|status| {
                let answer = answer(status, json!({ "error": error }).to_string());
                channel.classify(&send("hello"), &Progress::default(), Ok(&answer))
            });
            assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{code}");
            let meaning = match &verdicts[0] {
                Verdict::Ended(Attempt::Retry { after_ms, scope, .. }) => {
                    format!("retry {scope:?} {after_ms:?}")
                }
                Verdict::Ended(Attempt::Refused { reason, .. }) => format!("refused {reason:?}"),
                other => panic!("{code}: {other:?}"),
            };
            lines.push(format!("{} {code} {meaning}", channel.kind().as_str()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn waits_grow_with_the_attempts_and_meta_may_name_them() {
    let whatsapp = whatsapp();
    let wait = |attempts, code: i64, headers: HeaderMap| {
        let effect = Effect { attempts, ..send("hello") };
        let mut answer = answer(400, json!({ "error": { "code": code } }).to_string());
        answer.headers = headers;
        match whatsapp.classify(&effect, &Progress::default(), Ok(&answer)) {
            Verdict::Ended(Attempt::Retry { after_ms, scope, .. }) => (after_ms.unwrap(), scope),
            other => panic!("{other:?}"),
        }
    };
    let none = HeaderMap::new;
    assert_eq!(wait(1, 130_429, none()), (1_000, Scope::Channel));
    assert_eq!(wait(3, 130_429, none()), (4_000, Scope::Channel));
    assert_eq!(wait(1, 131_056, none()), (4_000, Scope::Chat));
    assert_eq!(wait(3, 131_056, none()), (64_000, Scope::Chat));
    assert_eq!(wait(u32::MAX, 131_056, none()), (3_600_000, Scope::Chat));
    assert_eq!(wait(1, 4, header("retry-after", "7")), (7_000, Scope::Channel));
    let usage = r#"{"1":[{"type":"whatsapp","estimated_time_to_regain_access":0},{"estimated_time_to_regain_access":3}]}"#;
    assert_eq!(wait(1, 80_007, header("x-business-use-case-usage", usage)), (180_000, Scope::Channel));
    for odd in ["", "[]", "{}", r#"{"1":[{"estimated_time_to_regain_access":0}]}"#] {
        assert_eq!(
            wait(1, 80_007, header("x-business-use-case-usage", odd)),
            (60_000, Scope::Channel),
            "{odd}"
        );
    }
}

#[test]
fn what_may_be_a_slip_is_tried_once_more() {
    let messenger = messenger(PAGE);
    let answer = answer(400, r#"{"error":{"code":424242,"message":"new"}}"#);
    let verdict = |attempts| {
        messenger.classify(&Effect { attempts, ..send("hello") }, &Progress::default(), Ok(&answer))
    };
    assert!(matches!(verdict(1), Verdict::Ended(Attempt::Retry { after_ms: None, .. })));
    assert!(matches!(verdict(2), Verdict::Ended(Attempt::Refused { reason: Refusal::Permanent, .. })));
}
