//! The conditions of the rules that matched, as the configuration has them that was live then: a decision names its
//! rule and its configuration, and the store keeps both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::engine::live::Live;
use crate::model::config::Config;
use crate::model::decision::{Decision, Verdict};
use crate::model::id::RuleId;
use crate::model::rule::{Condition, Rule, Test};
use crate::store::queries::configs;
use crate::store::{Store, StoreError};

/// Earlier configurations that are read for one page: reading one takes as long as loading it. Few dialogs live under
/// more; the rules of the others are shown without their conditions.
const EARLIER_MAX: usize = 4;

/// Conditions by configuration and rule.
#[derive(Debug, Default)]
pub(super) struct RuleConditions(BTreeMap<String, BTreeMap<RuleId, Value>>);

impl RuleConditions {
    /// The conditions of the rules that matched in these decisions.
    pub(super) fn of(store: &Store, live: &Live, decisions: &[Decision]) -> Result<Self, StoreError> {
        let mut asked: BTreeMap<&str, BTreeSet<&RuleId>> = BTreeMap::new();
        for decision in decisions {
            if let Verdict::Rule(matched) = &decision.verdict {
                asked.entry(&decision.config).or_default().insert(&matched.rule);
            }
        }
        let mut found = BTreeMap::new();
        let mut earlier = 0;
        for (version, rules) in asked {
            if version == live.version {
                found.insert(version.to_owned(), among(&live.config.rules, &rules));
                continue;
            }
            earlier += 1;
            if earlier > EARLIER_MAX {
                break;
            }
            let Some(active) = configs::of_version(store, version)? else { continue };
            // One that an older program wrote, in a form that is not read any more, has nothing to show.
            let Ok(config) = serde_json::from_str::<Config>(&active.canonical) else { continue };
            found.insert(version.to_owned(), among(&config.rules, &rules));
        }
        Ok(Self(found))
    }

    /// The conditions of a rule in a configuration; `None`: it has none, or they are not known any more.
    pub(super) fn of_rule(&self, version: &str, rule: &RuleId) -> Option<&Value> {
        self.0.get(version)?.get(rule)
    }
}

fn among(declared: &[Rule], wanted: &BTreeSet<&RuleId>) -> BTreeMap<RuleId, Value> {
    declared
        .iter()
        .filter(|rule| wanted.contains(&rule.id))
        .filter_map(|rule| Some((rule.id.clone(), written(rule.when.as_ref()?))))
        .collect()
}

/// A condition as rules are written in YAML.
fn written(condition: &Condition) -> Value {
    let each = |conditions: &[Condition]| conditions.iter().map(written).collect::<Vec<_>>();
    match condition {
        Condition::All(conditions) => json!({"all": each(conditions)}),
        Condition::Any(conditions) => json!({"any": each(conditions)}),
        Condition::None(conditions) => json!({"none": each(conditions)}),
        Condition::Not(condition) => json!({"not": written(condition)}),
        Condition::Test { path, tests, ignore_case } => {
            let mut members = written_tests(tests);
            members.insert("path".to_owned(), path.as_str().into());
            if *ignore_case {
                members.insert("ignore_case".to_owned(), true.into());
            }
            members.into()
        }
    }
}

/// Tests under their names.
fn written_tests(tests: &[Test]) -> Map<String, Value> {
    let mut members = Map::new();
    for test in tests {
        let (name, value) = match test {
            Test::AnyOf(tests) => ("any_of".to_owned(), written_tests(tests).into()),
            Test::AllOf(tests) => ("all_of".to_owned(), written_tests(tests).into()),
            // Any other test is an object of its name and what it compares with.
            test => match json!(test) {
                Value::Object(members) => match members.into_iter().next() {
                    Some(member) => member,
                    None => continue,
                },
                _ => continue,
            },
        };
        members.insert(name, value);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_shown_as_it_is_written_in_the_files() {
        let test = |path: &str, tests: Vec<Test>, ignore_case: bool| Condition::Test {
            path: path.to_owned(),
            tests,
            ignore_case,
        };
        let condition = Condition::All(vec![
            test("message.text", vec![Test::ContainsAny(vec!["refund".to_owned()])], true),
            Condition::Not(Box::new(test("dialog.tags", vec![Test::Has(json!("refund"))], false))),
            test("dialog.priority", vec![Test::Gte(json!(0)), Test::Between(json!(1), json!(5))], false),
            test("client.deals[*].stage", vec![Test::AnyOf(vec![Test::Eq(json!("won"))])], false),
        ]);
        assert_eq!(
            written(&condition),
            json!({"all": [
                {"path": "message.text", "contains_any": ["refund"], "ignore_case": true},
                {"not": {"path": "dialog.tags", "has": "refund"}},
                {"path": "dialog.priority", "gte": 0, "between": [1, 5]},
                {"path": "client.deals[*].stage", "any_of": {"eq": "won"}},
            ]})
        );
    }
}
