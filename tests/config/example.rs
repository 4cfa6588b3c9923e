//! The example of the README loads without a word.

use std::path::Path;

use switchboard::config::canonical::canonical;
use switchboard::config::check::{Verdict, Warnings, run};
use switchboard::config::diagnostic::{Format, Paint};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_example_has_no_errors_and_no_warnings() {
    let (text, verdict) = run(root(), Format::Text, Paint::Plain, Warnings::Deny);
    assert_eq!((text.as_str(), verdict), ("The configuration is fine.\n", Verdict::Fine));
}

#[test]
fn the_same_files_give_the_same_version() {
    let version = || canonical(&load(&SourceSet::read(root())).config.unwrap()).unwrap().version;
    assert_eq!(version(), version());
    assert!(version().starts_with("sha256:"));
}

#[test]
fn the_configuration_survives_the_journal() {
    let config = load(&SourceSet::read(root())).config.unwrap();
    let bytes = canonical(&config).unwrap().bytes;
    let again: switchboard::model::config::Config = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again, config);
    assert_eq!(canonical(&again).unwrap().bytes, bytes);
}
