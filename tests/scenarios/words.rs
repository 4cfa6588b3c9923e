//! One line of a script, word by word. A text in double quotes is one word.

use std::collections::VecDeque;

pub(crate) struct Words {
    line: String,
    words: VecDeque<String>,
}

impl Words {
    pub(crate) fn new(line: &str) -> Self {
        let mut words = VecDeque::new();
        for (number, part) in line.split('"').enumerate() {
            if number % 2 == 1 {
                words.push_back(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        Self { line: line.to_owned(), words }
    }

    pub(crate) fn word(&mut self) -> String {
        self.words.pop_front().unwrap_or_else(|| panic!("a word is missing at the end of: {}", self.line))
    }

    /// Takes the next word if it is this one.
    pub(crate) fn skip(&mut self, word: &str) -> bool {
        let is_next = self.words.front().is_some_and(|next| next == word);
        if is_next {
            self.words.pop_front();
        }
        is_next
    }

    pub(crate) fn expect(&mut self, word: &str) {
        assert!(self.skip(word), "`{word}` should come next in: {} (left: {:?})", self.line, self.words);
    }

    /// Takes `NAME VALUE` from the end of the line, if it is there.
    pub(crate) fn take_suffix(&mut self, name: &str) -> Option<String> {
        let place = self.words.len().checked_sub(2)?;
        if self.words.get(place).is_some_and(|word| word == name) {
            let value = self.words.pop_back();
            self.words.pop_back();
            return value;
        }
        None
    }

    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.words).into()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(crate) fn end(&self) {
        assert!(self.words.is_empty(), "{:?} is too much in: {}", self.words, self.line);
    }

    pub(crate) fn value(&mut self) -> serde_json::Value {
        let word = self.word();
        serde_json::from_str(&word).unwrap_or_else(|_| word.into())
    }

    /// `60s`, `10m`, `3h`, `0`.
    pub(crate) fn duration_ms(&mut self) -> u64 {
        let word = self.word();
        let (number, unit) = word.split_at(word.trim_end_matches(char::is_alphabetic).len());
        let number: u64 = number.parse().unwrap();
        number
            * match unit {
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1_000,
                _ => 1,
            }
    }

    /// `1.5` is 1500.
    pub(crate) fn thousandths(&mut self) -> u32 {
        let word = self.word();
        let (whole, part) = word.split_once('.').unwrap_or((&word, "0"));
        whole.parse::<u32>().unwrap() * 1000 + format!("{part:0<3}").parse::<u32>().unwrap()
    }

    /// `09:30` in minutes.
    pub(crate) fn minutes(&mut self) -> u16 {
        let word = self.word();
        let (hours, minutes) = word.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    }
}
