//! Reads single values from their source text: durations, sizes, times, ids, priorities, addresses.
//!
//! Each reader takes the text of the file and says, when it does not fit, how the value is written.

use crate::model::calendar::Day;

/// Why a text is not the wanted kind of value: what is expected, fit for "expected …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected}")]
pub struct Unfit {
    /// What is expected, with an example.
    pub expected: String,
}

fn unfit<T>(expected: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit { expected: expected.into() })
}

/// Longer ids are refused: they are shown in tables, metrics and addresses.
pub const ID_CHARS_MAX: usize = 64;

/// No duration of a configuration is longer than a hundred years.
const DURATION_MS_MAX: u64 = 100 * 365 * DAY_MS;

const DAY_MS: u64 = 86_400_000;

/// Milliseconds per unit.
const UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", DAY_MS),
    ("w", 7 * DAY_MS),
    ("y", 365 * DAY_MS),
];

/// A duration in ms: a whole number and a unit, `60s`. A year has 365 days.
///
/// # Errors
/// When the unit is missing or unknown, or the number is not whole or too great.
pub fn duration_ms(text: &str) -> Result<u64, Unfit> {
    const EXPECTED: &str = "a duration with a unit, such as `60s`, `10m`, `3h` or `7d`";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if unit.is_empty() {
            return unfit(format!("{EXPECTED}; did you mean `{digits}s`?"));
        }
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        if let (Ok(number), Some(factor)) = (digits.parse::<u64>(), factor) {
            return match number.checked_mul(factor) {
                Some(ms) if ms <= DURATION_MS_MAX => Ok(ms),
                _ => unfit("a duration of at most 100 years"),
            };
        }
    }
    if text.trim_start().starts_with('-') {
        return unfit("a duration, which is never negative");
    }
    match meant_ms(text) {
        Some(ms) => unfit(format!("{EXPECTED}; did you mean `{}`?", shortest(ms))),
        None => unfit(EXPECTED),
    }
}

/// Units as people write them elsewhere.
const SPELLINGS: [(&str, &str); 22] = [
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
    ("yr", "y"),
    ("year", "y"),
    ("years", "y"),
];

/// What a duration in another notation probably means: `5min`, `5 s`, `1h30m`, `1.5h`.
fn meant_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let digits = rest.get(..rest.len() - number.len())?;
        let after = number.trim_start();
        let next = after.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let word = after.get(..after.len() - next.len())?.to_lowercase();
        let unit =
            SPELLINGS.iter().find(|(spelled, _)| *spelled == word).map_or(word.as_str(), |(_, unit)| unit);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut part = whole.parse::<u64>().ok()?.checked_mul(factor)?;
        if !fraction.is_empty() {
            let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            part = part.checked_add(fraction.parse::<u64>().ok()?.checked_mul(factor)? / scale)?;
        }
        total = total.checked_add(part)?;
        rest = next.trim_start();
    }
    (total > 0 && total <= DURATION_MS_MAX).then_some(total)
}

/// A duration in the largest unit that needs no fraction; years and weeks are not everybody's.
fn shortest(ms: u64) -> String {
    let unit = UNITS.iter().rev().filter(|(name, _)| !matches!(*name, "w" | "y"));
    unit.into_iter()
        .find(|(_, factor)| ms.is_multiple_of(*factor))
        .map_or_else(|| format!("{ms}ms"), |(name, factor)| format!("{}{name}", ms / factor))
}

/// A size in bytes: a whole number and a unit, `10MiB`.
///
/// # Errors
/// When the unit is missing or unknown, or the number is not whole or too great.
pub fn size_bytes(text: &str) -> Result<u64, Unfit> {
    const EXPECTED: &str = "a size with a unit, such as `512KiB` or `10MiB`";
    const SIZES: [(&str, u64); 7] = [
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
    ];
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let factor = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    match (digits.parse::<u64>(), factor) {
        (Ok(number), Some(factor)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.checked_mul(factor).map_or_else(|| unfit("a smaller size"), Ok)
        }
        _ => unfit(EXPECTED),
    }
}

/// A percentage: `80%`, from 1 to 100.
///
/// # Errors
/// When it is not that.
pub fn percent(text: &str) -> Result<u8, Unfit> {
    match text.strip_suffix('%').map(str::parse::<u8>) {
        Some(Ok(number @ 1..=100)) => Ok(number),
        _ => unfit("a percentage from `1%` to `100%`"),
    }
}

/// A whole number between two bounds, both included.
///
/// # Errors
/// When it is not that.
pub fn integer(text: &str, min: i64, max: i64) -> Result<i64, Unfit> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let spelled = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(number) if spelled && (min..=max).contains(&number) => Ok(number),
        _ => unfit(format!("a whole number from {min} to {max}")),
    }
}

/// A number with up to three decimals, in thousandths, greater than zero and at most 10,000.
///
/// # Errors
/// When it is not that.
pub fn thousandths(text: &str) -> Result<u32, Unfit> {
    const EXPECTED: &str =
        "a number greater than 0 and at most 10000, with up to three decimals, such as `5` or `0.5`";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 || whole.len() > 5 {
        return unfit(EXPECTED);
    }
    let value = format!("{whole}{fraction:0<3}").parse::<u32>().unwrap_or(0);
    if (1..=10_000_000).contains(&value) { Ok(value) } else { unfit(EXPECTED) }
}

/// The names of priorities and their numbers.
pub const PRIORITIES: [(&str, i32); 4] = [("low", -10), ("normal", 0), ("high", 10), ("urgent", 20)];

/// Priorities beyond this make no order clearer.
const PRIORITY_MAX: i64 = 1_000_000;

/// A priority: `low` (-10), `normal` (0), `high` (10), `urgent` (20), or a whole number.
///
/// # Errors
/// When it is not that.
pub fn priority(text: &str) -> Result<i32, Unfit> {
    if let Some((_, number)) = PRIORITIES.iter().find(|(name, _)| *name == text) {
        return Ok(*number);
    }
    integer(text, -PRIORITY_MAX, PRIORITY_MAX).ok().and_then(|number| i32::try_from(number).ok()).map_or_else(
        || unfit("a priority: `low`, `normal`, `high`, `urgent`, or a whole number up to 1000000"),
        Ok,
    )
}

/// Whether a text is an id: `[a-z0-9][a-z0-9_-]*`, at most [`ID_CHARS_MAX`] long.
pub fn is_id(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= ID_CHARS_MAX
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'_' || byte == b'-')
}

/// An id that the author may have meant.
pub fn id_like(text: &str) -> Option<String> {
    let id: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' || c == '.' || c == '/' { '-' } else { c })
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
        .take(ID_CHARS_MAX)
        .collect();
    let id = id.trim_matches(['-', '_']).to_owned();
    is_id(&id).then_some(id)
}

/// Whether a text can be the name of an environment variable.
pub fn is_variable(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An interval of a day, in minutes: `09:00-18:00`. An end that is not after the beginning is on the
/// next day; `24:00` is the end of a day.
///
/// # Errors
/// When it is not that.
pub fn interval(text: &str) -> Result<(u16, u16), Unfit> {
    const EXPECTED: &str = "hours such as \"09:00-18:00\"";
    let Some((from, to)) = text.split_once('-') else {
        return match text.contains(['–', '—', '−']) {
            true => unfit(format!("{EXPECTED}, with a plain hyphen; this is a dash")),
            false => unfit(EXPECTED),
        };
    };
    match (minutes(from.trim()), minutes(to.trim())) {
        (Some(from), Some(to)) if from < 1440 && to > 0 && from != to => Ok((from, to)),
        (Some(from), Some(0)) if from > 0 => {
            unfit(format!("{EXPECTED}; write the end of a day as \"24:00\""))
        }
        (Some(from), Some(to)) if from == to => {
            unfit("hours that are not empty; a whole day is \"00:00-24:00\"")
        }
        _ if [from, to]
            .iter()
            .any(|time| time.trim().split(':').next().is_some_and(|part| part.len() == 1)) =>
        {
            unfit(format!("{EXPECTED}, with two digits for each hour"))
        }
        _ => unfit(EXPECTED),
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 1440).then_some(total)
}

/// The weekdays as they are written, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The days of `mon`, `mon-fri`, `sat-mon`: 0 is Monday.
///
/// # Errors
/// When it is not that.
pub fn weekdays(text: &str) -> Result<Vec<usize>, Unfit> {
    let index = |day: &str| WEEKDAYS.iter().position(|name| *name == day);
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (index(from), index(to)) {
        (Some(from), Some(to)) if from <= to => Ok((from..=to).collect()),
        (Some(from), Some(to)) => Ok((from..7).chain(0..=to).collect()),
        _ => unfit("a day or days: `mon`, `mon-fri`, `mon-sun`"),
    }
}

/// A row of days off, both ends included: `2026-07-01..2026-07-14`, or a single day.
///
/// # Errors
/// When it is not that.
pub fn vacation(text: &str) -> Result<(Day, Day), Unfit> {
    const EXPECTED: &str = "days with their year, such as \"2026-07-01..2026-07-14\", or a single one";
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let day = |text: &str| text.trim().parse::<Day>().ok().filter(|day| day.year.is_some());
    match (day(from), day(to)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        (Some(_), Some(_)) => unfit(format!("{EXPECTED}, the first day first")),
        _ => unfit(EXPECTED),
    }
}

/// A language tag.
///
/// # Errors
/// When it is not that.
pub fn language(text: &str) -> Result<(), Unfit> {
    const CHARS_MAX: usize = 35;
    let valid = text.len() <= CHARS_MAX
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if valid { Ok(()) } else { unfit("a language tag such as `ru` or `pt-BR`") }
}

/// The beginning of a day in UTC, or an RFC 3339 time, in ms since 1970.
///
/// # Errors
/// When it is not that, or lies before 1970.
pub fn moment_ms(text: &str) -> Result<u64, Unfit> {
    let ms = if let Ok(day) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        day.and_hms_opt(0, 0, 0).map(|time| time.and_utc().timestamp_millis())
    } else {
        chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
    };
    ms.and_then(|ms| u64::try_from(ms).ok())
        .map_or_else(|| unfit("a day such as `2027-06-01`, or a time such as `2027-06-01T12:00:00Z`"), Ok)
}

/// An absolute `http` or `https` address without user or password; a slash at the end is dropped.
///
/// # Errors
/// When it is not that.
pub fn url(text: &str) -> Result<String, Unfit> {
    const EXPECTED: &str = "an address such as `https://example.com/path`";
    let Ok(uri) = text.parse::<http::Uri>() else { return unfit(EXPECTED) };
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            unfit("an address without user and password: secrets do not belong into addresses")
        }
        Some(authority) if scheme && !authority.host().is_empty() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => unfit(EXPECTED),
    }
}

/// Where to listen: an IP address or a host name, and a port.
///
/// # Errors
/// When it is not that.
pub fn listen(text: &str) -> Result<(), Unfit> {
    const EXPECTED: &str = "an address and a port, such as `127.0.0.1:8080`";
    if text.parse::<std::net::SocketAddr>().is_ok() {
        return Ok(());
    }
    let Some((host, port)) = text.rsplit_once(':') else { return unfit(EXPECTED) };
    let named = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && host.bytes().any(|byte| byte.is_ascii_alphabetic());
    if integer(port, 0, 65_535).is_err() {
        return unfit(format!("{EXPECTED}; the port is a number up to 65535"));
    }
    if named { Ok(()) } else { unfit(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration_ms("60s"), Ok(60_000));
        assert_eq!(duration_ms("250ms"), Ok(250));
        assert_eq!(duration_ms("3y"), Ok(3 * 365 * DAY_MS));
        assert_eq!(duration_ms("0s"), Ok(0));
        assert!(duration_ms("60").unwrap_err().expected.contains("did you mean `60s`"));
        for wrong in ["", "s", "-5s", "1.5h", "5 m", "5M", "99999999999999999999s", "101y", "１s"] {
            assert!(duration_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!(size_bytes("10MiB"), Ok(10 << 20));
        for wrong in ["10", "10M", "MiB", "-1B", "99999999999GiB"] {
            assert!(size_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_with_decimals_are_read_in_thousandths() {
        assert_eq!(thousandths("5"), Ok(5_000));
        assert_eq!(thousandths("0.5"), Ok(500));
        assert_eq!(thousandths("0.125"), Ok(125));
        for wrong in ["0", "0.0", "-1", "1.", ".5", "1.2345", "10001", "NaN", "1e3", ""] {
            assert!(thousandths(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_of_other_notations_are_understood_and_refused() {
        for (wrong, meant) in [
            ("5min", "5m"),
            ("60sec", "1m"),
            ("5 s", "5s"),
            ("5M", "5m"),
            ("1h30m", "90m"),
            ("1.5h", "90m"),
            ("2 hours", "2h"),
            ("1.5ms", "1ms"),
            ("48h 0m", "2d"),
        ] {
            let words = duration_ms(wrong).unwrap_err().to_string();
            assert!(words.ends_with(&format!("did you mean `{meant}`?")), "{wrong}: {words}");
        }
        for wrong in
            ["PT5M", "00:05:00", "five minutes", "", "s", "5x", "99999999999999999999s", "1..5h", "-5s"]
        {
            assert!(!duration_ms(wrong).unwrap_err().to_string().contains("did you mean"), "{wrong}");
        }
    }

    #[test]
    fn hours_may_cross_midnight_and_are_never_empty() {
        assert_eq!(interval("09:00-18:30"), Ok((540, 1110)));
        assert_eq!(interval("22:00-06:00"), Ok((1320, 360)));
        assert_eq!(interval("00:00-24:00"), Ok((0, 1440)));
        for wrong in
            ["9:00-18:00", "09:00", "09:00-09:00", "24:00-25:00", "22:00-00:00", "09:60-10:00", "a-b"]
        {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_of_days_wrap_around_the_week() {
        assert_eq!(weekdays("mon-wed"), Ok(vec![0, 1, 2]));
        assert_eq!(weekdays("sat-mon"), Ok(vec![5, 6, 0]));
        assert_eq!(weekdays("sun"), Ok(vec![6]));
        assert!(weekdays("monday").is_err());
    }

    #[test]
    fn ids_have_one_alphabet() {
        assert!(is_id("shop-telegram") && is_id("9_a"));
        assert!(!is_id("") && !is_id("-a") && !is_id("Shop") && !is_id("a b") && !is_id(&"a".repeat(65)));
        assert_eq!(id_like("Shop Telegram"), Some("shop-telegram".to_owned()));
        assert_eq!(id_like("отдел"), None);
    }

    #[test]
    fn addresses_hold_no_passwords() {
        assert_eq!(url("https://a.example/x/"), Ok("https://a.example/x".to_owned()));
        assert!(url("https://user:word@a.example/").is_err());
        for wrong in ["", "a.example", "ftp://a.example", "/x", "https://"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
        assert!(
            listen("127.0.0.1:8080").is_ok() && listen("[::1]:80").is_ok() && listen("localhost:0").is_ok()
        );
        for wrong in ["127.0.0.1", "127.0.0.1:NaN", ":8080", "localhost:99999", "a b:1", "300.1.1.1:80"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_days_or_exact_times() {
        assert_eq!(moment_ms("1970-01-02"), Ok(DAY_MS));
        assert_eq!(moment_ms("1970-01-01T03:00:00+03:00"), Ok(0));
        assert!(moment_ms("1969-12-31").is_err() && moment_ms("tomorrow").is_err());
    }
}
