//! Texts on their way to a terminal or a pipe: strangers' words made harmless, colours, the local time, widths.

use std::fmt::Write as _;
use std::io::IsTerminal;

use chrono::{DateTime, TimeZone};
use unicode_width::UnicodeWidthStr as _;

use crate::config::diagnostic::Paint;

/// Whether what is written there is coloured: on a terminal, unless the user forbids it (<https://no-color.org>).
pub(super) fn paint_of(stream: &impl IsTerminal) -> Paint {
    let is_forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if stream.is_terminal() && !is_forbidden { Paint::Coloured } else { Paint::Plain }
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Not coloured.
    Usual,
    /// Of less weight: times, numbers of versions.
    Quiet,
    /// A heading.
    Heading,
    /// Went well.
    Good,
    /// Went badly.
    Bad,
    /// Somebody has to wait, or is not there.
    Waiting,
}

/// A text in the colour of its tone.
pub(super) fn toned(text: &str, tone: Tone, paint: Paint) -> String {
    let code = match tone {
        Tone::Usual => return text.to_owned(),
        Tone::Quiet => "2",
        Tone::Heading => "1",
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Waiting => "33",
    };
    match paint {
        Paint::Plain => text.to_owned(),
        Paint::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    }
}

/// A text of somebody else on one line. What could command a terminal or turn the direction of writing is shown as
/// its number: a client's name must not be able to clear the screen of the one who looks.
pub(super) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('⏎'),
            '\t' => shown.push(' '),
            _ if character.is_control() || turns_direction(character) => {
                // Writing to a `String` cannot fail.
                write!(shown, "<{:02X}>", u32::from(character)).unwrap_or_default();
            }
            _ => shown.push(character),
        }
    }
    shown
}

const fn turns_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that is at most `width` columns wide; what is cut ends with `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if kept.width() >= width {
            kept.pop();
            break;
        }
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// A text with blanks behind it up to `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// A time of the API as the clock on the wall shows it, with the date; `None`: it is no time.
pub(super) fn date_and_time<Zone: TimeZone>(text: &str, zone: &Zone) -> Option<String>
where
    Zone::Offset: std::fmt::Display,
{
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(zone).format("%Y-%m-%d %H:%M:%S").to_string())
}

/// A duration in the two units that matter: `42s`, `3m 07s`, `2h 05m`, `4d 03h`.
pub(super) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..=59 => format!("{seconds}s"),
        60..=3_599 => format!("{minutes}m {:02}s", seconds % 60),
        3_600..=86_399 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Moscow;

    use super::*;

    #[test]
    fn a_strangers_text_cannot_command_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc\td"), "a<1B>[2Jb<0D>⏎c d");
        assert_eq!(harmless("abc\u{202e}txt.exe"), "abc<202E>txt.exe");
        assert_eq!(harmless("Мария 👋"), "Мария 👋");
    }

    #[test]
    fn a_text_is_cut_by_the_columns_that_it_takes() {
        assert_eq!(cut("Мария", 5), "Мария");
        assert_eq!(cut("Мария", 4), "Мар…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(padded("日本", 6), "日本  ");
    }

    #[test]
    fn durations_have_the_two_units_that_matter() {
        let all = [0, 59, 60, 187, 3_600, 7_500, 86_400, 356_400].map(duration);
        assert_eq!(all, ["0s", "59s", "1m 00s", "3m 07s", "1h 00m", "2h 05m", "1d 00h", "4d 03h"]);
    }

    #[test]
    fn times_are_those_of_the_zone_of_the_reader() {
        let text = "2026-03-01T22:30:00.500Z";
        assert_eq!(date_and_time(text, &Moscow).as_deref(), Some("2026-03-02 01:30:00"));
        assert_eq!(date_and_time("soon", &Moscow), None);
    }

    #[test]
    fn colours_are_written_only_where_they_are_wanted() {
        assert_eq!(toned("a", Tone::Bad, Paint::Plain), "a");
        assert_eq!(toned("a", Tone::Bad, Paint::Coloured), "\u{1b}[31ma\u{1b}[0m");
        assert_eq!(toned("a", Tone::Usual, Paint::Coloured), "a");
    }
}
