//! What an id stands for, and who may know.

use serde_json::{Value, json};

use super::rig::Rig;

async fn found(rig: &Rig, token: &str, id: &str) -> Value {
    rig.get(&format!("/v1/explain/{id}")).token(token).send().await.expect(200)
}

fn kinds(found: &Value) -> Vec<&str> {
    found["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_offers_and_events_lead_to_their_dialog_and_to_what_happened_with_them() {
    let rig = Rig::start().await;
    let dialog = rig.accepted("shop", 1, "anna").await;
    let shown = found(&rig, "admin", &dialog).await;
    assert_eq!((&shown["kind"], &shown["dialog"]), (&json!("dialog"), &json!(dialog)));
    assert!(kinds(&shown).contains(&"dialog.opened"), "{shown}");

    let messages = rig.get(&format!("/v1/dialogs/{dialog}/messages")).token("anna").send().await.expect(200);
    let message = messages["items"][0]["id"].as_str().unwrap();
    let shown = found(&rig, "anna", message).await;
    assert_eq!((&shown["kind"], &shown["dialog"]), (&json!("message"), &json!(dialog)));
    assert!(kinds(&shown).contains(&"message.received"), "{shown}");

    let explained = rig.get(&format!("/v1/dialogs/{dialog}/explain")).token("anna").send().await.expect(200);
    let decision = explained["items"].as_array().unwrap().last().unwrap();
    let offer = decision["offers"][0]["id"].as_str().unwrap();
    let shown = found(&rig, "anna", offer).await;
    assert_eq!((&shown["kind"], &shown["seq"]), (&json!("offer"), &decision["seq"]));
    assert_eq!(kinds(&shown), ["dialog.offered"]);

    let event = &shown["events"][0];
    let shown = found(&rig, "anna", &format!("{}.{}", event["seq"], event["index"])).await;
    assert_eq!((&shown["kind"], &shown["dialog"]), (&json!("event"), &json!(dialog)));
    rig.stop().await;
}

#[tokio::test]
async fn an_event_about_no_dialog_shows_what_else_happened_in_its_entry() {
    let rig = Rig::start().await;
    rig.telegram("shop", 1, 1, "hello").await.expect(200);
    let online = rig
        .call(http::Method::PUT, "/v1/operators/anna/presence")
        .token("anna")
        .json(&json!({"status": "online"}))
        .send()
        .await
        .expect(200);
    let shown = found(&rig, "admin", &format!("{}.0", online["seq"])).await;
    assert_eq!((&shown["kind"], &shown["dialog"]), (&json!("event"), &Value::Null));
    assert_eq!(kinds(&shown), ["operator.presence", "dialog.offered"]);
    // Presence is nothing that operators hear of each other.
    rig.get(&format!("/v1/explain/{}.0", online["seq"])).token("boris").send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn what_may_not_be_seen_is_404_like_what_is_not_there() {
    let rig = Rig::start().await;
    let dialog = rig.accepted("shop", 1, "anna").await;
    let messages = rig.get(&format!("/v1/dialogs/{dialog}/messages")).token("anna").send().await.expect(200);
    let message = messages["items"][0]["id"].as_str().unwrap();
    for id in [dialog.as_str(), message, "m-1", "m-9999", "o-9999", "9999.0", "0.0", "c-1", "x", "17"] {
        let answer = rig.get(&format!("/v1/explain/{id}")).token("dora").send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (404, "not_found".to_owned()), "{id}");
    }
    rig.stop().await;
}
