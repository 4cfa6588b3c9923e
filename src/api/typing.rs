//! Showing the client that somebody is typing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::DialogId;
use crate::model::message::Direction;
use crate::model::outcome::Rejection;
use crate::model::role::Scope;
use crate::store::queries::{Walk, dialogs, messages};

use super::access::REPLY;
use super::answers::Id;
use super::auth::Principal;
use super::problem::Problem;
use super::state::Api;
use super::writes::{DialogWriting, Writing};

/// How often a messenger is told, per dialog, in ms: indicators last for five seconds or longer.
const EVERY_MS: u64 = 3_000;

/// Dialogs whose last indicator is remembered: more than have an operator at the same time.
const DIALOGS_MAX: usize = 4_096;

/// Indicators on their way. Who comes later shows none: it is no loss.
const SENDING_MAX: usize = 64;

/// How long a messenger may take. Later the indicator means nothing.
const SEND_MAX: Duration = Duration::from_secs(3);

/// Messages looked at for the client's last one.
const LOOKED_AT: usize = 10;

/// When dialogs showed their last indicators, and how many are on their way.
#[derive(Debug)]
pub(super) struct Indicators {
    last_ms: Mutex<BTreeMap<DialogId, u64>>,
    sending: Arc<Semaphore>,
}

impl Indicators {
    pub(super) fn new() -> Self {
        Self { last_ms: Mutex::default(), sending: Arc::new(Semaphore::new(SENDING_MAX)) }
    }

    /// Whether it is time for another one.
    fn is_due(&self, dialog: DialogId, now_ms: u64) -> bool {
        let mut last = self.last_ms.lock();
        if last.get(&dialog).is_some_and(|shown| now_ms < shown.saturating_add(EVERY_MS)) {
            return false;
        }
        if last.len() >= DIALOGS_MAX {
            last.retain(|_, shown| now_ms < shown.saturating_add(EVERY_MS));
        }
        if last.len() >= DIALOGS_MAX {
            return false;
        }
        last.insert(dialog, now_ms);
        true
    }
}

/// `POST /v1/dialogs/{id}/typing`
pub(super) async fn show(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    body.finish()?;
    let api = &write.api;
    let row = api.read(move |store| dialogs::get(store, id)).await?.ok_or_else(Problem::not_found)?;
    permit(&write.principal, &row)?;
    if api.typing.is_due(id, api.shared.handle.now_ms()) {
        send(api, &row).await?;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// As for a reply: the owner and who joined, and those whose right reaches beyond what is their own.
fn permit(principal: &Principal, row: &Dialog) -> Result<(), Problem> {
    let reach = principal.scope(REPLY);
    let is_reached = reach.is_some_and(|scope| principal.reaches(scope, row));
    if !is_reached && !principal.sees(row) {
        return Err(Problem::not_found());
    }
    let scope = reach.ok_or_else(|| Problem::forbidden(REPLY.name))?;
    if !is_reached && (scope >= Scope::Team || principal.operator().is_none()) {
        return Err(Problem::forbidden(REPLY.name));
    }
    let refused = |rejection: &Rejection| Err(Problem::rejected(rejection, |_| None));
    if row.state == DialogState::Closed {
        return refused(&Rejection::DialogClosed);
    }
    let has_voice = principal.operator().is_none_or(|operator| {
        scope >= Scope::Team || row.owner.as_ref() == Some(operator) || row.life.joined.contains(operator)
    });
    if has_voice { Ok(()) } else { refused(&Rejection::NotOwner { owner: row.owner.clone() }) }
}

/// Sends the indicator and does not wait for its answer.
async fn send(api: &Api, row: &Dialog) -> Result<(), Problem> {
    let outside = api.shared.outside.load_full();
    let Some(Ok(channel)) = outside.connections.channel(row.channel.as_str()) else { return Ok(()) };
    if !channel.capabilities().typing {
        return Ok(());
    }
    let Ok(place) = Arc::clone(&api.typing.sending).try_acquire_owned() else { return Ok(()) };
    let dialog = row.id;
    let newest =
        api.read(move |store| messages::of_dialog(store, dialog, Walk::Backward(None), LOOKED_AT)).await?;
    let last = newest.items.iter().find(|message| message.direction == Direction::In);
    let last = last.and_then(|message| message.external_id.as_deref());
    let Some(request) = channel.typing(&row.external_chat, last) else { return Ok(()) };
    let client = outside.client.clone();
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = client.send(request, SEND_MAX).await {
            tracing::debug!(%dialog, %error, "The client was not shown that somebody is typing.");
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indicator_is_shown_every_three_seconds_per_dialog() {
        let indicators = Indicators::new();
        let (one, other) = (DialogId::new(1, 0), DialogId::new(2, 0));
        assert!(indicators.is_due(one, 10_000));
        assert!(!indicators.is_due(one, 12_999));
        assert!(indicators.is_due(other, 12_999));
        assert!(indicators.is_due(one, 13_000));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let indicators = Indicators::new();
        let most = u64::try_from(DIALOGS_MAX).unwrap();
        for seq in 0..most {
            assert!(indicators.is_due(DialogId::new(seq, 0), 10_000));
        }
        assert!(!indicators.is_due(DialogId::new(most, 0), 10_000));
        assert!(indicators.is_due(DialogId::new(most, 0), 13_000));
        assert_eq!(indicators.last_ms.lock().len(), 1);
    }
}
