//! The few words that the engine itself says to clients: names of choices, and how to answer without buttons.

use crate::model::line::{NudgeChoice, RatingScale};

/// The languages that the words exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Russian,
}

impl Language {
    /// The first of `wanted` that is spoken, else English.
    pub(super) fn of(wanted: &[impl AsRef<str>]) -> Self {
        let spoken = |tag: &str| match tag.split(['-', '_']).next().map(str::to_lowercase).as_deref() {
            Some("ru" | "be" | "kk" | "uk") => Some(Self::Russian),
            Some("en") => Some(Self::English),
            _ => None,
        };
        wanted.iter().find_map(|tag| spoken(tag.as_ref())).unwrap_or(Self::English)
    }

    /// The name of a choice.
    pub(super) const fn choice(self, choice: NudgeChoice) -> &'static str {
        match (self, choice) {
            (Self::English, NudgeChoice::Close) => "Close",
            (Self::English, NudgeChoice::Continue) => "Continue",
            (Self::English, NudgeChoice::New) => "New question",
            (Self::Russian, NudgeChoice::Close) => "Завершить",
            (Self::Russian, NudgeChoice::Continue) => "Продолжить",
            (Self::Russian, NudgeChoice::New) => "Новый вопрос",
        }
    }

    /// How to vote without buttons.
    pub(super) const fn how_to_vote(self, scale: RatingScale) -> &'static str {
        match (self, scale) {
            (Self::English, RatingScale::LikeDislike) => "Reply with + or -.",
            (Self::English, RatingScale::OneToFive) => "Reply with a number from 1 (bad) to 5 (good).",
            (Self::Russian, RatingScale::LikeDislike) => "Ответьте + или -.",
            (Self::Russian, RatingScale::OneToFive) => "Ответьте числом от 1 (плохо) до 5 (отлично).",
        }
    }
}

/// A short answer as it is compared: without regard to case, spaces and a full stop.
pub(super) fn plain(text: &str) -> String {
    text.trim().trim_end_matches(['.', '!']).trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_counts() {
        assert_eq!(Language::of(&["fr", "ru-RU"]), Language::Russian);
        assert_eq!(Language::of(&["en", "ru"]), Language::English);
        assert_eq!(Language::of(&[] as &[&str]), Language::English);
    }

    #[test]
    fn answers_are_compared_without_case_and_full_stop() {
        assert_eq!(plain(" Завершить. "), "завершить");
    }
}
