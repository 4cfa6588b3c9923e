//! The messengers' side of the wire.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::e2e::waiting::{DEADLINE, eventually};

use super::kinds::{Kind, Post};

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// This answer in place of the message's delivery.
    Answer { status: u16, headers: &'static [(&'static str, &'static str)], body: String },
    /// The message is delivered, and the connection ends before the answer.
    AcceptThenDrop,
    /// The connection ends before anything is delivered.
    Drop,
    /// The message is delivered, and the answer comes late.
    Slow(Duration),
}

/// A call that came.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: String,
}

impl Call {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A field of a form, or of the query.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let pairs = self.body.split('&').chain(self.query.split('&'));
        let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        found.map(|(_, value)| unescaped(value))
    }
}

/// A text that a client has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) chat: String,
    pub(super) text: String,
    /// The id that the messenger gave it.
    pub(super) id: String,
    /// What the sender gave along so that a repetition is known, where the messenger has such a thing.
    pub(super) key: Option<String>,
}

#[derive(Debug, Default)]
struct Desk {
    calls: Mutex<Vec<Call>>,
    delivered: Mutex<Vec<Delivered>>,
    faults: Mutex<VecDeque<Fault>>,
}

/// A running messenger. It ends when this is dropped.
pub(super) struct Emulator {
    desk: Arc<Desk>,
    base: String,
    server: JoinHandle<()>,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Emulator {
    pub(super) async fn start(kind: &'static Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let server = tokio::spawn(serve(listener, kind, Arc::clone(&desk)));
        Self { desk, base, server }
    }

    /// Where its API is.
    pub(super) fn base(&self) -> String {
        self.base.clone()
    }

    /// Makes the next sends go wrong, in this order.
    pub(super) fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.desk.faults.lock().extend(faults);
    }

    /// Everything that clients have, in order.
    pub(super) fn delivered(&self) -> Vec<Delivered> {
        self.desk.delivered.lock().clone()
    }

    /// Every call that came.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.desk.calls.lock().clone()
    }

    /// Waits until the client has a text, and gives how often they have it.
    pub(super) async fn has(&self, text: &str) -> usize {
        let count = || self.delivered().iter().filter(|delivered| delivered.text == text).count();
        eventually(&format!("the client has {text:?}"), || async { Some(count()).filter(|count| *count > 0) })
            .await
    }
}

async fn serve(listener: TcpListener, kind: &'static Kind, desk: Arc<Desk>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let desk = Arc::clone(&desk);
                async move { answer(kind, &desk, request).await }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // A caller that went away is its own matter.
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    kind: &'static Kind,
    desk: &Desk,
    request: Request<hyper::body::Incoming>,
) -> std::io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let call = Call {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    desk.calls.lock().push(call.clone());
    let Some(sent) = (kind.sent)(&call) else { return Ok(json_answer(200, (kind.aside)(&call).to_string())) };
    let fault = desk.faults.lock().pop_front();
    let dropped = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    match fault {
        Some(Fault::Answer { status, headers, body }) => {
            let mut answer = json_answer(status, body);
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            return Ok(answer);
        }
        Some(Fault::Drop) => return Err(dropped()),
        Some(Fault::AcceptThenDrop) => {
            deliver(kind, desk, sent);
            return Err(dropped());
        }
        Some(Fault::Slow(delay)) => {
            let id = deliver(kind, desk, sent);
            tokio::time::sleep(delay).await;
            return Ok(json_answer(200, (kind.receipt)(&id).to_string()));
        }
        None => {}
    }
    let id = deliver(kind, desk, sent);
    Ok(json_answer(200, (kind.receipt)(&id).to_string()))
}

/// Delivers a text, unless the messenger knows it by its key already; gives its id.
fn deliver(kind: &Kind, desk: &Desk, mut sent: Delivered) -> String {
    let mut delivered = desk.delivered.lock();
    let known = delivered.iter().find(|before| before.key.is_some() && before.key == sent.key);
    if let Some(known) = known {
        return known.id.clone();
    }
    sent.id = (kind.id)(delivered.len() + 1);
    let id = sent.id.clone();
    delivered.push(sent);
    id
}

fn json_answer(status: u16, body: String) -> Response<Body> {
    let media_type = if body.starts_with('<') { "text/html" } else { "application/json" };
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
    answer
}

/// A text out of a form.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Posts to the daemon as the messenger does; gives the status.
pub(super) async fn post(daemon: &str, kind: &Kind, post: &Post) -> u16 {
    let url: Uri = format!("{daemon}/webhooks/{}", kind.name).parse().unwrap();
    let mut request = Request::builder().method(Method::POST).uri(url);
    for (name, value) in &post.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(post.body.clone()))).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = tokio::time::timeout(DEADLINE, client.request(request)).await.unwrap().unwrap();
    response.status().as_u16()
}
