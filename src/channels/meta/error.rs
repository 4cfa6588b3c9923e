//! Errors of the Graph API: what each code means for a message.
//!
//! The code and its subcode decide, never the HTTP status: Meta was seen to answer 200 with an error. The same codes
//! come in answers and in notices that a message failed later.

use serde_json::Value;

use crate::channels::codec::Verdict;
use crate::channels::fault::{Fault, retry_after_ms, safe_text};
use crate::channels::wire::WireResponse;
use crate::model::effect::{Effect, Refusal};

/// How long to wait when the token is refused: a person has to act.
const TOKEN_WAIT_MS: u64 = 10 * 60 * 1000;

/// How long to wait when the account is restricted: such things last for hours at least.
const RESTRICTED_WAIT_MS: u64 = 60 * 60 * 1000;

/// The longest wait that grows with the attempts.
const RATE_WAIT_MAX_MS: u64 = 60 * 60 * 1000;

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::channels) enum Meaning {
    /// The number, page or application is too fast. `first_ms` is the first wait; each further one is twice as long.
    AccountRate { first_ms: u64 },
    /// This client gets too much at once. Each further wait is four times as long.
    ChatRate { first_ms: u64 },
    /// It passes.
    Transient,
    /// It passes for the account as a whole.
    AccountTransient,
    /// The client has to write first.
    WindowClosed,
    /// The client cannot be written to.
    Blocked,
    /// The token or its rights are refused.
    Token,
    /// The account is restricted or not set up.
    Restricted,
    /// It is wrong, perhaps only this once: one more attempt.
    PermanentAfterOne,
    /// It is wrong.
    Permanent,
    /// The template is not what Meta approved.
    Template,
    /// The template has another number of variables.
    TemplateVariables,
}

/// An error as Meta writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::channels) struct GraphError {
    pub(in crate::channels) code: i64,
    pub(in crate::channels) subcode: Option<i64>,
    is_transient: bool,
    /// Its words, for people.
    pub(in crate::channels) text: String,
}

impl GraphError {
    /// Reads the error in an answer; `None`: it has none.
    pub(in crate::channels) fn of_answer(body: &Value) -> Option<Self> {
        Self::read(body.get("error").filter(|error| error.is_object())?)
    }

    /// Reads an error, also of those that come in notices.
    pub(in crate::channels) fn read(error: &Value) -> Option<Self> {
        let number = |key: &str| match error.get(key)? {
            Value::String(text) => text.parse().ok(),
            number => number.as_i64(),
        };
        let word =
            |pointer: &str| error.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (code, subcode) = (number("code")?, number("error_subcode"));
        let said = word("/message").or_else(|| word("/title")).unwrap_or("no message");
        let mut text = match subcode {
            Some(subcode) => format!("{code}/{subcode}: {said}"),
            None => format!("{code}: {said}"),
        };
        if let Some(details) = word("/error_data/details").filter(|details| *details != said) {
            text = format!("{text}: {details}");
        }
        let is_transient = error.get("is_transient").and_then(Value::as_bool).unwrap_or(false);
        Some(Self { code, subcode, is_transient, text })
    }

    /// What it means. What no page of Meta tells of may be a slip on their side, so it gets one more attempt.
    pub(in crate::channels) fn meaning(&self) -> Meaning {
        match (self.code, self.subcode) {
            (10, Some(2_018_278 | 2_018_065 | 2_534_022)) | (131_047, _) => Meaning::WindowClosed,
            (10, Some(2_018_108)) | (_, Some(1_545_041)) | (551 | 131_026 | 1_545_041, _) => Meaning::Blocked,
            (10, Some(1_893_063)) | (368 | 131_031 | 131_042 | 131_045 | 133_010, _) => Meaning::Restricted,
            (4, Some(2_018_022)) | (613, Some(1_893_016)) | (131_056, _) => {
                Meaning::ChatRate { first_ms: 4_000 }
            }
            (130_429, _) => Meaning::AccountRate { first_ms: 1_000 },
            (4 | 17 | 32 | 613 | 80_006..=80_008, _) => Meaning::AccountRate { first_ms: 60_000 },
            (131_048, _) => Meaning::AccountRate { first_ms: RATE_WAIT_MAX_MS },
            (131_057, _) => Meaning::AccountTransient,
            (1 | 2 | 1200 | 131_000 | 131_016 | 133_004, _) => Meaning::Transient,
            (0 | 3 | 10 | 102 | 190 | 200..=299 | 131_005, _) => Meaning::Token,
            (132_000, _) => Meaning::TemplateVariables,
            (132_001..=132_099, _) => Meaning::Template,
            (100, Some(2_018_007 | 2_018_008)) | (131_052 | 131_053, _) => Meaning::PermanentAfterOne,
            (
                33
                | 100
                | 130_472
                | 130_497
                | 131_008
                | 131_009
                | 131_021
                | 131_030
                | 131_049..=131_051
                | 36_000
                | 10_900..=10_903
                | 2_534_014
                | 2_534_015
                | 2_534_039
                | 2_534_040,
                _,
            ) => Meaning::Permanent,
            _ if self.is_transient => Meaning::Transient,
            _ => Meaning::PermanentAfterOne,
        }
    }

    /// Its words for a message that failed after it was taken.
    pub(in crate::channels) fn reason(&self) -> String {
        safe_text(&self.text, &[])
    }

    /// What a message that failed after it was taken says about those to come.
    pub(in crate::channels) fn refusal(&self) -> Option<Refusal> {
        match self.meaning() {
            Meaning::WindowClosed => Some(Refusal::WindowClosed),
            Meaning::Blocked => Some(Refusal::Blocked),
            _ => None,
        }
    }

    /// Whether the answer says that the thing asked for does not exist.
    pub(in crate::channels) fn is_not_found(&self) -> bool {
        matches!((self.code, self.subcode), (100, Some(33)) | (33 | 803 | 131_052, _))
    }
}

/// How the attempt on `effect` ends with `error`.
pub(in crate::channels) fn ended(
    fault: Fault<'_>,
    effect: &Effect,
    response: &WireResponse,
    error: &GraphError,
) -> Verdict {
    let text = error.text.as_str();
    let asked = || regain_access_ms(response).or_else(|| retry_after_ms(&response.headers));
    match error.meaning() {
        Meaning::AccountRate { first_ms } => {
            let wait = asked().unwrap_or_else(|| growing(first_ms, 2, effect.attempts));
            fault.retry_channel(Some(wait), text)
        }
        Meaning::ChatRate { first_ms } => fault.retry(Some(growing(first_ms, 4, effect.attempts)), text),
        Meaning::Transient => fault.retry(retry_after_ms(&response.headers), text),
        Meaning::AccountTransient => {
            let wait = asked().unwrap_or_else(|| growing(60_000, 2, effect.attempts));
            fault.retry_channel(Some(wait), text)
        }
        Meaning::WindowClosed => fault.refused(Refusal::WindowClosed, text),
        Meaning::Blocked => fault.refused(Refusal::Blocked, text),
        Meaning::Token => fault.retry_channel(
            Some(TOKEN_WAIT_MS),
            &format!(
                "token refused ({text}): check the channel's `access_token` and the rights of the application"
            ),
        ),
        Meaning::Restricted => fault.retry_channel(
            Some(RESTRICTED_WAIT_MS),
            &format!("the account is restricted ({text}): see what Meta says of it"),
        ),
        Meaning::PermanentAfterOne if effect.attempts <= 1 => fault.retry(None, text),
        Meaning::PermanentAfterOne | Meaning::Permanent | Meaning::Template | Meaning::TemplateVariables => {
            fault.refused(Refusal::Permanent, text)
        }
    }
}

/// The answer is not of the Graph API: a proxy or a server on the way spoke.
pub(in crate::channels) fn not_graph(fault: Fault<'_>, response: &WireResponse) -> Verdict {
    let status = response.status;
    let error = format!("HTTP {status} without an answer of the Graph API");
    match status {
        // Something took the request. Whether Meta did is unknown.
        200..=299 => fault.ambiguous(&error),
        429 | 500..=599 => fault.retry(retry_after_ms(&response.headers), &error),
        // A wrong address or a proxy that forbids it: a person has to act, and nothing was sent.
        _ => fault.retry_channel(Some(TOKEN_WAIT_MS), &format!("{error}: check the channel's `api_base`")),
    }
}

/// `first_ms` at the first attempt, `factor` times as much at each further one.
fn growing(first_ms: u64, factor: u64, attempts: u32) -> u64 {
    let times = factor.saturating_pow(attempts.saturating_sub(1));
    first_ms.saturating_mul(times).min(RATE_WAIT_MAX_MS)
}

/// When Meta lets us in again, in ms: the longest of what it says about the uses of the account, in minutes. Zero is
/// what it says of uses that are within their limits.
fn regain_access_ms(response: &WireResponse) -> Option<u64> {
    let written = response.headers.get("x-business-use-case-usage")?.as_bytes();
    let usage: Value = serde_json::from_slice(written).ok()?;
    let minutes = usage
        .as_object()?
        .values()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|usage| usage.get("estimated_time_to_regain_access")?.as_u64())
        .max()?;
    (minutes > 0).then(|| minutes.saturating_mul(60_000))
}
