//! The same wish under the same key is fulfilled once and answered alike.

use serde_json::json;

use super::rig::Rig;

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
    assert_eq!(again, json!({"id": id, "seq": first["seq"]}));
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
    assert_eq!(again, json!({"id": first["id"], "seq": first["seq"]}));
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
