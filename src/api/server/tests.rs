//! The server over real loopback sockets.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

/// Short enough to wait for in a test.
const SHORT: Duration = Duration::from_millis(80);

/// The signals between a test and the handler of `/held`.
#[derive(Clone, Default)]
struct Held {
    begun: Arc<Notify>,
    finish: Arc<Notify>,
}

struct Running {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Served>,
    held: Held,
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection and returns all that comes back until the server closes it.
    async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may close while a too large request is still being written.
        let _written = stream.write_all(bytes.as_ref()).await.is_ok();
        read_to_close(&mut stream).await
    }
}

/// All that comes until the connection is closed or reset.
async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        all.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(all).unwrap()
}

/// Reads until the text has come; panics when the connection ends before.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut all = String::new();
    while !all.contains(text) {
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the connection ended after {all:?}");
        all.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
    }
    all
}

async fn start(limits: ServerLimits) -> Running {
    let held = Held::default();
    let in_handler = held.clone();
    let read_body = move |body: Body| async move {
        let tight = BodyLimits { max_bytes: 10, timeout: SHORT };
        match tight.read(body).await {
            Ok(bytes) => (StatusCode::OK, format!("{} bytes", bytes.len())),
            Err(error @ BodyError::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            Err(error @ BodyError::TooSlow { .. }) => (StatusCode::REQUEST_TIMEOUT, error.to_string()),
            Err(error @ BodyError::Broken) => (StatusCode::BAD_REQUEST, error.to_string()),
        }
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/body", post(read_body))
        .route("/flood", get(|| async { vec![b'x'; 64 * 1024 * 1024] }))
        .route(
            "/held",
            get(move || async move {
                in_handler.begun.notify_one();
                in_handler.finish.notified().await;
                "finished"
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
    Running { address, shutdown, task, held }
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let server = start(ServerLimits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        read_until(&mut stream, "hello").await;
    }
}

#[tokio::test]
async fn an_open_connection_gets_the_router_that_was_put_in_place_of_the_first() {
    let serving = Serving::from(Router::new().route("/", get(|| async { "starting" })));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, serving.clone(), ServerLimits::default(), shutdown.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for said in ["starting", "hello"] {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        read_until(&mut stream, said).await;
        serving.replace(Router::new().route("/", get(|| async { "hello" })));
    }
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn silent_slow_and_idle_connections_are_closed_after_the_head_timeout() {
    let server = start(ServerLimits { header_read_timeout: SHORT, ..ServerLimits::default() }).await;
    assert_eq!(server.exchange("").await, "");
    assert_eq!(server.exchange("GET / HTTP/1.1\r\nHost: x\r\nX-Slow:").await, "");
    let idle = server.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200") && idle.ends_with("hello"), "{idle}");
}

#[tokio::test]
async fn a_slow_head_does_not_earn_time_by_dripping() {
    let server = start(ServerLimits { header_read_timeout: SHORT, ..ServerLimits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut end = [0; 1];
    tokio::select! {
        closed = reading.read(&mut end) => assert!(!matches!(closed, Ok(1..))),
        () = async {
            let mut drip = tokio::time::interval(SHORT / 8);
            loop {
                drip.tick().await;
                if writing.write_all(b"a").await.is_err() {
                    // The reading half sees the end.
                    std::future::pending::<()>().await;
                }
            }
        } => {}
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431() {
    let server =
        start(ServerLimits { max_head_bytes: 1000, max_headers: 5, ..ServerLimits::default() }).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(1000));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: 1\r\n".repeat(5));
    for request in [long, many] {
        let answer = server.exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_in_bytes_and_time() {
    let server = start(ServerLimits::default()).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    for (rest, status) in [
        ("Content-Length: 10\r\n\r\n0123456789", "200 OK"),
        ("Content-Length: 11\r\n\r\n", "413 Payload Too Large"),
        ("Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n", "413 Payload Too Large"),
        ("Content-Length: 10\r\n\r\n01234", "408 Request Timeout"),
        ("Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", "400 Bad Request"),
    ] {
        let answer = server.exchange(format!("{head}{rest}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{rest:?}: {answer}");
    }
}

#[tokio::test]
async fn the_outer_bound_holds_for_routes_with_wider_ones() {
    let body = BodyLimits { max_bytes: 3, timeout: Duration::from_secs(60) };
    let server = start(ServerLimits { body, ..ServerLimits::default() }).await;
    let answer = server
        .exchange("POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n0123")
        .await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = start(ServerLimits {
        write_stall_timeout: SHORT,
        max_connections: NonZeroUsize::MIN,
        ..ServerLimits::default()
    })
    .await;
    let mut greedy = server.connect().await;
    greedy.write_all(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // The only place becomes free when the greedy connection is cut off, not before.
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(read_to_close(&mut greedy).await.len() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_place() {
    let server = start(ServerLimits { max_connections: NonZeroUsize::MIN, ..ServerLimits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    server.held.begun.notified().await;

    let mut second = server.connect().await;
    second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(SHORT, second.readable()).await;
    assert!(early.is_err(), "the second connection was served beside the first");

    server.held.finish.notify_one();
    assert!(read_to_close(&mut first).await.ends_with("finished"));
    assert!(read_to_close(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn shutdown_finishes_a_running_request_and_closes_idle_and_silent_connections() {
    let server = start(ServerLimits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut idle, "hello").await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.held.begun.notified().await;

    server.shutdown.cancel();
    assert_eq!(read_to_close(&mut idle).await, "");
    assert_eq!(read_to_close(&mut silent).await, "");
    assert!(TcpStream::connect(server.address).await.is_err(), "the listener is still open");
    assert!(!server.task.is_finished());

    server.held.finish.notify_one();
    let answer = read_to_close(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
    assert_eq!(server.task.await.unwrap(), Served { cut_off: 0 });
}

#[tokio::test]
async fn shutdown_cuts_off_what_is_busy_at_the_drain_deadline() {
    let server = start(ServerLimits { drain_deadline: SHORT, ..ServerLimits::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.held.begun.notified().await;
    server.shutdown.cancel();
    assert_eq!(server.task.await.unwrap(), Served { cut_off: 1 });
    assert_eq!(read_to_close(&mut busy).await, "");
}
