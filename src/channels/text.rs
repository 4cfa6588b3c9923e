//! Long texts as several messages.

/// The longest text of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// How many units fit. At least 4, so that any character fits.
    pub length: usize,
    /// What is counted.
    pub unit: TextUnit,
}

/// What a messenger counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// UTF-16 code units: most emoji count twice.
    Utf16,
    /// Characters (Unicode scalar values).
    Characters,
    /// Bytes of UTF-8: Cyrillic letters count twice.
    Bytes,
}

impl TextUnit {
    const fn of(self, character: char) -> usize {
        match self {
            Self::Utf16 => character.len_utf16(),
            Self::Characters => 1,
            Self::Bytes => character.len_utf8(),
        }
    }

    /// The length of `text` in this unit.
    pub fn measure(self, text: &str) -> usize {
        text.chars().map(|character| self.of(character)).sum()
    }
}

/// How far a cut moves back to keep what is seen as one character whole. Family emoji have up to 11
/// code points; a text made of nothing but joiners is cut anywhere.
const CLUSTER_MAX: usize = 16;

/// Cuts `text` into parts that fit. A text that fits is one part, unchanged; the empty text is none.
///
/// Cuts stand at white space, which is left out there, so an address in the text stays whole; line
/// ends of the second half are preferred. A word that is longer than a whole message is cut between
/// characters. The same text and limit always give the same parts: a later attempt counts on it.
pub fn split(text: &str, limit: TextLimit) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = fitting(rest, limit);
        if end == rest.len() {
            parts.push(rest);
            break;
        }
        // Leading white space would make an empty part out of a cut at white space.
        let trimmed = rest.trim_start();
        if trimmed.len() < rest.len() {
            rest = trimmed;
            continue;
        }
        let Some((part, after)) = rest.split_at_checked(border(rest, end)) else {
            // Unreachable: a border is always between characters. Losing text would be worse than a
            // part that the messenger refuses.
            parts.push(rest);
            break;
        };
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    parts
}

/// The length in bytes of the longest beginning of `text` that fits, and of one character at least.
fn fitting(text: &str, limit: TextLimit) -> usize {
    let mut used: usize = 0;
    for (at, character) in text.char_indices() {
        used = used.saturating_add(limit.unit.of(character));
        if used > limit.length && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Where to cut `text`, of which the first `end` bytes fit. Never 0 for a text that does not begin
/// with white space.
fn border(text: &str, end: usize) -> usize {
    let Some((head, tail)) = text.split_at_checked(end) else { return end };
    if tail.starts_with(char::is_whitespace) {
        return end;
    }
    match head.rfind('\n') {
        Some(line_end) if line_end >= end / 2 => return line_end,
        _ => {}
    }
    match head.rfind(char::is_whitespace) {
        Some(at) if at > 0 => at,
        _ => between_clusters(text, end),
    }
}

/// The last place up to `end` that does not tear apart what is seen as one character, by a rule that
/// knows combining marks, joined and coloured emoji, and flags.
fn between_clusters(text: &str, end: usize) -> usize {
    let mut at = end;
    for _ in 0..CLUSTER_MAX {
        let Some((before, after)) = text.split_at_checked(at) else { return end };
        let (Some(last), Some(next)) = (before.chars().next_back(), after.chars().next()) else { return end };
        let flags = before.chars().rev().take_while(|character| is_flag_letter(*character)).count();
        let torn = extends(next) || last == '\u{200d}' || (is_flag_letter(next) && flags % 2 == 1);
        if !torn {
            return at;
        }
        at -= last.len_utf8();
    }
    end
}

const fn is_flag_letter(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether a character belongs to the one before it.
const fn extends(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn limit(length: usize) -> TextLimit {
        TextLimit { length, unit: TextUnit::Utf16 }
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(split(" two words \n", limit(12)), [" two words \n"]);
        assert_eq!(split("", limit(12)), Vec::<&str>::new());
    }

    #[test]
    fn a_cut_stands_at_white_space_and_leaves_addresses_whole() {
        assert_eq!(
            split("see https://example.com/a now", limit(22)),
            ["see", "https://example.com/a", "now"]
        );
        assert_eq!(split("one two\nthree", limit(9)), ["one two", "three"]);
        assert_eq!(split("aaaa bbbb", limit(4)), ["aaaa", "bbbb"]);
    }

    #[test]
    fn units_differ() {
        assert_eq!(split("😀😀😀", limit(4)), ["😀😀", "😀"]);
        assert_eq!(split("ёёё", TextLimit { length: 4, unit: TextUnit::Bytes }), ["ёё", "ё"]);
        assert_eq!(
            split("😀😀😀😀😀", TextLimit { length: 4, unit: TextUnit::Characters }),
            ["😀😀😀😀", "😀"]
        );
    }

    #[test]
    fn what_is_seen_as_one_character_stays_whole() {
        // A family is one emoji of five code points; a flag is two; an accent belongs to its letter.
        assert_eq!(split("ab👨\u{200d}👩\u{200d}👦", limit(8)), ["ab", "👨\u{200d}👩\u{200d}👦"]);
        assert_eq!(split("a🇩🇪🇫🇷", limit(7)), ["a🇩🇪", "🇫🇷"]);
        assert_eq!(split("abce\u{301}", limit(4)), ["abc", "e\u{301}"]);
        assert_eq!(split("abc👍🏽", limit(5)), ["abc", "👍🏽"]);
    }

    #[test]
    fn a_text_of_joiners_alone_is_cut_anywhere() {
        let text = "\u{200d}".repeat(100);
        assert_eq!(split(&text, limit(10)).concat(), text);
    }

    proptest! {
        #[test]
        fn parts_fit_and_nothing_but_white_space_between_them_is_lost(
            text in prop_oneof!["\\PC{0,300}", "[a-я \\n\u{301}\u{200d}👍🏽🇩🇪]{0,300}", "[ \\n]{0,40}[a-c]{0,60}"],
            length in 4..40_usize,
            unit in prop_oneof![Just(TextUnit::Utf16), Just(TextUnit::Characters), Just(TextUnit::Bytes)],
        ) {
            let parts = split(&text, TextLimit { length, unit });
            let mut rest = text.as_str();
            for part in &parts {
                prop_assert!(!part.is_empty());
                prop_assert!(unit.measure(part) <= length);
                let (between, after) = rest.split_once(part).unwrap();
                prop_assert!(between.chars().all(char::is_whitespace));
                rest = after;
            }
            prop_assert!(rest.chars().all(char::is_whitespace));
        }
    }
}
