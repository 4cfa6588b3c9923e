//! Delivery under the faults that messengers really have.

use serde_json::{Value, json};

use super::daemon::{ADMIN, ANNA, Daemon, Site, messenger};
use super::messenger::{Call, Fault, Messenger};
use super::waiting::{call, eventually};

const TEXT: &str = "Да, есть.";

/// A daemon with an accepted dialog whose welcome has arrived, so that the next call is the reply.
async fn ready(messenger: &Messenger) -> (Site, Daemon, String) {
    let site = Site::example(messenger);
    let daemon = site.start().await;
    let dialog = daemon.accepted_dialog().await;
    call(messenger, "the welcome", |call| call.accepted).await;
    (site, daemon, dialog)
}

async fn reply(daemon: &Daemon, dialog: &str) {
    let answer = daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &json!({ "text": TEXT })).await;
    assert!(answer.status < 300, "{}", answer.text);
}

/// Waits until the reply has a status, and gives the reply.
async fn reply_with(daemon: &Daemon, dialog: &str, status: &str) -> Value {
    eventually(&format!("the reply is {status}"), || async {
        let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
        let items = messages.at("/items").as_array().cloned().unwrap_or_default();
        items.into_iter().find(|item| item["text"] == TEXT && item["status"] == status)
    })
    .await
}

/// The calls with the reply, in order.
fn attempts(messenger: &Messenger) -> Vec<Call> {
    messenger.follow().0.into_iter().filter(|call| call.text() == TEXT).collect()
}

#[tokio::test]
async fn a_429_is_honoured_and_the_message_arrives_once() {
    let messenger = messenger().await;
    let (_site, daemon, dialog) = ready(&messenger).await;
    messenger.fail_next(1, Fault::TooManyRequests { retry_after: 2 });
    reply(&daemon, &dialog).await;
    reply_with(&daemon, &dialog, "sent").await;
    let attempts = attempts(&messenger);
    assert_eq!(attempts.iter().map(|call| call.status).collect::<Vec<_>>(), [Some(429), Some(200)]);
    assert!(attempts[1].at_ms - attempts[0].at_ms >= 2000, "{attempts:#?}");
}

#[tokio::test]
async fn errors_of_the_server_and_of_a_proxy_are_tried_again() {
    let messenger = messenger().await;
    let (_site, daemon, dialog) = ready(&messenger).await;
    messenger.fail_next(1, Fault::InternalError);
    messenger.fail_next(1, Fault::HtmlBadGateway);
    reply(&daemon, &dialog).await;
    reply_with(&daemon, &dialog, "sent").await;
    let statuses: Vec<_> = attempts(&messenger).iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(500), Some(502), Some(200)]);
}

#[tokio::test]
async fn a_lost_answer_means_at_least_once() {
    let messenger = messenger().await;
    let (_site, daemon, dialog) = ready(&messenger).await;
    messenger.fail_next(1, Fault::AcceptThenDrop);
    reply(&daemon, &dialog).await;
    let sent = reply_with(&daemon, &dialog, "sent").await;
    let attempts = attempts(&messenger);
    assert_eq!(attempts.iter().map(|call| call.status).collect::<Vec<_>>(), [None, Some(200)]);
    assert!(attempts.iter().all(|call| call.accepted));
    let last = attempts[1].message_id.unwrap().to_string();
    assert_eq!(sent["external_id"], last, "{sent:#}");
}

#[tokio::test]
async fn a_blocked_client_means_a_failed_message_that_everybody_sees() {
    let messenger = messenger().await;
    let (_site, daemon, dialog) = ready(&messenger).await;
    messenger.fail_next(1, Fault::Blocked);
    reply(&daemon, &dialog).await;
    let failed = reply_with(&daemon, &dialog, "failed").await;
    assert!(failed["error"].to_string().contains("blocked"), "{failed:#}");
    let deliveries = daemon.get(ADMIN, "/v1/deliveries?state=failed").await.expect(200);
    assert!(deliveries.text.contains("blocked"), "{}", deliveries.text);
    assert_eq!(attempts(&messenger).len(), 1, "a blocked client is not tried again");
}

#[tokio::test]
async fn messages_keep_their_order_when_the_first_one_fails() {
    let messenger = messenger().await;
    let (_site, daemon, dialog) = ready(&messenger).await;
    messenger.fail_next(1, Fault::InternalError);
    for text in ["один", "два", "три"] {
        let body = json!({ "text": text });
        let answer = daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &body).await;
        assert!(answer.status < 300, "{}", answer.text);
    }
    call(&messenger, "the last message", |call| call.text() == "три" && call.accepted).await;
    let accepted = messenger.follow().0.into_iter().filter(|call| call.accepted);
    let texts: Vec<_> = accepted.map(|call| call.text().to_owned()).skip(1).collect();
    assert_eq!(texts, ["один", "два", "три"]);
}
