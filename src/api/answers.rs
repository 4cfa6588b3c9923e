//! Answers: one thing, a thing with its place in history, a page of things.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LINK};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::str::FromStr;

use super::parameters::Taken;
use super::problem::Problem;

/// An identifier of the path. One that has not its form names nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// A name of the path, as the configuration gives them.
#[derive(Debug, Clone)]
pub(super) struct Name<T>(pub(super) T);

impl<S: Send + Sync, T: From<String>> FromRequestParts<S> for Name<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self(text.into()))
    }
}

/// A state with the entry that made it.
#[derive(Debug, Serialize)]
pub(super) struct WithSeq<T> {
    /// The state.
    #[serde(flatten)]
    pub(super) state: T,
    /// The entry.
    pub(super) seq: u64,
}

/// A JSON answer.
///
/// # Errors
/// Never in practice: what is answered is plain data.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, Problem> {
    Ok(Made::json(status, value)?.into_response())
}

/// The answer of a write in the making: what is kept of it, should the same wish come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The status.
    pub(super) status: StatusCode,
    /// The version for `ETag`, where there is one.
    pub(super) version: Option<u64>,
    /// The JSON.
    pub(super) body: Bytes,
}

impl Made {
    /// An answer with a JSON body.
    ///
    /// # Errors
    /// Never in practice: what is answered is plain data.
    pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(|error| Problem::internal(&error))?;
        Ok(Self { status, version: None, body: body.into() })
    }

    /// With the version of a dialog.
    pub(super) const fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// The response.
    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self.version {
            Some(version) => with_version(response, version),
            None => response,
        }
    }
}

/// Adds the version of a dialog.
pub(super) fn with_version(mut response: Response, version: u64) -> Response {
    if let Ok(value) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

#[derive(Serialize)]
struct List<'a, T> {
    items: &'a [T],
    next_cursor: Option<&'a str>,
}

/// A page of a list, with a link to the next one.
///
/// # Errors
/// Never in practice.
pub(super) fn page<T: Serialize>(
    taken: &Taken,
    items: &[T],
    next_cursor: Option<&str>,
) -> Result<Response, Problem> {
    Ok(with_next(json(StatusCode::OK, &List { items, next_cursor })?, taken, next_cursor))
}

/// Adds the link to the next page, if there is one.
pub(super) fn with_next(mut response: Response, taken: &Taken, next_cursor: Option<&str>) -> Response {
    if let Some(cursor) = next_cursor {
        let link = format!("<{}>; rel=\"next\"", taken.with_cursor(cursor));
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    response
}
