//! Tests that can never be true together, such as `eq: a` and `eq: b` of one path in one `all`.
//!
//! Says nothing unless it is certain: only paths that lead to one value are compared, and only in pairs.

use serde_json::Value;

use super::comparison::{TESTS, element, fits, read};
use super::conditions::look_up;
use crate::config::diagnostic::{Code, Finding};
use crate::config::facts::{Fact, Lookup};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::tree::{Entry, Node, Span};

/// One test of a condition that must hold.
struct Demand<'n> {
    /// The path, for the message.
    path: &'n str,
    /// The names that the path consists of: `$.a.b` and `a.b` are one.
    place: Vec<String>,
    /// The key of the test.
    key: &'n str,
    /// The values that it compares with, in the type of the path.
    values: Vec<Value>,
    /// Whether case does not count.
    ignores_case: bool,
    span: Span,
}

/// Reports contradictions in a whole condition, however deep.
pub fn check(walk: &mut Walk<'_>, condition: &Node) {
    let mut demands = Vec::new();
    collect(walk, condition, &mut demands);
    let pair = demands.iter().enumerate().find_map(|(place, second)| {
        demands
            .iter()
            .take(place)
            .find(|first| exclude_each_other(first, second))
            .map(|first| (first, second))
    });
    if let Some((first, second)) = pair {
        let wants_one = |demand: &Demand<'_>| matches!(demand.key, "eq" | "in");
        walk.push(
            Finding::new(
                Code::NeverTrue,
                second.span,
                format!("two tests of `{}` can never be true together", shown(second.path)),
            )
            .label("and this")
            .related(first.span, "this")
            .help(if wants_one(first) && wants_one(second) {
                "if either will do, list the values: `in: [a, b]`"
            } else {
                "remove one of the two, or join them under `any:` if either will do"
            }),
        );
    }
}

/// Collects what must hold together; looks into every other connective by itself.
fn collect<'n>(walk: &mut Walk<'_>, node: &'n Node, demands: &mut Vec<Demand<'n>>) {
    for Entry { key, value } in node.entries() {
        match key.text.as_str() {
            "all" => value.items().iter().for_each(|item| collect(walk, item, demands)),
            "any" | "none" => value.items().iter().for_each(|item| check(walk, item)),
            "not" => check(walk, value),
            _ => {}
        }
    }
    let Some(path) = node.get("path").and_then(Node::text) else { return };
    let Ok((place, true)) = super::conditions::names(path) else { return };
    let Ok(Lookup::Known(fact)) = look_up(walk.facts, path) else { return };
    let ignores_case = node.get("ignore_case").and_then(Node::plain) == Some("true");
    for entry in node.entries() {
        let key = entry.key.text.as_str();
        if TESTS.iter().any(|(name, _)| *name == key) && fits(fact, key) {
            let values = values(fact, key, &entry.value);
            let span = entry.key.span;
            demands.push(Demand { path, place: place.clone(), key, values, ignores_case, span });
        }
    }
}

fn values(fact: Fact, key: &str, node: &Node) -> Vec<Value> {
    match key {
        "contains" | "starts_with" | "ends_with" => node.text().map(Value::from).into_iter().collect(),
        "size" => {
            node.text().and_then(|text| text.parse::<u64>().ok()).map(Value::from).into_iter().collect()
        }
        "exists" => node.plain().map(|text| Value::Bool(text == "true")).into_iter().collect(),
        _ if node.items().is_empty() => read(element(fact), node).into_iter().collect(),
        // A list of which one value cannot be read is no list to reason about.
        _ => node
            .items()
            .iter()
            .map(|item| read(element(fact), item))
            .collect::<Option<_>>()
            .unwrap_or_default(),
    }
}

fn exclude_each_other(one: &Demand<'_>, other: &Demand<'_>) -> bool {
    one.place == other.place
        && !one.values.is_empty()
        && !other.values.is_empty()
        && (excludes(one, other) || excludes(other, one))
}

/// Whether no value passes both, as far as `one` says which values there may be.
fn excludes(one: &Demand<'_>, other: &Demand<'_>) -> bool {
    let ignores_case = one.ignores_case || other.ignores_case;
    match (one.key, one.values.as_slice()) {
        ("eq" | "in", values) => !values.iter().any(|value| may_pass(value, other, ignores_case)),
        // A value that is null does not exist, and may yet differ from a text or equal null.
        ("exists", [Value::Bool(false)]) => {
            !matches!(other.key, "ne" | "not_in" | "exists" | "any_of" | "all_of")
                && !other.values.contains(&Value::Null)
        }
        ("size", [size]) => other.key == "size" && other.values.as_slice() != [size.clone()],
        ("starts_with" | "ends_with", [Value::String(part)]) if !ignores_case && one.key == other.key => {
            let others = other.values.first().and_then(Value::as_str).unwrap_or_default();
            match one.key {
                "starts_with" => !part.starts_with(others) && !others.starts_with(part.as_str()),
                _ => !part.ends_with(others) && !others.ends_with(part.as_str()),
            }
        }
        _ => match (bounds(one), bounds(other)) {
            (Some((low, includes_low, _, _)), Some((_, _, high, includes_high))) => {
                low > high || (low >= high && !(includes_low && includes_high))
            }
            _ => false,
        },
    }
}

/// Whether a value may pass a test; true when that is not certain.
fn may_pass(value: &Value, test: &Demand<'_>, ignores_case: bool) -> bool {
    let is_equal = |wanted: &Value| match (value, wanted) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::String(one), Value::String(other)) if ignores_case => {
            one.to_lowercase() == other.to_lowercase()
        }
        _ => value == wanted,
    };
    let first = test.values.first().and_then(Value::as_str);
    match (test.key, value, first) {
        ("eq" | "in", _, _) => test.values.iter().any(is_equal),
        ("ne" | "not_in", _, _) => ignores_case || !test.values.iter().any(is_equal),
        ("contains", Value::String(text), Some(part)) => ignores_case || text.contains(part),
        ("starts_with", Value::String(text), Some(part)) => ignores_case || text.starts_with(part),
        ("ends_with", Value::String(text), Some(part)) => ignores_case || text.ends_with(part),
        _ => match (value.as_f64(), bounds(test)) {
            (Some(number), Some((low, includes_low, high, includes_high))) => {
                (number > low || (includes_low && number >= low))
                    && (number < high || (includes_high && number <= high))
            }
            _ => true,
        },
    }
}

/// The numbers that pass: from, whether that itself does, to, whether that itself does.
fn bounds(demand: &Demand<'_>) -> Option<(f64, bool, f64, bool)> {
    let number = |place: usize| demand.values.get(place).and_then(Value::as_f64);
    match demand.key {
        "gt" => Some((number(0)?, false, f64::INFINITY, true)),
        "gte" => Some((number(0)?, true, f64::INFINITY, true)),
        "lt" => Some((f64::NEG_INFINITY, true, number(0)?, false)),
        "lte" => Some((f64::NEG_INFINITY, true, number(0)?, true)),
        "between" => Some((number(0)?, true, number(1)?, true)),
        _ => None,
    }
}
