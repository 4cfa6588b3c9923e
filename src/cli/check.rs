//! `switchboard check`: everything that is wrong with the configuration.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::check::{self, Verdict, Warnings};
use crate::config::diagnostic;

use super::Arguments;
use super::terminal_text::paint_of;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// How diagnostics are printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Warnings count as errors.
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the source line and a caret.
    Text,
    /// One JSON document.
    Json,
    /// GitHub workflow commands.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

pub(super) fn run(arguments: &Arguments, wanted: &Check) -> ExitCode {
    let format = match wanted.format {
        Format::Text => diagnostic::Format::Text,
        Format::Json => diagnostic::Format::Json,
        Format::Github => diagnostic::Format::Github,
        Format::Sarif => diagnostic::Format::Sarif,
    };
    let paint = paint_of(&std::io::stdout());
    let warnings = if wanted.deny_warnings { Warnings::Deny } else { Warnings::Allow };
    let (text, verdict) = check::run(&arguments.config, format, paint, warnings);
    print!("{text}");
    match verdict {
        Verdict::Fine => ExitCode::SUCCESS,
        Verdict::Errors => ExitCode::FAILURE,
    }
}
