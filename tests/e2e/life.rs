//! The life of the process: it stops when told, and goes on where it was.

use serde_json::json;

use super::daemon::{ANNA, Site, messenger};
use super::http;
use super::messenger::Fault;
use super::waiting::{call, eventually};

#[tokio::test]
async fn a_stopped_daemon_finishes_what_runs_and_does_not_send_it_again() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    let dialog = daemon.accepted_dialog().await;
    call(&messenger, "the welcome", |call| call.accepted).await;
    messenger.fail_next(1, Fault::Slow { delay_ms: 1500 });
    let path = format!("/v1/dialogs/{dialog}/messages");
    let answer = daemon.post(ANNA, &path, &json!({ "text": "медленно" })).await;
    assert!(answer.status < 300, "{}", answer.text);
    call(&messenger, "the slow message", |call| call.text() == "медленно").await;
    daemon.stop().await;

    let daemon = site.start().await;
    let messages = daemon.get(ANNA, &path).await.expect(200);
    let items = messages.at("/items").as_array().unwrap();
    assert!(
        items.iter().any(|item| item["text"] == "медленно" && item["status"] == "sent"),
        "{}",
        messages.text
    );
    // What comes after it in the same chat arrives, so it was not sent again before.
    daemon.post(ANNA, &path, &json!({ "text": "дальше" })).await;
    call(&messenger, "the next message", |call| call.text() == "дальше").await;
    let calls = messenger.follow().0;
    assert_eq!(calls.iter().filter(|call| call.text() == "медленно").count(), 1);
}

#[tokio::test]
async fn an_acknowledged_message_survives_a_kill() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    daemon.anna_online().await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    daemon.signal("KILL");
    daemon.ended().await;

    let daemon = site.start().await;
    let dialog = daemon.dialog().await;
    let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
    assert!(messages.text.contains("Здравствуйте!"), "{}", messages.text);
    call(&messenger, "the welcome", |call| call.text().contains("Мария")).await;
}

#[tokio::test]
async fn data_can_be_verified_and_the_store_made_anew_while_the_daemon_is_stopped() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    daemon.accepted_dialog().await;

    // Its data are in use.
    let output = site.command(&["verify"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    daemon.stop().await;

    let digest = |command: &str| {
        let output = site.command(&[command]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        text.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let live = digest("verify");
    assert_eq!(digest("rebuild"), live);
    assert_eq!(digest("verify"), live);
}

#[tokio::test]
async fn a_stopped_daemon_answers_nobody() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    let health = format!("{}/healthz", daemon.base());
    http::request("GET", &health, &[], None).await.expect(200);
    daemon.stop().await;
    assert!(http::try_request("GET", &health, &[], None).await.is_none());
}

#[tokio::test]
async fn a_port_in_use_is_told_before_the_data_is_touched() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap().to_string();
    site.edit("switchboard.yaml", "127.0.0.1:0", &address);
    let output = site.command(&["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains(&format!("`{address}` cannot be listened on")), "{printed}");
    assert!(printed.contains("change `listen` in switchboard.yaml"), "{printed}");
    assert!(!site.folder().join("data").exists(), "nothing was created");
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own_when_one_is_set() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    site.edit(
        "switchboard.yaml",
        "listen: 127.0.0.1:0",
        "listen: 127.0.0.1:0\nmetrics: {listen: 127.0.0.1:0}",
    );
    let mut daemon = site.start().await;
    let url = eventually("the address of the metrics", || async {
        let printed = daemon.printed();
        printed.lines().find_map(|line| line.trim().strip_prefix("metrics on ").map(str::to_owned))
    })
    .await;
    let metrics = http::request("GET", &url, &[], None).await.expect(200);
    assert!(metrics.text.contains("switchboard_applied_seq"), "{}", metrics.text);
    let elsewhere = url.replace("/metrics", "/v1/dialogs");
    http::request("GET", &elsewhere, &[], None).await.expect(404);
    http::request("GET", &format!("{}/metrics", daemon.base()), &[], None).await.expect(404);
    daemon.stop().await;
    assert!(http::try_request("GET", &url, &[], None).await.is_none());
}
