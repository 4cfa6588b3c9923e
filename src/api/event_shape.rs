//! An event as the API shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::event::{Event, EventKind};
use crate::model::id::{DialogId, LineId};
use crate::model::message::Author;

use super::message_shape::AuthorShape;
use super::time::{Time, with_times};

/// An event.
#[derive(Debug, Serialize)]
pub(super) struct EventShape<'a> {
    seq: u64,
    index: u32,
    #[serde(rename = "type")]
    kind: EventKind,
    at: Time,
    line: Option<&'a LineId>,
    dialog: Option<DialogId>,
    data: Value,
}

impl<'a> From<&'a Event> for EventShape<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            seq: event.seq,
            index: event.index,
            kind: event.kind,
            at: Time(event.at_ms),
            line: event.line.as_ref(),
            dialog: event.dialog,
            data: with_authors(with_times(&event.data)),
        }
    }
}

/// The members of an event's data that say who did it.
const AUTHORS: [&str; 2] = ["author", "by"];

/// The data of an event with its authors as messages show them.
fn with_authors(mut data: Value) -> Value {
    for name in AUTHORS {
        let Some(member) = data.get_mut(name) else { continue };
        if let Ok(author) = Author::deserialize(&*member) {
            // An author is plain data: it always has a JSON form.
            *member = json!(AuthorShape::from(&author));
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_within_the_data_is_shown_as_in_messages() {
        let data = json!({"message": "m-1", "author": {"kind": "integration", "id": "crm"}, "by": {"kind": "system"}});
        assert_eq!(
            with_authors(data),
            json!({"message": "m-1", "author": {"kind": "system", "id": "crm"}, "by": {"kind": "system", "id": null}})
        );
        for other in [json!({"by": "anna"}), json!({"author": null}), json!(7), json!({})] {
            assert_eq!(with_authors(other.clone()), other);
        }
    }
}
