//! `switchboard check`: all diagnostics of a folder, and whether it can be used.

use std::path::Path;

use crate::config::diagnostic::{Format, Paint, Severity, render};
use crate::config::load::load;
use crate::config::source::SourceSet;

/// What becomes of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warnings {
    /// They are shown.
    Allow,
    /// They count as errors.
    Deny,
}

/// What the command comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The configuration can be used.
    Fine,
    /// It cannot, or it has warnings that are denied.
    Errors,
}

/// Checks a folder and prints its diagnostics in a form.
pub fn run(folder: &Path, format: Format, paint: Paint, warnings: Warnings) -> (String, Verdict) {
    let loaded = load(&SourceSet::read(folder));
    let failed =
        loaded.diagnostics.iter().any(|one| one.severity == Severity::Error || warnings == Warnings::Deny);
    let verdict = if failed { Verdict::Errors } else { Verdict::Fine };
    (render(&loaded.diagnostics, format, paint), verdict)
}
