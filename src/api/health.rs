//! Is it alive, is it ready, what does it count.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::answers;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// `GET /healthz`: the process answers.
pub(super) async fn alive(parameters: Parameters) -> Result<Response, Problem> {
    parameters.finish()?;
    answers::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// `GET /readyz`: messages and commands can be taken in. What is declared but not connected is listed
/// and does not make the daemon unready: its other channels work.
pub(super) async fn ready(State(api): State<Api>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.finish()?;
    let shared = &api.shared;
    let status = shared.config_status.load();
    let not_ready = if shared.stopping.is_cancelled() {
        Some("the daemon is stopping")
    } else if status.active.is_none() {
        Some("no configuration is live")
    } else {
        None
    };
    let code = if not_ready.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    // Only the names: the reasons tell where secrets are kept, and anybody may ask here.
    let not_connected: Vec<&String> = status.problems.iter().map(|(what, _)| what).collect();
    let body = json!({
        "status": if not_ready.is_some() { "not_ready" } else { "ready" },
        "reason": not_ready,
        "config": status.active.as_ref().map(|active| &active.version),
        "applied_seq": shared.handle.applied_seq(),
        "stored_seq": shared.handle.stored_seq(),
        "not_connected": not_connected,
    });
    let response = answers::json(code, &body)?;
    Ok(match not_ready {
        Some(_) => ([("retry-after", "1")], response).into_response(),
        None => response,
    })
}

/// `GET /metrics`, in the OpenMetrics text format.
pub(super) async fn metrics(State(api): State<Api>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.finish()?;
    let shared = &api.shared;
    let gauge = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    shared.metrics.applied_seq.set(gauge(shared.handle.applied_seq()));
    shared.metrics.stored_seq.set(gauge(shared.handle.stored_seq()));
    let text = shared.metrics.text().map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::from(text));
    let media_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}
