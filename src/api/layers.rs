//! What surrounds the handlers of `/v1`: a request id, headers, a count, and a net under panics.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method};
use tracing::Instrument;

use super::problem::Problem;
use super::request_id::{self, REQUEST_ID};
use super::state::Api;

/// Answers requests for which there are too many at a time.
pub(super) async fn limit_reads(State(api): State<Api>, request: Request, next: Next) -> Response {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return next.run(request).await;
    }
    let Ok(_place) = api.reads.try_acquire() else {
        return Problem::busy("too many requests are being answered; try again in a second").into_response();
    };
    next.run(request).await
}

/// Counts a request, gives it an id, and turns a panic into an answer.
pub(super) async fn surround(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = api.request_ids.of(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = request_id::text(&id), %method, route);
    let mut response = caught(next.run(request)).instrument(span.clone()).await;
    let status = response.status();
    api.shared.metrics.request(&route, status.as_u16());
    span.in_scope(|| tracing::debug!(status = status.as_u16(), "Answered."));
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The answer of a handler, also of one that panics.
async fn caught(handling: impl Future<Output = Response>) -> Response {
    let handled = AssertUnwindSafe(handling).catch_unwind().await;
    handled.unwrap_or_else(|_| Problem::internal(&"the handler panicked").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_with_an_error_that_tells_nothing() {
        let response = caught(async { panic!("secret-4711") }).await;
        assert_eq!(response.status().as_u16(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("4711"));
    }
}
