//! Whether a calendar is open at an instant.
//!
//! The instant is turned into local time, never the other way: so a local time that daylight saving
//! skips cannot be asked for, and an hour that is repeated counts twice. Zone data is compiled in.

pub mod borders;

use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike};
use chrono_tz::Tz;

use crate::model::calendar::{Calendar, Day, Interval};

/// A calendar with its zone.
#[derive(Debug)]
pub struct Hours {
    calendar: Calendar,
    zone: Tz,
}

/// The zone is not in the IANA time zone database.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time zone; write an IANA name such as `Europe/Moscow`")]
pub struct UnknownTimezone(String);

impl Hours {
    /// Prepares a calendar.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn new(calendar: Calendar) -> Result<Self, UnknownTimezone> {
        match calendar.timezone.parse() {
            Ok(zone) => Ok(Self { calendar, zone }),
            Err(_) => Err(UnknownTimezone(calendar.timezone)),
        }
    }

    /// Whether it is open at an instant, in ms since the Unix epoch. An instant beyond the range of
    /// dates is closed.
    pub fn is_open(&self, at_ms: u64) -> bool {
        let Some(utc) = i64::try_from(at_ms).ok().and_then(DateTime::from_timestamp_millis) else {
            return false;
        };
        let local = utc.with_timezone(&self.zone).naive_local();
        let minute = local.hour() * 60 + local.minute();
        let today = self.intervals(local.date()).iter().any(|interval| {
            let (from, to) = (u32::from(interval.from), u32::from(interval.to));
            from <= minute && (minute < to || to <= from)
        });
        // An interval that crosses midnight belongs to the day that it begins on.
        let since_yesterday = local.date().checked_sub_days(Days::new(1)).is_some_and(|yesterday| {
            self.intervals(yesterday)
                .iter()
                .any(|interval| interval.to <= interval.from && minute < u32::from(interval.to))
        });
        today || since_yesterday
    }

    fn intervals(&self, date: NaiveDate) -> &[Interval] {
        let (Ok(month), Ok(day)) = (u8::try_from(date.month()), u8::try_from(date.day())) else {
            return &[];
        };
        let dated = Day { year: Some(date.year()), month, day };
        let yearly = Day { year: None, month, day };
        if let Some(intervals) = self.calendar.open.get(&dated).or_else(|| self.calendar.open.get(&yearly)) {
            return intervals;
        }
        if self.calendar.closed.contains(&dated) || self.calendar.closed.contains(&yearly) {
            return &[];
        }
        let weekday = date.weekday().num_days_from_monday();
        usize::try_from(weekday)
            .ok()
            .and_then(|weekday| self.calendar.week.get(weekday))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn at(text: &str) -> u64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis().try_into().unwrap()
    }

    fn hours(zone: &str) -> Hours {
        let office = vec![Interval { from: 9 * 60, to: 18 * 60 }];
        let night = vec![Interval { from: 22 * 60, to: 6 * 60 }];
        Hours::new(Calendar {
            timezone: zone.into(),
            week: [office.clone(), office.clone(), office.clone(), office, night, vec![], vec![]],
            closed: BTreeSet::from(["01-01".parse().unwrap(), "2026-03-03".parse().unwrap()]),
            open: BTreeMap::from([("2026-03-07".parse().unwrap(), vec![Interval { from: 600, to: 1440 }])]),
        })
        .unwrap()
    }

    #[test]
    fn intervals_are_half_open_in_local_time() {
        let hours = hours("Europe/Moscow");
        assert!(!hours.is_open(at("2026-03-02T08:59:59.999+03:00")));
        assert!(hours.is_open(at("2026-03-02T09:00:00+03:00")));
        assert!(hours.is_open(at("2026-03-02T17:59:59.999+03:00")));
        assert!(!hours.is_open(at("2026-03-02T18:00:00+03:00")));
    }

    #[test]
    fn an_interval_over_midnight_belongs_to_the_day_it_begins_on() {
        let hours = hours("Europe/Moscow");
        assert!(hours.is_open(at("2026-03-06T22:00:00+03:00")), "Friday night");
        assert!(hours.is_open(at("2026-03-07T05:59:00+03:00")), "until Saturday morning");
        assert!(!hours.is_open(at("2026-03-07T06:00:00+03:00")));
        assert!(!hours.is_open(at("2026-03-06T05:00:00+03:00")), "Thursday has no night");
    }

    #[test]
    fn exceptions_win_over_the_week() {
        let hours = hours("Europe/Moscow");
        assert!(!hours.is_open(at("2026-03-03T12:00:00+03:00")), "a dated closed day");
        assert!(!hours.is_open(at("2026-01-01T12:00:00+03:00")), "a yearly closed day");
        assert!(hours.is_open(at("2026-03-07T23:59:59+03:00")), "a dated open day, until 24:00");
        assert!(!hours.is_open(at("2026-03-08T00:00:00+03:00")));
    }

    #[test]
    fn a_repeated_hour_counts_twice_and_a_skipped_one_never() {
        let mut hours = hours("Europe/Berlin");
        hours.calendar.week = std::array::from_fn(|_| vec![Interval { from: 120, to: 180 }]);
        assert!(hours.is_open(at("2026-10-25T02:30:00+02:00")), "the first 02:30");
        assert!(hours.is_open(at("2026-10-25T02:30:00+01:00")), "the second 02:30");
        assert!(!hours.is_open(at("2026-03-29T01:59:59+01:00")));
        assert!(!hours.is_open(at("2026-03-29T03:00:00+02:00")), "02:00 to 03:00 does not exist");
    }
}
