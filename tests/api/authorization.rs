//! Who may do what: every route of the table with every kind of caller.
//!
//! Writes carry the version of another day, so that what is allowed ends in a conflict and the rows
//! of the matrix do not depend on one another.

use std::fmt::Write as _;

use serde_json::json;
use switchboard::api::{Access, table};

use super::rig::{Rig, token};

const CALLERS: [&str; 10] =
    ["nobody", "stranger", "expired", "anna", "boris", "vera", "xenia", "erp", "crm", "admin"];

fn body_of(path: &str) -> Option<serde_json::Value> {
    match path.rsplit('/').next()? {
        "messages" | "notes" => Some(json!({"text": "x"})),
        "transfer" => Some(json!({"to": {"operator": "boris"}})),
        "supervisor-rating" => Some(json!({"score": 4})),
        "presence" => Some(json!({"status": "online"})),
        "{id}" => Some(json!({"priority": 1})),
        _ => None,
    }
}

/// 200 for a stream, without waiting for its end.
async fn status(rig: &Rig, caller: &str, route: &switchboard::api::Route, path: &str) -> u16 {
    let mut call = rig.call(route.method.clone(), path);
    call = match caller {
        "nobody" => call,
        "stranger" => call.header("authorization", "Bearer swb_never-seen"),
        name => call.token(name),
    };
    if route.method != http::Method::GET {
        call = call.header("if-match", "\"1\"");
        if let Some(body) = body_of(route.path) {
            call = call.json(&body);
        }
    }
    let (status, headers, _body) = call.open().await;
    if status == 401 {
        assert_eq!(headers["www-authenticate"], "Bearer", "{caller} {path}");
    }
    assert!(!status.is_server_error(), "{caller} {} {path}: {status}", route.method);
    // How far the delivery is at this moment depends on the machine's speed.
    if path.starts_with("/v1/deliveries") && status == 409 { 200 } else { status.as_u16() }
}

#[tokio::test]
async fn each_caller_gets_what_the_role_says_and_no_more() {
    let rig = Rig::start().await;
    let own = rig.accepted("shop", 1, "anna").await;
    let reply = rig
        .post(&format!("/v1/dialogs/{own}/messages"))
        .token("anna")
        .json(&json!({"text": "hello"}))
        .send()
        .await
        .expect(201);
    let delivery = reply["delivery"].as_str().unwrap().to_owned();
    let client =
        rig.get(&format!("/v1/dialogs/{own}")).token("anna").send().await.expect(200)["client"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
    let dialog = rig.get(&format!("/v1/dialogs/{own}")).token("anna").send().await.expect(200);
    let chat = dialog["chat"]["id"].as_str().unwrap().to_owned();
    let file = super::attachments::a_file_of(&rig, &own, "anna").await;
    let mut matrix = format!("{:<42}", "A dialog of anna on the line sales");
    for caller in CALLERS {
        write!(matrix, "{caller:>9}").unwrap();
    }
    matrix.push('\n');
    for route in table().into_iter().filter(|route| route.access == Access::Token) {
        // The configuration is loaded by a test of its own: it takes its time.
        let id = match route.path {
            path if path.starts_with("/v1/dialogs") || path.starts_with("/v1/explain") => own.as_str(),
            path if path.starts_with("/v1/operators") => "anna",
            path if path.starts_with("/v1/lines") => "sales",
            path if path.starts_with("/v1/deliveries") => &delivery,
            path if path.starts_with("/v1/clients") => &client,
            path if path.starts_with("/v1/chats") => &chat,
            path if path.starts_with("/v1/attachments") => &file,
            _ => "",
        };
        let path = route.path.replace("{id}", id);
        write!(matrix, "{:<42}", format!("{} {}", route.method, route.path)).unwrap();
        for caller in CALLERS {
            let found = status(&rig, caller, &route, &path).await;
            write!(matrix, "{found:>9}").unwrap();
        }
        matrix.push('\n');
    }
    insta::assert_snapshot!(matrix);
    rig.stop().await;
}

#[tokio::test]
async fn a_queue_is_seen_by_those_who_serve_it_and_no_others() {
    let rig = Rig::start().await;
    rig.telegram("shop", 1, 1, "for sales").await.expect(200);
    rig.telegram("help", 2, 2, "for support").await.expect(200);
    let mut seen = Vec::new();
    for caller in ["anna", "boris", "dora", "vera", "xenia", "crm", "erp", "admin"] {
        let lines: Vec<String> =
            rig.dialogs(caller).await.iter().map(|item| item["line"].as_str().unwrap().to_owned()).collect();
        seen.push(format!("{caller}: {}", lines.join(" ")));
    }
    assert_eq!(
        seen,
        [
            "anna: sales",
            "boris: sales",
            "dora: support",
            "vera: sales",
            "xenia: support",
            "crm: sales",
            "erp: support",
            "admin: support sales",
        ]
    );
    // A filter is no way around.
    let around = rig.get("/v1/dialogs?line=support").token("anna").send().await.expect(200);
    assert_eq!(around["items"], json!([]));
    rig.get("/v1/lines/support/queue").token("anna").send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn a_token_opens_nothing_when_its_header_is_not_as_it_should_be() {
    let rig = Rig::start().await;
    let good = token("admin");
    for value in [
        good.clone(),
        format!("Basic {good}"),
        format!("Bearer  {good}"),
        format!("Bearer {good} "),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {}", good.trim_end_matches('f')),
        "Bearer ".to_owned(),
        format!("Bearer {}", "x".repeat(5_000)),
    ] {
        let answer = rig.get("/v1/dialogs").header("authorization", &value).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem()),
            (401, "unauthenticated".to_owned()),
            "{value}"
        );
    }
    let twice = format!("Bearer {good}");
    let answer =
        rig.get("/v1/dialogs").header("authorization", &twice).header("authorization", &twice).send().await;
    assert_eq!(answer.status.as_u16(), 401);
    rig.get("/v1/dialogs").header("authorization", &format!("bearer {good}")).send().await.expect(200);
    rig.stop().await;
}

#[tokio::test]
async fn presence_is_set_by_oneself_the_supervisor_and_the_administrator() {
    let rig = Rig::start().await;
    let mut found = Vec::new();
    for caller in ["anna", "boris", "dora", "vera", "xenia", "crm", "watcher", "admin"] {
        let answer = rig
            .call(http::Method::PUT, "/v1/operators/anna/presence")
            .token(caller)
            .json(&json!({"status": "away"}))
            .send()
            .await;
        found.push((caller, answer.status.as_u16()));
    }
    assert_eq!(
        found,
        [
            ("anna", 200),
            ("boris", 403),
            ("dora", 404),
            ("vera", 200),
            ("xenia", 404),
            ("crm", 403),
            ("watcher", 403),
            ("admin", 200)
        ]
    );
    let nobody = rig
        .call(http::Method::PUT, "/v1/operators/nobody/presence")
        .token("admin")
        .json(&json!({"status": "away"}))
        .send()
        .await;
    assert_eq!((nobody.status.as_u16(), nobody.problem()), (404, "not_found".to_owned()));
    rig.stop().await;
}

#[tokio::test]
async fn a_token_that_asks_too_often_waits_and_keeps_nobody_else_from_asking() {
    let rig = Rig::start().await;
    // A wrong request is the cheapest one, and counts as well.
    let ask = async |name: &str| rig.get("/v1/lines?limit=0").token(name).send().await;
    let mut asked = 0;
    let refused = loop {
        let answer = ask("anna").await;
        if answer.status.as_u16() == 429 {
            break answer;
        }
        asked += 1;
        assert!(asked <= 2_000, "there is no end to it");
    };
    assert_eq!(asked, 2_000);
    assert_eq!(
        (refused.problem().as_str(), &refused.headers["retry-after"]),
        ("too_many_requests", &"1".parse().unwrap())
    );
    assert_eq!(ask("boris").await.status.as_u16(), 400);
    rig.pass(1_000);
    assert_eq!(ask("anna").await.status.as_u16(), 400);
    rig.stop().await;
}
