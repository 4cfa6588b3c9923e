//! Reading Markdown as far as these tests need it.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug)]
pub(super) struct Fence {
    /// What stands in the comment on the line before; empty when there is none.
    pub(super) mark: String,
    /// The language after the fence.
    pub(super) language: String,
    pub(super) text: String,
    /// Of the opening fence, from 1.
    pub(super) line: usize,
}

/// The folder of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All documents of the repository, relative to it.
pub(super) fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "deploy", "crm-mappings"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(found.len() > 3, "{found:?}");
    found
}

pub(super) fn read(document: &Path) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// The fenced blocks of a text, in order.
pub(super) fn fences(text: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let (mut before, mut open): (&str, Option<Fence>) = ("", None);
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let mark = before.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
                open = Some(Fence {
                    mark: mark.unwrap_or_default().trim().to_owned(),
                    language: language.trim().to_owned(),
                    text: String::new(),
                    line: number + 1,
                });
            }
            (Some(_), Some(_)) => fences.extend(open.take()),
            (Some(fence), None) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            (None, None) => {}
        }
        before = line;
    }
    assert!(open.is_none(), "a fence is not closed");
    fences
}

/// What stands between single backticks outside of fences.
pub(super) fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The targets of links.
pub(super) fn links(text: &str) -> Vec<String> {
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn fences_have_their_marks_and_texts() {
    let text = "a `b` c\n\n<!-- run: x -->\n```sh\none\ntwo\n```\n\n```\nthree `four`\n```\n[l](m)\n";
    let found = fences(text);
    assert_eq!((found[0].mark.as_str(), found[0].language.as_str()), ("run: x", "sh"));
    assert_eq!((found[0].text.as_str(), found[0].line), ("one\ntwo\n", 4));
    assert_eq!((found[1].mark.as_str(), found[1].text.as_str()), ("", "three `four`\n"));
    assert_eq!(code_spans(text), ["b"]);
    assert_eq!(links(text), ["m"]);
}
