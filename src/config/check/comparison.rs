//! The tests of conditions: which there are, what they take, and what they fit.

use serde_json::Value;

use crate::config::facts::Fact;
use crate::config::scalar;
use crate::config::tree::Node;

/// A compiled regular expression may take this much, as in the engine: larger ones are bombs.
const REGEX_BYTES_MAX: usize = 256 * 1024;

/// What a test takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One value.
    Value,
    /// A list of values.
    Values,
    /// Two values.
    Pair,
    /// One text.
    Text,
    /// A list of texts.
    Texts,
    /// A regular expression.
    Regex,
    /// A whole number.
    Count,
    /// `true` or `false`.
    Flag,
    /// Tests.
    Tests,
    /// Anything; not acted on yet.
    Later,
}

/// The tests with what they take.
pub const TESTS: [(&str, Takes); 24] = [
    ("eq", Takes::Value),
    ("ne", Takes::Value),
    ("in", Takes::Values),
    ("not_in", Takes::Values),
    ("gt", Takes::Value),
    ("gte", Takes::Value),
    ("lt", Takes::Value),
    ("lte", Takes::Value),
    ("between", Takes::Pair),
    ("contains", Takes::Text),
    ("contains_any", Takes::Texts),
    ("starts_with", Takes::Text),
    ("ends_with", Takes::Text),
    ("matches", Takes::Regex),
    ("has", Takes::Value),
    ("has_any", Takes::Values),
    ("has_all", Takes::Values),
    ("size", Takes::Count),
    ("exists", Takes::Flag),
    ("any_of", Takes::Tests),
    ("all_of", Takes::Tests),
    ("changed", Takes::Later),
    ("within", Takes::Later),
    ("ignore_case", Takes::Flag),
];

/// The value of a test in the type of what it is compared with.
pub fn read(fact: Fact, node: &Node) -> Option<Value> {
    match fact {
        Fact::Text | Fact::Name(_) | Fact::Word(_) | Fact::Texts => {
            node.text().map(|text| Value::String(text.to_owned()))
        }
        Fact::Number => node.text()?.parse::<serde_json::Number>().ok().map(Value::Number),
        Fact::Priority => match scalar::priority(node.text()?) {
            Ok(number) => Some(Value::from(number)),
            Err(_) => node.text()?.parse::<serde_json::Number>().ok().map(Value::Number),
        },
        Fact::Boolean => match node.plain()? {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Fact::Object | Fact::Objects | Fact::Free | Fact::Later => Some(node.to_json()),
    }
}

/// What the elements of a list are.
pub const fn element(fact: Fact) -> Fact {
    match fact {
        Fact::Texts => Fact::Text,
        Fact::Objects => Fact::Free,
        other => other,
    }
}

/// Whether a test fits what stands at a path.
pub fn fits(fact: Fact, test: &str) -> bool {
    let any_of = |tests: &[&str]| tests.contains(&test);
    match fact {
        Fact::Free | Fact::Later => true,
        _ if any_of(&["exists", "changed", "within"]) => true,
        Fact::Text => any_of(&[
            "eq",
            "ne",
            "in",
            "not_in",
            "contains",
            "contains_any",
            "starts_with",
            "ends_with",
            "matches",
            "size",
            "any_of",
            "all_of",
        ]),
        Fact::Name(_) => any_of(&["eq", "ne", "in", "not_in"]),
        Fact::Word(_) => any_of(&["eq", "ne", "in", "not_in"]),
        Fact::Number | Fact::Priority => {
            any_of(&["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between"])
        }
        Fact::Boolean => any_of(&["eq", "ne"]),
        Fact::Texts => any_of(&["has", "has_any", "has_all", "size", "any_of", "all_of"]),
        Fact::Objects => any_of(&["size", "any_of", "all_of"]),
        Fact::Object => any_of(&["size"]),
    }
}

/// The tests that fit, for a hint.
pub fn fitting(fact: Fact) -> String {
    let names: Vec<_> = TESTS
        .iter()
        .filter(|(name, takes)| fits(fact, name) && *takes != Takes::Later && *name != "ignore_case")
        .map(|(name, _)| *name)
        .collect();
    names.join(", ")
}

/// What stands at a path, in words.
pub const fn describe(fact: Fact) -> &'static str {
    match fact {
        Fact::Text => "a text",
        Fact::Name(_) => "a name",
        Fact::Word(_) => "one of a few words",
        Fact::Number => "a number",
        Fact::Priority => "a priority",
        Fact::Boolean => "`true` or `false`",
        Fact::Texts => "a list of texts",
        Fact::Objects => "a list",
        Fact::Object => "a group of fields",
        Fact::Free | Fact::Later => "any value",
    }
}

/// Why a regular expression does not compile.
#[derive(Debug, PartialEq, Eq)]
pub struct RegexFault {
    /// The reason, on one line.
    pub reason: String,
    /// The bytes of the expression that it is about, if it is about a part.
    pub range: Option<std::ops::Range<usize>>,
    /// What to write instead, if that is known.
    pub help: Option<&'static str>,
}

/// Compiles a regular expression within the limit of size.
///
/// # Errors
/// When it does not compile.
pub fn regex(pattern: &str) -> Result<(), RegexFault> {
    if let Err(error) = regex_syntax::Parser::new().parse(pattern) {
        let (reason, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
            error => (error.to_string(), None),
        };
        let help = if reason.starts_with("look-around") {
            Some("say it with a second condition, such as `not:`")
        } else if reason.starts_with("repetition operator missing") {
            Some(
                "`*`, `+` and `?` repeat what stands before them; for any text write `.*`, for the sign itself `\\*`",
            )
        } else if reason.starts_with("unclosed") || reason.starts_with("unopened") {
            Some("close it, or write `\\` before the sign when it is meant as such")
        } else {
            None
        };
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        return Err(RegexFault { reason, range: span.map(|span| span.start.offset..span.end.offset), help });
    }
    let built = regex::RegexBuilder::new(pattern)
        // The larger of the two forms, so that `ignore_case` may be added later.
        .case_insensitive(true)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build();
    built.map(drop).map_err(|_| RegexFault {
        reason: format!("it would take more than {} KiB of memory", REGEX_BYTES_MAX / 1024),
        range: None,
        help: Some("repeat less: `{1,20}` in place of `{1,1000}`, and no repetition inside another"),
    })
}
