//! What a server answers with, which can be put in place of something else while it runs.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;

/// The router of a running server. Clones are the same one.
#[derive(Clone)]
pub struct Serving(Arc<ArcSwap<Router>>);

impl Serving {
    /// Answers with another router from the next request on, also on connections that are open already.
    pub fn replace(&self, router: Router) {
        self.0.store(Arc::new(router));
    }

    /// The router for one request.
    pub(in crate::api) fn router(&self) -> Router {
        Router::clone(&self.0.load())
    }
}

impl From<Router> for Serving {
    fn from(router: Router) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(router)))
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serving")
    }
}
