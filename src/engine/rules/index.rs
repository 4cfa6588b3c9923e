//! Which rules can hold at all, found without asking each of them.
//!
//! Most conditions cannot hold unless one of a few things is there: a value at a path, or a piece of text. Such
//! things are *anchors*. Each rule is put down under the anchors that the fewest other rules share; at an event
//! the values and texts of the paths concerned are looked up once for all rules, and only rules that are found
//! so are asked, beside those without anchors (`ne`, `not`, `gt`, an empty condition …), which are asked always.
//! An index never decides: whoever it names is asked in full. It may name too many, and never too few.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use serde_json::Value;

use crate::model::rule::Test;

use super::CompiledRule;
use super::condition::{Case, Compiled, CompiledTest, Path, Step};

/// So few rules are asked faster than they are looked up.
const INDEXED_FROM: usize = 16;

/// A condition that may begin with more different texts than this has no anchor.
const ALTERNATIVES_MAX: usize = 64;

/// Something without which a rule cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Anchor {
    place: Place,
    sign: Sign,
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    steps: Vec<Step>,
    /// Texts are looked up in lower case.
    folded: bool,
}

/// What to look for: a value of the place, or of an element of its list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Value(Key),
    /// Bytes, since what a regular expression begins with may end within a letter.
    Part(Vec<u8>),
}

/// A value that can be looked up. Values that are equal for conditions have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    Boolean(bool),
    /// The bits of the number as `f64`.
    Number(u64),
    Text(String),
}

impl Key {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Boolean(*value)),
            // Zero has two forms.
            Value::Number(number) => number.as_f64().map(|number| Self::Number((number + 0.0).to_bits())),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The rules of a set, found by their anchors.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Those without anchors.
    always: Vec<usize>,
    places: Vec<(Place, Shelf)>,
    /// Whether there is one: few rules need none.
    is_built: bool,
}

/// The rules that are put down under one place.
#[derive(Debug, Default)]
struct Shelf {
    values: BTreeMap<Key, Vec<usize>>,
    parts: Option<AhoCorasick>,
    /// By the number of the part.
    by_part: Vec<Vec<usize>>,
}

impl Index {
    /// Puts the rules down.
    pub(super) fn of(rules: &[CompiledRule]) -> Self {
        if rules.len() < INDEXED_FROM {
            return Self::default();
        }
        let mut shared = BTreeMap::new();
        for condition in rules.iter().filter_map(|rule| rule.when.as_ref()) {
            count(condition, &mut shared);
        }
        let mut index = Self { is_built: true, ..Self::default() };
        let mut places: BTreeMap<Place, BTreeMap<Sign, Vec<usize>>> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            match rule.when.as_ref().and_then(|condition| choose(condition, &shared)) {
                None => index.always.push(number),
                Some(chosen) => {
                    for Anchor { place, sign } in chosen.anchors {
                        let under = places.entry(place).or_default().entry(sign).or_default();
                        // A rule may name the same thing twice.
                        if under.last() != Some(&number) {
                            under.push(number);
                        }
                    }
                }
            }
        }
        for (place, signs) in places {
            match Shelf::of(&signs) {
                Ok(shelf) => index.places.push((place, shelf)),
                // More parts than an automaton can hold: then they are asked always.
                Err(numbers) => index.always.extend(numbers),
            }
        }
        index.always.sort_unstable();
        index.always.dedup();
        index
    }

    /// The rules that may hold for these facts, in their order; `None`: all of them.
    pub(super) fn candidates(&self, facts: &Value) -> Option<Vec<usize>> {
        if !self.is_built {
            return None;
        }
        let mut found = self.always.clone();
        for (place, shelf) in &self.places {
            match super::condition::follow(&place.steps, facts) {
                Some(Value::Array(elements)) => {
                    elements.iter().for_each(|element| shelf.look_up(element, place.folded, &mut found));
                }
                Some(value) => shelf.look_up(value, place.folded, &mut found),
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

impl Shelf {
    /// # Errors
    /// The rules, when the parts are too many.
    fn of(signs: &BTreeMap<Sign, Vec<usize>>) -> Result<Self, Vec<usize>> {
        let mut shelf = Self::default();
        let mut parts: Vec<&[u8]> = Vec::new();
        for (sign, numbers) in signs {
            match sign {
                Sign::Value(key) => {
                    shelf.values.insert(key.clone(), numbers.clone());
                }
                Sign::Part(part) => {
                    parts.push(part);
                    shelf.by_part.push(numbers.clone());
                }
            }
        }
        if !parts.is_empty() {
            let automaton = AhoCorasick::new(&parts);
            shelf.parts = Some(automaton.map_err(|_| signs.values().flatten().copied().collect::<Vec<_>>())?);
        }
        Ok(shelf)
    }

    fn look_up(&self, value: &Value, folded: bool, found: &mut Vec<usize>) {
        let lower = match value {
            Value::String(text) if folded => Some(text.to_lowercase()),
            _ => None,
        };
        if !self.values.is_empty() {
            let key = lower.clone().map(Key::Text).or_else(|| Key::of(value));
            found.extend(key.and_then(|key| self.values.get(&key)).into_iter().flatten());
        }
        let (Some(parts), Some(text)) = (&self.parts, lower.as_deref().or_else(|| value.as_str())) else {
            return;
        };
        // A text may hold a part a thousand times.
        let mut seen = BTreeSet::new();
        for part in parts.find_overlapping_iter(text) {
            let number = part.pattern().as_usize();
            if seen.insert(number) {
                found.extend(self.by_part.get(number).into_iter().flatten());
            }
        }
    }
}

/// Anchors of which one must be there, and how many rules share them.
struct Chosen {
    anchors: Vec<Anchor>,
    cost: usize,
}

/// Counts for each anchor how many conditions could be put down under it.
fn count(condition: &Compiled, shared: &mut BTreeMap<Anchor, usize>) {
    match condition {
        Compiled::All(conditions) | Compiled::Any(conditions) => {
            conditions.iter().for_each(|condition| count(condition, shared));
        }
        Compiled::Nothing(_) | Compiled::Not(_) => {}
        Compiled::Test { path, tests, case } => {
            for anchor in tests.iter().filter_map(|test| anchors(path, test, *case)).flatten() {
                let times = shared.entry(anchor).or_default();
                *times = times.saturating_add(1);
            }
        }
    }
}

/// The anchors of a condition that the fewest share; `None`: it can hold without anything being there.
fn choose(condition: &Compiled, shared: &BTreeMap<Anchor, usize>) -> Option<Chosen> {
    let cheapest = |choices: &mut dyn Iterator<Item = Chosen>| choices.min_by_key(|chosen| chosen.cost);
    match condition {
        // All must hold: any one of them will do.
        Compiled::All(conditions) => {
            cheapest(&mut conditions.iter().filter_map(|condition| choose(condition, shared)))
        }
        // One must hold: each of them is needed.
        Compiled::Any(conditions) => {
            let mut all = Chosen { anchors: Vec::new(), cost: 0 };
            for condition in conditions {
                let chosen = choose(condition, shared)?;
                all.anchors.extend(chosen.anchors);
                all.cost = all.cost.saturating_add(chosen.cost);
            }
            Some(all)
        }
        Compiled::Nothing(_) | Compiled::Not(_) => None,
        Compiled::Test { path, tests, case } => {
            cheapest(&mut tests.iter().filter_map(|test| anchors(path, test, *case)).map(|anchors| {
                let times = |anchor| shared.get(anchor).copied().unwrap_or_default();
                let cost = anchors.iter().map(times).fold(0_usize, usize::saturating_add);
                Chosen { anchors, cost }
            }))
        }
    }
}

/// The anchors of a test, of which one must be there; `None`: it can pass without.
fn anchors(path: &Path, test: &CompiledTest, case: Case) -> Option<Vec<Anchor>> {
    let Path::Singular(steps) = path else { return None };
    let at = |sign: Sign, folded: bool| Anchor { place: Place { steps: steps.clone(), folded }, sign };
    let values = |wanted: &[Value]| {
        let value = |value: &Value| {
            let key = Key::of(value)?;
            // Only texts have a case; all else is looked up beside them.
            Some(at(Sign::Value(key), case == Case::Ignored))
        };
        wanted.iter().map(value).collect::<Option<Vec<_>>>()
    };
    let parts = |parts: &[String]| {
        let part = |part: &String| {
            let sign = Sign::Part(part.clone().into_bytes());
            (!part.is_empty()).then(|| at(sign, case == Case::Ignored))
        };
        parts.iter().map(part).collect::<Option<Vec<_>>>()
    };
    match test {
        CompiledTest::Plain(test) => match test {
            Test::Eq(wanted) | Test::Has(wanted) => values(std::slice::from_ref(wanted)),
            Test::In(wanted) | Test::HasAny(wanted) => values(wanted),
            // All of them must be there: the first will do.
            Test::HasAll(wanted) => wanted.first().and_then(|wanted| values(std::slice::from_ref(wanted))),
            Test::Contains(part) | Test::StartsWith(part) | Test::EndsWith(part) => {
                parts(std::slice::from_ref(part))
            }
            Test::ContainsAny(wanted) => parts(wanted),
            Test::Ne(_)
            | Test::NotIn(_)
            | Test::Gt(_)
            | Test::Gte(_)
            | Test::Lt(_)
            | Test::Lte(_)
            | Test::Between(..)
            | Test::Size(_)
            | Test::Exists(_)
            | Test::Matches(_)
            | Test::AnyOf(_)
            | Test::AllOf(_) => None,
        },
        CompiledTest::Matches(regex) => {
            let texts = begins_with(regex.as_str(), case)?;
            // The expression itself says what case its texts have.
            Some(texts.into_iter().map(|text| at(Sign::Part(text), false)).collect())
        }
        // One element must pass all of these tests. What they ask of lists within lists is not looked up.
        CompiledTest::AnyOf(tests) | CompiledTest::AllOf(tests) => tests.iter().find_map(|test| match test {
            CompiledTest::Plain(
                Test::Eq(_)
                | Test::In(_)
                | Test::Contains(_)
                | Test::ContainsAny(_)
                | Test::StartsWith(_)
                | Test::EndsWith(_),
            )
            | CompiledTest::Matches(_) => anchors(path, test, case),
            CompiledTest::Plain(_) | CompiledTest::AnyOf(_) | CompiledTest::AllOf(_) => None,
        }),
    }
}

/// The texts that whatever a regular expression matches begins or ends with; `None`: there are too many, or none.
fn begins_with(pattern: &str, case: Case) -> Option<Vec<Vec<u8>>> {
    let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(case == Case::Ignored).build();
    let parsed = parser.parse(pattern).ok()?;
    [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().find_map(|kind| {
        let found = Extractor::new().kind(kind).limit_total(ALTERNATIVES_MAX).extract(&parsed);
        let texts: Vec<Vec<u8>> =
            found.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect();
        (!texts.iter().any(Vec::is_empty)).then_some(texts)
    })
}

#[cfg(test)]
mod tests;
