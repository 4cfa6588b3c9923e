//! The client against real sockets on the loopback interface.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::channels::{WireRequest, WireResponse};

use super::client::MAX_BODY_BYTES;
use super::resolver::{Lookup, system_lookup};
use super::*;

/// Longer than any answer of this machine takes.
const LONG: Duration = Duration::from_secs(30);

/// Short enough to wait for in a test.
const SHORT: Duration = Duration::from_millis(80);

/// A server whose connections are each given to `talk`. It ends with the test's runtime.
async fn server<F, T>(talk: F) -> SocketAddr
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream));
        }
    });
    address
}

/// Reads one request head and as much body as has come with it.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await.unwrap();
        if count == 0 {
            break;
        }
        seen.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(seen).unwrap()
}

/// A server that answers each connection's first request with these bytes and then closes.
async fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer: Arc<[u8]> = answer.into().into();
    server(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_request(&mut stream).await;
            // The client may have stopped reading a long answer.
            let _written = stream.write_all(&answer).await.is_ok();
        }
    })
    .await
}

fn loopback_policy() -> GuardPolicy {
    GuardPolicy::new(["127.0.0.0/8".parse().unwrap()])
}

fn client() -> HttpClient {
    HttpClient::new(loopback_policy()).unwrap()
}

fn resolving_to(addresses: &[&str]) -> Lookup {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(move |_name| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

fn get(url: impl AsRef<str>) -> WireRequest {
    WireRequest {
        method: Method::GET,
        url: url.as_ref().parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

async fn send(client: &HttpClient, request: WireRequest) -> Result<WireResponse, SendError> {
    client.send(request, LONG).await
}

#[tokio::test]
async fn a_request_arrives_and_its_answer_comes_back_whole() {
    let (seen, mut requests) = tokio::sync::mpsc::channel(1);
    let address = server(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\nX-Mark: 1\r\nContent-Length: 5\r\n\r\nhello")
                .await
                .unwrap();
        }
    })
    .await;
    let mut request = get(format!("http://{address}/path?query=1"));
    request.method = Method::POST;
    request.headers.insert("x-key", "value".parse().unwrap());
    request.body = "body".into();

    let answer = send(&client(), request).await.unwrap();

    assert_eq!((answer.status, answer.body.as_ref()), (404, b"hello".as_ref()));
    assert_eq!(answer.headers["x-mark"], "1");
    let seen = requests.recv().await.unwrap().to_lowercase();
    assert!(seen.starts_with("post /path?query=1 http/1.1\r\n"), "{seen}");
    for line in [format!("host: {address}"), "x-key: value".into(), "content-length: 4".into()] {
        assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line} in {seen}");
    }
    assert!(seen.contains("\r\nuser-agent: switchboard/"), "{seen}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(send(&client, get(format!("http://{address}/"))).await.unwrap().status, 200);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    let address = server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            read_request(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
        }
    })
    .await;
    let answer = send(&client(), get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(visits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_off_and_the_status_kept() {
    let framings: [fn(&str) -> String; 3] = [
        |body| format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        |body| format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        |body| format!("\r\n{body}"),
    ];
    for framed in framings {
        let answer_of = async |length: usize| {
            let address = answering(format!("HTTP/1.1 200 OK\r\n{}", framed(&"x".repeat(length)))).await;
            send(&client(), get(format!("http://{address}/"))).await
        };
        let error = answer_of(MAX_BODY_BYTES + 1).await.unwrap_err();
        assert!(
            matches!(
                error,
                SendError::TooLarge {
                    status: Some(200),
                    part: AnswerPart::Body,
                    limit_bytes: MAX_BODY_BYTES,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(answer_of(MAX_BODY_BYTES).await.unwrap().body.len(), MAX_BODY_BYTES);
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\nX-Filler: ".to_vec();
    answer.extend(std::iter::repeat_n(b'a', 200 * 1024));
    let address = answering(answer).await;
    let error = send(&client(), get(format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(error, SendError::TooLarge { status: None, part: AnswerPart::Head, .. }), "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_sends_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&client(), get(format!("http://{address}/"))).await.unwrap_err();
    let SendError::NotSent { reason: NotSentReason::Connect { kind }, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_sends_nothing() {
    let lookup: Lookup = Arc::new(|_name| Box::pin(async { Err(std::io::Error::other("no such name")) }));
    let client = HttpClient::with_lookup(loopback_policy(), lookup).unwrap();
    let error = send(&client, get("http://nowhere.example/")).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { reason: NotSentReason::NameLookup, .. }), "{error:?}");
}

#[tokio::test]
async fn a_failed_tls_handshake_sends_nothing() {
    let address = server(|mut stream| async move {
        let _written = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.is_ok();
        let mut rest = Vec::new();
        let _read = stream.read_to_end(&mut rest).await.is_ok();
    })
    .await;
    let error = send(&client(), get(format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { reason: NotSentReason::Tls { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn a_tls_peer_that_says_nothing_sends_nothing() {
    let address = server(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = HttpClient::with_establish_timeout(loopback_policy(), system_lookup(), SHORT).unwrap();
    let error = send(&client, get(format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { reason: NotSentReason::Timeout { .. }, .. }), "{error:?}");

    // The deadline of the request counts in the same way while there is no connection.
    let error = self::client().send(get(format!("https://{address}/")), SHORT).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { reason: NotSentReason::Timeout { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_lost_after_the_request_is_ambiguous() {
    let address = answering(Vec::new()).await;
    let error = send(&client(), get(format!("http://{address}/"))).await.unwrap_err();
    assert!(
        matches!(error, SendError::Ambiguous { status: None, reason: Interruption::ConnectionLost, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_connection_lost_within_the_answer_is_ambiguous_and_keeps_the_status() {
    let address = answering(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":".to_vec()).await;
    let error = send(&client(), get(format!("http://{address}/"))).await.unwrap_err();
    assert!(
        matches!(error, SendError::Ambiguous { status: Some(201), reason: Interruption::ConnectionLost, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_ambiguous() {
    let address = answering(b"220 mail.example.com ESMTP\r\n\r\n".to_vec()).await;
    let error = send(&client(), get(format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(error, SendError::Ambiguous { reason: Interruption::MalformedAnswer, .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_or_endless_answer_is_ambiguous_at_the_deadline() {
    let silent = server(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let endless = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    for (address, expected) in [(silent, None), (endless, Some(200))] {
        let error = client().send(get(format!("http://{address}/")), SHORT).await.unwrap_err();
        let SendError::Ambiguous { status, reason: Interruption::Deadline { .. }, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn loopback_is_refused_unless_its_block_is_named() {
    let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let port = address.port();
    let client = HttpClient::new(GuardPolicy::public_only()).unwrap();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let error = send(&client, get(format!("http://{host}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, SendError::Refused { .. }), "{host}: {error:?}");
    }
    assert!(send(&self::client(), get(format!("http://{address}/"))).await.is_ok());
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused() {
    for answers in [&["10.0.0.7"][..], &["127.0.0.1", "::1"], &["::ffff:169.254.169.254"], &["0.0.0.0"]] {
        let client = HttpClient::with_lookup(GuardPolicy::public_only(), resolving_to(answers)).unwrap();
        let error = send(&client, get("http://rebinding.example/")).await.unwrap_err();
        assert!(
            matches!(error, SendError::Refused { reason: Refusal::SpecialAddress { .. }, .. }),
            "{answers:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_name_is_connected_through_its_allowed_addresses_only() {
    let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let lookup = resolving_to(&["10.0.0.7", "127.0.0.1"]);
    let client = HttpClient::with_lookup(loopback_policy(), lookup).unwrap();
    let answer = send(&client, get(format!("http://named.example:{}/", address.port()))).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn headers_of_the_connection_and_tunnels_are_invalid() {
    for name in ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Accept-Encoding"] {
        let mut request = get("http://example.com/");
        request.headers.insert(http::HeaderName::try_from(name).unwrap(), "1".parse().unwrap());
        let error = send(&client(), request).await.unwrap_err();
        assert!(
            matches!(error, SendError::InvalidRequest(InvalidRequest::ReservedHeader { .. })),
            "{name}: {error:?}"
        );
    }
    let mut request = get("http://example.com/");
    request.method = Method::CONNECT;
    let error = send(&client(), request).await.unwrap_err();
    assert!(matches!(error, SendError::InvalidRequest(InvalidRequest::UnsupportedMethod)), "{error:?}");
}

#[tokio::test]
async fn errors_never_show_the_path_the_query_or_a_header() {
    let lost = answering(Vec::new()).await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    for base in
        [format!("http://{lost}"), format!("http://{closed}"), "http://10.0.0.1".into(), "ftp://a".into()]
    {
        let mut request = get(format!("{base}/botSECRET/send?key=SECRET"));
        request.headers.insert("authorization", "SECRET".parse().unwrap());
        let error = send(&client(), request).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}
