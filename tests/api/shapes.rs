//! The shapes of answers, as programs rely on them.

use insta::{assert_json_snapshot, with_settings};
use serde_json::{Value, json};

use super::rig::Rig;

/// A dialog with something of everything in it.
async fn full(rig: &Rig) -> String {
    let id = rig.accepted("shop", 1, "anna").await;
    // This one waits: nobody is there.
    rig.telegram("help", 2, 2, "anybody?").await.expect(200);
    rig.pass(1_500);
    let path = format!("/v1/dialogs/{id}");
    rig.post(&format!("{path}/notes"))
        .token("anna")
        .json(&json!({"text": "calls back"}))
        .send()
        .await
        .expect(201);
    // Last: from here on attempts to deliver it take entries, and with them numbers of ids.
    rig.post(&format!("{path}/messages"))
        .token("anna")
        .json(&json!({"template": "hello", "vars": {}}))
        .send()
        .await
        .expect(201);
    id
}

async fn get(rig: &Rig, path: &str) -> Value {
    let mut body = rig.get(path).token("admin").send().await.expect(200);
    // The messenger of the rig is not there: how far an attempt is depends on the machine's speed.
    settle(&mut body);
    body
}

/// Takes out what depends on attempts that run beside the test.
fn settle(body: &mut Value) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(members) => {
            if members.contains_key("attempts") {
                for name in ["attempts", "state", "last_error", "next_attempt_at", "updated_at"] {
                    members.insert(name.to_owned(), json!("(depends)"));
                }
            }
            members.values_mut().for_each(settle);
        }
        _ => {}
    }
}

#[tokio::test]
async fn answers_have_the_shapes_of_the_contract() {
    let rig = Rig::start().await;
    let id = full(&rig).await;
    let dialog = get(&rig, &format!("/v1/dialogs/{id}")).await;
    let client = dialog["client"]["id"].as_str().unwrap().to_owned();
    for (name, path) in [
        ("dialog", format!("/v1/dialogs/{id}")),
        ("messages", format!("/v1/dialogs/{id}/messages")),
        ("timeline", format!("/v1/dialogs/{id}/timeline")),
        ("explain", format!("/v1/dialogs/{id}/explain")),
        ("operators", "/v1/operators".to_owned()),
        ("lines", "/v1/lines".to_owned()),
        ("queue", "/v1/lines/support/queue".to_owned()),
        ("deliveries", "/v1/deliveries".to_owned()),
        ("client", format!("/v1/clients/{client}")),
        ("config", "/v1/config".to_owned()),
    ] {
        let body = get(&rig, &path).await;
        with_settings!({sort_maps => false}, {
            assert_json_snapshot!(name, body, {
                ".items[].seq" => "[seq]", ".items[].config" => "[version]", ".items[].event.seq" => "[seq]",
                ".**.version" => "[version]", ".**.seq" => "[seq]", ".**.diagnostics" => "[diagnostics]",
                ".problems[].reason" => "[reason]",
            });
        });
    }
    rig.stop().await;
}

#[tokio::test]
async fn the_daemon_is_ready_while_a_channel_is_not_connected_and_says_so() {
    let rig = Rig::start().await;
    assert_eq!(rig.get("/healthz").send().await.expect(200), json!({"status": "ok"}));
    let ready = rig.get("/readyz").send().await.expect(200);
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["not_connected"], json!(["channel dark"]));
    let metrics = rig.get("/metrics").send().await;
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(String::from_utf8_lossy(&metrics.body).ends_with("# EOF\n"));
    rig.node().shared().stopping.cancel();
    let stopping = rig.get("/readyz").send().await;
    assert_eq!((stopping.status.as_u16(), stopping.headers["retry-after"].to_str().ok()), (503, Some("1")));
    rig.stop().await;
}

#[tokio::test]
async fn a_reload_answers_when_the_files_are_live_or_with_all_that_is_wrong() {
    let rig = Rig::start().await;
    let same = rig.post("/v1/config/reload").token("admin").send().await.expect(200);
    assert_eq!(same["result"], "unchanged");
    let file = rig.folder().join("templates.yaml");
    std::fs::write(&file, "version: 1\ntemplates:\n  hello: {text: \"Hi {{ nobody.name }}\", colour: red}\n")
        .unwrap();
    let refused = rig.post("/v1/config/reload").token("admin").send().await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (422, "config_refused".to_owned()));
    assert!(refused.json()["errors"].as_array().unwrap().len() >= 2, "{refused:?}");
    std::fs::write(&file, "version: 1\ntemplates:\n  hello: {text: \"Good day\"}\n").unwrap();
    let live = rig.post("/v1/config/reload").token("admin").send().await.expect(200);
    assert_eq!(live["result"], "activated");
    rig.post("/v1/config/reload").token("anna").send().await.expect(403);
    rig.stop().await;
}
