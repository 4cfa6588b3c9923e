//! What is answered while the daemon starts.
//!
//! The port is taken before anything of the data is touched, so that a port in use is found at once. Bringing
//! up the state takes a moment as a rule, and longer after much was written. Until then `/healthz` says that
//! the process is alive and `/readyz` that it is not ready; everything else waits a little, since most starts
//! are short, and is then told to come again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt;

use super::answers;
use super::health;
use super::parameters::Parameters;
use super::problem::Problem;
use super::request_id::{REQUEST_ID, RequestIds};
use super::server::Serving;

/// How long a request waits for the daemon: longer than a start over a store that is up to date takes, and
/// shorter than messengers and people wait.
const WAIT: Duration = Duration::from_secs(5);

/// A server that waits for the daemon behind it.
#[derive(Debug)]
pub struct Opening {
    serving: Serving,
    opened: watch::Sender<Option<Router>>,
}

#[derive(Clone)]
struct Waiting {
    opened: watch::Receiver<Option<Router>>,
    request_ids: Arc<RequestIds>,
    wait: Duration,
}

impl Opening {
    /// A server that is not open yet.
    pub fn new() -> Self {
        Self::waiting(WAIT)
    }

    fn waiting(wait: Duration) -> Self {
        let (opened, is_open) = watch::channel(None);
        let waiting = Waiting { opened: is_open, request_ids: Arc::new(RequestIds::new()), wait };
        let router = Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(not_ready))
            .fallback(wait_for_the_daemon)
            .with_state(waiting);
        Self { serving: router.into(), opened }
    }

    /// What to give to the server.
    pub fn serving(&self) -> Serving {
        self.serving.clone()
    }

    /// Answers with the router of the daemon from now on, those who wait included.
    pub fn open(&self, router: Router) {
        self.serving.replace(router.clone());
        self.opened.send_replace(Some(router));
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self::new()
    }
}

async fn not_ready(
    State(waiting): State<Waiting>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let body = json!({"status": "not_ready", "reason": "the daemon is starting"});
    let mut response = answers::json(StatusCode::SERVICE_UNAVAILABLE, &body)?;
    response.headers_mut().insert(REQUEST_ID, waiting.request_ids.of(&headers));
    Ok(([("retry-after", "1")], response).into_response())
}

async fn wait_for_the_daemon(State(mut waiting): State<Waiting>, request: Request) -> Response {
    let opened = tokio::time::timeout(waiting.wait, waiting.opened.wait_for(Option::is_some)).await;
    // Borrowed as shortly as possible: the one who opens waits for it.
    let router = opened.ok().and_then(Result::ok).and_then(|router| Option::clone(&router));
    let Some(router) = router else {
        let id = waiting.request_ids.of(request.headers());
        let mut response = Problem::starting().into_response();
        response.headers_mut().insert(REQUEST_ID, id);
        return response;
    };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn ask(router: Router, path: &str) -> (u16, HeaderMap, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn who_asks_while_the_daemon_starts_is_told_so() {
        let opening = Opening::waiting(Duration::ZERO);
        let router = || opening.serving().router();
        assert_eq!(ask(router(), "/healthz").await.0, 200);
        for (path, said) in
            [("/readyz", "not_ready"), ("/webhooks/shop", "starting"), ("/v1/dialogs", "starting")]
        {
            let (status, headers, body) = ask(router(), path).await;
            assert_eq!((status, &headers["retry-after"]), (503, &"1".parse().unwrap()), "{path}");
            assert!(headers.contains_key("x-request-id") && body.contains(said), "{path}: {body}");
        }
    }

    #[tokio::test]
    async fn who_waits_is_answered_by_the_daemon_as_soon_as_it_is_there() {
        let opening = Opening::waiting(Duration::from_secs(60));
        let asked = ask(opening.serving().router(), "/v1/dialogs");
        tokio::pin!(asked);
        assert!(futures_util::poll!(asked.as_mut()).is_pending());
        opening.open(Router::new().route("/v1/dialogs", get(|| async { "open" })));
        assert_eq!(asked.await.2, "open");
        assert_eq!(ask(opening.serving().router(), "/readyz").await.0, 404, "the daemon's own answer");
    }
}
