//! A running node over a folder of its own, and a client of its router.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard::api;
use switchboard::model::hexadecimal;
use switchboard::node::{Clock, Node, Options, Watch, start};
use tower::ServiceExt;

/// The first moment of each test: a Monday, 9:00 UTC.
pub(super) const START_MS: u64 = 1_772_442_000_000;

/// The secret that Telegram sends along.
pub(super) const TELEGRAM_SECRET: &str = "telegram-secret-4711";

/// A node with its router.
pub(super) struct Rig {
    node: Node,
    router: Router,
    folder: tempfile::TempDir,
    time: Arc<AtomicU64>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as JSON, of an answer that must have this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The code, if this is a problem.
    pub(super) fn problem_or_nothing(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The code of a problem, with a check of its form.
    #[track_caller]
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let body = self.json();
        for member in ["type", "title", "status", "detail", "code", "errors"] {
            assert!(body.get(member).is_some(), "{body}");
        }
        assert_eq!(body["status"], self.status.as_u16());
        body["code"].as_str().unwrap().to_owned()
    }
}

/// A request in the making.
pub(super) struct Call<'a> {
    rig: &'a Rig,
    request: http::request::Builder,
    body: Body,
}

impl Call<'_> {
    /// With the token of an operator or integration of the rig.
    pub(super) fn token(self, name: &str) -> Self {
        let token = token(name);
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        let mut call = self.header("content-type", "application/json");
        call.body = Body::from(body.to_string());
        call
    }

    pub(super) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub(super) async fn send(self) -> Answer {
        let (status, headers, body) = self.open().await;
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status, headers, body }
    }

    /// Sends it and leaves the body to be read.
    pub(super) async fn open(self) -> (StatusCode, HeaderMap, Body) {
        let request = self.request.body(self.body).unwrap();
        let response = self.rig.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body)
    }
}

/// The text of a token of the rig.
pub(super) fn token(name: &str) -> String {
    format!("swb_test-token-of-{name}-0123456789abcdef")
}

fn token_line(name: &str, rest: &str) -> String {
    let hash = hexadecimal::encode(&Sha256::digest(token(name).as_bytes()));
    format!("  - {{id: {name}, {rest}, hash: \"sha256:{hash}\"}}\n")
}

/// The file of operators; `without` leaves a token out.
pub(super) fn operators(without: &str) -> String {
    let tokens = [
        ("anna", "operator: anna"),
        ("boris", "operator: boris"),
        ("dora", "operator: dora"),
        ("vera", "operator: vera"),
        ("xenia", "operator: xenia"),
        ("admin", "role: admin"),
        ("crm", "role: integration, lines: [sales]"),
        ("erp", "role: integration, lines: [support]"),
        ("watcher", "role: watcher"),
        ("anna-at-support", "operator: anna, lines: [support]"),
        ("expired", "role: admin, expires: 2026-03-01"),
    ];
    let tokens: String = tokens
        .iter()
        .filter(|(name, _)| *name != without)
        .map(|(name, rest)| token_line(name, rest))
        .collect();
    format!(
        "version: 1
operators:
  anna: {{name: Anna, teams: [sales], capacity: 5}}
  boris: {{name: Boris, teams: [sales], capacity: 5}}
  dora: {{name: Dora, teams: [support]}}
  vera: {{name: Vera, role: supervisor}}
  xenia: {{name: Xenia, role: supervisor}}
teams:
  sales: {{lines: [sales], supervisors: [vera]}}
  support: {{lines: [support], supervisors: [xenia]}}
roles:
  watcher: {{reports: any}}
tokens:
{tokens}"
    )
}

const CHANNELS: &str = "version: 1
channels:
  shop:
    kind: telegram
    line: sales
    token: {file: FOLDER/telegram-token}
    webhook_secret: {file: FOLDER/telegram-secret}
    api_base: http://127.0.0.1:9
  help:
    kind: telegram
    line: support
    token: {file: FOLDER/telegram-token}
    webhook_secret: {file: FOLDER/telegram-secret}
    api_base: http://127.0.0.1:9
  dark:
    kind: telegram
    line: sales
    token: {file: FOLDER/telegram-token}
    webhook_secret: {file: FOLDER/no-such-file}
";

const LINES: &str = "version: 1
lines:
  sales:
    name: Sales
    routing: {strategy: STRATEGY, operators: [anna, boris], offer_timeout: 60s}
  support:
    name: Support
    routing: {strategy: in_order, operators: [dora], offer_timeout: 60s}
";

impl Rig {
    /// A node whose line `sales` asks its operators in order.
    pub(super) async fn start() -> Self {
        Self::with_strategy("in_order").await
    }

    /// A node whose line `sales` has this strategy.
    pub(super) async fn with_strategy(strategy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("switchboard.yaml", "version: 1\noutbound: {allow_private: [\"127.0.0.0/8\"]}\n");
        write("channels.yaml", &CHANNELS.replace("FOLDER", folder.path().to_str().unwrap()));
        write("lines.yaml", &LINES.replace("STRATEGY", strategy));
        write("operators.yaml", &operators(""));
        write("templates.yaml", "version: 1\ntemplates:\n  hello: {text: \"Hello {{ client.name }}\"}\n");
        write("telegram-token", "1234567:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        write("telegram-secret", TELEGRAM_SECRET);
        let time = Arc::new(AtomicU64::new(START_MS));
        Self::over(folder, time).await
    }

    /// A node over a folder, as it is found there.
    async fn over(folder: tempfile::TempDir, time: Arc<AtomicU64>) -> Self {
        let options = Options {
            folder: folder.path().to_owned(),
            data: Some(folder.path().join("data")),
            watch: Watch::Nothing,
            clock: Clock::by_hand(Arc::clone(&time)),
        };
        let node = match start::start(options, &mut |_| {}).await {
            Ok(node) => node,
            Err(error) => panic!("the node does not start: {error:?}"),
        };
        let router = api::router(node.shared().clone());
        Self { node, router, folder, time }
    }

    /// Stops the node and starts it again over the same folder.
    pub(super) async fn restart(self) -> Self {
        let Self { node, router, folder, time } = self;
        node.shared().stopping.cancel();
        drop(router);
        node.stop().await.unwrap();
        Self::over(folder, time).await
    }

    pub(super) const fn node(&self) -> &Node {
        &self.node
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets time pass for the node.
    pub(super) fn pass(&self, ms: u64) {
        self.time.fetch_add(ms, Ordering::SeqCst);
    }

    pub(super) fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call { rig: self, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    pub(super) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    /// A client writes in Telegram.
    pub(super) async fn telegram(&self, channel: &str, number: u64, chat: u64, text: &str) -> Answer {
        self.post(&format!("/webhooks/{channel}"))
            .header("x-telegram-bot-api-secret-token", TELEGRAM_SECRET)
            .json(&update(number, chat, text))
            .send()
            .await
    }

    /// An operator goes online.
    pub(super) async fn online(&self, operator: &str) {
        self.call(Method::PUT, &format!("/v1/operators/{operator}/presence"))
            .token(operator)
            .json(&json!({"status": "online"}))
            .send()
            .await
            .expect(200);
    }

    /// The dialogs that somebody sees, newest first.
    pub(super) async fn dialogs(&self, name: &str) -> Vec<Value> {
        let list = self.get("/v1/dialogs").token(name).send().await.expect(200);
        list["items"].as_array().unwrap().clone()
    }

    /// A client writes and an operator accepts: the dialog's id.
    pub(super) async fn accepted(&self, channel: &str, number: u64, operator: &str) -> String {
        self.telegram(channel, number, number, "hello").await.expect(200);
        self.online(operator).await;
        let id = self.dialogs(operator).await[0]["id"].as_str().unwrap().to_owned();
        self.post(&format!("/v1/dialogs/{id}/accept")).token(operator).send().await.expect(200);
        id
    }

    pub(super) async fn stop(self) {
        self.node.shared().stopping.cancel();
        drop(self.router);
        self.node.stop().await.unwrap();
    }
}

/// An update of Telegram with a text of a person in a private chat.
pub(super) fn update(number: u64, chat: u64, text: &str) -> Value {
    json!({
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_772_442_000,
            "from": {"id": chat, "is_bot": false, "first_name": "Ivan", "language_code": "en"},
            "chat": {"id": chat, "type": "private", "first_name": "Ivan"},
            "text": text,
        }
    })
}
