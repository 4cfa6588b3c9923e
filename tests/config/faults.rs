//! One fault each: `faults/NAME.txt` holds the files that differ from `base/`, the snapshot beside it
//! what the author of the files reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use switchboard::config::diagnostic::{Format, Paint, render};
use switchboard::config::file_kind::FileKind;
use switchboard::config::load::{Loaded, load};
use switchboard::config::source::{ProblemKind, SourceProblem, SourceSet};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

/// The files of a fault: `=== path` begins each.
fn files(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("=== "), files.last_mut()) {
            (Some(path), _) => files.push((path.trim().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => panic!("a fault begins with `=== path`"),
        }
    }
    files
}

fn faults() -> BTreeMap<String, Loaded> {
    let base = SourceSet::read(&folder("base"));
    fs::read_dir(folder("faults"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let mut set = base.clone();
            set.files.extend(files(&fs::read_to_string(&path).unwrap()));
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), load(&set))
        })
        .collect()
}

#[test]
fn the_base_of_the_faults_is_fine() {
    assert_eq!(load(&SourceSet::read(&folder("base"))).diagnostics, []);
}

#[test]
fn each_fault_is_told_in_words_that_help() {
    for (name, loaded) in faults() {
        insta::assert_snapshot!(name, render(&loaded.diagnostics, Format::Text, Paint::Plain));
    }
}

#[test]
fn no_format_shows_a_secret() {
    for (name, loaded) in faults() {
        for format in Format::ALL {
            let text = render(&loaded.diagnostics, format, Paint::Plain);
            assert!(!text.contains("SECRET-TOKEN"), "{name} shows a secret as {}:\n{text}", format.as_str());
        }
        assert!(!format!("{loaded:?}").contains("SECRET-TOKEN"), "{name} shows a secret in its debug form");
    }
}

#[test]
fn a_missing_file_is_told_with_an_example() {
    let loaded = load(&SourceSet::from_files([("lines.yaml", "version: 1\nlines: {}\n")]));
    insta::assert_snapshot!("missing_files", render(&loaded.diagnostics, Format::Text, Paint::Plain));
}

#[test]
fn what_was_not_read_is_told() {
    let mut set = SourceSet::read(&folder("base"));
    let problem = |path: &str, kind| SourceProblem { path: path.to_owned(), kind };
    set.problems = vec![
        problem("rules/vip.yaml", ProblemKind::Unreadable("permission denied".to_owned())),
        problem("rules/win.yaml", ProblemKind::NotUtf8 { byte: 17, line: 2 }),
        problem("templates/all.yaml", ProblemKind::FileTooLarge),
        problem("line.yaml", ProblemKind::Unused("lines.yaml".to_owned())),
        problem("rule/", ProblemKind::Unused("rules/".to_owned())),
        problem("rules/north", ProblemKind::FolderBelow),
        problem("templates", ProblemKind::FileForFolder(FileKind::Templates)),
    ];
    insta::assert_snapshot!("unread_files", render(&load(&set).diagnostics, Format::Text, Paint::Plain));
}

#[test]
fn a_file_of_rubbish_does_not_flood_the_screen() {
    let keys: String = (0..600).map(|n| format!("key{n}: 1\n")).collect();
    let loaded = load(&SourceSet::from_files([("lines.yaml", format!("version: 1\n{keys}"))]));
    let last: Vec<_> = loaded.diagnostics.iter().rev().take(1).cloned().collect();
    insta::assert_snapshot!("too_many", render(&last, Format::Text, Paint::Plain));
}

#[test]
fn the_formats_for_machines_are_stable() {
    let mut set = SourceSet::read(&folder("base"));
    set.files.insert(
        "lines/north.yaml".to_owned(),
        "version: 1\nlines: {sales: {routing: {operators: [ana]}}}\n".to_owned(),
    );
    let loaded = load(&set);
    insta::assert_snapshot!("format_json", render(&loaded.diagnostics, Format::Json, Paint::Plain));
    insta::assert_snapshot!("format_github", render(&loaded.diagnostics, Format::Github, Paint::Plain));
    let sarif: serde_json::Value =
        serde_json::from_str(&render(&loaded.diagnostics, Format::Sarif, Paint::Plain)).unwrap();
    let results = serde_json::to_string_pretty(&sarif["runs"][0]["results"]).unwrap();
    insta::assert_snapshot!("format_sarif", results);
}
