//! Opening hours against a calendar that is painted minute by minute.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate, Offset as _, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use switchboard::engine::hours::Hours;
use switchboard::model::calendar::{Calendar, Day, Interval};

const DAY_MINUTES: usize = 1440;
/// Days that are painted around the day in question. What is asked for reaches two local days back where a zone
/// skipped a whole day, and an interval over midnight begins one day earlier still.
const DAYS: usize = 6;

/// Zones with something odd, each with a day on which it shows.
const ODD: [(&str, (i32, u32, u32)); 12] = [
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 10, 25)),
    ("America/New_York", (2026, 3, 8)),
    ("America/New_York", (2026, 11, 1)),
    // Half an hour of daylight saving.
    ("Australia/Lord_Howe", (2026, 4, 5)),
    ("Australia/Lord_Howe", (2026, 10, 4)),
    // The clock went forward at midnight.
    ("America/Sao_Paulo", (2018, 11, 4)),
    // A whole day never was.
    ("Pacific/Apia", (2011, 12, 30)),
    // Back out of Ramadan, and a year's end at +05:45.
    ("Africa/Casablanca", (2026, 3, 22)),
    ("Asia/Kathmandu", (2026, 12, 31)),
    // The zone itself moved.
    ("Europe/Moscow", (2014, 10, 26)),
    ("UTC", (2028, 2, 29)),
];

fn interval() -> impl Strategy<Value = Interval> {
    // Round hours are what people write, and where mistakes at the edges show.
    let minute = prop_oneof![(0_u16..24).prop_map(|hour| hour * 60), 0_u16..1440];
    (minute.clone(), minute).prop_map(|(from, to)| match to {
        0 => Interval { from, to: 1440 },
        // An empty interval cannot be declared; a whole day may be: `00:00-24:00`.
        to if to == from => Interval { from: 0, to: 1440 },
        to => Interval { from, to },
    })
}

/// A day near the one in question, of that year or of each.
fn day(centre: NaiveDate) -> impl Strategy<Value = Day> {
    (0_u64..DAYS as u64, any::<bool>()).prop_map(move |(after, is_yearly)| {
        let date = first_day(centre) + Days::new(after);
        Day {
            year: (!is_yearly).then_some(date.year()),
            month: u8::try_from(date.month()).unwrap(),
            day: u8::try_from(date.day()).unwrap(),
        }
    })
}

fn first_day(centre: NaiveDate) -> NaiveDate {
    centre - Days::new(3)
}

fn calendars() -> impl Strategy<Value = (Calendar, NaiveDate)> {
    prop::sample::select(ODD.to_vec()).prop_flat_map(|(zone, (year, month, of_month))| {
        let centre = NaiveDate::from_ymd_opt(year, month, of_month).unwrap();
        let week = prop::array::uniform7(vec(interval(), 0..3));
        let open = prop::collection::btree_map(day(centre), vec(interval(), 0..3), 0..2);
        (week, btree_set(day(centre), 0..3), open).prop_map(move |(week, closed, open)| {
            (Calendar { timezone: zone.to_owned(), week, closed, open }, centre)
        })
    })
}

/// The local minutes of some days, true where the calendar is open.
fn painted(calendar: &Calendar, centre: NaiveDate) -> Vec<bool> {
    let mut minutes = vec![false; (DAYS + 1) * DAY_MINUTES];
    for number in 0..DAYS {
        let date = first_day(centre) + Days::new(number as u64);
        for interval in of_day(calendar, date) {
            let from = number * DAY_MINUTES + usize::from(interval.from);
            let ends_next_day = interval.to <= interval.from;
            let to = (number + usize::from(ends_next_day)) * DAY_MINUTES + usize::from(interval.to);
            minutes[from..to].fill(true);
        }
    }
    minutes
}

/// What is declared for one day: a dated opening, else a yearly one, else closed, else the week.
fn of_day(calendar: &Calendar, date: NaiveDate) -> Vec<Interval> {
    let is_it = |day: &&Day| u32::from(day.month) == date.month() && u32::from(day.day) == date.day();
    let dated = |day: &&Day| day.year == Some(date.year());
    let yearly = |day: &&Day| day.year.is_none();
    let open: BTreeMap<&Day, &Vec<Interval>> = calendar.open.iter().filter(|(day, _)| is_it(day)).collect();
    let closed: BTreeSet<&Day> = calendar.closed.iter().filter(is_it).collect();
    if let Some((_, hours)) = open.iter().find(|(day, _)| dated(day)) {
        return (*hours).clone();
    }
    if let Some((_, hours)) = open.iter().find(|(day, _)| yearly(day)) {
        return (*hours).clone();
    }
    if closed.iter().any(|day| dated(day) || yearly(day)) {
        return Vec::new();
    }
    calendar.week[date.weekday().num_days_from_monday() as usize].clone()
}

/// More with `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_minute_is_open_as_painted((calendar, centre) in calendars()) {
        let minutes = painted(&calendar, centre);
        let zone: Tz = calendar.timezone.parse().unwrap();
        let hours = Hours::new(calendar).unwrap();
        // From noon of the day before to noon of the day after, whatever the zone's offset.
        let noon = centre.and_hms_opt(12, 0, 0).unwrap();
        for minute in -DAY_AND_HALF..=DAY_AND_HALF {
            let utc = noon + chrono::Duration::minutes(minute);
            let local = utc + zone.offset_from_utc_datetime(&utc).fix();
            let days = (local.date() - first_day(centre)).num_days();
            let place = usize::try_from(days).unwrap() * DAY_MINUTES
                + usize::try_from(local.hour() * 60 + local.minute()).unwrap();
            let at_ms = u64::try_from(utc.and_utc().timestamp_millis()).unwrap();
            for at_ms in [at_ms, at_ms + 59_999] {
                prop_assert_eq!(hours.is_open(at_ms), minutes[place], "at {} ({} in {})", utc, local, zone);
            }
        }
    }
}

/// In minutes: less than the days that are painted, with the widest offset taken off.
const DAY_AND_HALF: i64 = 1_440 + 200;
