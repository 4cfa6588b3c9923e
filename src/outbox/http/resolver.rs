//! The name resolver of the client: it answers only with addresses that the guard allows.
//!
//! The connector connects to exactly the addresses that this resolver returns, so there is no moment between the
//! check and the use in which a hostile DNS server could change its answer. Addresses written literally in a URL
//! never come here; `guard` judges those.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::channels::SendFailure;

use super::error::{Refusal, SendError};
use super::guard::GuardPolicy;

/// The pending answer of a [`Lookup`].
type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// How a name becomes addresses; before the guard has seen them.
pub(super) type Lookup = Arc<dyn Fn(String) -> LookupFuture + Send + Sync>;

/// The machine's own name lookup.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// A lookup whose answer has passed the guard.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    lookup: Lookup,
    policy: GuardPolicy,
}

impl GuardedResolver {
    pub(super) fn new(lookup: Lookup, policy: GuardPolicy) -> Self {
        Self { lookup, policy }
    }
}

/// Why a name has no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// The lookup failed or found nothing.
    #[error("the name could not be resolved")]
    Lookup,
    /// All its addresses are refused; this is the first refusal.
    #[error("no address of the name is allowed: {0}")]
    Refused(Refusal),
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ResolveError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let answer = (self.lookup)(name.as_str().to_owned());
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = answer.await.map_err(|error| {
                tracing::debug!(%name, %error, "A name could not be resolved.");
                ResolveError::Lookup
            })?;
            let allowed = keep_allowed(&policy, found)?;
            // The connector puts the port of the URL in place of the zero.
            let addresses: Vec<_> = allowed.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}

/// The allowed addresses of a host, for what is not HTTP. The caller connects to exactly these.
#[derive(Clone)]
pub(in crate::outbox) struct Addresses {
    lookup: Lookup,
    policy: GuardPolicy,
}

impl Addresses {
    /// By the machine's own name lookup.
    pub(in crate::outbox) fn new(policy: GuardPolicy) -> Self {
        Self { lookup: system_lookup(), policy }
    }

    /// The addresses of a name, or the address that the host is. IPv6 addresses stand in brackets.
    ///
    /// # Errors
    /// The guard refuses the host, or its name has no address.
    pub(in crate::outbox) async fn of(&self, host: &str) -> Result<Vec<IpAddr>, SendFailure> {
        self.policy.check_host(host).map_err(|error| match error {
            SendError::Refused { .. } | SendError::InvalidRequest(_) => {
                SendFailure::Refused(error.to_string())
            }
            other => SendFailure::NotSent(other.to_string()),
        })?;
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        let found = (self.lookup)(host.to_owned()).await.unwrap_or_default();
        keep_allowed(&self.policy, found).map_err(|error| match error {
            ResolveError::Refused(_) => {
                SendFailure::Refused(format!("the target {host} is refused: {error}"))
            }
            ResolveError::Lookup => SendFailure::NotSent(format!("nothing was sent to {host}: {error}")),
        })
    }
}

fn keep_allowed(policy: &GuardPolicy, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, ResolveError> {
    let mut first_refusal = None;
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match policy.check_address(address) {
            Ok(()) => allowed.push(address),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    match first_refusal {
        _ if !allowed.is_empty() => Ok(allowed),
        Some(refusal) => Err(ResolveError::Refused(refusal)),
        None => Err(ResolveError::Lookup),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn refused_addresses_are_dropped_and_the_others_kept_in_order() {
        let found = addresses(&["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"]);
        let kept = keep_allowed(&GuardPolicy::public_only(), found).unwrap();
        assert_eq!(kept, addresses(&["8.8.8.8", "2606:4700::1111"]));
    }

    #[test]
    fn a_name_with_refused_addresses_only_is_refused() {
        let found = addresses(&["::ffff:10.0.0.1", "127.0.0.1"]);
        let error = keep_allowed(&GuardPolicy::public_only(), found).unwrap_err();
        assert!(matches!(error, ResolveError::Refused(Refusal::SpecialAddress { block: "private", .. })));
    }

    #[test]
    fn a_name_without_addresses_is_a_failed_lookup() {
        let error = keep_allowed(&GuardPolicy::public_only(), Vec::new()).unwrap_err();
        assert!(matches!(error, ResolveError::Lookup));
    }
}
