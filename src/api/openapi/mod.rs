//! The description of the API for programs (OpenAPI 3.1) and the page about it for people.
//!
//! What lives here: the document made from the table of routes (this file), what each route takes and gives
//! (`operations`, `parameters`), the shapes of bodies (`bodies`, `schemas`, `decisions`) and the page (`page`). Who may call it:
//! `routes`. What it may call: `routes` for the table, `model` and `store` for closed lists of words.
//!
//! The invariant: a route cannot be served without a description, and an answer that does not fit its
//! description fails the tests, which hold real answers against it.

mod bodies;
mod decisions;
mod operations;
mod page;
mod parameters;
mod schemas;

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::problem::Problem;
use super::routes::{Access, table};

/// The document changes with the program alone.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static JSON: LazyLock<Bytes> = LazyLock::new(|| DOCUMENT.to_string().into());
static PAGE: LazyLock<Bytes> = LazyLock::new(|| page::html(&DOCUMENT).into());

/// The page loads nothing, from nowhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// `GET /openapi.json`
pub(super) async fn json_document(parameters: Parameters) -> Result<Response, Problem> {
    parameters.finish()?;
    Ok(fixed("application/json", JSON.clone()))
}

/// `GET /docs`
pub(super) async fn html_page(parameters: Parameters) -> Result<Response, Problem> {
    parameters.finish()?;
    let mut response = fixed("text/html; charset=utf-8", PAGE.clone());
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    Ok(response)
}

fn fixed(media_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // It is asked for again after an update of the daemon.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The whole document.
fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in table() {
        let Some(operation) = operations::of(&route.method, route.path) else { continue };
        let described = operation.describe(&route);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.as_str().to_ascii_lowercase(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A headless contact centre. Operators' programs, integrations and messengers talk to it here.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of operators.yaml: `swb_…`."},
            },
        },
    })
}

/// Whether a request of this method changes something.
fn writes(method: &Method) -> bool {
    *method != Method::GET
}

/// Whether a route asks for a token.
fn needs_token(access: Access) -> bool {
    access == Access::Token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_route_is_described() {
        for route in table() {
            let described = &DOCUMENT["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
            assert!(described["summary"].is_string(), "{} {}", route.method, route.path);
            assert_eq!(described.get("security").is_some(), needs_token(route.access), "{}", route.path);
            for parameter in route.path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                let named = described["parameters"].as_array().unwrap().iter();
                assert_eq!(named.filter(|one| one["name"] == parameter && one["in"] == "path").count(), 1);
            }
        }
    }

    #[test]
    fn every_reference_leads_to_something_and_every_shape_is_used() {
        let mut found = Vec::new();
        references(&DOCUMENT, &mut found);
        for reference in &found {
            assert!(DOCUMENT.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        for name in schemas::all().as_object().unwrap().keys() {
            assert!(found.contains(&format!("#/components/schemas/{name}").as_str()), "nothing has {name}");
        }
    }

    #[test]
    fn the_page_names_every_route_and_loads_nothing() {
        let page = String::from_utf8(PAGE.to_vec()).unwrap();
        for route in table() {
            assert!(page.contains(&format!("{} {}", route.method, route.path)), "{}", route.path);
        }
        for loading in ["src=", "href=\"http", "@import", "url(", "<script"] {
            assert!(!page.contains(loading), "{loading}");
        }
    }
}
