//! Errors as `application/problem+json` (RFC 9457).
//!
//! A problem says what is wrong and what is allowed. It never shows what a client sent (apart from
//! the name of a field), a path of the machine, a secret, or the `Debug` form of anything: what is
//! of use to the people who run the daemon goes to the log instead.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::outcome::Rejection;
use crate::node::{ReadError, ReloadUnavailable, SubmitError};
use crate::store::StoreError;

use super::server::BodyError;
use super::time::Time;

/// The media type of problems.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Who is told to come back should do so after this time: queues empty within a second.
const RETRY_AFTER_SECONDS: u32 = 1;

/// One thing that is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FieldError {
    /// A JSON Pointer into the body (`/to/operator`), or the name of a parameter.
    pub(super) field: String,
    /// What is wrong and what is allowed.
    pub(super) detail: String,
}

/// An error answer. Small, because every handler may return one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<Value>,
    members: Map<String, Value>,
    allow: Option<&'static str>,
    challenge: Option<&'static str>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// An error with a code of the closed list in docs/api.md and a sentence for people.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            allow: None,
            challenge: None,
            retry_after_seconds: None,
        }))
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(super) const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The word that programs go by.
    #[cfg(test)]
    pub(super) const fn code(&self) -> &'static str {
        self.0.code
    }

    /// There is nothing here that this token may see.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such resource, or it may not be seen")
    }

    /// The request carries no valid token.
    pub(super) fn unauthenticated() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "send `Authorization: Bearer swb_…` with a token of operators.yaml that has not expired",
        );
        problem.0.challenge = Some("Bearer");
        problem
    }

    /// A webhook call without the proof that it comes from the messenger. Which part of the proof is
    /// wrong is for the log: a forger learns nothing.
    pub(super) fn unauthentic_webhook() -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "the call is not authentic");
        problem.0.challenge = Some("Webhook");
        problem
    }

    /// The token's role does not grant this.
    pub(super) fn forbidden(right: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", format!("this token's role does not grant {right}"))
    }

    /// The resource has no such method.
    pub(super) fn method_not_allowed(allow: Option<&'static str>) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this resource does not have this method; see the `Allow` header",
        );
        problem.0.allow = allow;
        problem
    }

    /// The request as such cannot be understood.
    pub(super) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A query parameter is unknown or has a wrong value.
    pub(super) fn bad_parameters(errors: &[FieldError]) -> Self {
        Self::bad_request("invalid_parameter", "a query parameter is unknown or has a wrong value")
            .with_errors(errors)
    }

    /// Fields of the body are unknown, missing or wrong.
    pub(super) fn invalid_fields(errors: &[FieldError]) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_fields",
            "fields of the body are unknown, missing or wrong",
        )
        .with_errors(errors)
    }

    /// Something that the contract names and this version does not do.
    pub(super) fn not_supported_yet(what: &str) -> Self {
        Self::bad_request("not_supported_yet", format!("{what} is not supported by this version"))
    }

    /// Too much is going on.
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).with_retry()
    }

    /// This token asks too often. In `wait_ms` it may ask again.
    pub(super) fn too_often(wait_ms: u64) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "this token asks too often; wait as long as `Retry-After` says",
        );
        let seconds = u32::try_from(wait_ms.div_ceil(1000)).unwrap_or(u32::MAX);
        problem.0.retry_after_seconds = Some(seconds.max(RETRY_AFTER_SECONDS));
        problem
    }

    /// The daemon starts, and takes longer than a request should wait.
    pub(super) fn starting() -> Self {
        let detail = "the daemon is starting; try again soon, or see `/readyz`";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "starting", detail).with_retry()
    }

    /// The daemon stops; another one will start.
    pub(super) fn stopping() -> Self {
        let detail = "the daemon is stopping; try again soon";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail).with_retry()
    }

    /// A mistake of ours. `what` goes to the log alone.
    pub(super) fn internal(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %what, "A request failed by a mistake of ours or of the machine.");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the request failed by no fault of yours; the daemon's log says more",
        )
    }

    /// Adds a member of its own.
    #[must_use]
    pub(super) fn with_member(mut self, name: &str, value: impl Serialize) -> Self {
        // What is given here is plain data: it always has a JSON form.
        self.0.members.insert(name.to_owned(), json!(value));
        self
    }

    /// Adds what is wrong in detail.
    #[must_use]
    pub(super) fn with_errors<T: Serialize>(mut self, errors: &[T]) -> Self {
        self.0.errors.extend(errors.iter().map(|error| json!(error)));
        self
    }

    /// Adds `Retry-After`.
    #[must_use]
    pub(super) fn with_retry(mut self) -> Self {
        self.0.retry_after_seconds = Some(RETRY_AFTER_SECONDS);
        self
    }

    /// The answer to a wish that could not be fulfilled. `field` names the place in the request's
    /// body from which the thing comes that does not exist; without it, it comes from the path.
    pub(super) fn rejected(
        rejection: &Rejection,
        field: impl Fn(&Rejection) -> Option<&'static str>,
    ) -> Self {
        let code = rejection.code();
        let conflict = |detail: String| Self::new(StatusCode::CONFLICT, code, detail);
        let unprocessable = |detail: String| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        let at_field = |detail: &str| -> Vec<FieldError> {
            let error = |field: &str| FieldError { field: field.to_owned(), detail: detail.to_owned() };
            field(rejection).map(error).into_iter().collect()
        };
        match rejection {
            Rejection::UnknownDialog
            | Rejection::UnknownOperator
            | Rejection::UnknownTeam
            | Rejection::UnknownLine
            | Rejection::UnknownTemplate
            | Rejection::UnknownMessage
            | Rejection::UnknownChat
            | Rejection::UnknownEffect => match field(rejection) {
                Some(field) => unprocessable(rejection.to_string())
                    .with_errors(&[FieldError { field: field.to_owned(), detail: rejection.to_string() }]),
                None => Self::not_found(),
            },
            Rejection::NotOffered { owner } | Rejection::NotOwner { owner } => {
                conflict(rejection.to_string()).with_member("owner", owner)
            }
            Rejection::WrongState { state } => {
                conflict(rejection.to_string()).with_member("state", state.as_str())
            }
            Rejection::DialogClosed => conflict(rejection.to_string()).with_member("state", "closed"),
            Rejection::VersionMismatch { current } => {
                conflict(rejection.to_string()).with_member("current", current)
            }
            Rejection::OtherDialogOpen { dialog } => {
                conflict(rejection.to_string()).with_member("dialog", dialog)
            }
            Rejection::PauseBeyondLimit { latest_ms } => {
                let detail = rejection.to_string();
                let errors = at_field(&detail);
                unprocessable(detail).with_errors(&errors).with_member("latest", Time(*latest_ms))
            }
            Rejection::WrongEffectState(state) => conflict(rejection.to_string()).with_member("state", state),
            Rejection::OnlyAvailableOperator
            | Rejection::OwnedAlready
            | Rejection::OperatorUnavailable
            | Rejection::ClientBlocked
            | Rejection::TooManyAutomatic
            | Rejection::TooManyJoined { .. }
            | Rejection::StaleAttempt => conflict(rejection.to_string()),
            // The reason of a failed template may quote what was put into it.
            Rejection::TemplateFailed(_) => {
                let detail = "the template cannot be filled in with these variables";
                unprocessable(detail.to_owned()).with_errors(&at_field(detail))
            }
            Rejection::EmptyText | Rejection::WrongScore => {
                let detail = rejection.to_string();
                let errors = at_field(&detail);
                unprocessable(detail).with_errors(&errors)
            }
            Rejection::CustomTooLarge { .. } | Rejection::OperatorNotOnLine | Rejection::KeyReused => {
                unprocessable(rejection.to_string())
            }
            Rejection::NotConfigured | Rejection::UnknownChannel => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, rejection.to_string()).with_retry()
            }
            Rejection::UnusableConfig(_) | Rejection::ConfigInUse(_) => Self::internal(rejection),
        }
    }

    fn body(&self) -> Value {
        let mut body = self.0.members.clone();
        body.insert("type".to_owned(), format!("urn:switchboard:problem:{}", self.0.code).into());
        body.insert("title".to_owned(), self.0.status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".to_owned(), self.0.status.as_u16().into());
        body.insert("code".to_owned(), self.0.code.into());
        body.insert("detail".to_owned(), self.0.detail.clone().into());
        body.insert("errors".to_owned(), self.0.errors.clone().into());
        body.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(allow) = self.0.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(challenge) = self.0.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { max_bytes } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body may have at most {max_bytes} bytes"),
            ),
            BodyError::TooSlow { .. } => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "the body did not arrive in time; send it again",
            ),
            BodyError::Broken => Self::bad_request("body_incomplete", error.to_string()),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Busy => Self::busy(error.to_string()),
            SubmitError::Stopping => Self::stopping(),
            SubmitError::Unwritable => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_writable", error.to_string())
            }
            SubmitError::Unanswered => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unanswered", error.to_string()).with_retry()
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopping => Self::stopping(),
            ReadError::Store(StoreError::Cursor) => Self::bad_parameters(&[FieldError {
                field: "cursor".to_owned(),
                detail: StoreError::Cursor.to_string(),
            }]),
            ReadError::Store(error) => Self::internal(&error),
        }
    }
}

impl From<ReloadUnavailable> for Problem {
    fn from(_: ReloadUnavailable) -> Self {
        Self::stopping()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dialog::DialogState;
    use crate::model::id::OperatorId;

    #[test]
    fn a_conflict_names_the_owner_or_the_state() {
        let owner = Some(OperatorId::from("boris"));
        let body = Problem::rejected(&Rejection::NotOffered { owner }, |_| None).body();
        assert_eq!(
            body,
            json!({
                "type": "urn:switchboard:problem:not_offered", "title": "Conflict", "status": 409,
                "code": "not_offered", "detail": "the dialog is not offered to this operator any more",
                "errors": [], "owner": "boris",
            })
        );
        let state = DialogState::Queued;
        assert_eq!(Problem::rejected(&Rejection::WrongState { state }, |_| None).body()["state"], "queued");
    }

    #[test]
    fn what_is_missing_is_404_from_the_path_and_422_from_the_body() {
        let from_path = Problem::rejected(&Rejection::UnknownDialog, |_| None);
        assert_eq!((from_path.status().as_u16(), from_path.code()), (404, "not_found"));
        let from_body = Problem::rejected(&Rejection::UnknownTeam, |_| Some("/to/team"));
        assert_eq!((from_body.status().as_u16(), from_body.code()), (422, "unknown_team"));
        assert_eq!(from_body.body()["errors"][0]["field"], "/to/team");
    }

    #[test]
    fn the_reason_of_a_failed_template_is_not_shown() {
        let rejection = Rejection::TemplateFailed("no variable `secret-4711`".to_owned());
        assert!(!Problem::rejected(&rejection, |_| None).body().to_string().contains("4711"));
    }
}
