//! What is said to the author of the files: codes, places, words, and the forms they are printed in.
//!
//! [`Finding`]s are made while checking and know byte ranges; [`Diagnostic`]s are made from them at
//! the end, know file, line and column, carry their own (masked) source line, and are all that the
//! renderers need. The codes are stable and listed in `docs/diagnostics.md`.

mod code;
mod finding;
mod mask;
mod place;
mod render;

pub use code::{Code, Severity};
pub use finding::{Finding, Report};
pub use mask::secret_spans;
pub use place::{Diagnostic, Place, Related, SourceFile, Sources};
pub use render::{Format, Paint, github, json, render, sarif, text};
