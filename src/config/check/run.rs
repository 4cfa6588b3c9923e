//! `switchboard check`: all diagnostics of a folder, and what they mean for the exit code.

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

/// The exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// The configuration can be used.
    Fine,
    /// It cannot, or it has warnings that are denied.
    Errors,
}

impl ExitCode {
    /// The number: 0 or 1.
    pub const fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Errors => 1,
        }
    }
}

/// Checks a folder and prints its diagnostics in a form.
pub fn run(folder: &Path, format: Format, paint: Paint, warnings: Warnings) -> (String, ExitCode) {
    let loaded = load(&SourceSet::read(folder));
    let failed =
        loaded.diagnostics.iter().any(|one| one.severity == Severity::Error || warnings == Warnings::Deny);
    let code = if failed { ExitCode::Errors } else { ExitCode::Fine };
    (render(&loaded.diagnostics, format, paint), code)
}
