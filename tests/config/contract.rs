//! Every name of the contract is accepted: the examples of the configuration page load, and what is
//! not acted on yet is said to be so.

use std::path::Path;

use switchboard::config::diagnostic::{Code, Format, Paint, Severity, render};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;

fn contract() -> SourceSet {
    SourceSet::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/contract"))
}

#[test]
fn the_contract_loads_with_nothing_but_notes_about_what_is_not_active() {
    let loaded = load(&contract());
    let text = render(&loaded.diagnostics, Format::Text, Paint::Plain);
    assert!(loaded.config.is_some(), "{text}");
    for one in &loaded.diagnostics {
        assert_eq!((one.code, one.severity), (Code::NotActive, Severity::Warning), "{text}");
    }
    let notes: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|one| format!("{}:{}: {}", one.place.file, one.place.line, one.message))
        .collect();
    insta::assert_snapshot!("contract_notes", notes.join("\n"));
}

#[test]
fn the_contract_becomes_this_configuration() {
    insta::assert_json_snapshot!("contract_config", load(&contract()).config.unwrap());
}
