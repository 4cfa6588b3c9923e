//! Every path that a document names exists.

use std::path::Path;

use super::markdown::{code_spans, documents, links, read, root};

/// The folders that paths in documents begin with. Anything else between backticks is no path.
const FOLDERS: &[&str] =
    &["src/", "tests/", "docs/", "deploy/", "examples/", "rules/", "crm-mappings/", "benches/", ".ci/"];
/// The files at the root that documents name.
const FILES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "Makefile",
    "README.md",
    "channels.yaml",
    "clippy.toml",
    "deny.toml",
    "lines.yaml",
    "operators.yaml",
    "switchboard.yaml",
    "templates.yaml",
];

/// Documents that speak of the user's own files and of what contributors will add.
const PLACEHOLDERS: &[&str] = &["viber", "<", ">", "{", "*", "…", "X"];

#[test]
fn every_path_that_a_document_names_exists() {
    let mut missing = Vec::new();
    for document in documents() {
        for span in code_spans(&read(&document)) {
            let is_path =
                FOLDERS.iter().any(|folder| span.starts_with(folder)) || FILES.contains(&span.as_str());
            let is_placeholder = PLACEHOLDERS.iter().any(|part| span.contains(part));
            if is_path && !is_placeholder && !span.contains(' ') && !root().join(&span).exists() {
                missing.push(format!("{}: `{span}`", document.display()));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut missing = Vec::new();
    for document in documents() {
        let folder = document.parent().unwrap_or(Path::new(""));
        for link in links(&read(&document)) {
            let target = link.split('#').next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
            if is_file && !root().join(folder).join(target).exists() {
                missing.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_index_names_every_document() {
    let index = read(Path::new("docs/README.md"));
    let linked = links(&index);
    for document in documents() {
        let Ok(name) = document.strip_prefix("docs") else { continue };
        let name = name.to_str().unwrap();
        assert!(name == "README.md" || linked.iter().any(|link| link == name), "docs/README.md: {name}");
    }
}
