//! A date in a zone, and what its clocks show.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;

/// The first of the two dates that a day reaches over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date {
    pub(super) zone: Tz,
    pub(super) day: NaiveDate,
}

impl Date {
    pub(super) fn new(zone: &str, day: &str) -> Self {
        Self { zone: zone.parse().unwrap(), day: day.parse().unwrap() }
    }

    /// The instant when clocks first show this, some days later.
    pub(super) fn at(&self, days: i64, time: &str) -> u64 {
        let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
        let local = (self.day + Duration::days(days)).and_time(time);
        let instant = self.zone.from_local_datetime(&local).earliest().unwrap();
        u64::try_from(instant.timestamp_millis()).unwrap()
    }

    fn local(&self, at_ms: u64) -> DateTime<Tz> {
        self.zone.timestamp_millis_opt(i64::try_from(at_ms).unwrap()).unwrap()
    }

    /// What clocks show.
    pub(super) fn clock(&self, at_ms: u64) -> String {
        self.local(at_ms).format("%H:%M").to_string()
    }

    pub(super) fn day_and_clock(&self, at_ms: u64) -> String {
        self.local(at_ms).format("%a %H:%M").to_string()
    }

    /// The hour of an instant as clocks show it, with when it began: an hour may come twice.
    pub(super) fn hour(&self, at_ms: u64) -> (i64, String) {
        let local = self.local(at_ms);
        let hour = local.format("%a %H:00").to_string();
        (i64::try_from(at_ms / 1_000).unwrap() - i64::from(local.minute() * 60 + local.second()), hour)
    }
}
