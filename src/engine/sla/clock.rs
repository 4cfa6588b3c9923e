//! What a clock counts between two instants, and when it will have counted so much.

use crate::engine::hours::Hours;

/// The most borders of hours that are gone through: with two a day they last ten years. A clock that counts for
/// longer stops at the last one.
const BORDERS_MAX: usize = 8_000;

/// How much counts between two instants, in ms: all of it, or what lies within the hours.
pub(super) fn counted_ms(hours: Option<&Hours>, from_ms: u64, to_ms: u64) -> u64 {
    let Some(hours) = hours else { return to_ms.saturating_sub(from_ms) };
    let mut counted = 0_u64;
    let mut at_ms = from_ms;
    for _ in 0..BORDERS_MAX {
        if at_ms >= to_ms {
            break;
        }
        let until_ms = hours.next_change_ms(at_ms).map_or(to_ms, |border_ms| border_ms.min(to_ms));
        if hours.is_open(at_ms) {
            counted = counted.saturating_add(until_ms.saturating_sub(at_ms));
        }
        at_ms = until_ms;
    }
    counted
}

/// The first instant at which so much has counted since `from_ms`; `None`: never, as far as can be seen.
pub(super) fn reached_at_ms(hours: Option<&Hours>, from_ms: u64, wanted_ms: u64) -> Option<u64> {
    let Some(hours) = hours else { return Some(from_ms.saturating_add(wanted_ms)) };
    let mut left_ms = wanted_ms;
    let mut at_ms = from_ms;
    for _ in 0..BORDERS_MAX {
        if left_ms == 0 {
            return Some(at_ms);
        }
        let border_ms = hours.next_change_ms(at_ms)?;
        if hours.is_open(at_ms) {
            let stretch_ms = border_ms.saturating_sub(at_ms);
            if left_ms <= stretch_ms {
                return Some(at_ms.saturating_add(left_ms));
            }
            left_ms = left_ms.saturating_sub(stretch_ms);
        }
        at_ms = border_ms;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::model::calendar::{Calendar, Interval};

    const MINUTE_MS: u64 = 60_000;

    fn at(text: &str) -> u64 {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis().try_into().unwrap()
    }

    fn office(zone: &str) -> Hours {
        let day = vec![Interval { from: 9 * 60, to: 18 * 60 }];
        let night = vec![Interval { from: 22 * 60, to: 3 * 60 }];
        Hours::new(Calendar {
            timezone: zone.into(),
            week: [day.clone(), day.clone(), day.clone(), day, night, vec![], vec![]],
            closed: BTreeSet::from(["12-25".parse().unwrap()]),
            open: BTreeMap::new(),
        })
        .unwrap()
    }

    #[test]
    fn time_outside_the_hours_does_not_count() {
        let hours = office("Europe/Berlin");
        let (monday_evening, tuesday_morning) =
            (at("2026-03-02T17:50:00+01:00"), at("2026-03-03T09:05:00+01:00"));
        assert_eq!(counted_ms(Some(&hours), monday_evening, tuesday_morning), 15 * MINUTE_MS);
        assert_eq!(reached_at_ms(Some(&hours), monday_evening, 15 * MINUTE_MS), Some(tuesday_morning));
        assert_eq!(counted_ms(None, monday_evening, tuesday_morning), tuesday_morning - monday_evening);
    }

    #[test]
    fn what_ends_exactly_at_closing_time_does_not_wait_for_the_next_day() {
        let hours = office("Europe/Berlin");
        let (from, closing) = (at("2026-03-02T17:50:00+01:00"), at("2026-03-02T18:00:00+01:00"));
        assert_eq!(reached_at_ms(Some(&hours), from, 10 * MINUTE_MS), Some(closing));
    }

    #[test]
    fn hours_that_never_open_are_never_reached() {
        let never = Hours::new(Calendar {
            timezone: "UTC".into(),
            week: Default::default(),
            closed: BTreeSet::new(),
            open: BTreeMap::new(),
        })
        .unwrap();
        assert_eq!(counted_ms(Some(&never), 0, 10 * MINUTE_MS), 0);
        assert_eq!(reached_at_ms(Some(&never), 0, 1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Also over the days on which clocks are set: against a walk over each minute.
        #[test]
        fn the_count_is_that_of_a_walk_over_each_minute_and_is_reached_when_it_is_said(
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
            begin in prop::sample::select(vec!["2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z", "2026-12-23T12:00:00Z"]),
            offset_minutes in 0_u64..4_000,
            minutes in 0_u64..5_000,
        ) {
            let hours = office(zone);
            let from = at(begin) + offset_minutes * MINUTE_MS;
            let to = from + minutes * MINUTE_MS;
            let walked = (0..minutes).filter(|minute| hours.is_open(from + minute * MINUTE_MS)).count();
            let walked_ms = u64::try_from(walked).unwrap() * MINUTE_MS;
            prop_assert_eq!(counted_ms(Some(&hours), from, to), walked_ms);
            if walked_ms > 0 {
                let reached = reached_at_ms(Some(&hours), from, walked_ms).unwrap();
                prop_assert!(reached <= to);
                prop_assert_eq!(counted_ms(Some(&hours), from, reached), walked_ms);
                prop_assert!(counted_ms(Some(&hours), from, reached - 1) < walked_ms);
            }
        }
    }
}
