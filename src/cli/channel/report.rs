//! Findings as text for people, or as JSON for programs.

use std::fmt::Write as _;

use serde_json::json;

use crate::cli::Format;
use crate::cli::terminal_text::harmless;

use super::examine::Examination;

/// What is printed.
pub(super) fn of(examination: &Examination, format: Format) -> String {
    match format {
        Format::Text => text(examination),
        Format::Json => json_text(examination),
    }
}

fn text(examination: &Examination) -> String {
    let mut text = String::new();
    for (about, finding) in &examination.findings {
        let mark = if finding.good { "good" } else { "bad " };
        // A messenger's words may hold anything. Writing to a text cannot fail.
        let written = writeln!(text, "{mark}  {about}: {}", harmless(&finding.text));
        debug_assert!(written.is_ok());
    }
    text
}

fn json_text(examination: &Examination) -> String {
    let findings: Vec<_> = examination
        .findings
        .iter()
        .map(|(about, finding)| json!({"about": about, "good": finding.good, "text": finding.text}))
        .collect();
    let document = json!({
        "channel": examination.channel,
        "kind": examination.kind.as_str(),
        "good": examination.is_good(),
        "findings": findings,
    });
    format!("{document:#}\n")
}
