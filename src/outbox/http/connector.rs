//! The connector: guarded name lookup, TCP and TLS, all within one time limit.
//!
//! TLS uses the Mozilla roots that are compiled in, so the outcome does not depend on the machine. HTTP/1.1 only:
//! it is what every messenger speaks, and one connection carries one request, so a lost connection is ambiguous for
//! exactly one effect.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::guard::GuardPolicy;
use super::resolver::{GuardedResolver, Lookup};

/// The time for the TCP connection, over all addresses of a name. A reachable server answers within a round trip;
/// five seconds allow for two lost packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for name lookup, TCP and TLS together; it bounds a DNS server or a TLS peer that says nothing.
pub(super) const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that sit idle behind a firewall die silently; probes keep them known or find them dead.
const KEEPALIVE_PROBE: Duration = Duration::from_secs(60);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The connector of the client; see the page above.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector<GuardedResolver>>,
    establish_timeout: Duration,
}

/// There was no connection within the time limit.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {limit:?}")]
pub(super) struct EstablishTimeout {
    /// The time that was allowed.
    pub(super) limit: Duration,
}

impl Connector {
    pub(super) fn new(
        policy: GuardPolicy,
        lookup: Lookup,
        establish_timeout: Duration,
    ) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new_with_resolver(GuardedResolver::new(lookup, policy));
        // The TLS layer above takes the https URLs.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEPALIVE_PROBE));
        tcp.set_nodelay(true);
        let inner = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(rustls::crypto::ring::default_provider()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self { inner, establish_timeout })
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let limit = self.establish_timeout;
        let connecting = self.inner.call(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Err(EstablishTimeout { limit }.into()),
            }
        })
    }
}
