//! The documentation and the code say the same: every code, key, path and event has its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use switchboard::config::check::comparison::{TESTS, Takes};
use switchboard::config::diagnostic::Code;
use switchboard::config::facts::{self, Fact};
use switchboard::config::file_kind::FileKind;
use switchboard::config::grammar::shape::{Field, Shape, State};
use switchboard::config::grammar::{self, channels, lines, operators, rules};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::model::channel::ChannelKind;
use switchboard::model::event::EventKind;
use switchboard::model::hexadecimal;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn each_code_has_its_section_and_each_section_its_code() {
    let page = read("docs/diagnostics.md");
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let codes: Vec<String> =
        Code::ALL.iter().map(|code| format!("{}: {}", code.as_str(), code.title())).collect();
    assert_eq!(sections, codes);
}

#[test]
fn each_example_of_a_code_is_what_is_really_printed() {
    let mut snapshots = String::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/snapshots")).unwrap() {
        snapshots.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let page = read("docs/diagnostics.md");
    for (code, section) in Code::ALL.iter().zip(page.split("\n## ").skip(1)) {
        let example = section.split("```").nth(1).unwrap().trim_start_matches("text\n");
        let head = format!("{}[{}]:", code.severity().as_str(), code.as_str());
        assert!(example.starts_with(&head), "{} has another example: {example}", code.as_str());
        // A fault of ours cannot be shown on demand.
        assert!(*code == Code::Internal || snapshots.contains(example), "nobody prints this:\n{example}");
    }
}

/// The names of all keys that are acted on.
fn active(fields: &[Field], names: &mut BTreeSet<&'static str>) {
    for field in fields.iter().filter(|field| field.state == State::Active) {
        names.insert(field.name);
        below(&field.shape, names);
    }
}

fn below(shape: &Shape, names: &mut BTreeSet<&'static str>) {
    match shape {
        Shape::Mapping(fields) | Shape::OneOf(fields) => active(fields, names),
        Shape::List(inner) | Shape::OneOrMany(inner) | Shape::Named(inner) | Shape::Table(inner) => {
            below(inner, names);
        }
        Shape::ScalarOr(one, other) => {
            below(one, names);
            below(other, names);
        }
        _ => {}
    }
}

#[test]
fn each_key_that_is_acted_on_is_described() {
    let mut names = BTreeSet::new();
    for kind in FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::CrmMappings) {
        active(grammar::file(kind), &mut names);
    }
    for fields in [lines::CALENDAR, operators::TOKEN, rules::RULE] {
        active(fields, &mut names);
    }
    for kind in [ChannelKind::Telegram, ChannelKind::Email, ChannelKind::Webhook] {
        active(channels::fields(kind), &mut names);
    }
    // Accepted on a rule that runs, with a warning that they have no effect.
    let limits_of_rules = ["limits", "run", "once_per", "cooldown", "max_chain", "mode", "key", "on_change"];
    let page = read("docs/configuration.md");
    let words: BTreeSet<&str> = page.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let missing: Vec<_> =
        names.iter().filter(|name| !words.contains(*name) && !limits_of_rules.contains(name)).collect();
    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:?}");
}

#[test]
fn each_path_event_and_test_is_described() {
    let page = read("docs/configuration.md");
    for (path, fact) in facts::all() {
        assert!(*fact == Fact::Object || page.contains(&format!("| `{path}` |")), "{path} is not described");
    }
    for kind in EventKind::ALL {
        let row = format!("| `{}` | {} |", kind.as_str(), kind.meaning());
        assert!(page.contains(&row), "{row} is missing");
    }
    for (test, takes) in TESTS {
        let later = takes == Takes::Later;
        assert!(later || page.contains(&format!("`{test}")), "the test {test} is not described");
    }
}

#[test]
fn the_demo_tokens_of_the_page_open_the_example() {
    let page = read("docs/configuration.md");
    let config = load(&SourceSet::read(Path::new(env!("CARGO_MANIFEST_DIR")))).config.unwrap();
    let tokens: Vec<&str> = page.split('`').filter(|part| part.starts_with("swb_demo_")).collect();
    assert_eq!(tokens.len(), config.tokens.len());
    for token in tokens {
        let hash = hexadecimal::encode(&Sha256::digest(token.as_bytes()));
        assert!(config.tokens.iter().any(|known| known.sha256 == hash), "{token} is not declared");
    }
}
