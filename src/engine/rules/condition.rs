//! Conditions, compiled: paths parsed once, regular expressions built once.
//!
//! A singular path (`message.text`) is followed directly; any other JSONPath goes through the library,
//! which is three times dearer but general.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::facts::Wanted;
use crate::model::json_path::{JsonPath, JsonPathError};
use crate::model::rule::{Condition, Test};

/// The largest compiled form of one regular expression, in bytes: a page of alternatives fits.
const REGEX_BYTES_MAX: usize = 256 * 1024;

/// Why a condition cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum ConditionError {
    /// The path is not one.
    #[error("`{path}` is not a path: {reason}")]
    Path {
        /// As written.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// `match()` and `search()` would compile a regular expression at each evaluation.
    #[error("`{path}` uses a regular expression inside the path; use the test `matches` instead")]
    RegexInPath {
        /// As written.
        path: String,
    },
    /// The regular expression is not one, or too large.
    #[error("`{pattern}` is not a regular expression that can be used: {reason}")]
    Regex {
        /// As written.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
}

/// A condition that is ready to be asked.
#[derive(Debug)]
pub(in crate::engine) enum Compiled {
    All(Vec<Self>),
    Any(Vec<Self>),
    Nothing(Vec<Self>),
    Not(Box<Self>),
    Test { path: Path, tests: Vec<CompiledTest>, case: Case },
}

/// A path that is ready to be followed.
#[derive(Debug)]
pub(in crate::engine) enum Path {
    Singular(Vec<Step>),
    General(Box<JsonPath>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Step {
    Key(String),
    Index(usize),
}

/// Whether case counts when texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Case {
    Counts,
    Ignored,
}

#[derive(Debug)]
pub(in crate::engine) enum CompiledTest {
    Plain(Test),
    Matches(Regex),
    AnyOf(Vec<Self>),
    AllOf(Vec<Self>),
}

/// Compiles a condition.
pub(in crate::engine) fn compile(condition: &Condition) -> Result<Compiled, ConditionError> {
    let each = |conditions: &[Condition]| conditions.iter().map(compile).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::All(conditions) => Compiled::All(each(conditions)?),
        Condition::Any(conditions) => Compiled::Any(each(conditions)?),
        Condition::None(conditions) => Compiled::Nothing(each(conditions)?),
        Condition::Not(condition) => Compiled::Not(Box::new(compile(condition)?)),
        Condition::Test { path, tests, ignore_case } => {
            let case = if *ignore_case { Case::Ignored } else { Case::Counts };
            Compiled::Test {
                path: parse_path(path)?,
                tests: tests.iter().map(|test| compile_test(test, case)).collect::<Result<_, _>>()?,
                case,
            }
        }
    })
}

/// Reads a path: `a.b`, `a.b[0]`, or a JSONPath that begins with `$`.
fn parse_path(path: &str) -> Result<Path, ConditionError> {
    if let Some(steps) = singular(path) {
        return Ok(Path::Singular(steps));
    }
    let full = if path.starts_with('$') { path.to_owned() } else { format!("$.{path}") };
    match JsonPath::parse(&full) {
        Ok(general) => Ok(Path::General(Box::new(general))),
        Err(JsonPathError::Regex) => Err(ConditionError::RegexInPath { path: path.to_owned() }),
        Err(JsonPathError::Syntax(reason)) => Err(ConditionError::Path { path: path.to_owned(), reason }),
    }
}

fn singular(path: &str) -> Option<Vec<Step>> {
    let path = path.strip_prefix("$.").unwrap_or(path);
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, index) = match part.split_once('[') {
            None => (part, None),
            Some((key, rest)) => (key, Some(rest.strip_suffix(']')?.parse::<usize>().ok()?)),
        };
        let is_name = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !is_name {
            return None;
        }
        steps.push(Step::Key(key.to_owned()));
        steps.extend(index.map(Step::Index));
    }
    Some(steps)
}

fn compile_test(test: &Test, case: Case) -> Result<CompiledTest, ConditionError> {
    let each = |tests: &[Test]| tests.iter().map(|test| compile_test(test, case)).collect::<Result<_, _>>();
    Ok(match test {
        Test::Matches(pattern) => CompiledTest::Matches(
            RegexBuilder::new(pattern)
                .case_insensitive(case == Case::Ignored)
                .size_limit(REGEX_BYTES_MAX)
                .dfa_size_limit(REGEX_BYTES_MAX)
                .build()
                .map_err(|error| ConditionError::Regex {
                    pattern: pattern.clone(),
                    reason: error.to_string(),
                })?,
        ),
        Test::AnyOf(tests) => CompiledTest::AnyOf(each(tests)?),
        Test::AllOf(tests) => CompiledTest::AllOf(each(tests)?),
        plain => CompiledTest::Plain(match case {
            Case::Counts => plain.clone(),
            Case::Ignored => lower_case(plain),
        }),
    })
}

/// What stands at the end of the steps.
pub(in crate::engine) fn follow<'a>(steps: &[Step], facts: &'a Value) -> Option<&'a Value> {
    steps.iter().try_fold(facts, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

impl Path {
    /// The values that stand at the path.
    pub(in crate::engine) fn find<'a>(&self, facts: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Singular(steps) => follow(steps, facts).into_iter().collect(),
            Self::General(path) => path.find(facts),
        }
    }
}

impl Compiled {
    /// Adds what of the document the condition looks at.
    pub(in crate::engine) fn add_wanted(&self, wanted: &mut Wanted) {
        match self {
            Self::All(conditions) | Self::Any(conditions) | Self::Nothing(conditions) => {
                conditions.iter().for_each(|condition| condition.add_wanted(wanted));
            }
            Self::Not(condition) => condition.add_wanted(wanted),
            Self::Test { path: Path::Singular(steps), .. } => {
                if let Some(Step::Key(branch)) = steps.first() {
                    let leaf = match steps.get(1) {
                        Some(Step::Key(leaf)) => Some(leaf.as_str()),
                        Some(Step::Index(_)) | None => None,
                    };
                    wanted.add(branch, leaf);
                }
            }
            Self::Test { path: Path::General(_), .. } => wanted.add_all(),
        }
    }

    /// Whether the condition holds for these facts.
    pub(in crate::engine) fn holds(&self, facts: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(facts)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(facts)),
            Self::Nothing(conditions) => !conditions.iter().any(|condition| condition.holds(facts)),
            Self::Not(condition) => !condition.holds(facts),
            Self::Test { path, tests, case } => {
                let found = path.find(facts);
                tests.iter().all(|test| test.passes(&found, *case))
            }
        }
    }
}

impl CompiledTest {
    /// Tests what was found. Several values count as one list for `size` and `has…`; any other test asks
    /// whether one of them passes.
    fn passes(&self, found: &[&Value], case: Case) -> bool {
        match self {
            Self::Matches(regex) => {
                found.iter().any(|value| value.as_str().is_some_and(|text| regex.is_match(text)))
            }
            Self::AnyOf(tests) => {
                elements(found).any(|value| tests.iter().all(|test| test.passes(&[value], case)))
            }
            Self::AllOf(tests) => {
                let mut values = elements(found).peekable();
                values.peek().is_some()
                    && values.all(|value| tests.iter().all(|test| test.passes(&[value], case)))
            }
            Self::Plain(Test::Exists(wanted)) => found.iter().any(|value| !value.is_null()) == *wanted,
            Self::Plain(Test::Size(wanted)) => match found {
                [value] => size(value) == Some(*wanted),
                several => u64::try_from(several.len()) == Ok(*wanted),
            },
            Self::Plain(Test::Has(wanted)) => has(found, wanted, case),
            Self::Plain(Test::HasAny(wanted)) => wanted.iter().any(|wanted| has(found, wanted, case)),
            Self::Plain(Test::HasAll(wanted)) => wanted.iter().all(|wanted| has(found, wanted, case)),
            Self::Plain(test) => found.iter().any(|value| plain(test, value, case)),
        }
    }
}

/// The values found; a single list stands for its elements.
fn elements<'a>(found: &'a [&'a Value]) -> impl Iterator<Item = &'a Value> {
    let list = match found {
        [Value::Array(list)] => Some(list.iter()),
        _ => None,
    };
    let several = if list.is_some() { &[] } else { found };
    list.into_iter().flatten().chain(several.iter().copied())
}

fn has(found: &[&Value], wanted: &Value, case: Case) -> bool {
    elements(found).any(|value| equal(value, wanted, case))
}

fn size(value: &Value) -> Option<u64> {
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.len(),
        Value::Object(members) => members.len(),
        _ => return None,
    };
    u64::try_from(size).ok()
}

fn plain(test: &Test, value: &Value, case: Case) -> bool {
    let text = |part: &String, ask: fn(&str, &str) -> bool| {
        value.as_str().is_some_and(|text| match case {
            Case::Counts => ask(text, part),
            Case::Ignored => ask(&text.to_lowercase(), part),
        })
    };
    let compare = |other: &Value| order(value, other);
    match test {
        Test::Eq(wanted) => equal(value, wanted, case),
        Test::Ne(wanted) => !equal(value, wanted, case),
        Test::In(wanted) => wanted.iter().any(|wanted| equal(value, wanted, case)),
        Test::NotIn(wanted) => !wanted.iter().any(|wanted| equal(value, wanted, case)),
        Test::Gt(other) => compare(other).is_some_and(std::cmp::Ordering::is_gt),
        Test::Gte(other) => compare(other).is_some_and(std::cmp::Ordering::is_ge),
        Test::Lt(other) => compare(other).is_some_and(std::cmp::Ordering::is_lt),
        Test::Lte(other) => compare(other).is_some_and(std::cmp::Ordering::is_le),
        Test::Between(low, high) => {
            compare(low).is_some_and(std::cmp::Ordering::is_ge)
                && compare(high).is_some_and(std::cmp::Ordering::is_le)
        }
        Test::Contains(part) => text(part, |text, part| text.contains(part)),
        Test::ContainsAny(parts) => parts.iter().any(|part| text(part, |text, part| text.contains(part))),
        Test::StartsWith(part) => text(part, |text, part| text.starts_with(part)),
        Test::EndsWith(part) => text(part, |text, part| text.ends_with(part)),
        // The tests below are handled where all values found are known.
        Test::Matches(_)
        | Test::Has(_)
        | Test::HasAny(_)
        | Test::HasAll(_)
        | Test::Size(_)
        | Test::Exists(_)
        | Test::AnyOf(_)
        | Test::AllOf(_) => false,
    }
}

fn equal(value: &Value, wanted: &Value, case: Case) -> bool {
    match (value, wanted) {
        (Value::String(text), Value::String(wanted)) if case == Case::Ignored => {
            text.to_lowercase() == *wanted
        }
        (Value::Number(_), Value::Number(_)) => order(value, wanted).is_some_and(std::cmp::Ordering::is_eq),
        _ => value == wanted,
    }
}

/// Numbers by value; texts by their characters, which is right for dates in ISO form too.
fn order(value: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    match (value, other) {
        (Value::Number(value), Value::Number(other)) => match (value.as_i64(), other.as_i64()) {
            (Some(value), Some(other)) => Some(value.cmp(&other)),
            _ => value.as_f64()?.partial_cmp(&other.as_f64()?),
        },
        (Value::String(value), Value::String(other)) => Some(value.cmp(other)),
        _ => None,
    }
}

/// Lower-cases the wanted side once, so that only the found side is lower-cased at each evaluation.
fn lower_case(test: &Test) -> Test {
    let value = |value: &Value| match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        other => other.clone(),
    };
    let values = |values: &[Value]| values.iter().map(value).collect();
    match test {
        Test::Eq(wanted) => Test::Eq(value(wanted)),
        Test::Ne(wanted) => Test::Ne(value(wanted)),
        Test::In(wanted) => Test::In(values(wanted)),
        Test::NotIn(wanted) => Test::NotIn(values(wanted)),
        Test::Has(wanted) => Test::Has(value(wanted)),
        Test::HasAny(wanted) => Test::HasAny(values(wanted)),
        Test::HasAll(wanted) => Test::HasAll(values(wanted)),
        Test::Contains(part) => Test::Contains(part.to_lowercase()),
        Test::ContainsAny(parts) => Test::ContainsAny(parts.iter().map(|part| part.to_lowercase()).collect()),
        Test::StartsWith(part) => Test::StartsWith(part.to_lowercase()),
        Test::EndsWith(part) => Test::EndsWith(part.to_lowercase()),
        other => other.clone(),
    }
}

#[cfg(test)]
pub(in crate::engine) mod properties;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(path: &str, test: Test, ignore_case: bool) -> bool {
        let facts = json!({
            "message": {"text": "Хочу ВОЗВРАТ, please", "attachments": []},
            "client": {"name": null, "tags": ["vip", "old"], "score": 80, "rate": 1.5,
                       "deals": [{"stage": "won"}, {"stage": "lost"}]},
            "dialog": {"priority": -3},
        });
        let condition = Condition::Test { path: path.into(), tests: vec![test], ignore_case };
        compile(&condition).unwrap().holds(&facts)
    }

    #[test]
    fn texts_are_tested_with_and_without_case() {
        assert!(holds("message.text", Test::Contains("ВОЗВРАТ".into()), false));
        assert!(!holds("message.text", Test::Contains("возврат".into()), false));
        assert!(holds("message.text", Test::ContainsAny(vec!["refund".into(), "Возврат".into()]), true));
        assert!(holds("message.text", Test::StartsWith("ХОЧУ".into()), true));
        assert!(holds("message.text", Test::EndsWith("please".into()), false));
        assert!(holds("message.text", Test::Matches("возв?рат".into()), true));
        assert!(!holds("message.text", Test::Matches("^возв".into()), true));
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(holds("client.score", Test::Gte(json!(80)), false));
        assert!(holds("client.score", Test::Eq(json!(80.0)), false));
        assert!(!holds("client.score", Test::Gt(json!(80)), false));
        assert!(holds("client.rate", Test::Between(json!(1), json!(2)), false));
        assert!(holds("dialog.priority", Test::Lt(json!(0)), false));
        assert!(!holds("client.score", Test::Gt(json!("7")), false), "a text is not a number");
    }

    #[test]
    fn lists_are_asked_for_members() {
        assert!(holds("client.tags", Test::Has(json!("vip")), false));
        assert!(holds("client.tags", Test::HasAny(vec![json!("new"), json!("OLD")]), true));
        assert!(!holds("client.tags", Test::HasAll(vec![json!("vip"), json!("new")]), false));
        assert!(holds("client.tags", Test::Size(2), false));
        assert!(holds("message.attachments", Test::Size(0), false));
    }

    #[test]
    fn a_general_path_finds_several_values() {
        let won = vec![Test::Eq(json!("won"))];
        assert!(holds("$.client.deals[*].stage", Test::AnyOf(won.clone()), false));
        assert!(!holds("$.client.deals[*].stage", Test::AllOf(won), false));
        assert!(holds("$.client.deals[*].stage", Test::Has(json!("lost")), false));
        assert!(holds("client.deals[1].stage", Test::Eq(json!("lost")), false));
        assert!(!holds("$.client.deals[*].missing", Test::AllOf(vec![Test::Exists(true)]), false));
    }

    #[test]
    fn null_and_missing_do_not_exist_and_equal_nothing() {
        for path in ["client.name", "client.nothing", "nothing.at.all"] {
            assert!(holds(path, Test::Exists(false), false), "{path}");
            assert!(!holds(path, Test::Eq(json!("x")), false), "{path}");
        }
        assert!(
            !holds("client.nothing", Test::Ne(json!("x")), false),
            "what is missing is not unequal either"
        );
    }

    #[test]
    fn a_path_with_a_regular_expression_and_a_huge_regular_expression_are_refused() {
        assert!(matches!(
            parse_path("$.client.deals[?match(@.stage, 'w.*')]"),
            Err(ConditionError::RegexInPath { .. })
        ));
        assert!(matches!(parse_path("$.client["), Err(ConditionError::Path { .. })));
        let huge = Condition::Test {
            path: "message.text".into(),
            tests: vec![Test::Matches("(a{1000}){1000}".into())],
            ignore_case: false,
        };
        assert!(matches!(compile(&huge), Err(ConditionError::Regex { .. })));
    }
}
