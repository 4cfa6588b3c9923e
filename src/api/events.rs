//! `GET /v1/events`: the events as a stream (Server-Sent Events).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc;

use crate::model::event::{Event, EventKind};
use crate::model::id::{DialogId, LineId};

use super::access::EVENTS;
use super::auth::Principal;
use super::event_stream::{CHUNKS_MAX, EventStream};
use super::fields::is_name;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// Where a stream is: after the event of this entry with this index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The entry.
    pub(super) seq: u64,
    /// The event within it.
    pub(super) index: u32,
}

impl Place {
    /// After everything of an entry.
    pub(super) const fn after(seq: u64) -> Self {
        Self { seq, index: u32::MAX }
    }

    /// Where an event is.
    pub(super) const fn of(event: &Event) -> Self {
        Self { seq: event.seq, index: event.index }
    }

    /// Reads `seq.index`, the id of an event, or `seq`, what a write answers with.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            Some((seq, index)) => Some(Self { seq: seq.parse().ok()?, index: index.parse().ok()? }),
            None => text.parse().ok().map(Self::after),
        }
    }
}

impl fmt::Display for Place {
    /// As [`Place::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { seq, index: u32::MAX } => write!(f, "{seq}"),
            Self { seq, index } => write!(f, "{seq}.{index}"),
        }
    }
}

/// Which events are wanted.
#[derive(Debug, Default)]
pub(super) struct EventFilter {
    lines: Option<BTreeSet<LineId>>,
    dialogs: Option<BTreeSet<DialogId>>,
    kinds: Option<BTreeSet<EventKind>>,
}

impl EventFilter {
    /// Whether an event is wanted.
    pub(super) fn admits(&self, event: &Event) -> bool {
        fn within<T: Ord>(wanted: Option<&BTreeSet<T>>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found.is_some_and(|found| wanted.contains(found)))
        }
        within(self.lines.as_ref(), event.line.as_ref())
            && within(self.dialogs.as_ref(), event.dialog.as_ref())
            && within(self.kinds.as_ref(), Some(&event.kind))
    }
}

/// `GET /v1/events`
pub(super) async fn follow(
    State(api): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    principal.require(EVENTS)?;
    let filter = EventFilter {
        lines: parameters.list("line", "ids of lines, separated by commas", |text| {
            is_name(text).then(|| LineId::from(text))
        }),
        dialogs: parameters.list("dialog", "ids of dialogs, separated by commas", |text| text.parse().ok()),
        kinds: parameters.list("type", "types of events, separated by commas", |text| {
            EventKind::ALL.iter().find(|kind| kind.as_str() == text).copied()
        }),
    };
    let form = "the id of an event, or the seq of a write";
    let asked = parameters.read("after", form, Place::parse);
    parameters.finish()?;
    // A reader that comes back says so by the header and repeats the address it began with.
    let resumed = match headers.get("last-event-id") {
        None => asked,
        Some(value) => Some(value.to_str().ok().and_then(Place::parse).ok_or_else(|| {
            Problem::bad_request("invalid_event_id", format!("`Last-Event-ID` must be {form}"))
        })?),
    };
    // Before the subscription: what comes between the two is read from the store.
    let applied_seq = api.shared.handle.applied_seq();
    let place = resumed.unwrap_or(Place::after(applied_seq));
    if place.seq > applied_seq {
        return Err(Problem::bad_request(
            "unknown_event_id",
            "this daemon has not come to that event; start again without an id",
        ));
    }
    let permit = Arc::clone(&api.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many event streams are open; close some or try again later"))?;
    let live = api.shared.handle.follow();
    let (out, chunks) = mpsc::channel::<Bytes>(CHUNKS_MAX);
    let stream = EventStream { api, principal, filter, place, live, out };
    tokio::spawn(async move {
        stream.run().await;
        drop(permit);
    });
    let body = futures_util::stream::unfold(chunks, |mut chunks| async move {
        chunks.recv().await.map(|chunk| (Ok::<Bytes, Infallible>(chunk), chunks))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_and_the_seq_of_a_write_are_places() {
        assert_eq!(Place::parse("12.3"), Some(Place { seq: 12, index: 3 }));
        assert_eq!(Place::parse("12"), Some(Place::after(12)));
        for wrong in ["", ".", "12.", "-1", "12.3.4", "x"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
        for text in ["12.3", "12"] {
            assert_eq!(Place::parse(text).map(|place| place.to_string()).as_deref(), Some(text));
        }
    }
}
