//! The first answers of writes, for those who ask again under the same `Idempotency-Key`.
//!
//! That a wish was fulfilled, and by which entry, is remembered by the engine for good. What its answer
//! looked like is a view of the state at that moment, which nothing else keeps: it is remembered here, in
//! memory, for as long as retries come and within a bound. Beyond that the same key is answered with the
//! present state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use super::answers::Made;

/// How long an answer is kept. Programs that retry do so within minutes; a day covers an outage of
/// theirs, and is what other APIs promise.
const AGE_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// Bytes of all answers together: some ten thousand answers of the usual size.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of one answer. Larger ones (a dialog with very large fields of its own) would drive out
/// hundreds of others.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What an answer costs beside its body and its key, in bytes; generous.
const OVERHEAD_BYTES: usize = 256;

/// The answers, shared by all writes.
#[derive(Debug)]
pub(super) struct FirstAnswers {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<Arc<str>, First>,
    /// Keys with the entries that they belong to, oldest first.
    order: VecDeque<(Arc<str>, u64)>,
    bytes: usize,
}

#[derive(Debug)]
struct First {
    /// The entry that fulfilled the wish.
    seq: u64,
    at_ms: u64,
    bytes: usize,
    made: Made,
}

impl FirstAnswers {
    pub(super) fn new() -> Self {
        Self::with_bound(BYTES_MAX)
    }

    fn with_bound(bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), bytes_max }
    }

    /// The first answer to the wish with this input id that entry `seq` fulfilled.
    pub(super) fn get(&self, input_id: &str, seq: u64, now_ms: u64) -> Option<Made> {
        let kept = self.kept.lock();
        let first = kept.answers.get(input_id)?;
        (first.seq == seq && !is_old(first.at_ms, now_ms)).then(|| first.made.clone())
    }

    /// Keeps an answer, unless the wish has one: two that come at the same time are answered alike.
    /// Returns the one to give.
    pub(super) fn keep(&self, input_id: &str, seq: u64, now_ms: u64, made: Made) -> Made {
        let bytes = made.body.len().saturating_add(input_id.len()).saturating_add(OVERHEAD_BYTES);
        if made.body.len() > ANSWER_BYTES_MAX || bytes > self.bytes_max {
            return made;
        }
        let mut kept = self.kept.lock();
        if let Some(first) = kept.answers.get(input_id)
            && first.seq == seq
        {
            return first.made.clone();
        }
        let key: Arc<str> = Arc::from(input_id);
        kept.forget(&key);
        kept.bytes = kept.bytes.saturating_add(bytes);
        kept.order.push_back((Arc::clone(&key), seq));
        kept.answers.insert(key, First { seq, at_ms: now_ms, bytes, made: made.clone() });
        kept.make_room(self.bytes_max, now_ms);
        made
    }
}

impl Kept {
    fn forget(&mut self, key: &str) {
        if let Some(first) = self.answers.remove(key) {
            self.bytes = self.bytes.saturating_sub(first.bytes);
        }
    }

    /// Lets the oldest go: those that are too old, and as many as do not fit. Each is looked at once.
    fn make_room(&mut self, bytes_max: usize, now_ms: u64) {
        while let Some((key, seq)) = self.order.front() {
            let first = self.answers.get(key).filter(|first| first.seq == *seq);
            let goes = first.is_none_or(|first| self.bytes > bytes_max || is_old(first.at_ms, now_ms));
            if !goes {
                return;
            }
            let is_current = first.is_some();
            if let Some((key, _)) = self.order.pop_front()
                && is_current
            {
                self.forget(&key);
            }
        }
    }
}

const fn is_old(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) >= AGE_MAX_MS
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;

    fn made(body: &str) -> Made {
        Made { status: StatusCode::OK, version: Some(7), body: Bytes::from(body.to_owned()) }
    }

    #[test]
    fn the_first_answer_stays_the_answer_and_belongs_to_its_entry() {
        let answers = FirstAnswers::new();
        assert_eq!(answers.keep("api/anna/1", 5, 0, made("first")), made("first"));
        assert_eq!(answers.keep("api/anna/1", 5, 1, made("second")), made("first"));
        assert_eq!(answers.get("api/anna/1", 5, 2), Some(made("first")));
        assert_eq!(answers.get("api/anna/1", 6, 2), None);
        assert_eq!(answers.get("api/boris/1", 5, 2), None);
    }

    #[test]
    fn an_answer_is_kept_for_a_day() {
        let answers = FirstAnswers::new();
        answers.keep("a", 1, 0, made("old"));
        assert!(answers.get("a", 1, AGE_MAX_MS - 1).is_some());
        assert!(answers.get("a", 1, AGE_MAX_MS).is_none());
        answers.keep("b", 2, AGE_MAX_MS, made("new"));
        assert_eq!(answers.kept.lock().answers.len(), 1, "the old one is gone");
    }

    #[test]
    fn the_oldest_answers_go_when_the_memory_is_full() {
        let answers = FirstAnswers::with_bound(3 * (OVERHEAD_BYTES + 11));
        for number in 0..5u64 {
            answers.keep(&number.to_string(), number, 0, made("0123456789"));
        }
        assert_eq!(answers.get("1", 1, 0), None);
        assert!(answers.get("2", 2, 0).is_some());
        let kept = answers.kept.lock();
        assert_eq!((kept.answers.len(), kept.order.len()), (3, 3));
        assert_eq!(kept.bytes, 3 * (OVERHEAD_BYTES + 11));
    }

    #[test]
    fn an_answer_that_is_too_large_is_given_and_not_kept() {
        let answers = FirstAnswers::new();
        let large = made(&"x".repeat(ANSWER_BYTES_MAX + 1));
        assert_eq!(answers.keep("a", 1, 0, large.clone()), large);
        assert_eq!(answers.get("a", 1, 0), None);
    }
}
