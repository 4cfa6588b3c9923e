//! The table of routes: the one list from which the router is built and the tests and documentation
//! are checked.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, patch, post, put};
use http::Method;

use crate::node::Shared;

use super::problem::Problem;
use super::state::Api;
use super::{
    accept, attachments, chats, clients, close, config, deliveries, dialogs, events, explain, health, layers,
    lines, links, messages, notes, openapi, operators, pause, queue, subject, supervision, timeline,
    transfer, typing, webhooks,
};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: it shows nothing of clients.
    Open,
    /// A messenger, by the proof of its channel.
    Messenger,
    /// Whoever has a link that we signed.
    Link,
    /// Whoever has a token whose role grants it.
    Token,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path with its parameters.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

type Row = (Method, &'static str, Access, MethodRouter<Api>);

fn rows() -> Vec<Row> {
    use Access::{Link, Messenger, Open, Token};
    vec![
        (Method::GET, "/webhooks/{channel}", Messenger, get(webhooks::receive)),
        (Method::POST, "/webhooks/{channel}", Messenger, post(webhooks::receive)),
        (Method::GET, "/v1/dialogs", Token, get(dialogs::list)),
        (Method::GET, "/v1/dialogs/{id}", Token, get(dialogs::get)),
        (Method::PATCH, "/v1/dialogs/{id}", Token, patch(dialogs::change)),
        (Method::GET, "/v1/dialogs/{id}/messages", Token, get(messages::list)),
        (Method::POST, "/v1/dialogs/{id}/messages", Token, post(messages::reply)),
        (Method::POST, "/v1/dialogs/{id}/accept", Token, post(accept::accept)),
        (Method::POST, "/v1/dialogs/{id}/decline", Token, post(accept::decline)),
        (Method::POST, "/v1/dialogs/{id}/transfer", Token, post(transfer::transfer)),
        (Method::POST, "/v1/dialogs/{id}/requeue", Token, post(transfer::requeue)),
        (Method::POST, "/v1/dialogs/{id}/close", Token, post(close::close)),
        (Method::POST, "/v1/dialogs/{id}/spam", Token, post(close::spam)),
        (Method::POST, "/v1/dialogs/{id}/reopen", Token, post(close::reopen)),
        (Method::POST, "/v1/dialogs/{id}/pause", Token, post(pause::pause)),
        (Method::POST, "/v1/dialogs/{id}/resume", Token, post(pause::resume)),
        (Method::POST, "/v1/dialogs/{id}/take-over", Token, post(supervision::take_over)),
        (Method::POST, "/v1/dialogs/{id}/join", Token, post(supervision::join)),
        (Method::POST, "/v1/dialogs/{id}/leave", Token, post(supervision::leave)),
        (Method::POST, "/v1/dialogs/{id}/supervisor-rating", Token, post(supervision::rate)),
        (Method::POST, "/v1/dialogs/{id}/typing", Token, post(typing::show)),
        (Method::POST, "/v1/attachments", Token, post(attachments::upload)),
        (Method::GET, ATTACHMENT, Token, get(attachments::get)),
        (Method::GET, "/files/{token}", Link, get(links::get)),
        (Method::POST, "/v1/chats", Token, post(chats::write_to_client)),
        (Method::POST, "/v1/chats/{id}/messages", Token, post(chats::write_first)),
        (Method::POST, "/v1/dialogs/{id}/notes", Token, post(notes::add)),
        (Method::GET, "/v1/dialogs/{id}/timeline", Token, get(timeline::list)),
        (Method::GET, "/v1/dialogs/{id}/explain", Token, get(explain::explain)),
        (Method::GET, "/v1/explain/{id}", Token, get(subject::get)),
        (Method::GET, "/v1/operators", Token, get(operators::list)),
        (Method::PUT, "/v1/operators/{id}/presence", Token, put(operators::set_presence)),
        (Method::GET, "/v1/lines", Token, get(lines::list)),
        (Method::GET, "/v1/lines/{id}/queue", Token, get(queue::get)),
        (Method::GET, "/v1/deliveries", Token, get(deliveries::list)),
        (Method::GET, "/v1/deliveries/{id}", Token, get(deliveries::get)),
        (Method::POST, "/v1/deliveries/{id}/retry", Token, post(deliveries::retry)),
        (Method::POST, "/v1/deliveries/{id}/cancel", Token, post(deliveries::cancel)),
        (Method::GET, "/v1/clients/{id}", Token, get(clients::get)),
        (Method::GET, "/v1/config", Token, get(config::get)),
        (Method::POST, "/v1/config/reload", Token, post(config::reload)),
        (Method::GET, EVENTS, Token, get(events::follow)),
        (Method::GET, "/healthz", Open, get(health::alive)),
        (Method::GET, "/readyz", Open, get(health::ready)),
        (Method::GET, "/openapi.json", Open, get(openapi::json_document)),
        (Method::GET, "/docs", Open, get(openapi::html_page)),
        (Method::GET, METRICS, Open, get(health::metrics)),
    ]
}

/// May have a port of its own.
const METRICS: &str = "/metrics";

/// Streams are counted apart from reads: they last.
const EVENTS: &str = "/v1/events";

/// Files are counted apart from reads: the messenger may take its time.
const ATTACHMENT: &str = "/v1/attachments/{id}";

/// All routes, for tests and documentation.
pub fn table() -> Vec<Route> {
    rows().into_iter().map(|(method, path, access, _)| Route { method, path, access }).collect()
}

/// Where metrics are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    /// On the port of the API.
    WithTheApi,
    /// On a port of their own, by [`metrics_router`].
    Apart,
}

/// The whole API, metrics included.
pub fn router(shared: Shared) -> Router {
    router_with(shared, Metrics::WithTheApi)
}

/// Metrics alone, for a port of their own.
pub fn metrics_router(shared: Shared) -> Router {
    let api = Api::new(shared);
    let surround = from_fn_with_state(api.clone(), layers::surround);
    Router::new()
        .route(METRICS, get(health::metrics))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(no_such_method)
        .layer(surround)
        .with_state(api)
}

/// The whole API, with metrics or without.
pub fn router_with(shared: Shared, metrics: Metrics) -> Router {
    let api = Api::new(shared);
    let mut messengers = Router::new();
    let mut reads = Router::new();
    let mut others = Router::new();
    for (_, path, access, handler) in rows() {
        if path == METRICS && metrics == Metrics::Apart {
            continue;
        }
        // The way of a webhook call is the hot path: it has a counter of its own and nothing around it.
        let part = match access {
            Access::Messenger => &mut messengers,
            // A busy daemon is alive, and whoever watches it must see that.
            Access::Open | Access::Link => &mut others,
            Access::Token if path == EVENTS || path == ATTACHMENT => &mut others,
            Access::Token => &mut reads,
        };
        *part = std::mem::take(part).route(path, handler);
    }
    let surround = || from_fn_with_state(api.clone(), layers::surround);
    let reads = reads
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(api.clone(), layers::limit_reads))
        .layer(surround());
    let others = others
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(no_such_method)
        .layer(surround());
    messengers
        .method_not_allowed_fallback(webhooks::no_such_method)
        .merge(reads)
        .merge(others)
        .with_state(api)
}

/// The router adds `Allow`.
async fn no_such_method() -> Problem {
    Problem::method_not_allowed(None)
}
