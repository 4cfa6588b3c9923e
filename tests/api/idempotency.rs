//! The same wish under the same key is fulfilled once and answered alike.

use http::Method;
use serde_json::json;

use super::rig::{Answer, Rig};

/// What of an answer belongs to the wish: all but what names the request.
fn essence(answer: &Answer) -> (u16, Option<&str>, &[u8]) {
    let version = answer.headers.get("etag").map(|value| value.to_str().unwrap());
    (answer.status.as_u16(), version, &answer.body)
}

#[tokio::test]
async fn a_reply_that_is_sent_again_under_its_key_is_written_once() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let path = format!("/v1/dialogs/{id}/messages");
    let send =
        || rig.post(&path).token("anna").header("idempotency-key", "reply-1").json(&json!({"text": "Hi"}));
    let first = send().send().await.expect(201);
    let second = send().send().await.expect(201);
    assert_eq!((&first["id"], &first["seq"]), (&second["id"], &second["seq"]));
    let all = rig.get(&path).token("anna").send().await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);

    let other = rig
        .post(&path)
        .token("anna")
        .header("idempotency-key", "reply-1")
        .json(&json!({"text": "Something else"}))
        .send()
        .await;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "idempotency_key_reused".to_owned()));
    // Keys belong to tokens: another one's key is another key.
    let boris =
        rig.post(&path).token("admin").header("idempotency-key", "reply-1").json(&json!({"text": "Hi"}));
    boris.send().await.expect(201);
    rig.stop().await;
}

#[tokio::test]
async fn without_a_key_the_same_wish_twice_is_two_wishes() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let path = format!("/v1/dialogs/{id}/notes");
    for _ in 0..2 {
        rig.post(&path).token("anna").json(&json!({"text": "calls back"})).send().await.expect(201);
    }
    let all = rig.get(&format!("/v1/dialogs/{id}/messages")).token("anna").send().await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().iter().filter(|message| message["note"] == true).count(), 2);
    rig.stop().await;
}

#[tokio::test]
async fn a_rejection_is_repeated_under_its_key_too() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let accept =
        || rig.post(&format!("/v1/dialogs/{id}/accept")).token("anna").header("idempotency-key", "a");
    for _ in 0..2 {
        let answer = accept().send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (409, "not_offered".to_owned()));
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_wish_that_comes_again_gets_its_first_answer_whatever_happened_since() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let path = format!("/v1/dialogs/{id}");
    let change = |key: &str, priority: &str| {
        rig.call(Method::PATCH, &path)
            .token("anna")
            .header("idempotency-key", key)
            .json(&json!({"priority": priority}))
    };
    let first = change("p-1", "high").send().await;
    let other = change("p-2", "low").send().await;
    assert_ne!(first.headers["etag"], other.headers["etag"]);
    let again = change("p-1", "high").send().await;
    assert_eq!(essence(&again), essence(&first));
    assert_eq!(first.expect(200)["priority"], 10);

    let online = |status: &str| {
        rig.call(Method::PUT, "/v1/operators/boris/presence")
            .token("boris")
            .header("idempotency-key", status)
            .json(&json!({"status": status}))
    };
    let first = online("online").send().await;
    online("away").send().await.expect(200);
    let again = online("online").send().await;
    assert_eq!(essence(&again), essence(&first));
    assert_eq!(first.expect(200)["status"], "online");
    rig.stop().await;
}

#[tokio::test]
async fn after_a_restart_a_wish_is_still_done_once_and_answered_with_the_present_state() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let change = async |rig: &Rig, key: &str, priority: &str| {
        let call = rig.call(Method::PATCH, &format!("/v1/dialogs/{id}")).token("anna");
        call.header("idempotency-key", key).json(&json!({"priority": priority})).send().await.expect(200)
    };
    let first = change(&rig, "p-1", "high").await;
    change(&rig, "p-2", "low").await;
    let rig = rig.restart().await;
    let again = change(&rig, "p-1", "high").await;
    assert_eq!((&again["seq"], &again["priority"]), (&first["seq"], &json!(-10)));
    rig.stop().await;
}

#[tokio::test]
async fn who_gave_a_dialog_away_gets_the_first_answer_again_and_no_sight_of_it() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    rig.online("boris").await;
    let give = || {
        rig.post(&format!("/v1/dialogs/{id}/transfer"))
            .token("anna")
            .header("idempotency-key", "give-1")
            .json(&json!({"to": {"operator": "boris"}}))
    };
    let first = give().send().await.expect(200);
    rig.post(&format!("/v1/dialogs/{id}/accept")).token("boris").send().await.expect(200);
    rig.get(&format!("/v1/dialogs/{id}")).token("anna").send().await.expect(404);
    let again = give().send().await.expect(200);
    assert_eq!(again, first, "what boris did since is not in it");
    rig.stop().await;
}

#[tokio::test]
async fn an_answer_to_a_message_is_repeated_also_when_the_dialog_was_given_away() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    rig.online("boris").await;
    let path = format!("/v1/dialogs/{id}/messages");
    let all = rig.get(&path).token("anna").send().await.expect(200);
    let hello = all["items"][0]["id"].clone();
    let reply = |key: &str, message: &serde_json::Value| {
        rig.post(&path)
            .token("anna")
            .header("idempotency-key", key)
            .json(&json!({"text": "Hi", "reply_to": message}))
    };
    let first = reply("reply-1", &hello).send().await.expect(201);
    let give = rig.post(&format!("/v1/dialogs/{id}/transfer")).token("anna");
    give.json(&json!({"to": {"operator": "boris"}})).send().await.expect(200);
    rig.post(&format!("/v1/dialogs/{id}/accept")).token("boris").send().await.expect(200);

    let again = reply("reply-1", &hello).send().await.expect(201);
    assert_eq!(again, first);
    // What was not fulfilled before finds no dialog, whatever message it names.
    for message in [hello, json!("m-999")] {
        reply("reply-2", &message).send().await.expect(404);
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_key_must_be_visible_and_short() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let long = "k".repeat(256);
    for key in ["", "with space", "ключ", &long] {
        let answer = rig
            .post(&format!("/v1/dialogs/{id}/notes"))
            .token("anna")
            .header("idempotency-key", key)
            .json(&json!({"text": "x"}))
            .send()
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem()),
            (400, "invalid_idempotency_key".to_owned()),
            "{key}"
        );
    }
    rig.stop().await;
}
