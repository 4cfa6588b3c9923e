//! What to say when a text is not YAML: the place that must be repaired and the cause that is likely,
//! which are not always where the parser gave up.

use super::Span;
use crate::config::diagnostic::{Code, Finding};

/// Makes the finding. `at` is the byte at which the parser gave up, `info` what it said.
pub(super) fn finding(file: usize, text: &str, at: usize, info: &str) -> Finding {
    let (at, length, message, help) = likely_cause(text, at, info);
    let end = text.len().min(at + length);
    Finding::new(Code::Syntax, Span { file, start: at, end }, format!("not valid YAML: {message}")).help(help)
}

/// Place, length in bytes, what is wrong, what to do.
fn likely_cause(text: &str, at: usize, info: &str) -> (usize, usize, String, String) {
    let lines = || {
        text.split_inclusive('\n').scan(0, |next, line| {
            let start = *next;
            *next += line.len();
            Some((start, line))
        })
    };
    if ["<!", "<html", "<?xml"].iter().any(|mark| text.trim_start().starts_with(mark)) {
        return (at, 1, info.to_owned(), "this looks like HTML or XML, not like a configuration".to_owned());
    }
    if let Some((start, line)) = lines().find(|(_, line)| line.starts_with("<<<<<<< ")) {
        return (
            start,
            line.trim_end().len(),
            "a merge of git was left unfinished here".to_owned(),
            "choose one of the two versions and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`"
                .to_owned(),
        );
    }
    if let Some(zero) = text.find('\0') {
        return (
            zero,
            1,
            "a zero byte stands here".to_owned(),
            "the file is not a text, or a crash has damaged it; restore it from git".to_owned(),
        );
    }
    if info.contains("tab") {
        // The parser says where the value began, or what follows the tab; the tab may be lines below.
        let tab = lines().skip_while(|(start, line)| start + line.len() <= at).find_map(|(start, line)| {
            let indentation = line.len() - line.trim_start().len();
            line.get(..indentation).and_then(|blank| blank.find('\t')).map(|tab| start + tab)
        });
        if let Some(tab) = tab {
            return (
                tab,
                1,
                "a line is indented with a tab".to_owned(),
                "replace the tab with spaces".to_owned(),
            );
        }
    }
    (at, 1, info.to_owned(), advice(text, at, info))
}

fn advice(text: &str, at: usize, info: &str) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = text.get(before.rfind('\n').map_or(0, |newline| newline + 1)..).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    if info.contains("unknown anchor") {
        return "write the anchor (`&name`) above its first use, in the same file".to_owned();
    }
    if info.contains("byte order mark") {
        return "two files were joined here: remove the invisible mark before the text".to_owned();
    }
    if info.contains("may not precede any of") {
        return "write a space after the colon".to_owned();
    }
    if info.contains("mapping values are not allowed")
        && let Some(glued) = before.lines().rev().skip(1).find(|line| !line.trim().is_empty())
        && let Some((key, rest)) = glued.trim().split_once(':')
        && !rest.is_empty()
        && !rest.starts_with(' ')
        && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    {
        return format!("`{key}:` in the line above needs a space after the colon");
    }
    if line.contains('\t') {
        return "YAML is indented with spaces; replace the tab".to_owned();
    }
    if info.contains("quoted scalar") || info.contains("unexpected end of stream") {
        return "a quote or a bracket that was opened above is not closed".to_owned();
    }
    "check the indentation, and quote texts that contain `: `, ` #`, `{` or `[`".to_owned()
}
