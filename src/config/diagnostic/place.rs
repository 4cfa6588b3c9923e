//! From byte ranges to file, line and column, with the masked source line.

use serde::Serialize;

use super::{Code, Finding, Severity};
use crate::config::tree::Span;

/// Longer source lines are cut around the place: a screen is not wider, and a file may be one line.
const LINE_CHARS_MAX: usize = 160;

/// How much of a long line stands before the place.
const LINE_CHARS_BEFORE: usize = 60;

/// What some editors write at the beginning of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// One file of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path inside the folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The texts of a set, for places.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Ranges that are never shown.
    masks: Vec<Span>,
}

impl Sources {
    /// The files of a set; a span's `file` is the index here.
    pub const fn new(files: Vec<SourceFile>) -> Self {
        Self { files, masks: Vec::new() }
    }

    /// The files.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Adds a file without text, for what is to be said about a file that was not read.
    pub fn add_unread(&mut self, path: String) -> usize {
        self.files.push(SourceFile { path, text: String::new() });
        self.files.len() - 1
    }

    /// Hides ranges from all diagnostics.
    pub fn mask(&mut self, spans: impl IntoIterator<Item = Span>) {
        self.masks.extend(spans);
    }

    /// Gives findings their lines and columns.
    pub fn resolve(&self, findings: Vec<Finding>) -> Vec<Diagnostic> {
        let mut resolved: Vec<Diagnostic> = findings
            .into_iter()
            .map(|finding| Diagnostic {
                code: finding.code,
                severity: finding.code.severity(),
                place: self.place(finding.span),
                message: finding.message,
                label: finding.label,
                help: finding.help,
                related: finding
                    .related
                    .into_iter()
                    .map(|(span, label)| Related { place: self.place(span), label })
                    .collect(),
            })
            .collect();
        resolved.sort_by(|a, b| {
            (&a.place.file, a.place.start, a.code).cmp(&(&b.place.file, b.place.start, b.code))
        });
        resolved
    }

    fn place(&self, span: Span) -> Place {
        let Some(file) = self.files.get(span.file) else { return Place::default() };
        let text = file.text.as_str();
        // A byte order mark belongs to no line: editors neither show nor count it.
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let start = text.floor_char_boundary(span.start).max(first);
        let end = text.floor_char_boundary(span.end).max(start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(first, |newline| newline + 1);
        let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
        let line = self.masked(span.file, text.get(line_start..line_end).unwrap_or_default(), line_start);
        let line = line.trim_end_matches('\r');
        let from = (start - line_start).min(line.len());
        let to = (end.min(line_end) - line_start).clamp(from, line.len());
        let (source, from, to) = cut(line, from, to);
        Place {
            file: file.path.clone(),
            line: before.matches('\n').count() + 1,
            column: text.get(line_start..start).map_or(0, |part| part.chars().count()) + 1,
            start,
            end,
            source,
            source_start: from,
            source_end: to,
        }
    }

    /// A line with asterisks in place of secrets; the number of bytes stays.
    fn masked(&self, file: usize, line: &str, line_start: usize) -> String {
        line.char_indices()
            .map(|(offset, character)| {
                let at = line_start + offset;
                let hidden =
                    self.masks.iter().any(|mask| mask.file == file && mask.start <= at && at < mask.end);
                if hidden { "*".repeat(character.len_utf8()) } else { character.to_string() }
            })
            .collect()
    }
}

/// Cuts a long line around a range.
fn cut(line: &str, from: usize, to: usize) -> (String, usize, usize) {
    if line.chars().count() <= LINE_CHARS_MAX {
        return (line.to_owned(), from, to);
    }
    let before = line.get(..from).unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(LINE_CHARS_BEFORE);
    let skipped_bytes: usize = line.chars().take(skipped).map(char::len_utf8).sum();
    let source: String = line.chars().skip(skipped).take(LINE_CHARS_MAX).collect();
    let from = from.saturating_sub(skipped_bytes).min(source.len());
    let to = to.saturating_sub(skipped_bytes).clamp(from, source.len());
    (source, from, to)
}

/// Where something stands, with its source line. Secrets are masked in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The path inside the folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The first byte in the file.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The line itself, cut when it is long.
    pub source: String,
    /// The first byte of the place within `source`.
    #[serde(skip)]
    pub source_start: usize,
    /// The byte after the last within `source`.
    #[serde(skip)]
    pub source_end: usize,
}

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    pub label: String,
}

/// A fault with everything needed to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of fault.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to write under the place; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}
