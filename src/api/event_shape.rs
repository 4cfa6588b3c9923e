//! An event as the API shows it.

use serde::Serialize;
use serde_json::Value;

use crate::model::event::{Event, EventKind};
use crate::model::id::{DialogId, LineId};

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
            data: with_times(&event.data),
        }
    }
}
