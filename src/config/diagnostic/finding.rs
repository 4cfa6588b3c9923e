//! A fault as found: with byte ranges, before lines and columns are known.

use super::{Code, Severity};
use crate::config::tree::Span;

/// Most findings that are kept; a file of rubbish must not fill the memory with complaints.
const FINDINGS_MAX: usize = 500;

/// One fault. The words never contain the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of fault.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write under the place.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<(Span, String)>,
}

impl Finding {
    /// A fault at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), label: String::new(), help: None, related: Vec::new() }
    }

    /// With words under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With advice, if there is any.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        if help.is_some() {
            self.help = help;
        }
        self
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }
}

/// Everything found so far, bounded.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    left_out: usize,
    errors: usize,
}

impl Report {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        if finding.code.severity() == Severity::Error {
            self.errors += 1;
        }
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds several.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Whether the configuration cannot be used.
    pub const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors were found, those left out included.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// The findings in the order of the files, and how many were left out.
    pub fn finish(mut self) -> (Vec<Finding>, usize) {
        self.findings.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.findings.dedup();
        (self.findings, self.left_out)
    }
}
