//! What an id stands for: the dialog behind a message, an offer or an event, and what else happened at that moment.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::model::event::Event;
use crate::model::id::{DialogId, MessageId, OfferId};
use crate::store::queries::{dialogs, events};
use crate::store::{Store, StoreError};

use super::access::SEE;
use super::answers::{self, Id};
use super::auth::Principal;
use super::event_shape::EventShape;
use super::events::Place;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// Events read at a time: one entry has a handful, unless it changes the configuration of a large company.
const EVENTS_AT_A_TIME: usize = 100;

/// The most events of one entry that are shown.
const EVENTS_SHOWN_MAX: usize = 200;

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Dialog(DialogId),
    Message(MessageId),
    Offer(OfferId),
    /// By its entry and its place there.
    Event(u64, u32),
}

impl std::str::FromStr for Subject {
    type Err = ();

    /// `d-3`, `m-17`, `o-4` or `17.0`.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Dialog(id));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Message(id));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Offer(id));
        }
        match Place::parse(text) {
            Some(place) if text.contains('.') => Ok(Self::Event(place.seq, place.index)),
            _ => Err(()),
        }
    }
}

impl Subject {
    const fn kind(self) -> &'static str {
        match self {
            Self::Dialog(_) => "dialog",
            Self::Message(_) => "message",
            Self::Offer(_) => "offer",
            Self::Event(..) => "event",
        }
    }

    /// The entry that made it.
    const fn seq(self) -> u64 {
        match self {
            Self::Dialog(id) => id.seq,
            Self::Message(id) => id.seq,
            Self::Offer(id) => id.seq,
            Self::Event(seq, _) => seq,
        }
    }

    /// Whether an event of that entry tells of it.
    fn is_told_by(self, event: &Event) -> bool {
        let names = |member: &str, id: String| event.data.get(member).is_some_and(|value| *value == *id);
        match self {
            Self::Dialog(id) => event.dialog == Some(id),
            Self::Message(id) => names("message", id.to_string()),
            Self::Offer(id) => names("offer", id.to_string()),
            Self::Event(_, index) => event.index == index,
        }
    }
}

#[derive(Debug, Serialize)]
struct SubjectShape<'a> {
    kind: &'static str,
    /// The entry that made it.
    seq: u64,
    /// The dialog that it belongs to; null: an event about no dialog.
    dialog: Option<DialogId>,
    /// What happened in that entry: to the dialog, or without one to every dialog that may be seen.
    events: Vec<EventShape<'a>>,
}

/// `GET /v1/explain/{id}`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Id(subject): Id<Subject>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    principal.require(SEE)?;
    parameters.finish()?;
    let teller = api
        .read(move |store| first_event(store, subject.seq(), |event| subject.is_told_by(event)))
        .await?
        .ok_or_else(Problem::not_found)?;
    let dialog = teller.dialog;
    let shown = api
        .read(move |store| {
            let is_seen = match dialog {
                Some(id) => dialogs::get(store, id)?.is_some_and(|row| principal.sees(&row)),
                None => principal.hears_of(teller.line.as_ref()),
            };
            if !is_seen {
                return Ok(None);
            }
            let mut shown = Vec::new();
            each_event(store, subject.seq(), |event| {
                let is_seen = match (dialog, event.dialog) {
                    (Some(wanted), found) => found == Some(wanted),
                    (None, Some(found)) => {
                        dialogs::get(store, found)?.is_some_and(|row| principal.sees(&row))
                    }
                    (None, None) => principal.hears_of(event.line.as_ref()),
                };
                if is_seen {
                    shown.push(event);
                }
                Ok(shown.len() < EVENTS_SHOWN_MAX)
            })?;
            Ok(Some(shown))
        })
        .await?
        .ok_or_else(Problem::not_found)?;
    let shape = SubjectShape {
        kind: subject.kind(),
        seq: subject.seq(),
        dialog,
        events: shown.iter().map(EventShape::from).collect(),
    };
    answers::json(StatusCode::OK, &shape)
}

/// The dialog of a message; `None`: there is no such message.
pub(super) fn dialog_of_message(store: &Store, message: MessageId) -> Result<Option<DialogId>, StoreError> {
    let subject = Subject::Message(message);
    let teller = first_event(store, message.seq, |event| subject.is_told_by(event))?;
    Ok(teller.and_then(|event| event.dialog))
}

/// The first event of an entry that fits.
fn first_event(store: &Store, seq: u64, fits: impl Fn(&Event) -> bool) -> Result<Option<Event>, StoreError> {
    let mut found = None;
    each_event(store, seq, |event| {
        found = fits(&event).then_some(event);
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Goes through the events of an entry, in order, as long as `take` says so.
fn each_event(
    store: &Store,
    seq: u64,
    mut take: impl FnMut(Event) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut after = Place::after(seq.saturating_sub(1));
    loop {
        let found = events::after(store, after.seq, after.index, EVENTS_AT_A_TIME)?;
        let is_last = found.len() < EVENTS_AT_A_TIME;
        for event in found {
            after = Place::of(&event);
            if event.seq != seq || !take(event)? {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_by_its_form_what_it_stands_for() {
        assert_eq!("d-3".parse(), Ok(Subject::Dialog(DialogId::new(3, 0))));
        assert_eq!("m-17-2".parse(), Ok(Subject::Message(MessageId::new(17, 2))));
        assert_eq!("o-4".parse(), Ok(Subject::Offer(OfferId::new(4, 0))));
        assert_eq!("17.3".parse(), Ok(Subject::Event(17, 3)));
        for wrong in ["", "17", "c-3", "d-", "d-03", "17.", "x"] {
            assert_eq!(wrong.parse::<Subject>(), Err(()), "{wrong}");
        }
    }
}
