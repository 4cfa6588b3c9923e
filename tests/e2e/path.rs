//! The whole path: a client writes, an operator answers, the dialog ends.

use serde_json::json;

use super::daemon::{ADMIN, ANNA, Site, messenger};
use super::http;
use super::waiting::{call, eventually};

#[tokio::test]
async fn a_client_writes_an_operator_answers_and_the_dialog_closes() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;

    daemon.telegram(1, "Здравствуйте! Есть в наличии?").await.expect(200);
    let welcome = call(&messenger, "the welcome", |call| call.text().contains("Мария")).await;
    assert_eq!(welcome.body["chat_id"], 5_550_001);
    let dialog = daemon.dialog().await;
    let offered = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}")).await.expect(200);
    assert_eq!((offered.at("/state"), offered.at("/offers/0/operator")), (&json!("offered"), &json!("anna")));

    let accepted = daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/accept"), &json!({})).await.expect(200);
    assert_eq!(accepted.at("/owner"), "anna");
    let reply = json!({ "text": "Да, есть." });
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &reply).await;
    call(&messenger, "the reply", |call| call.text() == "Да, есть.").await;
    eventually("the reply counts as sent", || async {
        let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
        let items = messages.at("/items").as_array().cloned().unwrap_or_default();
        items.into_iter().find(|item| item["text"] == "Да, есть." && item["status"] == "sent")
    })
    .await;

    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/close"), &json!({})).await.expect(200);
    call(&messenger, "the goodbye", |call| call.text().contains("Спасибо за обращение")).await;
    let closed = daemon.get(ADMIN, &format!("/v1/dialogs/{dialog}")).await.expect(200);
    assert_eq!(closed.at("/state"), "closed", "{}", closed.text);

    let explained = daemon.get(ADMIN, &format!("/v1/dialogs/{dialog}/explain")).await.expect(200);
    assert!(explained.text.contains("anna"), "{}", explained.text);
}

#[tokio::test]
async fn the_same_update_again_changes_nothing() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;
    for _ in 0..3 {
        daemon.telegram(1, "Здравствуйте!").await.expect(200);
    }
    let dialog = daemon.dialog().await;
    let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
    let items = messages.at("/items").as_array().unwrap();
    assert_eq!(items.iter().filter(|item| item["direction"] == "in").count(), 1, "{}", messages.text);
}

#[tokio::test]
async fn an_update_without_the_secret_is_refused_and_leaves_no_trace() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    let url = format!("{}/webhooks/shop-telegram", daemon.base());
    let update = super::daemon::update(1, "Здравствуйте!");
    for headers in [&[][..], &[("x-telegram-bot-api-secret-token", "wrong")]] {
        http::request("POST", &url, headers, Some(&update)).await.expect(401);
    }
    let dialogs = daemon.get(ADMIN, "/v1/dialogs").await.expect(200);
    assert_eq!(dialogs.at("/items"), &json!([]));
}

#[tokio::test]
async fn a_refund_is_urgent_and_the_duty_room_hears_of_it_signed() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;
    daemon.telegram(1, "Хочу возврат").await.expect(200);
    let notified = call(&messenger, "the notification", |call| call.method == "hooks").await;
    assert_eq!(notified.signature_valid, Some(true), "{notified:#?}");
    let dialogs = daemon.get(ADMIN, "/v1/dialogs").await.expect(200);
    assert_eq!(dialogs.at("/items/0/topic"), "refund", "{}", dialogs.text);
}
