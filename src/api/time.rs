//! Times as the API writes them: RFC 3339, UTC, milliseconds.

use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// A time in ms since the Unix epoch, written as `2026-03-01T09:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) u64);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A time beyond the year 262143 comes from no clock.
        let ms = i64::try_from(self.0).ok();
        let time = ms.and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::UNIX_EPOCH);
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a time in any zone; times before 1970 are 1970. `None`: it is not one.
pub(super) fn parse(text: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(u64::try_from(time.timestamp_millis()).unwrap_or(0))
}

/// The data of an event with its times as the API writes them: `expires_at_ms: 1000` becomes
/// `expires_at: "1970-01-01T00:00:01.000Z"`.
pub(super) fn with_times(data: &Value) -> Value {
    let Value::Object(members) = data else { return data.clone() };
    let written: Map<String, Value> = members
        .iter()
        .map(|(name, value)| match name.strip_suffix("_at_ms") {
            Some(stem) => {
                let time = value.as_u64().map_or(Value::Null, |ms| Time(ms).to_string().into());
                (format!("{stem}_at"), time)
            }
            None => (name.clone(), value.clone()),
        })
        .collect();
    written.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        assert_eq!(Time(1_772_355_600_007).to_string(), "2026-03-01T09:00:00.007Z");
        assert_eq!(parse("2026-03-01T12:00:00.007+03:00"), Some(1_772_355_600_007));
        assert_eq!(parse("1969-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn times_within_the_data_of_an_event_are_written_alike() {
        let data = json!({"offer": "o-1", "expires_at_ms": 1000, "ended_at_ms": null});
        assert_eq!(
            with_times(&data),
            json!({"offer": "o-1", "expires_at": "1970-01-01T00:00:01.000Z", "ended_at": null})
        );
    }
}
