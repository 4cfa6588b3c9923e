//! Calls of messengers: who is believed, what is kept, and what is answered.

use http::Method;
use serde_json::json;

use super::rig::{Rig, TELEGRAM_SECRET, update};

const SECRET: &str = "x-telegram-bot-api-secret-token";

#[tokio::test]
async fn a_forged_call_is_refused_before_anything_is_parsed_and_nothing_is_kept() {
    let rig = Rig::start().await;
    let before = rig.node().shared().handle.applied_seq();
    let wrong = TELEGRAM_SECRET.replace('1', "2");
    let longer = format!("{TELEGRAM_SECRET}x");
    let upper = TELEGRAM_SECRET.to_uppercase();
    let table: &[(&str, &[&str])] = &[
        ("missing", &[]),
        ("empty", &[""]),
        ("wrong", &[&wrong]),
        ("longer", &[&longer]),
        ("other case", &[&upper]),
        ("duplicate", &[TELEGRAM_SECRET, TELEGRAM_SECRET]),
        ("right and wrong", &[TELEGRAM_SECRET, &wrong]),
        ("wrong and right", &[&wrong, TELEGRAM_SECRET]),
    ];
    for (what, secrets) in table {
        for body in [update(1, 77, "hello").to_string(), "not JSON".to_owned()] {
            let mut call = rig.post("/webhooks/shop").header("content-type", "application/json");
            for secret in *secrets {
                call = call.header(SECRET, secret);
            }
            let answer = call.body(body).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.problem().as_str()),
                (401, "unauthenticated"),
                "{what}"
            );
            assert!(!answer.json().to_string().contains("header"), "{what}");
        }
    }
    assert_eq!(rig.node().shared().handle.applied_seq(), before);
    rig.stop().await;
}

/// A body that says how long it is and never comes.
fn silent_body() -> axum::body::Body {
    let nothing = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    axum::body::Body::from_stream(nothing)
}

#[tokio::test]
async fn strangers_whose_bodies_never_come_are_refused_by_their_head_and_stop_nobody() {
    let rig = Rig::start().await;
    // Each is answered at once although its body stays open: the test would never end otherwise.
    for _ in 0..200 {
        let call = || rig.post("/webhooks/shop").header("content-length", "1048576").body(silent_body());
        assert_eq!(call().send().await.status.as_u16(), 401);
        assert_eq!(call().header(SECRET, "guessed").send().await.status.as_u16(), 401);
        let nowhere = rig.post("/webhooks/nowhere").header("content-length", "1048576").body(silent_body());
        assert_eq!(nowhere.send().await.status.as_u16(), 404);
    }
    // Even those who hold the secret hold no memory while they say nothing.
    let mut slow: Vec<_> = (0..200)
        .map(|_| {
            let call = rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).body(silent_body());
            Box::pin(call.send())
        })
        .collect();
    for call in &mut slow {
        assert!(futures_util::poll!(call.as_mut()).is_pending());
    }
    rig.telegram("shop", 1, 77, "hello").await.expect(200);
    rig.telegram("help", 2, 77, "hello").await.expect(200);
    drop(slow);
    rig.stop().await;
}

#[tokio::test]
async fn the_same_update_again_changes_nothing_and_is_answered_alike() {
    let rig = Rig::start().await;
    for _ in 0..3 {
        let answer = rig.telegram("shop", 1, 77, "hello").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    }
    let dialogs = rig.dialogs("admin").await;
    assert_eq!((dialogs.len(), &dialogs[0]["messages"]), (1, &json!(1)));
    rig.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_answered_as_the_contract_says() {
    let rig = Rig::start().await;
    let unknown = rig.telegram("nowhere", 1, 77, "hello").await;
    assert_eq!((unknown.status.as_u16(), unknown.problem()), (404, "not_found".to_owned()));

    let dark = rig.telegram("dark", 1, 77, "hello").await;
    assert_eq!((dark.status.as_u16(), dark.headers["retry-after"].to_str().ok()), (503, Some("1")));

    let method = rig.get("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).send().await;
    assert_eq!((method.status.as_u16(), method.headers["allow"].to_str().ok()), (405, Some("POST")));
    let method = rig.call(Method::DELETE, "/webhooks/shop").send().await;
    assert_eq!((method.status.as_u16(), method.problem()), (405, "method_not_allowed".to_owned()));
    assert!(method.headers["allow"].to_str().unwrap().contains("POST"));

    let rubbish = rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).body("not JSON").send().await;
    // It is authentic: kept as it came, so that it does not hold back what comes behind it.
    assert_eq!(rubbish.status.as_u16(), 200);

    let large = "x".repeat(1024 * 1024 + 1);
    let large = rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).body(large).send().await;
    assert_eq!((large.status.as_u16(), large.problem()), (413, "body_too_large".to_owned()));

    // Authentic, and of a kind that nobody knows yet: kept, so that the messenger goes on.
    let strange = json!({"update_id": 9, "brand_new_kind": {"a": 1}});
    let strange = rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).json(&strange).send().await;
    assert_eq!(strange.status.as_u16(), 200);
    // An edit of a message that was never seen stays unknown however often it comes.
    let mut edit = update(10, 77, "changed");
    let message = edit.as_object_mut().unwrap().remove("message").unwrap();
    edit["edited_message"] = message;
    let edit = rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).json(&edit).send().await;
    assert_eq!(edit.status.as_u16(), 200);

    let metrics = rig.get("/metrics").send().await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for (channel, result, count) in
        [("-", "unknown", 1), ("shop", "body", 1), ("dark", "not_connected", 1), ("shop", "method", 1)]
    {
        let line =
            format!("switchboard_webhooks_total{{channel=\"{channel}\",result=\"{result}\"}} {count}\n");
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("nowhere"), "a stranger cannot make series grow");
    rig.stop().await;
}

#[tokio::test]
async fn what_was_not_understood_is_counted_once_and_can_be_found() {
    let rig = Rig::start().await;
    let poll = json!({"question": "?", "options": []});
    let mut message = update(2, 77, "");
    message["message"].as_object_mut().unwrap().remove("text");
    message["message"]["poll"] = poll;
    for body in [json!({"update_id": 1, "brand_new_kind": {"a": 1}}), message] {
        for _ in 0..2 {
            rig.post("/webhooks/shop").header(SECRET, TELEGRAM_SECRET).json(&body).send().await.expect(200);
        }
    }
    let metrics = rig.get("/metrics").send().await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for what in ["update", "message"] {
        let line = format!("switchboard_unsupported_total{{channel=\"shop\",what=\"{what}\"}} 1\n");
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let path = "/v1/events?type=message.unsupported&after=0";
    let (status, _, mut body) = rig.get(path).token("admin").open().await;
    assert_eq!(status.as_u16(), 200);
    let mut heard = String::new();
    while !heard.contains("event: message.unsupported") {
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
        heard.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    assert!(heard.contains("brand_new_kind"), "{heard}");
    drop(body);
    rig.stop().await;
}

#[tokio::test]
async fn every_answer_to_a_call_has_a_request_id() {
    let rig = Rig::start().await;
    let good = rig.telegram("shop", 1, 77, "hello").await;
    let forged = rig.post("/webhooks/shop").header("x-request-id", "proxy-17").body("x").send().await;
    let lost = rig.post("/webhooks/nowhere").body("x").send().await;
    assert_eq!(forged.headers["x-request-id"], "proxy-17");
    assert_ne!(good.headers["x-request-id"], lost.headers["x-request-id"]);
    let method = rig.call(Method::DELETE, "/webhooks/shop").send().await;
    assert!(method.headers.contains_key("x-request-id"));
    rig.stop().await;
}

#[tokio::test]
async fn while_the_daemon_stops_the_messenger_is_told_to_come_again() {
    let rig = Rig::start().await;
    let router = switchboard::api::router(rig.node().shared().clone());
    let folder = rig.folder().to_owned();
    rig.stop().await;
    let request = http::Request::post("/webhooks/shop")
        .header(SECRET, TELEGRAM_SECRET)
        .body(axum::body::Body::from(update(1, 77, "hello").to_string()))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().ok()), (503, Some("1")));
    drop(folder);
}
