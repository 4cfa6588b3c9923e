//! Reads the sources and fails when the rooms are not what ARCHITECTURE says they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the pure rooms may not name: clocks, randomness, I/O, the environment, other rooms.
const FORBIDDEN_IN_PURE_ROOMS: &[&str] = &[
    "tokio",
    "sled",
    "hyper",
    "axum",
    "tracing",
    "getrandom",
    "rand::",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::now",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "env!(",
    "HashMap",
    "HashSet",
    "RandomState",
    "async fn",
    "async move",
    "async {",
    ".await",
    "println!",
    "eprintln!",
];

/// Which rooms each room may use. `node` is the daemon; `api` is its surface; `cli` puts them together.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("engine", &["model"]),
    ("config", &["engine", "model"]),
    ("journal", &["model"]),
    ("store", &["engine", "model"]),
    ("channels", &["model"]),
    ("attachments", &["model"]),
    // Attempts on effects are made by the channel that the effect belongs to.
    ("outbox", &["attachments", "channels", "model"]),
    // A client of the running node; `cli` composes the two.
    ("api", &["attachments", "channels", "engine", "model", "node", "store"]),
    ("observe", &["model"]),
    (
        "node",
        &["attachments", "channels", "config", "engine", "journal", "model", "observe", "outbox", "store"],
    ),
    (
        "cli",
        &[
            "api",
            "attachments",
            "channels",
            "config",
            "engine",
            "journal",
            "model",
            "node",
            "observe",
            "outbox",
            "store",
        ],
    ),
];

/// Files that may be longer than [`LINES_MAX`], each with its reason.
const LONG_FILES: &[(&str, &str)] =
    &[("store/keys.rs", "one table: every key of the store, with its place in the order")];
/// A file that is longer holds more than one subject.
const LINES_MAX: usize = 500;

struct Source {
    /// Relative to `src`, with `/`.
    name: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root(), &mut sources);
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

impl Source {
    /// The folder or file under `src` that it belongs to.
    fn room(&self) -> &str {
        self.name.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Its lines without comments, with their numbers. Unit tests are left out: they may do more.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_tests = self.name.ends_with("tests.rs") || self.name.contains("/tests/");
        self.text
            .lines()
            .take_while(move |line| !is_tests && line.trim() != "#[cfg(test)]")
            .zip(1..)
            .map(|(line, number)| (number, line.split("//").next().unwrap_or_default()))
    }
}

#[test]
fn engine_and_model_know_no_clock_no_randomness_and_no_io() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| matches!(source.room(), "engine" | "model")) {
        for (number, line) in source.code() {
            for word in FORBIDDEN_IN_PURE_ROOMS.iter().filter(|word| line.contains(**word)) {
                found.push(format!("src/{}:{number} names {word}", source.name));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rooms_depend_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut found = Vec::new();
    for source in sources() {
        let room = source.room().to_owned();
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let Some(may_use) = allowed.get(room.as_str()) else {
            found.push(format!("src/{}: the room `{room}` is not listed in ROOMS", source.name));
            continue;
        };
        for (number, line) in source.code() {
            for used in used_rooms(line).filter(|used| *used != room) {
                if allowed.contains_key(used) && !may_use.contains(&used) {
                    found.push(format!("src/{}:{number}: `{room}` may not use `{used}`", source.name));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The rooms that a line of code names by `crate::`.
fn used_rooms(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list
            .split(',')
            .map(|part| part.trim().split("::").next().unwrap_or_default().trim_end_matches(['}', ';']))
            .collect::<Vec<_>>(),
        None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').take(1).collect(),
    })
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let missing: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| format!("src/{} does not begin with `//!`", source.name))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_file_is_long_without_a_reason() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(source, lines)| {
            *lines > LINES_MAX && !LONG_FILES.iter().any(|(name, _)| *name == source.name)
        })
        .map(|(source, lines)| {
            format!("src/{} has {lines} lines; cut it, or list it with a reason", source.name)
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    for (name, reason) in LONG_FILES {
        assert!(root().join(name).exists() && !reason.is_empty(), "{name} is listed and not there");
    }
}

#[test]
fn the_test_of_rooms_sees_all_forms_of_use() {
    let rooms = |line| used_rooms(line).collect::<Vec<_>>();
    assert_eq!(rooms("use crate::store::Reader;"), ["store"]);
    assert_eq!(rooms("use crate::{api, store::Reader};"), ["api", "store"]);
    assert_eq!(rooms("crate::node::run(crate::cli::Flags)"), ["node", "cli"]);
}
