//! What goes wrong on the wire, in the words of the model: shared by all messengers.

use chrono::DateTime;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::model::effect::{Attempt, Refusal, Scope};

use super::codec::{Progress, Verdict};
use super::wire::{SendFailure, WireResponse};

/// The longest error text that is kept, in bytes: enough for any messenger's sentence, too little for
/// a page of HTML.
const ERROR_MAX: usize = 512;

/// The longest wait that a receiver can ask for: a day. A larger number is a mistake of theirs and
/// would park a message for ever.
const WAIT_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// How long everything waits that a person has to mend: a refused token, a wrong address, an account that has
/// run out of money. Each further call would count against us.
pub(super) const PERSON_WAIT_MS: u64 = 10 * 60 * 1000;

/// Builds the ends of an attempt for one channel, whose secrets no error text may contain.
#[derive(Clone, Copy)]
pub(super) struct Fault<'a> {
    progress: &'a Progress,
    secrets: &'a [&'a str],
}

impl<'a> Fault<'a> {
    pub(super) const fn new(progress: &'a Progress, secrets: &'a [&'a str]) -> Self {
        Self { progress, secrets }
    }

    /// Surely not delivered; worth another attempt.
    pub(super) fn retry(self, after_ms: Option<u64>, error: &str) -> Verdict {
        self.wait(Scope::Chat, after_ms, error)
    }

    /// The same for everything that goes through the channel: its account is too fast, or its token is refused.
    pub(super) fn retry_channel(self, after_ms: Option<u64>, error: &str) -> Verdict {
        self.wait(Scope::Channel, after_ms, error)
    }

    fn wait(self, scope: Scope, after_ms: Option<u64>, error: &str) -> Verdict {
        Verdict::Ended(Attempt::Retry {
            after_ms: after_ms.map(|wait| wait.min(WAIT_MAX_MS)),
            error: safe_text(error, self.secrets),
            parts_done: self.progress.parts_done,
            scope,
        })
    }

    /// Refused for good.
    pub(super) fn refused(self, reason: Refusal, error: &str) -> Verdict {
        Verdict::Ended(Attempt::Refused {
            reason,
            error: safe_text(error, self.secrets),
            parts_done: self.progress.parts_done,
        })
    }

    /// Perhaps delivered.
    pub(super) fn ambiguous(self, error: &str) -> Verdict {
        Verdict::Ended(Attempt::Ambiguous {
            error: safe_text(error, self.secrets),
            parts_done: self.progress.parts_done,
        })
    }

    /// The answer is not one of `api`: a proxy or a server on the way spoke.
    pub(super) fn foreign(self, response: &WireResponse, api: &str) -> Verdict {
        let status = response.status;
        let error = format!("HTTP {status} without an answer of {api}");
        match status {
            // Something took the request. Whether it was the messenger is unknown.
            200..=299 => self.ambiguous(&error),
            429 | 500..=599 => self.retry(retry_after_ms(&response.headers), &error),
            // A wrong address or a proxy that forbids it: a person has to act, and nothing was sent.
            _ => {
                self.retry_channel(Some(PERSON_WAIT_MS), &format!("{error}: check the channel's `api_base`"))
            }
        }
    }

    /// There is no complete answer.
    pub(super) fn no_answer(self, failure: &SendFailure) -> Verdict {
        let error = failure.to_string();
        match failure {
            SendFailure::NotSent(_) => self.retry(None, &error),
            SendFailure::Ambiguous(_) | SendFailure::TooLarge => self.ambiguous(&error),
            SendFailure::Refused(_) => self.refused(Refusal::Permanent, &error),
        }
    }
}

/// An error text that is safe to keep and to show: without secrets, line breaks and excess.
pub(super) fn safe_text(error: &str, secrets: &[&str]) -> String {
    let mut safe = error.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        safe = safe.replace(secret, "[secret]");
    }
    safe = safe.replace(char::is_control, " ");
    safe.truncate(safe.floor_char_boundary(ERROR_MAX));
    safe.trim().to_owned()
}

/// What `Retry-After` asks for, in ms: a number of seconds, or a date. A date is counted from the `Date` of the
/// same answer: so no clock is needed, and it does not matter how far the receiver's is from ours.
pub fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let date = |text: &str| DateTime::parse_from_rfc2822(text.trim()).ok();
    let (until, now) = (date(text)?, date(headers.get(DATE)?.to_str().ok()?)?);
    // A date that has passed asks for no wait.
    Some(u64::try_from((until - now).num_milliseconds()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn error_of(verdict: Verdict) -> String {
        match verdict {
            Verdict::Ended(Attempt::Retry { error, .. }) => error,
            other => panic!("not a retry: {other:?}"),
        }
    }

    #[test]
    fn an_error_text_has_no_secret_no_line_break_and_an_end() {
        let progress = Progress::default();
        let fault = Fault::new(&progress, &["", "12:AAA"]);
        assert_eq!(
            error_of(fault.retry(None, "no route to /bot12:AAA/x\r\nSet-Cookie: a")),
            "no route to /bot[secret]/x  Set-Cookie: a"
        );
        assert_eq!(error_of(fault.retry(None, &"я".repeat(1000))).len(), ERROR_MAX);
        assert!(error_of(fault.retry(None, &format!("a{}", "я".repeat(1000)))).len() < ERROR_MAX);
        // A secret across the cut would leave its beginning behind, were the cut made first.
        let across = format!("{}12:AAA", "x".repeat(ERROR_MAX - 3));
        assert!(!error_of(fault.retry(None, &across)).contains("12:"));
    }

    #[test]
    fn a_receiver_cannot_park_a_message_for_ever() {
        let progress = Progress::default();
        let verdict = Fault::new(&progress, &[]).retry(Some(u64::MAX), "slow down");
        assert!(matches!(verdict, Verdict::Ended(Attempt::Retry { after_ms: Some(WAIT_MAX_MS), .. })));
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date_counted_from_that_of_the_answer() {
        let now = Some("Wed, 21 Oct 2026 07:27:00 GMT");
        for (text, date, expected) in [
            ("35", None, Some(35_000)),
            (" 0 ", now, Some(0)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", now, Some(60_000)),
            ("Wed, 21 Oct 2026 07:26:00 GMT", now, Some(0)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None, None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some("now"), None),
            ("soon", now, None),
            ("-1", now, None),
            ("1.5", now, None),
            ("18446744073709551615", None, Some(u64::MAX)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after_ms(&headers), expected, "{text}");
        }
    }
}
