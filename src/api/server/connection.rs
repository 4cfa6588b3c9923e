//! The life of one connection.

use std::net::SocketAddr;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::body::LimitedBody;
use super::limits::ServerLimits;
use super::serving::Serving;
use super::stream::StallGuard;

/// hyper refuses smaller buffers.
const MIN_BUFFER_BYTES: usize = 8192;

/// The two signals by which a connection ends before its client wants it.
#[derive(Clone)]
pub(super) struct EndSignals {
    /// Finish the running request, then close.
    pub(super) shutdown: CancellationToken,
    /// Close at once.
    pub(super) cut: CancellationToken,
}

/// Serves one connection until it ends.
pub(super) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    serving: Serving,
    limits: ServerLimits,
    signals: EndSignals,
) {
    if let Err(error) = stream.set_nodelay(true) {
        // Only the latency suffers.
        tracing::debug!(%peer, %error, "The connection keeps its send delay.");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let request = request.map(|body| Body::new(LimitedBody::new(body, limits.body)));
        serving.router().oneshot(request)
    });
    let stream = TokioIo::new(StallGuard::new(stream, limits.write_stall_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Who no longer sends may still wait for the answer; and to find out whether somebody has gone would
        // cost a call of the system per request.
        .half_close(true)
        // Answers are short: one piece costs less than a list of two.
        .writev(false)
        .header_read_timeout(limits.header_read_timeout)
        .max_headers(limits.max_headers)
        .max_header_size(limits.max_head_bytes)
        .max_buf_size(limits.max_head_bytes.max(MIN_BUFFER_BYTES))
        .serve_connection(stream, service);
    tokio::pin!(connection);

    let outcome = tokio::select! {
        biased;
        () = signals.cut.cancelled() => return,
        outcome = connection.as_mut() => outcome,
        () = signals.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                () = signals.cut.cancelled() => return,
                outcome = connection => outcome,
            }
        }
    };
    if let Err(error) = outcome {
        // Clients vanish, stall and send rubbish all day; none of it is this server's failure.
        tracing::debug!(%peer, %error, "A connection ended early.");
    }
}
