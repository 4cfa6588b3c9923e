//! Working hours as declared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A calendar. It is evaluated at an instant; offsets are never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The IANA name of the time zone.
    pub timezone: String,
    /// The intervals of Monday to Sunday; a day without intervals is closed.
    pub week: [Vec<Interval>; 7],
    /// Days that are closed whatever the week says.
    pub closed: BTreeSet<Day>,
    /// Days with hours of their own; they win over `closed`.
    pub open: BTreeMap<Day, Vec<Interval>>,
}

/// A half-open interval of local time, in minutes from the midnight that its day begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first minute, 0 to 1439.
    pub from: u16,
    /// The minute after the last, 1 to 1440. Not greater than `from`: it ends on the next day.
    pub to: u16,
}

/// A day of the calendar: of one year (`"2026-12-31"`), or of each year (`"01-01"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year; `None`: each year.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(year) = self.year {
            write!(f, "{year:04}-")?;
        }
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// A text is neither `YYYY-MM-DD` nor `MM-DD` of an existing day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a day is written \"YYYY-MM-DD\", or \"MM-DD\" for each year")]
pub struct InvalidDay;

impl std::str::FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let parts: Vec<&str> = text.split('-').collect();
        let (year, month, day) = match parts.as_slice() {
            [year, month, day] if year.len() == 4 => {
                (Some(year.parse().map_err(|_| InvalidDay)?), *month, *day)
            }
            [month, day] => (None, *month, *day),
            _ => return Err(InvalidDay),
        };
        if month.len() != 2 || day.len() != 2 {
            return Err(InvalidDay);
        }
        let parsed = Self {
            year,
            month: month.parse().map_err(|_| InvalidDay)?,
            day: day.parse().map_err(|_| InvalidDay)?,
        };
        // 2024 is a leap year: a yearly 29 February exists in some years.
        chrono::NaiveDate::from_ymd_opt(year.unwrap_or(2024), parsed.month.into(), parsed.day.into())
            .map(|_| parsed)
            .ok_or(InvalidDay)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
