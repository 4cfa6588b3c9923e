//! A messenger to talk to: the Bot API of Telegram and two plain receivers, with faults on demand.
//!
//! It keeps the truth: which calls came, which of them it accepted, and what it answered. Tests use
//! it as a module, people as `cargo run --example messenger`. Nothing of the product calls it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

/// The longest text that Telegram takes, in UTF-16 units.
const TEXT_MAX: usize = 4096;
/// The largest body that is read, in bytes: far above anything that fits into a message.
const BODY_MAX: usize = 1 << 20;
/// Calls that are remembered. A load test must not eat the machine.
const CALLS_MAX: usize = 100_000;
/// Calls that somebody who follows may fall behind.
const FOLLOWED_MAX: usize = 4096;
/// The first message id: real ones are not small either.
const FIRST_MESSAGE_ID: u64 = 1001;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub(crate) enum Fault {
    /// 429, with the seconds to wait.
    TooManyRequests {
        /// Seconds.
        retry_after: u64,
    },
    /// 500 in the form of the Bot API.
    InternalError,
    /// 502 with a page of HTML, as a proxy on the way answers.
    HtmlBadGateway,
    /// 403: the client blocked the bot.
    Blocked,
    /// The message is accepted, and the connection ends before the answer.
    AcceptThenDrop,
    /// The message is accepted, and the answer comes late.
    Slow {
        /// Milliseconds.
        delay_ms: u64,
    },
}

/// A call that came.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    /// 1, 2, 3 …
    pub(crate) number: usize,
    /// When, in ms since the Unix epoch.
    pub(crate) at_ms: u64,
    /// `sendMessage`, `answerCallbackQuery`, `getMe`, `hooks`, `erp/reply`.
    pub(crate) method: String,
    /// The body.
    pub(crate) body: Value,
    /// Whether the message counts as sent to the client.
    pub(crate) accepted: bool,
    /// The status of the answer; `None` when the connection was dropped.
    pub(crate) status: Option<u16>,
    /// What went wrong on demand.
    pub(crate) fault: Option<Fault>,
    /// The identifier given to an accepted message.
    pub(crate) message_id: Option<u64>,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`, `idempotency-key`, as far as they came.
    pub(crate) headers: BTreeMap<String, String>,
    /// Whether the signature of a notification fits; `None` when it was not checked.
    pub(crate) signature_valid: Option<bool>,
}

impl Call {
    /// The text of the message.
    pub(crate) fn text(&self) -> &str {
        self.body.get("text").and_then(Value::as_str).unwrap_or_default()
    }
}

/// In one line, for people.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |name: &str| match self.body.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "-".to_owned(),
        };
        write!(f, "{:>4}  {} ", self.number, self.method)?;
        match self.method.as_str() {
            "sendMessage" => {
                write!(f, "to chat {}: {}", field("chat_id"), self.text().replace(char::is_control, " "))?;
                let rows = self.body.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array);
                for row in rows.into_iter().flatten() {
                    write!(f, " [{}]", row.pointer("/0/text").and_then(Value::as_str).unwrap_or_default())?;
                }
            }
            "answerCallbackQuery" => write!(f, "for button {}", field("callback_query_id"))?,
            "hooks" => {
                let signature = match self.signature_valid {
                    Some(true) => "valid",
                    Some(false) => "WRONG",
                    None => "not checked, HOOK_SECRET is not set",
                };
                write!(f, "{} {} (signature: {signature})", field("type"), field("data"))?;
            }
            _ => write!(f, "{}", self.body)?,
        }
        match (self.status, self.accepted) {
            (Some(status), true) => write!(f, "  -> {status}"),
            (Some(status), false) => write!(f, "  -> refused with {status}"),
            (None, _) => write!(f, "  -> accepted, and the connection dropped"),
        }
    }
}

/// What the messenger knows and what it is told to do wrong.
#[derive(Debug)]
pub(crate) struct Desk {
    calls: Mutex<Vec<Call>>,
    faults: Mutex<VecDeque<Fault>>,
    followers: broadcast::Sender<Call>,
    hook_secret: Option<String>,
}

/// A running messenger. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Messenger {
    desk: Arc<Desk>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Deref for Messenger {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Drop for Messenger {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Messenger {
    /// Starts on a listener. `hook_secret` is the secret of the endpoint that posts to `/hooks`.
    pub(crate) fn start(listener: TcpListener, hook_secret: Option<String>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (followers, _) = broadcast::channel(FOLLOWED_MAX);
        let desk = Arc::new(Desk {
            calls: Mutex::new(Vec::new()),
            faults: Mutex::new(VecDeque::new()),
            followers,
            hook_secret,
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Ok(Self { desk, address, server })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Marks an answer that must not reach the caller.
#[derive(Debug, Clone, Copy)]
struct DropConnection;

/// Our own loop rather than `axum::serve`: only so can a connection end without an answer.
async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let router = router(desk);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let router = router.clone();
                async move {
                    let response = match router.oneshot(request.map(Body::new)).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    };
                    if response.extensions().get::<DropConnection>().is_some() {
                        return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
                    }
                    Ok(response)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // A caller that went away is its own matter.
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn router(desk: Arc<Desk>) -> axum::Router {
    axum::Router::new()
        .route("/{bot}/{method}", any(bot_api))
        .route("/hooks", post(hooks))
        .route("/erp/reply", post(erp_reply))
        .route("/sent", get(sent))
        .route("/faults", post(faults))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(desk)
}

/// All calls, in order.
async fn sent(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(json!({ "calls": *desk.calls.lock() }))
}

#[derive(Debug, Deserialize)]
struct Programme {
    /// How many of the next calls go wrong.
    times: usize,
    #[serde(flatten)]
    fault: Fault,
}

/// `{"times": 2, "fault": "too_many_requests", "retry_after": 1}`.
async fn faults(State(desk): State<Arc<Desk>>, Json(programme): Json<Programme>) -> StatusCode {
    desk.fail_next(programme.times, programme.fault);
    StatusCode::NO_CONTENT
}

async fn bot_api(
    State(desk): State<Arc<Desk>>,
    Path((bot, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let token = bot.strip_prefix("bot").and_then(|token| token.split_once(':'));
    let Some(bot_id) = token.and_then(|(id, _)| id.parse::<u64>().ok()) else {
        return bot_api_refusal(StatusCode::NOT_FOUND, "Not Found");
    };
    let me = json!({ "id": bot_id, "is_bot": true, "first_name": "Shop", "username": "shop_bot" });
    let incoming = Incoming::new(&method, &headers, &body);
    match method.as_str() {
        "getMe" => desk.take(incoming, |_, _| Ok(ok(&me))).await,
        "answerCallbackQuery" => desk.take(incoming, |_, _| Ok(ok(&json!(true)))).await,
        "sendMessage" => desk.take(incoming, |sent, id| message(sent, &me, id)).await,
        _ => bot_api_refusal(StatusCode::NOT_FOUND, "Not Found: method not found"),
    }
}

/// The message as the Bot API returns it, or the description of its refusal.
fn message(sent: &Value, me: &Value, message_id: u64) -> Result<Value, &'static str> {
    let text = sent.get("text").and_then(Value::as_str).unwrap_or_default();
    let chat = sent.get("chat_id").cloned().unwrap_or_default();
    if chat.is_null() {
        return Err("Bad Request: chat_id is empty");
    }
    if text.trim().is_empty() {
        return Err("Bad Request: message text is empty");
    }
    if text.encode_utf16().count() > TEXT_MAX {
        return Err("Bad Request: message is too long");
    }
    Ok(ok(&json!({
        "message_id": message_id,
        "from": me,
        "chat": { "id": chat, "first_name": "Client", "type": "private" },
        "date": now_ms() / 1000,
        "text": text,
    })))
}

async fn hooks(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut incoming = Incoming::new("hooks", &headers, &body);
    incoming.signature_valid =
        desk.hook_secret.as_deref().map(|secret| signature_fits(secret, &incoming.headers, &body));
    desk.take(incoming, |_, _| Ok(json!({ "received": true }))).await
}

async fn erp_reply(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let incoming = Incoming::new("erp/reply", &headers, &body);
    desk.take(incoming, |_, id| Ok(json!({ "id": format!("erp-{id}") }))).await
}

/// A call before it is judged.
struct Incoming {
    method: String,
    body: Value,
    headers: BTreeMap<String, String>,
    signature_valid: Option<bool>,
}

impl Incoming {
    fn new(method: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let kept = ["webhook-id", "webhook-timestamp", "webhook-signature", "idempotency-key"];
        let headers = kept
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
            .collect();
        let body = serde_json::from_slice(body).unwrap_or_default();
        Self { method: method.to_owned(), body, headers, signature_valid: None }
    }
}

impl Desk {
    /// Everything that came, and everything that comes from now on, without a gap.
    pub(crate) fn follow(&self) -> (Vec<Call>, broadcast::Receiver<Call>) {
        let calls = self.calls.lock();
        (calls.clone(), self.followers.subscribe())
    }

    /// Makes the next calls go wrong, after those that go wrong already.
    pub(crate) fn fail_next(&self, times: usize, fault: Fault) {
        self.faults.lock().extend(std::iter::repeat_n(fault, times.min(CALLS_MAX)));
    }

    /// Judges a call, remembers it and answers it. `accept` gives the answer of an accepted call, or the
    /// description of its refusal.
    async fn take(
        &self,
        incoming: Incoming,
        accept: impl FnOnce(&Value, u64) -> Result<Value, &'static str>,
    ) -> Response<Body> {
        let fault = self.faults.lock().pop_front();
        let (response, delay) = self.judge(incoming, fault, accept);
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        response
    }

    fn judge(
        &self,
        incoming: Incoming,
        fault: Option<Fault>,
        accept: impl FnOnce(&Value, u64) -> Result<Value, &'static str>,
    ) -> (Response<Body>, Option<Duration>) {
        let Incoming { method, body, headers, signature_valid } = incoming;
        let mut calls = self.calls.lock();
        let accepted_before = calls.iter().filter(|call| call.accepted).count();
        let message_id = FIRST_MESSAGE_ID.saturating_add(accepted_before.try_into().unwrap_or(u64::MAX));
        let (response, accepted, delay) = match fault.and_then(refusal_of) {
            Some(refusal) => (refusal, false, None),
            None => match (accept(&body, message_id), fault) {
                (Err(description), _) => (bot_api_refusal(StatusCode::BAD_REQUEST, description), false, None),
                (Ok(_), Some(Fault::AcceptThenDrop)) => {
                    let mut response = StatusCode::OK.into_response();
                    response.extensions_mut().insert(DropConnection);
                    (response, true, None)
                }
                (Ok(answer), Some(Fault::Slow { delay_ms })) => {
                    (Json(answer).into_response(), true, Some(Duration::from_millis(delay_ms)))
                }
                (Ok(answer), _) => (Json(answer).into_response(), true, None),
            },
        };
        let dropped = response.extensions().get::<DropConnection>().is_some();
        let call = Call {
            number: calls.len().saturating_add(1),
            at_ms: now_ms(),
            method,
            body,
            accepted,
            status: (!dropped).then_some(response.status().as_u16()),
            fault,
            message_id: accepted.then_some(message_id),
            headers,
            signature_valid,
        };
        if calls.len() < CALLS_MAX {
            calls.push(call.clone());
        }
        // Under the lock, so that who follows misses nothing. Nobody has to follow.
        drop(self.followers.send(call));
        (response, delay)
    }
}

/// The answer of a fault that refuses the call.
fn refusal_of(fault: Fault) -> Option<Response<Body>> {
    match fault {
        Fault::TooManyRequests { retry_after } => {
            let body = json!({
                "ok": false,
                "error_code": 429,
                "description": format!("Too Many Requests: retry after {retry_after}"),
                "parameters": { "retry_after": retry_after },
            });
            let wait = [(header::RETRY_AFTER, retry_after.to_string())];
            Some((StatusCode::TOO_MANY_REQUESTS, wait, Json(body)).into_response())
        }
        Fault::InternalError => {
            Some(bot_api_refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
        }
        Fault::HtmlBadGateway => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
            Some((StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response())
        }
        Fault::Blocked => {
            Some(bot_api_refusal(StatusCode::FORBIDDEN, "Forbidden: bot was blocked by the user"))
        }
        Fault::AcceptThenDrop | Fault::Slow { .. } => None,
    }
}

fn ok(result: &Value) -> Value {
    json!({ "ok": true, "result": result })
}

fn bot_api_refusal(status: StatusCode, description: &str) -> Response<Body> {
    let body = json!({ "ok": false, "error_code": status.as_u16(), "description": description });
    (status, Json(body)).into_response()
}

/// Checks a notification as a receiver would, from the Standard Webhooks specification alone.
fn signature_fits(secret: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).unwrap_or_default(),
        None => secret.as_bytes().to_vec(),
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(body);
    header("webhook-signature").split(' ').any(|signature| {
        let encoded = signature.strip_prefix("v1,").unwrap_or_default();
        STANDARD.decode(encoded).is_ok_and(|given| mac.clone().verify_slice(&given).is_ok())
    })
}

#[expect(clippy::disallowed_methods, reason = "a messenger has a clock of its own")]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis().try_into().unwrap_or(u64::MAX))
}
