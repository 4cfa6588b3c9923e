//! Batches of Meta: several items in one call, each with its own fate.
//!
//! Meta repeats a call as a whole, so each item has a key of its own, and an item that cannot be read is kept with
//! its raw form beside the others.

use serde_json::Value;

use crate::channels::codec::{DecodeError, Received};
use crate::model::id::ChannelId;
use crate::model::inbound::{Fact, Inbound};
use crate::model::input_id;

/// The largest call, in bytes: Meta's documents say up to 3 MB.
pub(in crate::channels) const META_CALL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most items of one call. Meta puts at most a thousand updates into a call.
const ITEMS_MAX: usize = 1000;

/// Times below this are seconds, others milliseconds: Meta uses both, also within one messenger.
const SECONDS_BELOW: u64 = 100_000_000_000;

/// The longest parameter of a link that is kept as a source, in characters: Meta allows this many.
const SOURCE_MAX: usize = 2083;

/// A fact that was understood, with its key and its time.
pub(in crate::channels) struct Reading {
    pub(in crate::channels) input_id: String,
    pub(in crate::channels) at_ms: Option<u64>,
    pub(in crate::channels) fact: Fact,
}

/// What becomes of an item: facts (none, when there is nothing to tell), or what it is in words.
pub(in crate::channels) type Outcome = Result<Vec<Reading>, String>;

/// The facts of one call.
pub(in crate::channels) struct Batch<'a> {
    channel: &'a ChannelId,
    count: usize,
    received: Vec<Received>,
}

impl<'a> Batch<'a> {
    /// Reads the whole of a call: JSON with `object`.
    pub(in crate::channels) fn open(
        channel: &'a ChannelId,
        body: &[u8],
    ) -> Result<(Self, Value), DecodeError> {
        let body: Value = serde_json::from_slice(body)?;
        if body.get("object").and_then(Value::as_str).is_none() {
            return Err(DecodeError::Missing("object"));
        }
        Ok((Self { channel, count: 0, received: Vec::new() }, body))
    }

    /// Takes in what an item came to.
    pub(in crate::channels) fn add(&mut self, item: &Value, outcome: Outcome) {
        self.count = self.count.saturating_add(1);
        if self.count > ITEMS_MAX {
            return;
        }
        let readings = outcome.unwrap_or_else(|what| {
            let raw = item.to_string();
            let input_id = input_id::item(self.channel, raw.as_bytes());
            vec![Reading { input_id, at_ms: None, fact: Fact::Unsupported { what, raw } }]
        });
        for Reading { input_id, at_ms, fact } in readings {
            let inbound = Inbound { channel: self.channel.clone(), external_at_ms: at_ms, fact };
            self.received.push(Received { input_id, inbound });
        }
    }

    /// All facts. What has nothing that could be read is kept as a whole.
    pub(in crate::channels) fn close(mut self, body: &Value) -> Result<Vec<Received>, DecodeError> {
        if self.count == 0 {
            self.add(body, Err("call without items".to_owned()));
        }
        if self.count > ITEMS_MAX {
            return Err(DecodeError::TooManyItems { count: self.count, max: ITEMS_MAX });
        }
        Ok(self.received)
    }
}

/// The elements of an array; none for anything else.
pub(in crate::channels) fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that is not empty.
pub(in crate::channels) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An id: a text, or a whole number.
pub(in crate::channels) fn id(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// A time, which Meta gives as a number or as a text, in seconds or in ms.
pub(in crate::channels) fn time_ms(value: &Value, pointer: &str) -> Option<u64> {
    let time = match value.pointer(pointer)? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    match time {
        0 => None,
        1..SECONDS_BELOW => time.checked_mul(1000),
        _ => Some(time),
    }
}

/// The first of several places that says how a client came. What is too long is left out: cut, it would be another's.
pub(in crate::channels) fn source(value: &Value, pointers: &[&str]) -> Option<String> {
    let source = pointers.iter().find_map(|pointer| id(value, pointer))?;
    (source.chars().count() <= SOURCE_MAX).then_some(source)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_seconds_or_milliseconds_in_text_or_number() {
        for (time, expected) in [
            (json!("1697043223"), Some(1_697_043_223_000)),
            (json!(1_697_043_223), Some(1_697_043_223_000)),
            (json!(1_701_427_704_837_u64), Some(1_701_427_704_837)),
            (json!("1701427704837"), Some(1_701_427_704_837)),
            (json!(0), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("soon"), None),
            (json!(u64::MAX), Some(u64::MAX)),
        ] {
            assert_eq!(time_ms(&json!({ "t": time }), "/t"), expected, "{time}");
        }
    }

    #[test]
    fn large_ids_are_read_exactly() {
        assert_eq!(id(&json!({ "i": u64::MAX }), "/i").as_deref(), Some("18446744073709551615"));
        assert_eq!(id(&json!({ "i": 1.5 }), "/i"), None);
        assert_eq!(id(&json!({ "i": "" }), "/i"), None);
    }
}
