//! Reads conditions; values take the type of what stands at the path.

use super::{boolean, list};
use crate::config::check::comparison::{element, read};
use crate::config::check::conditions::look_up;
use crate::config::facts::{Fact, Facts, Lookup};
use crate::config::tree::{Entry, Node};
use crate::model::rule::{Condition, Test};

pub(super) fn condition(facts: Facts, node: &Node) -> Option<Condition> {
    for (key, value) in super::own(node).map(|entry| (entry.key.text.as_str(), &entry.value)) {
        let many = || list(value, |item| condition(facts, item));
        match key {
            "all" => return many().map(Condition::All),
            "any" => return many().map(Condition::Any),
            "none" => return many().map(Condition::None),
            "not" => return condition(facts, value).map(|inner| Condition::Not(Box::new(inner))),
            _ => {}
        }
    }
    let path = node.get("path")?.text()?;
    let Ok(Lookup::Known(fact)) = look_up(facts, path) else { return None };
    Some(Condition::Test {
        path: path.to_owned(),
        tests: tests(fact, node)?,
        ignore_case: node.get("ignore_case").map_or(Some(false), boolean)?,
    })
}

fn tests(fact: Fact, node: &Node) -> Option<Vec<Test>> {
    super::own(node)
        .filter(|entry| !matches!(entry.key.text.as_str(), "path" | "ignore_case"))
        .map(|entry| test(fact, entry))
        .collect()
}

fn test(fact: Fact, entry: &Entry) -> Option<Test> {
    let node = &entry.value;
    // `has: vip` compares with an element of the list.
    let one = || read(element(fact), node);
    let many = || list(node, |item| read(element(fact), item));
    let text = || node.text().map(str::to_owned);
    Some(match entry.key.text.as_str() {
        "eq" => Test::Eq(one()?),
        "ne" => Test::Ne(one()?),
        "in" => Test::In(many()?),
        "not_in" => Test::NotIn(many()?),
        "gt" => Test::Gt(one()?),
        "gte" => Test::Gte(one()?),
        "lt" => Test::Lt(one()?),
        "lte" => Test::Lte(one()?),
        "between" => {
            let [from, to] = node.items() else { return None };
            Test::Between(read(fact, from)?, read(fact, to)?)
        }
        "contains" => Test::Contains(text()?),
        "contains_any" => Test::ContainsAny(list(node, |item| item.text().map(str::to_owned))?),
        "starts_with" => Test::StartsWith(text()?),
        "ends_with" => Test::EndsWith(text()?),
        "matches" => Test::Matches(text()?),
        "has" => Test::Has(one()?),
        "has_any" => Test::HasAny(many()?),
        "has_all" => Test::HasAll(many()?),
        "size" => Test::Size(node.text()?.parse().ok()?),
        "exists" => Test::Exists(boolean(node)?),
        "any_of" => Test::AnyOf(tests(element(fact), node)?),
        "all_of" => Test::AllOf(tests(element(fact), node)?),
        _ => return None,
    })
}
