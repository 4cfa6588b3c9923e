//! When hours begin and end: the instants at which the answer of [`Hours::is_open`] changes.
//!
//! Nothing is computed from local times alone: each instant that could be a border is asked like any other,
//! so days on which clocks are set need no rules of their own.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

use super::Hours;
use crate::model::calendar::{Day, Interval};
use crate::model::operator::Vacation;

/// How far borders are looked for, in days: past every yearly exception. A calendar that changes nothing for
/// so long is looked at again then.
const DAYS_MAX: u64 = 370;
const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MINUTES: u16 = 1440;

impl Hours {
    /// The next instant after `at_ms` at which it opens or closes. When nothing changes for a year: an
    /// instant to look again at. `None` beyond the range of dates.
    pub fn next_change_ms(&self, at_ms: u64) -> Option<u64> {
        let is_open = self.is_open(at_ms);
        let today = local(self.zone, at_ms)?.date();
        for days in 0..=DAYS_MAX {
            let date = today.checked_add_days(Days::new(days))?;
            let mut instants = self.could_change_on(date);
            instants.retain(|instant_ms| *instant_ms > at_ms);
            instants.sort_unstable();
            if let Some(border_ms) =
                instants.into_iter().find(|instant_ms| self.is_open(*instant_ms) != is_open)
            {
                return Some(border_ms);
            }
        }
        at_ms.checked_add(DAYS_MAX.saturating_mul(DAY_MS))
    }

    /// Every instant of a local day at which the answer could change.
    fn could_change_on(&self, date: NaiveDate) -> Vec<u64> {
        let (Some(begin_ms), Some(end_ms)) =
            (day_begins_ms(self.zone, date), next_day_begins_ms(self.zone, date))
        else {
            return Vec::new();
        };
        // On a day on which clocks are set an hour is skipped or repeated: each of its minutes is asked.
        if end_ms.saturating_sub(begin_ms) != DAY_MS
            || offset(self.zone, begin_ms) != offset(self.zone, end_ms)
        {
            return (0..=end_ms.saturating_sub(begin_ms) / MINUTE_MS)
                .map(|minute| begin_ms.saturating_add(minute.saturating_mul(MINUTE_MS)))
                .collect();
        }
        let borders = |interval: &Interval| [interval.from % DAY_MINUTES, interval.to % DAY_MINUTES];
        let yesterday = date.pred_opt().map_or(&[] as &[Interval], |date| self.intervals(date));
        yesterday
            .iter()
            .chain(self.intervals(date))
            .flat_map(borders)
            .chain([0])
            .map(|minute| begin_ms.saturating_add(u64::from(minute).saturating_mul(MINUTE_MS)))
            .collect()
    }
}

/// From when until when a row of days lasts, in the zone of the hours, else in UTC.
pub fn days_ms(days: &Vacation, hours: Option<&Hours>) -> Option<(u64, u64)> {
    let zone = hours.map_or(Tz::UTC, |hours| hours.zone);
    Some((day_begins_ms(zone, date(days.from)?)?, next_day_begins_ms(zone, date(days.to)?)?))
}

fn date(day: Day) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(day.year?, day.month.into(), day.day.into())
}

fn local(zone: Tz, at_ms: u64) -> Option<NaiveDateTime> {
    let utc = DateTime::from_timestamp_millis(i64::try_from(at_ms).ok()?)?;
    Some(utc.with_timezone(&zone).naive_local())
}

fn offset(zone: Tz, at_ms: u64) -> Option<i32> {
    let utc = DateTime::from_timestamp_millis(i64::try_from(at_ms).ok()?)?;
    Some(zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc())
}

fn next_day_begins_ms(zone: Tz, date: NaiveDate) -> Option<u64> {
    day_begins_ms(zone, date.succ_opt()?)
}

/// When a local day begins: at midnight, or where midnight is skipped, at the first minute after it.
fn day_begins_ms(zone: Tz, date: NaiveDate) -> Option<u64> {
    let midnight = date.and_hms_opt(0, 0, 0)?;
    let instant = (0..i64::from(DAY_MINUTES)).find_map(|minute| {
        zone.from_local_datetime(&(midnight + chrono::TimeDelta::minutes(minute))).earliest()
    })?;
    u64::try_from(instant.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::model::calendar::Calendar;

    fn at(text: &str) -> u64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis().try_into().unwrap()
    }

    fn hours(zone: &str, week: [Vec<Interval>; 7]) -> Hours {
        let (closed, open) = (BTreeSet::from(["01-01".parse().unwrap()]), BTreeMap::new());
        Hours::new(Calendar { timezone: zone.into(), week, closed, open }).unwrap()
    }

    fn each_day(from: u16, to: u16) -> [Vec<Interval>; 7] {
        std::array::from_fn(|_| vec![Interval { from, to }])
    }

    /// The border that a walk over each minute finds.
    fn by_minutes(hours: &Hours, at_ms: u64) -> u64 {
        let first = (at_ms / MINUTE_MS + 1) * MINUTE_MS;
        (0..)
            .map(|minute| first + minute * MINUTE_MS)
            .find(|ms| hours.is_open(*ms) != hours.is_open(at_ms))
            .unwrap()
    }

    #[test]
    fn borders_are_those_that_a_walk_over_each_minute_finds() {
        let weekdays = |interval: Interval| -> [Vec<Interval>; 7] {
            std::array::from_fn(|day| if day < 5 { vec![interval] } else { Vec::new() })
        };
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC"] {
            for week in [
                each_day(9 * 60, 18 * 60),
                each_day(22 * 60, 6 * 60),
                each_day(2 * 60 + 15, 2 * 60 + 45),
                weekdays(Interval { from: 0, to: 1440 }),
                weekdays(Interval { from: 23 * 60, to: 60 }),
            ] {
                let hours = hours(zone, week);
                for begin in ["2026-03-05T00:30:00Z", "2026-10-20T11:00:00Z", "2026-12-30T00:00:00Z"] {
                    let mut at_ms = at(begin);
                    for _ in 0..40 {
                        let border_ms = hours.next_change_ms(at_ms).unwrap();
                        assert_eq!(border_ms, by_minutes(&hours, at_ms), "{zone} after {at_ms}");
                        at_ms = border_ms;
                    }
                }
            }
        }
    }

    #[test]
    fn hours_that_never_change_are_looked_at_again_in_a_year() {
        let always = Hours::new(Calendar {
            timezone: "UTC".into(),
            week: each_day(0, 1440),
            closed: BTreeSet::new(),
            open: BTreeMap::new(),
        });
        let at_ms = at("2026-03-05T00:30:00Z");
        assert_eq!(always.unwrap().next_change_ms(at_ms), Some(at_ms + DAYS_MAX * DAY_MS));
    }

    #[test]
    fn days_off_last_from_midnight_to_midnight_of_their_zone() {
        let days = Vacation { from: "2026-03-01".parse().unwrap(), to: "2026-03-31".parse().unwrap() };
        let berlin = hours("Europe/Berlin", each_day(0, 1440));
        let expected = (at("2026-03-01T00:00:00+01:00"), at("2026-04-01T00:00:00+02:00"));
        assert_eq!(days_ms(&days, Some(&berlin)), Some(expected));
    }
}
