//! The stream of events: complete, in order, each once, and only what may be seen.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::Value;

use super::rig::{Rig, operators};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The reader's end of a stream.
struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    async fn open(rig: &Rig, name: &str, address: &str, last_id: Option<&str>) -> Self {
        let mut call = rig.get(address).token(name);
        if let Some(id) = last_id {
            call = call.header("last-event-id", id);
        }
        let (status, headers, body) = call.open().await;
        assert_eq!(status.as_u16(), 200);
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["x-accel-buffering"], "no");
        Self { body, text: String::new() }
    }

    /// The next event as its id and data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                if let (Some(id), Some(kind), Some(data)) = (field("id:"), field("event:"), field("data:")) {
                    let data: Value = serde_json::from_str(&data).unwrap();
                    assert_eq!(data["type"], kind);
                    assert_eq!(format!("{}.{}", data["seq"], data["index"]), id);
                    return Some((id, data));
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("an event or the end");
            let data = frame?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The ids of the events until one of this kind about this dialog.
    async fn until(&mut self, kind: &str) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        loop {
            let event = self.next().await.expect("the stream goes on");
            let is_last = event.1["type"] == kind;
            found.push(event);
            if is_last {
                return found;
            }
        }
    }
}

fn ids(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(id, _)| id.as_str()).collect()
}

#[tokio::test]
async fn a_stream_resumes_without_a_gap_or_a_duplicate() {
    let rig = Rig::start().await;
    let mut reader = Reader::open(&rig, "admin", "/v1/events?after=0", None).await;
    for number in 1..=20 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
    }
    let mut seen = Vec::new();
    while seen.len() < 23 {
        seen.push(reader.next().await.unwrap());
    }
    drop(reader);
    // Meanwhile more happens; some of it before and some after the reader is back.
    for number in 21..=40 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
    }
    let last = seen.last().unwrap().0.clone();
    let mut reader = Reader::open(&rig, "admin", "/v1/events?after=0", Some(&last)).await;
    for number in 41..=60 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
    }
    rig.online("dora").await;
    seen.extend(reader.until("operator.presence").await);

    let mut whole = Reader::open(&rig, "admin", "/v1/events?after=0", None).await;
    let whole = whole.until("operator.presence").await;
    assert_eq!(ids(&seen), ids(&whole));
    rig.stop().await;
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_event_can_be_resumed_too() {
    let rig = Rig::start().await;
    let (_, _, mut body) = rig.get("/v1/events").token("admin").open().await;
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = std::str::from_utf8(&first).unwrap();
    let place = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(body);
    rig.telegram("shop", 1, 1, "meanwhile").await.expect(200);
    let mut reader = Reader::open(&rig, "admin", "/v1/events", Some(&place)).await;
    assert_eq!(reader.next().await.unwrap().1["type"], "client.created");
    rig.stop().await;
}

#[tokio::test]
async fn without_an_id_a_stream_begins_now_and_after_a_write_it_begins_with_what_follows() {
    let rig = Rig::start().await;
    rig.telegram("shop", 1, 1, "before").await.expect(200);
    let mut now = Reader::open(&rig, "admin", "/v1/events", None).await;
    let away = rig
        .call(http::Method::PUT, "/v1/operators/anna/presence")
        .token("anna")
        .json(&serde_json::json!({"status": "away"}))
        .send()
        .await
        .expect(200);
    rig.telegram("help", 2, 2, "after").await.expect(200);
    assert_eq!(now.next().await.unwrap().1["type"], "operator.presence");
    let mut after = Reader::open(&rig, "admin", &format!("/v1/events?after={}", away["seq"]), None).await;
    let first = after.next().await.unwrap().1;
    assert!(first["seq"].as_u64() > away["seq"].as_u64());
    assert_eq!(first["line"], "support");
    rig.stop().await;
}

#[tokio::test]
async fn each_reader_sees_what_the_token_may_see() {
    let rig = Rig::with_strategy("broadcast").await;
    rig.online("anna").await;
    rig.online("boris").await;
    rig.telegram("help", 1, 1, "for support").await.expect(200);
    rig.telegram("shop", 2, 2, "for sales").await.expect(200);
    let id = rig.dialogs("anna").await[0]["id"].as_str().unwrap().to_owned();
    rig.post(&format!("/v1/dialogs/{id}/accept")).token("boris").send().await.expect(200);
    rig.telegram("shop", 3, 2, "for boris alone").await.expect(200);
    rig.post(&format!("/v1/dialogs/{id}/close")).token("boris").send().await.expect(200);

    // Anna lost the dialog: she sees that, and nothing else of it.
    let mut anna = Reader::open(&rig, "anna", "/v1/events?after=0", None).await;
    let mut of_anna = Vec::new();
    while of_anna.last().is_none_or(|event: &Value| event["type"] != "dialog.offer_ended") {
        of_anna.push(anna.next().await.unwrap().1);
    }
    assert!(of_anna.iter().all(|event| event["data"]["operator"] == "anna"), "{of_anna:?}");
    assert_eq!(of_anna.last().unwrap()["data"]["end"], "taken_by_other");
    assert!(
        of_anna
            .iter()
            .any(|event| event["type"] == "dialog.offered" && event["data"]["expires_at"].is_string())
    );

    let mut boris = Reader::open(&rig, "boris", "/v1/events?after=0", None).await;
    let of_boris = boris.until("dialog.closed").await;
    assert!(of_boris.iter().all(|(_, event)| event["line"] != "support"));
    assert!(of_boris.iter().any(|(_, event)| event["type"] == "message.received"));

    let mut crm = Reader::open(&rig, "crm", "/v1/events?after=0", None).await;
    let of_crm = crm.until("dialog.closed").await;
    assert!(of_crm.iter().all(|(_, event)| event["dialog"].is_null() || event["line"] == "sales"));

    let address = format!("/v1/events?after=0&type=dialog.accepted,dialog.closed&dialog={id}&line=sales");
    let mut filtered = Reader::open(&rig, "admin", &address, None).await;
    let kinds: Vec<Value> =
        filtered.until("dialog.closed").await.into_iter().map(|(_, event)| event["type"].clone()).collect();
    assert_eq!(kinds, ["dialog.accepted", "dialog.closed"]);

    rig.get("/v1/events").token("watcher").send().await.expect(403);
    rig.stop().await;
}

#[tokio::test]
async fn a_token_bound_to_lines_hears_nothing_of_other_lines_even_about_its_operator() {
    let rig = Rig::start().await;
    rig.accepted("shop", 1, "anna").await;
    rig.telegram("help", 2, 2, "for support").await.expect(200);
    let away = serde_json::json!({"status": "away"});
    let presence = rig.call(http::Method::PUT, "/v1/operators/anna/presence").token("anna").json(&away);
    let last = presence.send().await.expect(200)["seq"].clone();

    let mut unbound = Reader::open(&rig, "anna", "/v1/events?after=0", None).await;
    assert!(unbound.until("dialog.accepted").await.iter().any(|(_, event)| event["line"] == "sales"));
    let mut bound = Reader::open(&rig, "anna-at-support", "/v1/events?after=0", None).await;
    loop {
        let (_, event) = bound.next().await.unwrap();
        assert!(event["line"].is_null(), "{event}");
        if event["seq"] == last {
            break;
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_token_that_is_removed_ends_its_streams() {
    let rig = Rig::start().await;
    let mut reader = Reader::open(&rig, "crm", "/v1/events", None).await;
    std::fs::write(rig.folder().join("operators.yaml"), operators("crm")).unwrap();
    rig.post("/v1/config/reload").token("admin").send().await.expect(200);
    rig.telegram("shop", 1, 1, "hello").await.expect(200);
    // The change itself may still be told: it is made by an entry, and only then counts.
    while let Some((_, event)) = reader.next().await {
        assert_eq!(event["type"], "config.activated");
    }
    rig.get("/v1/events").token("crm").send().await.expect(401);
    rig.stop().await;
}

#[tokio::test]
async fn streams_end_when_the_daemon_stops() {
    let rig = Rig::start().await;
    let mut reader = Reader::open(&rig, "admin", "/v1/events", None).await;
    rig.node().shared().stopping.cancel();
    assert!(reader.next().await.is_none());
    rig.stop().await;
}

#[tokio::test]
async fn a_reader_that_fell_behind_the_live_events_misses_nothing() {
    let rig = Rig::start().await;
    let mut reader = Reader::open(&rig, "admin", "/v1/events?type=message.received", None).await;
    // Nothing is read meanwhile: more groups than a follower may fall behind.
    let handle = &rig.node().shared().handle;
    for first in (1..=1500u64).step_by(50) {
        let calls = (first..first + 50).map(|number| rig.telegram("shop", number, number % 7, "hello"));
        for answer in futures_util::future::join_all(calls).await {
            answer.expect(200);
        }
    }
    assert!(handle.applied_seq() >= 1500);
    for _ in 0..1500 {
        reader.next().await.unwrap();
    }
    rig.stop().await;
}
