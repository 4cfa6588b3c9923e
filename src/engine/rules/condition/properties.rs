//! Conditions against an evaluator that is plain and slow: every path is walked anew, every text is
//! compared as a whole list of characters, nothing is compiled.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::compile;
use crate::model::rule::{Condition, Test};

/// Few names and few values: so that tests meet what they look for.
const NAMES: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 6] = ["", "x", "X", "xy", "Ж", "ж"];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        3 => (-2_i64..3).prop_map(Value::from),
        1 => prop::sample::select(vec![0.5, 1.0, -2.0]).prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

pub(in crate::engine) fn document() -> impl Strategy<Value = Value> {
    let node = scalar().prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(name(), inner, 0..3).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    });
    btree_map(name(), node, 1..4).prop_map(|map| map.into_iter().collect::<Value>())
}

/// One step of a path.
#[derive(Debug, Clone)]
enum Part {
    Name(String),
    Place(usize),
    Each,
}

fn path() -> impl Strategy<Value = Vec<Part>> {
    let later = prop_oneof![
        4 => name().prop_map(Part::Name),
        1 => (0_usize..3).prop_map(Part::Place),
        1 => Just(Part::Each),
    ];
    (name(), vec(later, 0..3)).prop_map(|(first, rest)| [Part::Name(first)].into_iter().chain(rest).collect())
}

/// The path as people write it: short where that is possible, with `$` at times.
fn written(path: &[Part], with_root: bool) -> String {
    let is_short = !path.iter().any(|part| matches!(part, Part::Each));
    let mut text = if with_root || !is_short { "$".to_owned() } else { String::new() };
    for part in path {
        match part {
            Part::Name(name) if text.is_empty() => text.push_str(name),
            Part::Name(name) => text.push_str(&format!(".{name}")),
            Part::Place(place) => text.push_str(&format!("[{place}]")),
            Part::Each => text.push_str("[*]"),
        }
    }
    text
}

fn tests(depth: u32) -> BoxedStrategy<Test> {
    let plain = prop_oneof![
        scalar().prop_map(Test::Eq),
        scalar().prop_map(Test::Ne),
        vec(scalar(), 0..3).prop_map(Test::In),
        vec(scalar(), 0..3).prop_map(Test::NotIn),
        scalar().prop_map(Test::Gt),
        scalar().prop_map(Test::Gte),
        scalar().prop_map(Test::Lt),
        scalar().prop_map(Test::Lte),
        (scalar(), scalar()).prop_map(|(low, high)| Test::Between(low, high)),
        text().prop_map(Test::Contains),
        vec(text(), 0..3).prop_map(Test::ContainsAny),
        text().prop_map(Test::StartsWith),
        text().prop_map(Test::EndsWith),
        scalar().prop_map(Test::Has),
        vec(scalar(), 0..3).prop_map(Test::HasAny),
        vec(scalar(), 0..3).prop_map(Test::HasAll),
        (0_u64..3).prop_map(Test::Size),
        any::<bool>().prop_map(Test::Exists),
        text()
            .prop_map(|text| Test::Matches(format!("^{text}+$")))
            .prop_filter("an empty group repeats nothing", |test| *test != Test::Matches("^+$".to_owned())),
    ];
    if depth == 0 {
        return plain.boxed();
    }
    prop_oneof![
        8 => plain,
        1 => vec(tests(depth - 1), 1..3).prop_map(Test::AnyOf),
        1 => vec(tests(depth - 1), 1..3).prop_map(Test::AllOf),
    ]
    .boxed()
}

/// A condition and the paths in it, in their order.
fn condition() -> impl Strategy<Value = Plain> {
    let leaf = (path(), any::<bool>(), vec(tests(1), 1..3), any::<bool>()).prop_map(
        |(path, with_root, tests, ignore_case)| Plain::Test { path, with_root, tests, ignore_case },
    );
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Plain::All),
            vec(inner.clone(), 0..3).prop_map(Plain::Any),
            vec(inner.clone(), 0..3).prop_map(Plain::None),
            inner.prop_map(|inner| Plain::Not(Box::new(inner))),
        ]
    })
}

/// A condition as it is declared.
pub(in crate::engine) fn declared() -> impl Strategy<Value = Condition> {
    condition().prop_map(|plain| plain.declared())
}

/// A condition whose paths are still lists of steps.
#[derive(Debug, Clone)]
enum Plain {
    All(Vec<Self>),
    Any(Vec<Self>),
    None(Vec<Self>),
    Not(Box<Self>),
    Test { path: Vec<Part>, with_root: bool, tests: Vec<Test>, ignore_case: bool },
}

impl Plain {
    fn declared(&self) -> Condition {
        let each = |parts: &[Self]| parts.iter().map(Self::declared).collect();
        match self {
            Self::All(parts) => Condition::All(each(parts)),
            Self::Any(parts) => Condition::Any(each(parts)),
            Self::None(parts) => Condition::None(each(parts)),
            Self::Not(part) => Condition::Not(Box::new(part.declared())),
            Self::Test { path, with_root, tests, ignore_case } => Condition::Test {
                path: written(path, *with_root),
                tests: tests.clone(),
                ignore_case: *ignore_case,
            },
        }
    }

    fn holds(&self, facts: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().filter(|part| !part.holds(facts)).count() == 0,
            Self::Any(parts) => parts.iter().filter(|part| part.holds(facts)).count() > 0,
            Self::None(parts) => parts.iter().filter(|part| part.holds(facts)).count() == 0,
            Self::Not(part) => !part.holds(facts),
            Self::Test { path, tests, ignore_case, .. } => {
                let found = walk(facts, path);
                tests.iter().filter(|test| !passes(test, &found, *ignore_case)).count() == 0
            }
        }
    }
}

fn walk(value: &Value, path: &[Part]) -> Vec<Value> {
    let Some((first, rest)) = path.split_first() else { return vec![value.clone()] };
    let next: Vec<&Value> = match (first, value) {
        (Part::Name(name), Value::Object(members)) => members.get(name).into_iter().collect(),
        (Part::Place(place), Value::Array(items)) => items.get(*place).into_iter().collect(),
        (Part::Each, Value::Array(items)) => items.iter().collect(),
        (Part::Each, Value::Object(members)) => members.values().collect(),
        _ => Vec::new(),
    };
    next.into_iter().flat_map(|value| walk(value, rest)).collect()
}

/// What stands at the path, as one list: of one list that was found, its elements.
fn listed(found: &[Value]) -> Vec<Value> {
    match found {
        [Value::Array(items)] => items.clone(),
        several => several.to_vec(),
    }
}

fn passes(test: &Test, found: &[Value], ignore_case: bool) -> bool {
    let lower = |value: &Value| match value {
        Value::String(text) if ignore_case => Value::from(text.to_lowercase()),
        other => other.clone(),
    };
    let same = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
        _ => lower(one) == lower(other),
    };
    let some = |ask: &dyn Fn(&Value) -> bool| found.iter().any(ask);
    let less = |one: &Value, other: &Value| match (one, other) {
        (Value::Number(one), Value::Number(other)) => Some(one.as_f64() < other.as_f64()),
        // `ignore_case` is about equality and parts; texts are ordered as they are.
        (Value::String(one), Value::String(other)) => Some(one < other),
        _ => None,
    };
    let letters = |text: &str| -> Vec<char> {
        if ignore_case { text.to_lowercase().chars().collect() } else { text.chars().collect() }
    };
    let has_part = |value: &Value, part: &str, at: fn(usize, usize, usize) -> bool| {
        let Some(text) = value.as_str() else { return false };
        let (text, part) = (letters(text), letters(part));
        (0..=text.len().saturating_sub(part.len())).any(|place| {
            text.get(place..place + part.len()) == Some(&part) && at(place, part.len(), text.len())
        })
    };
    let anywhere = |_, _, _| true;
    match test {
        Test::Eq(wanted) => some(&|value| same(value, wanted)),
        Test::Ne(wanted) => some(&|value| !same(value, wanted)),
        Test::In(wanted) => some(&|value| wanted.iter().any(|wanted| same(value, wanted))),
        Test::NotIn(wanted) => some(&|value| wanted.iter().all(|wanted| !same(value, wanted))),
        Test::Gt(limit) => some(&|value| less(limit, value) == Some(true)),
        Test::Gte(limit) => some(&|value| less(value, limit) == Some(false)),
        Test::Lt(limit) => some(&|value| less(value, limit) == Some(true)),
        Test::Lte(limit) => some(&|value| less(limit, value) == Some(false)),
        Test::Between(low, high) => {
            some(&|value| less(value, low) == Some(false) && less(high, value) == Some(false))
        }
        Test::Contains(part) => some(&|value| has_part(value, part, anywhere)),
        Test::ContainsAny(parts) => some(&|value| parts.iter().any(|part| has_part(value, part, anywhere))),
        Test::StartsWith(part) => some(&|value| has_part(value, part, |place, _, _| place == 0)),
        Test::EndsWith(part) => {
            some(&|value| has_part(value, part, |place, part, text| place + part == text))
        }
        // Only patterns `^TEXT+$` are made here: a text, its last letter once or more.
        Test::Matches(pattern) => {
            let wanted = pattern.trim_start_matches('^').trim_end_matches("+$");
            some(&|value| {
                let Some(text) = value.as_str() else { return false };
                let (text, wanted) = (letters(text), letters(wanted));
                let Some(last) = wanted.last() else { return text.is_empty() };
                text.len() >= wanted.len()
                    && text.starts_with(&wanted)
                    && text.get(wanted.len()..).is_some_and(|rest| rest.iter().all(|letter| letter == last))
            })
        }
        Test::Has(wanted) => listed(found).iter().any(|value| same(value, wanted)),
        Test::HasAny(wanted) => {
            listed(found).iter().any(|value| wanted.iter().any(|wanted| same(value, wanted)))
        }
        Test::HasAll(wanted) => {
            wanted.iter().all(|wanted| listed(found).iter().any(|value| same(value, wanted)))
        }
        Test::Size(wanted) => {
            let size = match found {
                [Value::String(text)] => Some(text.chars().count()),
                [Value::Array(items)] => Some(items.len()),
                [Value::Object(members)] => Some(members.len()),
                [_] => None,
                several => Some(several.len()),
            };
            size.and_then(|size| u64::try_from(size).ok()) == Some(*wanted)
        }
        Test::Exists(wanted) => some(&|value| !value.is_null()) == *wanted,
        Test::AnyOf(tests) => listed(found)
            .iter()
            .any(|value| tests.iter().all(|test| passes(test, std::slice::from_ref(value), ignore_case))),
        Test::AllOf(tests) => {
            let values = listed(found);
            !values.is_empty()
                && values.iter().all(|value| {
                    tests.iter().all(|test| passes(test, std::slice::from_ref(value), ignore_case))
                })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_compiled_condition_holds_when_the_plain_reading_says_so(plain in condition(), facts in document()) {
        let declared = plain.declared();
        prop_assert_eq!(
            compile(&declared).unwrap().holds(&facts),
            plain.holds(&facts),
            "{:?} on {}", declared, facts
        );
    }
}
