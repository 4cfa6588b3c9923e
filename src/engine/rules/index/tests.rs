//! The index against asking every rule, and what it names.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::engine::rules::condition::{compile, properties};
use crate::engine::rules::{RuleSet, compile_rule};
use crate::model::event::EventKind;
use crate::model::rule::{Condition, Rule};

fn set(conditions: Vec<Option<Condition>>) -> RuleSet {
    let rules = conditions.into_iter().enumerate().map(|(number, when)| Rule {
        id: format!("rule-{number}").into(),
        event: EventKind::MessageReceived,
        when,
        actions: Vec::new(),
        priority: 0,
        stop: false,
    });
    RuleSet::of(rules.map(|rule| compile_rule(&rule).unwrap()).collect())
}

/// The rules that the index names for a text, of rules with this one test each and many more beside them.
fn named(tests: Vec<Test>, ignore_case: bool, text: &str) -> Vec<usize> {
    let condition =
        |test| Some(Condition::Test { path: "message.text".to_owned(), tests: vec![test], ignore_case });
    let others = (0..INDEXED_FROM).map(|number| Test::Contains(format!("another-{number}")));
    let set = set(tests.into_iter().chain(others).map(condition).collect());
    set.index.candidates(&json!({"message": {"text": text}})).unwrap()
}

#[test]
fn only_rules_whose_words_are_there_are_asked() {
    let tests = || {
        vec![
            Test::Contains("refund".to_owned()),
            Test::ContainsAny(vec!["parcel".to_owned(), "delivery".to_owned()]),
            Test::Eq(json!("stop")),
            Test::Matches("inv(oice)? [0-9]+".to_owned()),
            Test::Gt(json!("a")),
        ]
    };
    assert_eq!(named(tests(), false, "nothing of it"), [4], "what has no anchor is asked always");
    assert_eq!(named(tests(), false, "a refund for the parcel"), [0, 1, 4]);
    assert_eq!(named(tests(), false, "stop"), [2, 4]);
    assert_eq!(named(tests(), false, "invoice 7"), [3, 4]);
    assert_eq!(named(tests(), false, "REFUND"), [4]);
    assert_eq!(named(tests(), true, "REFUND"), [0, 4]);
    assert_eq!(named(tests(), true, "INVOICE 7"), [3, 4]);
}

#[test]
fn a_rule_is_put_down_under_what_the_fewest_share() {
    let condition = |number: usize| {
        let test = |path: &str, test| Condition::Test {
            path: path.to_owned(),
            tests: vec![test],
            ignore_case: false,
        };
        Some(Condition::All(vec![
            test("dialog.line", Test::Eq(json!("sales"))),
            test("message.text", Test::Contains(format!("word-{number};"))),
        ]))
    };
    let set = set((0..100).map(condition).collect());
    let facts = json!({"dialog": {"line": "sales"}, "message": {"text": "word-7; and word-70;"}});
    assert_eq!(set.index.candidates(&facts).unwrap(), [7, 70]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_every_rule_that_holds(
        conditions in prop::collection::vec(prop::option::weighted(0.95, properties::declared()), INDEXED_FROM..40),
        facts in properties::document(),
    ) {
        let plainly: Vec<usize> = conditions
            .iter()
            .enumerate()
            .filter(|(_, when)| when.as_ref().is_none_or(|when| compile(when).unwrap().holds(&facts)))
            .map(|(place, _)| place)
            .collect();
        prop_assert_eq!(set(conditions).matching(&facts, &BTreeSet::new()), plainly);
    }
}
