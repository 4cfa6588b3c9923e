//! Bad input: each kind has its answer, none is a 5xx, and nothing that was sent comes back.

use http::Method;
use serde_json::{Value, json};

use super::rig::Rig;

const MARK: &str = "sent-by-the-client";

#[tokio::test]
async fn a_bad_body_has_a_4xx_that_repeats_nothing() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let messages = format!("/v1/dialogs/{id}/messages");
    let deep = format!("{{\"text\": {}\"x\"{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("{{\"text\": \"{}\"}}", "x".repeat(300 * 1024));
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(20_001));
    let table: &[(&str, &str, u16, &str)] = &[
        ("application/json", "{\"text\": \"sent-by-the-client", 400, "malformed_json"),
        ("application/json", "{'text': 'sent-by-the-client'}", 400, "malformed_json"),
        ("application/json", "{\"text\": \"sent-by-the-client\\u0000\"}", 400, "malformed_json"),
        ("application/json", "{\"text\": \"sent-by-the-client\0\"}", 400, "malformed_json"),
        ("application/json", "{\"text\": \"\\ud800 sent-by-the-client\"}", 400, "malformed_json"),
        ("application/json", &deep, 400, "malformed_json"),
        ("application/json", &large, 413, "body_too_large"),
        ("application/json", &long, 422, "invalid_fields"),
        ("application/json", "[\"sent-by-the-client\"]", 422, "invalid_fields"),
        ("application/json", "\"sent-by-the-client\"", 422, "invalid_fields"),
        ("application/json", "{\"text\": {\"sent-by-the-client\": 1}}", 422, "invalid_fields"),
        ("application/json", "{\"text\": \"x\", \"<sent-by-the-client>\": 1}", 422, "invalid_fields"),
        (
            "application/json",
            "{\"text\": \"x\", \"buttons\": [\"sent-by-the-client\"]}",
            422,
            "invalid_fields",
        ),
        ("application/json", "{\"template\": \"Sent-by-the-client\"}", 422, "invalid_fields"),
        ("application/json", "{\"template\": \"sent-by-the-client\"}", 422, "unknown_template"),
        (
            "application/json",
            "{\"text\": \"x\", \"reply_to\": \"sent-by-the-client\"}",
            422,
            "invalid_fields",
        ),
        ("application/json", "{\"text\": \"x\", \"reply_to\": \"m-999\"}", 422, "invalid_fields"),
        ("application/json", "{\"text\": \"x\", \"attachments\": 7}", 422, "invalid_fields"),
        ("application/json", "{\"text\": \"  \"}", 422, "empty_text"),
        ("application/json", "{}", 422, "invalid_fields"),
        ("application/json", "", 422, "invalid_fields"),
        ("text/plain", "{\"text\": \"sent-by-the-client\"}", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "text=sent-by-the-client", 415, "unsupported_media_type"),
    ];
    for (media_type, body, status, code) in table {
        let answer = rig
            .post(&messages)
            .token("anna")
            .header("content-type", media_type)
            .body((*body).to_owned())
            .send()
            .await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (*status, *code), "{shown}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(MARK), "{shown}");
    }
    let all = rig.get(&messages).token("anna").send().await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "nothing was written");
    rig.stop().await;
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let answer = rig
        .call(Method::PATCH, &format!("/v1/dialogs/{id}"))
        .token("anna")
        .json(&json!({"priority": "highest", "topic": "No Such", "tags": "vip", "custom": [], "colour": 1}))
        .send()
        .await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (422, "invalid_fields".to_owned()));
    let fields: Vec<Value> =
        answer.json()["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(fields, ["/priority", "/topic", "/tags", "/custom", "/colour"]);
    for body in
        [json!({}), json!({"to": {}}), json!({"to": {"operator": "a", "team": "b"}}), json!({"to": 1})]
    {
        let answer = rig.post(&format!("/v1/dialogs/{id}/transfer")).token("anna").json(&body).send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (422, "invalid_fields".to_owned()), "{body}");
        assert!(answer.json()["errors"][0]["field"].as_str().unwrap().starts_with("/to"), "{body}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn own_fields_of_a_dialog_have_an_end() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let path = format!("/v1/dialogs/{id}");
    let set = |field: &str, length: usize| {
        let body = json!({"custom": {field: "x".repeat(length)}});
        rig.call(Method::PATCH, &path).token("anna").json(&body)
    };
    set("first", 40_000).send().await.expect(200);
    let answer = set("second", 40_000).send().await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (422, "custom_too_large".to_owned()));
    set("first", 10).send().await.expect(200);
    set("second", 40_000).send().await.expect(200);
    rig.stop().await;
}

#[tokio::test]
async fn a_bad_query_is_400_with_the_names_of_the_parameters() {
    let rig = Rig::start().await;
    let table = [
        ("/v1/dialogs?limit=0", "limit"),
        ("/v1/dialogs?limit=201", "limit"),
        ("/v1/dialogs?limit=many", "limit"),
        ("/v1/dialogs?colour=red", "colour"),
        ("/v1/dialogs?status=asleep", "status"),
        ("/v1/dialogs?sort=random", "sort"),
        ("/v1/dialogs?line=a&line=b", "line"),
        ("/v1/dialogs?line=../x", "line"),
        ("/v1/dialogs?owner=%00", "owner"),
        ("/v1/dialogs?client=17", "client"),
        ("/v1/dialogs?priority=1e9", "priority"),
        ("/v1/dialogs?opened_from=yesterday", "opened_from"),
        ("/v1/dialogs?cursor=made-up", "cursor"),
        ("/v1/deliveries?state=lost", "state"),
        ("/v1/events?type=message.invented", "type"),
        ("/v1/events?after=x", "after"),
        ("/v1/config?verbose=1", "verbose"),
        ("/v1/lines?verbose=1", "verbose"),
        ("/v1/lines?cursor=made-up", "cursor"),
        ("/v1/lines/sales/queue?cursor=queue/sales.x", "cursor"),
    ];
    for (address, name) in table {
        let answer = rig.get(address).token("admin").send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (400, "invalid_parameter"),
            "{address}"
        );
        assert_eq!(answer.json()["errors"][0]["field"], name, "{address}");
    }
    let search = rig.get("/v1/dialogs?q=refund").token("admin").send().await;
    assert_eq!((search.status.as_u16(), search.problem()), (400, "not_supported_yet".to_owned()));
    let ahead = rig.get("/v1/events?after=999999").token("admin").send().await;
    assert_eq!((ahead.status.as_u16(), ahead.problem()), (400, "unknown_event_id".to_owned()));
    let strange = rig.get("/v1/events").token("admin").header("last-event-id", "x").send().await;
    assert_eq!((strange.status.as_u16(), strange.problem()), (400, "invalid_event_id".to_owned()));
    rig.stop().await;
}

#[tokio::test]
async fn writes_and_the_daemons_own_routes_take_no_parameters() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let routes = switchboard::api::table();
    let own = ["/healthz", "/readyz", "/metrics"];
    let silent = routes.into_iter().filter(|route| {
        own.contains(&route.path) || (route.path.starts_with("/v1") && route.method != Method::GET)
    });
    let mut count = 0;
    for route in silent {
        let path = format!("{}?dry_run=1", route.path.replace("{id}", &id));
        let answer = rig.call(route.method.clone(), &path).token("admin").send().await;
        // A path may name something else than a dialog: then that comes first.
        if route.path.starts_with("/v1/deliveries") || route.path.starts_with("/v1/chats/") {
            assert_eq!(answer.status.as_u16(), 404, "{path}");
            continue;
        }
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "invalid_parameter"), "{path}");
        assert_eq!(answer.json()["errors"][0]["field"], "dry_run", "{path}");
        count += 1;
    }
    assert!(count >= 12, "{count}");
    rig.post("/v1/dialogs/d-1/close?dry_run=1").send().await.expect(401);
    rig.stop().await;
}

#[tokio::test]
async fn an_offer_is_answered_only_at_the_version_that_was_seen() {
    let rig = Rig::start().await;
    rig.online("anna").await;
    rig.online("boris").await;
    rig.telegram("shop", 1, 1, "hello").await.expect(200);
    let id = rig.dialogs("anna").await[0]["id"].as_str().unwrap().to_owned();
    let seen = rig.get(&format!("/v1/dialogs/{id}")).token("anna").send().await;
    let version = seen.headers["etag"].to_str().unwrap().to_owned();
    for verb in ["accept", "decline"] {
        let path = format!("/v1/dialogs/{id}/{verb}");
        let answer = rig.post(&path).token("anna").header("if-match", "\"1\"").send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem()),
            (409, "version_mismatch".to_owned()),
            "{verb}"
        );
        assert_eq!(format!("\"{}\"", answer.json()["current"]), version, "{verb}");
    }
    let path = format!("/v1/dialogs/{id}/accept");
    rig.post(&path).token("anna").header("if-match", &version).send().await.expect(200);
    rig.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_404_alike_and_what_cannot_be_done_is_405() {
    let rig = Rig::start().await;
    let mut bodies = Vec::new();
    for path in [
        "/v1/dialogs/d-999",
        "/v1/dialogs/d-007",
        "/v1/dialogs/x",
        "/v1/dialogs/%00",
        "/v1/dialogs/%FF",
        "/v1/dialogs/d-18446744073709551616",
        "/v1/dialogs/d-1/messages",
        "/v1/dialogs/d-1/explain",
        "/v1/lines/nowhere/queue",
        "/v1/deliveries/e-999",
        "/v1/clients/c-999",
        "/v1/nothing",
        "/",
    ] {
        let answer = rig.get(path).token("admin").send().await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (404, "not_found"), "{path}");
        bodies.push(answer.json());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    let method = rig.call(Method::DELETE, "/v1/dialogs/d-1").token("admin").send().await;
    assert_eq!((method.status.as_u16(), method.problem()), (405, "method_not_allowed".to_owned()));
    let allow = method.headers["allow"].to_str().unwrap();
    assert!(allow.contains("GET") && allow.contains("PATCH"), "{allow}");
    rig.stop().await;
}

#[tokio::test]
async fn answers_of_the_api_are_not_kept_by_caches_and_carry_a_request_id() {
    let rig = Rig::start().await;
    let answer = rig.get("/v1/dialogs").token("admin").header("x-request-id", "abc-1").send().await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["x-request-id"], "abc-1");
    let answer = rig.get("/v1/dialogs").token("admin").header("x-request-id", "<bad>").send().await;
    assert_eq!(answer.headers["x-request-id"].len(), 16);
    for (method, path) in
        [(Method::GET, "/v1/nothing"), (Method::DELETE, "/v1/lines"), (Method::GET, "/readyz")]
    {
        let answer = rig.call(method, path).send().await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_the_messenger_would_refuse_is_refused_with_its_place_before_it_is_written() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let reply = |body: Value| rig.post(&format!("/v1/dialogs/{id}/messages")).token("anna").json(&body);
    let button = |title: &str, data: &str| json!({"title": title, "data": data});
    let long = "я".repeat(33);
    let table = [
        (json!([button("A", "a"), button("B", &long), button(" ", "b")]), "/buttons/1/data /buttons/2/title"),
        (json!([button("A", "")]), "/buttons/0/data"),
    ];
    for (buttons, places) in table {
        let answer = reply(json!({"text": "Choose", "buttons": buttons})).send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (422, "not_carried".to_owned()));
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        let named: Vec<&str> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named.join(" "), places);
    }
    let empty = reply(json!({"text": "  "})).send().await;
    assert_eq!((empty.status.as_u16(), empty.problem()), (422, "empty_text".to_owned()));
    assert_eq!(empty.json()["errors"][0]["field"], "/text");
    let all = rig.get(&format!("/v1/dialogs/{id}/messages")).token("anna").send().await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "nothing was written");
    // The longest that fits goes through.
    let fits = json!([button("A", &"я".repeat(32))]);
    reply(json!({"text": "Choose", "buttons": fits})).send().await.expect(201);
    // Who may not see the dialog learns nothing of its messenger.
    let foreign = rig.post(&format!("/v1/dialogs/{id}/messages")).token("dora");
    foreign.json(&json!({"text": "x", "buttons": [button("A", &long)]})).send().await.expect(404);
    rig.stop().await;
}
