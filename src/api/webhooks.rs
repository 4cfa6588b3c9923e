//! Calls of messengers.
//!
//! The order of intake, for every channel: the connected channel → what the head alone proves → cap the
//! size → raw bytes → verify → parse → make durable → answer as the messenger expects. No body is read
//! for a call that its head refuses, so strangers occupy no memory; nothing of a body is parsed before it
//! is authentic, and nothing is confirmed before it is kept. Where we cannot keep it, the messenger is
//! told to come again; a fact that comes again changes nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};

use crate::channels::{
    CALL_BYTES_MAX, CallHead, DecodeError, Decoded, VerifyError, WebhookAnswer, WebhookCall,
};
use crate::model::entry::Cause;
use crate::model::id::ChannelId;
use crate::model::inbound::{Fact, Inbound};
use crate::model::input::Input;
use crate::model::input_id;
use crate::model::outcome::{Outcome, Receipt, Rejection};
use crate::node::{FileError, Submission, SubmitError};

use super::call_memory::NotRead;
use super::enclosed::{self, Enclosed};
use super::problem::Problem;
use super::request_id::{self, REQUEST_ID};
use super::server::BodyLimits;
use super::state::Api;

/// The time for a call of an ordinary size: less than any messenger waits.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// A call that is larger has more time. Only mail is, and its servers wait for minutes.
const ORDINARY_BYTES_MAX: usize = 4 * CALL_BYTES_MAX;

/// The time for a larger one.
const LARGE_BODY_WITHIN: Duration = Duration::from_secs(60);

/// Under this name calls of channels that are not declared are counted.
const UNDECLARED: &str = "-";

/// Takes a call in.
pub(super) async fn receive(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let id = api.request_ids.of(request.headers());
    // A path that is not UTF-8 names no channel.
    let name = path.map(|Path(name)| name).unwrap_or_default();
    // A mistake in the code of one messenger must not cost the connection of a proxy that serves all.
    let received =
        AssertUnwindSafe(take_in(&api, &name, request_id::text(&id), request)).catch_unwind().await;
    let mut received = received.unwrap_or_else(|_| {
        let what = format!("the webhook call {} panicked", request_id::text(&id));
        Received::undeclared("panic", Problem::internal(&what))
    });
    let channel = if received.is_declared { name.as_str() } else { UNDECLARED };
    api.shared.metrics.webhook(channel, received.result);
    received.answer.headers_mut().insert(REQUEST_ID, id);
    received.answer
}

/// Answers a call by a method that no messenger uses. The router adds `Allow`.
pub(super) async fn no_such_method(State(api): State<Api>, headers: HeaderMap) -> Response {
    let mut answer = Problem::method_not_allowed(None).into_response();
    answer.headers_mut().insert(REQUEST_ID, api.request_ids.of(&headers));
    answer
}

/// What a call came to.
struct Received {
    is_declared: bool,
    /// The word for counters.
    result: &'static str,
    answer: Response,
}

impl Received {
    fn refused(result: &'static str, problem: Problem) -> Self {
        Self { is_declared: true, result, answer: problem.into_response() }
    }

    fn undeclared(result: &'static str, problem: Problem) -> Self {
        Self { is_declared: false, result, answer: problem.into_response() }
    }
}

async fn take_in(api: &Api, name: &str, id: &str, request: Request) -> Received {
    let (parts, body) = request.into_parts();
    let outside = api.shared.outside.load_full();
    let channel = match outside.connections.channel(name) {
        None => return Received::undeclared("unknown", Problem::not_found()),
        Some(Err(_)) => {
            return Received::refused(
                "not_connected",
                Problem::busy("the channel is not connected at present; see `/readyz`"),
            );
        }
        Some(Ok(channel)) => Arc::clone(channel),
    };
    let limits = outside.limits.clone();
    // What was looked up is released before the body is waited for.
    drop(outside);
    let head = CallHead {
        method: &parts.method,
        headers: &parts.headers,
        query: parts.uri.query().unwrap_or_default(),
    };
    if let Err(error) = channel.verify_head(&head) {
        return unauthentic(name, id, &error, head.method);
    }
    let mut memory = api.calls.hold(name);
    let max_bytes = channel.call_bytes_max();
    let timeout = if max_bytes > ORDINARY_BYTES_MAX { LARGE_BODY_WITHIN } else { BODY_WITHIN };
    let body = match memory.read(body, BodyLimits { max_bytes, timeout }).await {
        Ok(body) => body,
        Err(NotRead::Body(problem)) => return Received::refused("body", problem),
        Err(NotRead::Busy) => {
            return Received::refused(
                "busy",
                Problem::busy("too many calls are being read; come again in a second"),
            );
        }
    };
    let CallHead { method, headers, query } = head;
    let call = WebhookCall { method, headers, query, body: &body };
    if let Err(error) = channel.verify(&call) {
        return unauthentic(name, id, &error, method);
    }
    let (result, decoded) = match channel.decode(&call) {
        Ok(decoded) => ("accepted", decoded),
        // The sender can mend this one: smaller batches.
        Err(error @ DecodeError::TooManyItems { .. }) => {
            return Received::refused("undecodable", Problem::bad_request("undecodable", error.to_string()));
        }
        Err(error) => {
            tracing::warn!(id, channel = name, %error, "An authentic webhook call cannot be read; it is kept as it came.");
            ("undecodable", kept_raw(name, &body, &error))
        }
    };
    let Decoded { received, answer } = decoded;
    let kept = match enclosed::keep(api, channel.as_ref(), &call, &limits, &received).await {
        Ok(files) => keep(api, name, received, files).await,
        Err(error) => Err(NotKept::Files(error)),
    };
    match kept {
        Ok(()) => Received { is_declared: true, result, answer: answer_of(answer) },
        Err(NotKept::Submit(error)) => Received::refused(
            "busy",
            Problem::busy(match error {
                // Not even a later try would help, but only the messenger can give up.
                SubmitError::Unwritable => "the call cannot be kept".to_owned(),
                SubmitError::Busy | SubmitError::Stopping | SubmitError::Unanswered => error.to_string(),
            }),
        ),
        Err(NotKept::Files(error)) => {
            tracing::error!(id, channel = name, %error, "The files of a webhook call cannot be kept.");
            Received::refused("busy", Problem::busy("the files cannot be kept; come again"))
        }
        Err(NotKept::Channel) => {
            Received::refused("not_connected", Problem::busy("the channel is about to change; come again"))
        }
    }
}

fn unauthentic(name: &str, id: &str, error: &VerifyError, method: &Method) -> Received {
    tracing::debug!(id, channel = name, reason = error.reason(), "A webhook call was refused.");
    let problem = match error {
        VerifyError::Method => Problem::method_not_allowed(Some(other_method(method))),
        _ => Problem::unauthentic_webhook(),
    };
    Received::refused(error.reason(), problem)
}

/// An authentic call that cannot be read, as it came. A messenger that is told no would bring it again and
/// again, and hold back everything behind it.
fn kept_raw(name: &str, body: &[u8], error: &DecodeError) -> Decoded {
    let channel = ChannelId::from(name);
    let fact = Fact::Unsupported { what: error.to_string(), raw: String::from_utf8_lossy(body).into_owned() };
    let received = crate::channels::Received {
        input_id: input_id::item(&channel, body),
        inbound: Inbound { channel, external_at_ms: None, fact },
    };
    Decoded { received: vec![received], answer: WebhookAnswer::empty() }
}

/// Why facts are not kept.
enum NotKept {
    Submit(SubmitError),
    /// Those that came within the call.
    Files(FileError),
    /// The configuration changes at this moment and does not have the channel.
    Channel,
}

/// Makes all facts of a call durable: hands all of them to the writer, then waits for all, so that one
/// sync of the disk serves them together.
async fn keep(
    api: &Api,
    name: &str,
    received: Vec<crate::channels::Received>,
    files: Vec<Enclosed>,
) -> Result<(), NotKept> {
    let channel = ChannelId::from(name);
    let mut waiting = Vec::with_capacity(received.len());
    for (fact, files) in received.into_iter().zip(files) {
        let unsupported = unsupported(&fact.inbound.fact);
        let submission = Submission {
            input_id: fact.input_id,
            cause: Cause::Webhook(channel.clone()),
            input: Input::Inbound(fact.inbound),
        };
        waiting.push((unsupported, files, api.shared.handle.enqueue(submission).map_err(NotKept::Submit)?));
    }
    for (unsupported, files, answer) in waiting {
        let answer = answer.await.unwrap_or(Err(SubmitError::Unanswered)).map_err(NotKept::Submit)?;
        match answer.outcome {
            Outcome::Rejected(Rejection::UnknownChannel | Rejection::NotConfigured) => {
                return Err(NotKept::Channel);
            }
            // Other rejections (an edit of a message that we never saw) stay what they are however
            // often the messenger comes again.
            Outcome::Applied(Receipt { message: Some(message), .. }) => {
                enclosed::note(api, message, files).await.map_err(NotKept::Files)?;
            }
            Outcome::Applied(_) | Outcome::Rejected(_) => {}
        }
        if let Some(what) = unsupported.filter(|_| !answer.repeated) {
            api.shared.metrics.unsupported(name, what);
        }
    }
    Ok(())
}

/// The word for counters of a fact that is kept and not understood: an `update` as a whole, or a `message`
/// that reaches its dialog and cannot be shown.
const fn unsupported(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Unsupported { .. } => Some("update"),
        Fact::Message(message) if message.unsupported.is_some() => Some("message"),
        Fact::Message(_)
        | Fact::Edited { .. }
        | Fact::Deleted { .. }
        | Fact::Fate { .. }
        | Fact::FateUpTo { .. }
        | Fact::Reaction { .. }
        | Fact::Echo { .. }
        | Fact::Referral { .. }
        | Fact::Moved { .. }
        | Fact::Button { .. }
        | Fact::Subscription { .. } => None,
    }
}

fn answer_of(answer: WebhookAnswer) -> Response {
    let WebhookAnswer { status, content_type, body } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// The method that a channel has when it does not have this one.
fn other_method(method: &Method) -> &'static str {
    if *method == Method::POST { "GET" } else { "POST" }
}
