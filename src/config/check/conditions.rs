//! Conditions: the path is known for the event, the test fits what stands there, the value fits the
//! test.

use serde_json::Value;

use super::comparison::{TESTS, Takes, describe, element, fits, fitting, read, regex};
use super::{contradictions, jsonpaths};
use crate::config::diagnostic::{Code, Finding};
use crate::config::facts::{Fact, Facts, Lookup};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::suggest::nearest;
use crate::config::tree::{Kind, Node, Span, Style};

/// The connectives.
const CONNECTIVES: [&str; 4] = ["all", "any", "none", "not"];

/// A condition on what stands in the walk's context.
pub fn of_context(walk: &mut Walk<'_>, node: &Node) {
    condition(walk, node);
    contradictions::check(walk, node);
}

/// A condition on a received message.
pub fn of_message(walk: &mut Walk<'_>, node: &Node) {
    with(walk, Facts::message(), node);
}

/// A condition on a dialog.
pub fn of_dialog(walk: &mut Walk<'_>, node: &Node) {
    with(walk, Facts::dialog(), node);
}

fn with(walk: &mut Walk<'_>, facts: Facts, node: &Node) {
    let outer = std::mem::replace(&mut walk.facts, facts);
    of_context(walk, node);
    walk.facts = outer;
}

fn condition(walk: &mut Walk<'_>, node: &Node) {
    const EXPECTED: &str = "a condition such as `{path: message.text, contains: refund}`";
    let Kind::Mapping(entries) = &node.kind else {
        let help = matches!(node.kind, Kind::Sequence(_))
            .then(|| "write the list under `all:` or `any:`".to_owned());
        walk.wrong_type(node, EXPECTED, help);
        return;
    };
    let connectives: Vec<_> =
        entries.iter().filter(|entry| CONNECTIVES.contains(&entry.key.text.as_str())).collect();
    let free = entries.iter().filter(|entry| entry.key.is_free()).count();
    match connectives.as_slice() {
        [] => leaf(walk, node),
        [one] if entries.len() == 1 + free => match one.key.text.as_str() {
            "not" => condition(walk, &one.value),
            _ => match &one.value.kind {
                Kind::Sequence(items) if !items.is_empty() => {
                    items.iter().for_each(|item| condition(walk, item))
                }
                Kind::Sequence(_) => walk.push(
                    Finding::new(
                        Code::WrongType,
                        one.key.span,
                        format!("`{}` has an empty list of conditions", one.key.text),
                    )
                    .label(if one.key.text == "any" { "would never be true" } else { "would always be true" })
                    .help("add a condition, or remove the whole `when` if there is none"),
                ),
                _ => walk.wrong_type(
                    &one.value,
                    "a list of conditions",
                    Some("begin each condition with `- `, or write `[{path: …, eq: …}]`".to_owned()),
                ),
            },
        },
        [one, ..] => walk.push(
            Finding::new(
                Code::KeyChoice,
                one.key.span,
                format!("`{}` stands alone in its mapping", one.key.text),
            )
            .help("join several conditions in a list under `all:` or `any:`"),
        ),
    }
}

fn leaf(walk: &mut Walk<'_>, node: &Node) {
    let fact = match node.get("path") {
        None => {
            walk.missing(node, "path");
            Some(Fact::Free)
        }
        Some(path) => fact_of(walk, path),
    };
    tests(walk, node, fact.unwrap_or(Fact::Free), Level::Condition);
}

/// Whether tests stand beside a path or below another test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Condition,
    Inner,
}

fn tests(walk: &mut Walk<'_>, node: &Node, fact: Fact, level: Level) {
    let mut count = 0;
    for entry in node.entries() {
        let key = entry.key.text.as_str();
        if entry.key.is_free() || (level == Level::Condition && key == "path") {
            continue;
        }
        let Some((_, takes)) = TESTS.iter().find(|(name, _)| *name == key) else {
            let known = || TESTS.iter().map(|(name, _)| *name).chain(["path"]).chain(CONNECTIVES);
            let help = nearest(key, known()).map_or_else(
                || {
                    let names: Vec<_> = TESTS.iter().map(|(name, _)| *name).collect();
                    format!("the tests are: {}", names.join(", "))
                },
                |near| format!("did you mean `{near}`?"),
            );
            walk.push(
                Finding::new(Code::UnknownKey, entry.key.span, format!("unknown test `{}`", shown(key)))
                    .help(help),
            );
            count += 1;
            continue;
        };
        if key == "ignore_case" {
            walk.node(&entry.value, &crate::config::grammar::shape::Shape::Boolean);
            continue;
        }
        count += 1;
        if !fits(fact, key) {
            walk.push(
                Finding::new(
                    Code::TestMismatch,
                    entry.key.span,
                    format!("`{key}` does not fit {}", describe(fact)),
                )
                .help(format!("tests that fit: {}", fitting(fact))),
            );
            continue;
        }
        operand(walk, &entry.value, key, *takes, fact);
    }
    if count == 0 {
        walk.push(
            Finding::new(Code::MissingKey, node.head(), "the condition tests nothing")
                .help(format!("add a test that fits: {}", fitting(fact))),
        );
    }
}

/// Checks what a test compares with.
fn operand(walk: &mut Walk<'_>, node: &Node, key: &str, takes: Takes, fact: Fact) {
    match takes {
        Takes::Value => value(walk, node, fact, key),
        Takes::Values => list(walk, node, key, |walk, item| value(walk, item, fact, key)),
        Takes::Pair => {
            let [from, to] = node.items() else {
                walk.wrong_type(node, "a list of two values, the lower one first", None);
                return;
            };
            value(walk, from, fact, key);
            value(walk, to, fact, key);
            if let (Some(Value::Number(low)), Some(Value::Number(high))) = (read(fact, from), read(fact, to))
                && low.as_f64() > high.as_f64()
            {
                walk.push(
                    Finding::new(Code::NeverTrue, node.head(), "nothing is between these two")
                        .help("write the lower one first"),
                );
            }
        }
        Takes::Text => {
            text(walk, node);
        }
        Takes::Texts => list(walk, node, key, |walk, item| {
            text(walk, item);
        }),
        Takes::Regex => {
            if let Some(pattern) = text(walk, node) {
                pattern_of(walk, node, pattern);
            }
        }
        Takes::Count => walk.node(node, &crate::config::grammar::shape::Shape::Integer(0, 1_000_000)),
        Takes::Flag => walk.node(node, &crate::config::grammar::shape::Shape::Boolean),
        Takes::Tests => match &node.kind {
            Kind::Mapping(_) => tests(walk, node, element(fact), Level::Inner),
            _ => walk.wrong_type(node, "tests, such as `{eq: won}`", None),
        },
        Takes::Later => walk.later(node.key.unwrap_or(node.span), format!("the test `{key}`")),
    }
}

fn pattern_of(walk: &mut Walk<'_>, node: &Node, pattern: &str) {
    const QUOTES: &str = "put it into single quotes, so that YAML leaves `\\` alone";
    let raw = walk.raw(node.span);
    if pattern.chars().any(char::is_control) {
        let is_block = matches!(node.kind, Kind::Scalar { style: Style::Block, .. });
        let (message, help) = if is_block {
            (
                "a block keeps its line breaks, and a message would have to contain them",
                "write it on one line, in single quotes",
            )
        } else {
            ("YAML made a control character of a `\\` in this expression", QUOTES)
        };
        walk.push(Finding::new(Code::Regex, node.span, message).help(help));
        return;
    }
    let Err(fault) = regex(pattern) else { return };
    // The place inside the expression is a place in the file when nothing between them was escaped.
    let quote = usize::from(raw.starts_with(['\'', '"']));
    let is_verbatim = raw.get(quote..).is_some_and(|rest| rest.starts_with(pattern));
    let span = match &fault.range {
        Some(range) if is_verbatim => {
            let start = node.span.start + quote + range.start;
            let end = (node.span.start + quote + range.end).max(start + 1);
            Span { file: node.span.file, start: start.min(node.span.end), end: end.min(node.span.end) }
        }
        _ => node.span,
    };
    let place = match &fault.range {
        Some(range) if !is_verbatim => {
            let before = pattern.get(..range.start).unwrap_or_default().chars().count();
            format!(" (at character {})", before + 1)
        }
        _ => String::new(),
    };
    let message = format!("the regular expression does not compile: {}{place}", fault.reason);
    let help = fault.help.or_else(|| (pattern.contains('\\') && !raw.starts_with('\'')).then_some(QUOTES));
    walk.push(Finding::new(Code::Regex, span, message).maybe_help(help.map(str::to_owned)));
}

fn list(walk: &mut Walk<'_>, node: &Node, key: &str, check: impl Fn(&mut Walk<'_>, &Node)) {
    match &node.kind {
        Kind::Sequence(items) => {
            if items.is_empty() {
                walk.push(
                    Finding::new(
                        Code::NeverTrue,
                        node.head(),
                        match key {
                            "not_in" | "has_all" => {
                                "an empty list excludes nothing: this is true for every value"
                            }
                            _ => "an empty list holds nothing to compare with: this is never true",
                        },
                    )
                    .help("add a value, or remove the condition"),
                );
            }
            items.iter().for_each(|item| check(walk, item));
        }
        _ => walk.wrong_type(node, "a list", Some("write `[a, b]`".to_owned())),
    }
}

/// A text of a test. Spaces count here: `starts_with: " "` is a text.
fn text<'n>(walk: &mut Walk<'_>, node: &'n Node) -> Option<&'n str> {
    match node.text() {
        Some(text) if !node.is_null() && !text.is_empty() => Some(text),
        _ => {
            walk.wrong_type(node, "a text", None);
            None
        }
    }
}

fn value(walk: &mut Walk<'_>, node: &Node, fact: Fact, key: &str) {
    if matches!(fact, Fact::Free | Fact::Later | Fact::Objects) {
        return;
    }
    if node.text().is_none() || node.is_null() {
        walk.wrong_type(
            node,
            "a single value",
            (key == "eq").then(|| "to test that nothing is there, write `exists: false`".to_owned()),
        );
        return;
    }
    match fact {
        Fact::Name(name) => {
            walk.reference(node, name);
        }
        Fact::Word(words) => walk.node(node, &crate::config::grammar::shape::Shape::Word(words)),
        _ if read(fact, node).is_none() => {
            let expected = match fact {
                Fact::Boolean => "`true` or `false`",
                Fact::Priority => "a number, or `low`, `normal`, `high`, `urgent`",
                _ => "a number",
            };
            let found = node.text().unwrap_or_default();
            walk.push(
                Finding::new(
                    Code::TestMismatch,
                    node.span,
                    format!("`{}` cannot be compared with {}", shown(found), describe(fact)),
                )
                .label(format!("expected {expected}")),
            );
        }
        _ => {}
    }
}

/// What stands at a path; `None` when that was reported.
fn fact_of(walk: &mut Walk<'_>, node: &Node) -> Option<Fact> {
    let text = walk.text(node)?;
    match look_up(walk.facts, text) {
        Err(fault) => {
            walk.push(fault.at(node));
            None
        }
        Ok(Lookup::Known(Fact::Later)) => {
            walk.later(node.span, format!("the path `{}`", shown(text)));
            Some(Fact::Free)
        }
        Ok(Lookup::Known(fact)) => Some(fact),
        Ok(Lookup::NotHere) => {
            let roots = walk.facts.roots();
            walk.push(
                Finding::new(
                    Code::UnknownPath,
                    node.span,
                    format!("`{}` is not there for this event", shown(text)),
                )
                .help(format!("this event has: {roots}")),
            );
            None
        }
        Ok(Lookup::Unknown(near)) => {
            let roots = walk.facts.roots();
            walk.push(
                Finding::new(Code::UnknownPath, node.span, format!("unknown path `{}`", shown(text))).help(
                    near.map_or_else(
                        || format!("paths begin with {roots}"),
                        |near| format!("did you mean `{near}`?"),
                    ),
                ),
            );
            None
        }
    }
}

/// Looks up a path in its short form (`a.b`) or as a JSONPath.
///
/// # Errors
/// When it is a JSONPath that cannot be used.
pub fn look_up(facts: Facts, text: &str) -> Result<Lookup, jsonpaths::Fault> {
    let (names, exact) = names(text)?;
    let path: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(facts.look_up(&path, exact))
}

/// The names that a path consists of, and whether it leads to one value only.
///
/// # Errors
/// When it is a JSONPath that cannot be used.
pub fn names(text: &str) -> Result<(Vec<String>, bool), jsonpaths::Fault> {
    if text.starts_with('$') {
        jsonpaths::parse(text)
    } else if text.contains('[') {
        jsonpaths::parse(&format!("$.{text}"))
    } else {
        jsonpaths::short(text)
    }
}
