//! One attempt on one effect, from its first request to its result.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channels::{Channel, Outbound, Progress, SendFailure, Verdict, WireRequest, WireResponse};
use crate::model::effect::{Attempt, Effect, EffectAction, Refusal, Scope};
use crate::model::id::{ChannelId, EndpointId};

use super::enclose::{enclose, has_files};
use super::files::Files;
use super::http::{HttpClient, SendError};
use super::mail::MailClient;
use super::notify;
use super::outside::Outside;

/// Requests of one attempt: a text in its most parts, each with an upload, and then some.
const REQUESTS_MAX: usize = 64;

/// The time of a whole attempt, whatever it consists of. Messengers answer in well under a second; half a minute
/// covers their bad days and still frees a worker. Whoever waits for an attempt (the engine's deadline,
/// the drain of a stop) waits longer than this.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// No further request begins after this time. What remains of [`ATTEMPT_MAX`] is then enough for an answer:
/// a request that is cut off leaves its outcome uncertain, one that was not begun leaves nothing.
const BEGIN_MAX: Duration = Duration::from_secs(10);

/// How long the files of a message may take to be made ready, before its attempt begins: together with
/// [`ATTEMPT_MAX`] less than the engine's deadline. Those that are there by then are kept, so another attempt goes
/// on behind them; one file alone never takes so long.
const FILES_MAX: Duration = Duration::from_secs(120);
/// The longest pause between two requests of one attempt. Whatever takes longer is another attempt.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// How long the rest of a text waits for its next attempt, in ms: the receiver is slow but works.
const REST_AFTER_MS: u64 = 1_000;

/// Tries an effect. Always gives a result; never contains a secret. `now_ms` is the time of the attempt.
pub async fn deliver(outside: &Outside, files: &Files, effect: &Effect, now_ms: u64) -> Attempt {
    let Outside { connections, client, .. } = outside;
    match &effect.action {
        EffectAction::Send(outgoing) => to_channel(outside, files, &outgoing.channel, effect, now_ms).await,
        EffectAction::AcknowledgeButton { channel, .. } => {
            to_channel(outside, files, channel, effect, now_ms).await
        }
        EffectAction::Notify(notification) => {
            let endpoint = &notification.endpoint;
            match connections.endpoint(endpoint) {
                None => gone(effect, "endpoint", endpoint.as_str()),
                Some(Err(reason)) => not_connected(effect, &format!("endpoint `{endpoint}`"), reason),
                Some(Ok(connected)) => {
                    let request =
                        notify::request(&connected.url, &connected.key, effect.id, notification, now_ms);
                    match request {
                        Ok(request) => to_endpoint(client, endpoint, request).await,
                        Err(error) => Attempt::Refused { reason: Refusal::Permanent, error, parts_done: 0 },
                    }
                }
            }
        }
    }
}

async fn to_channel(
    outside: &Outside,
    files: &Files,
    id: &ChannelId,
    effect: &Effect,
    now_ms: u64,
) -> Attempt {
    let wire = || Wire { client: &outside.client, mail: &outside.mail, began: Instant::now() };
    let channel: &dyn Channel = match outside.connections.channel(id.as_str()) {
        None => return gone(effect, "channel", id.as_str()),
        Some(Err(error)) => {
            return not_connected(effect, &format!("channel `{id}`"), &error.to_string());
        }
        Some(Ok(channel)) => channel.as_ref(),
    };
    if !has_files(effect) {
        let begin = Progress::resume(effect);
        return attempt(channel, effect, begin, &wire()).await;
    }
    // Its files are fetched before the clock of the attempt starts: the messenger does not wait for them.
    match tokio::time::timeout(FILES_MAX, enclose(outside, files, channel, effect, now_ms)).await {
        Ok(Ok(enclosed)) => {
            let begin = Progress::resume(effect).with_files(Arc::clone(&enclosed.files));
            attempt(channel, &enclosed.effect, begin, &wire()).await
        }
        Ok(Err(ended)) => ended,
        Err(_) => Attempt::Retry {
            after_ms: Some(REST_AFTER_MS),
            error: "its files are still being fetched: it follows in another attempt".to_owned(),
            parts_done: effect.parts_done,
            scope: Scope::Chat,
        },
    }
}

/// Who carries the requests of one attempt, and knows how long it takes so far.
trait Carrier {
    /// The time since the attempt began.
    fn elapsed(&self) -> Duration;

    /// Waits before the next request.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Sends a request and waits for its answer, at most for `limit`.
    fn send(
        &self,
        request: Outbound,
        limit: Duration,
    ) -> impl Future<Output = Result<WireResponse, SendFailure>> + Send;
}

async fn attempt(channel: &dyn Channel, effect: &Effect, begin: Progress, carrier: &impl Carrier) -> Attempt {
    let mut progress = begin;
    for number in 0..REQUESTS_MAX {
        let request = match channel.outbound(effect, &progress) {
            Ok(request) => request,
            Err(error) => return error.attempt(progress.parts_done),
        };
        let elapsed = carrier.elapsed();
        // The first request always begins: an attempt that does nothing would be repeated for ever.
        if number > 0 && elapsed >= BEGIN_MAX {
            return Attempt::Retry {
                after_ms: Some(REST_AFTER_MS),
                error: "the receiver is slow: the rest follows in another attempt".to_owned(),
                parts_done: progress.parts_done,
                scope: Scope::Chat,
            };
        }
        let response = carrier.send(request, ATTEMPT_MAX.saturating_sub(elapsed)).await;
        match channel.classify(effect, &progress, response.as_ref()) {
            Verdict::More(next) => {
                progress = next;
                if progress.pause_ms > 0 {
                    carrier.pause(Duration::from_millis(progress.pause_ms).min(PAUSE_MAX)).await;
                }
            }
            Verdict::Ended(attempt) => return attempt,
        }
    }
    Attempt::Refused {
        reason: Refusal::Permanent,
        error: format!("the message needs more than {REQUESTS_MAX} requests"),
        parts_done: progress.parts_done,
    }
}

/// The clients of HTTP and of SMTP, since the beginning of an attempt.
struct Wire<'a> {
    client: &'a HttpClient,
    mail: &'a MailClient,
    began: Instant,
}

impl Carrier for Wire<'_> {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn send(&self, request: Outbound, limit: Duration) -> Result<WireResponse, SendFailure> {
        match request {
            Outbound::Http(request) => {
                self.client.send(request, limit).await.map_err(|error| failure(&error))
            }
            Outbound::Mail(mail) => self.mail.send(mail, limit).await,
        }
    }
}

fn failure(error: &SendError) -> SendFailure {
    let text = error.to_string();
    match error {
        SendError::InvalidRequest(_) | SendError::Refused { .. } => SendFailure::Refused(text),
        SendError::NotSent { .. } => SendFailure::NotSent(text),
        SendError::Ambiguous { .. } => SendFailure::Ambiguous(text),
        SendError::TooLarge { .. } => SendFailure::TooLarge,
    }
}

async fn to_endpoint(client: &HttpClient, endpoint: &EndpointId, request: WireRequest) -> Attempt {
    match client.send(request, ATTEMPT_MAX).await {
        Ok(response) => notify::classify(&response),
        Err(error) => {
            let text = format!("endpoint `{endpoint}`: {error}");
            match error {
                SendError::InvalidRequest(_) | SendError::Refused { .. } => {
                    Attempt::Refused { reason: Refusal::Permanent, error: text, parts_done: 0 }
                }
                SendError::NotSent { .. } => {
                    Attempt::Retry { after_ms: None, error: text, parts_done: 0, scope: Scope::Chat }
                }
                SendError::Ambiguous { .. } | SendError::TooLarge { .. } => {
                    Attempt::Ambiguous { error: text, parts_done: 0 }
                }
            }
        }
    }
}

fn gone(effect: &Effect, what: &str, id: &str) -> Attempt {
    Attempt::Refused {
        reason: Refusal::Permanent,
        error: format!("the {what} `{id}` is not in the configuration any more"),
        parts_done: effect.parts_done,
    }
}

/// It may come back with the next reload: that is worth waiting for.
fn not_connected(effect: &Effect, what: &str, reason: &str) -> Attempt {
    Attempt::Retry {
        after_ms: None,
        error: format!("the {what} is not connected: {reason}"),
        parts_done: effect.parts_done,
        scope: Scope::Chat,
    }
}

#[cfg(test)]
mod tests;
