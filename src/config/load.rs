//! From a set of files to a configuration and everything that is to be said about them.

use std::collections::BTreeSet;

use super::check::set;
use super::decode::{Decoder, decode};
use super::diagnostic::{Code, Diagnostic, Finding, Report, Severity, SourceFile, Sources, secret_spans};
use super::grammar::walk::{Walk, shown};
use super::grammar::{self, shape::Need, shape::Shape};
use super::link::Names;
use super::secret::Literals;
use super::source::{FileKind, ProblemKind, SourceSet};
use super::tree::{Node, Span, parse};
use crate::engine::live::Live;
use crate::model::config::Config;

/// The version that every file begins with.
const VERSION: &str = "1";

/// What came of a set.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration, if there is no error.
    pub config: Option<Config>,
    /// Errors and warnings, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Secrets that stood in the files in plain text.
    pub literals: Literals,
}

impl Loaded {
    /// Whether the configuration cannot be used.
    pub fn has_errors(&self) -> bool {
        self.config.is_none()
    }
}

/// The kinds of files that must be there, each with the least that one holds.
const REQUIRED: [(FileKind, &str); 3] = [
    (
        FileKind::Channels,
        "version: 1\nchannels:\n  shop:\n    kind: telegram\n    line: sales\n    token: {env: TELEGRAM_TOKEN}\n    webhook_secret: {env: TELEGRAM_SECRET}",
    ),
    (FileKind::Lines, "version: 1\nlines:\n  sales:\n    routing: {operators: [anna]}"),
    (FileKind::Operators, "version: 1\noperators:\n  anna: {name: Anna}"),
];

/// Reads, checks and links a set. Never fails: what is wrong is in the diagnostics.
pub fn load(set: &SourceSet) -> Loaded {
    let mut report = Report::default();
    let files = set.files.iter().map(|(path, text)| SourceFile { path: path.clone(), text: text.clone() });
    let mut sources = Sources::new(files.collect());
    let masks: Vec<Span> = sources
        .files()
        .iter()
        .enumerate()
        .flat_map(|(index, file)| secret_spans(index, &file.text))
        .collect();
    sources.mask(masks);

    let trees = trees(&sources, &mut report);
    unread(set, &mut sources, &mut report);
    let roots: Vec<(FileKind, &Node)> = trees.iter().map(|(kind, root)| (*kind, root)).collect();

    let names = Names::collect(roots.iter().copied(), incomplete(set, &roots), &mut report);
    let mut masks = Vec::new();
    let mut inactive_rules = BTreeSet::new();
    let mut walk = Walk::new(&mut report, &names, sources.files(), &mut masks, &mut inactive_rules);
    for (kind, root) in &roots {
        walk.node(root, &Shape::Mapping(grammar::file(*kind)));
        if *kind == FileKind::CrmMappings
            && let Some(id) = root.entry("id")
        {
            walk.later(id.value.span, "a CRM mapping");
        }
    }
    set::check(&roots, &names, &mut report);
    sources.mask(masks);

    let mut literals = Literals::default();
    let config = if report.has_errors() {
        None
    } else {
        let mut decoder = Decoder { literals: &mut literals, inactive_rules: &inactive_rules };
        let config = decode(&mut decoder, &roots);
        let reason = match &config {
            None => Some("the files passed all checks and could not be read all the same".to_owned()),
            // The last word is the engine's: what it cannot compile must not be called fine here.
            Some(config) => Live::compile(config.clone(), String::new()).err().map(|error| error.to_string()),
        };
        if let Some(reason) = reason {
            let at = Span { file: 0, start: 0, end: 0 };
            report.push(Finding::new(Code::Internal, at, reason).help(
                "a check should have found this with its place in the file; please report the files that cause it",
            ));
        }
        config
    };
    let (findings, left_out) = report.finish();
    let mut diagnostics = sources.resolve(findings);
    if left_out > 0 {
        let file = sources.add_unread(".".to_owned());
        let at = Span { file, start: 0, end: 0 };
        diagnostics.extend(sources.resolve(vec![
            Finding::new(Code::TooMany, at, format!("{left_out} more diagnostics are not shown"))
                .help("repair the first ones; many faults have one cause"),
        ]));
    }
    let config = config.filter(|_| diagnostics.iter().all(|one| one.severity != Severity::Error));
    Loaded { config, diagnostics, literals }
}

/// The trees of all files that have one, with their versions checked.
fn trees(sources: &Sources, report: &mut Report) -> Vec<(FileKind, Node)> {
    let mut trees = Vec::new();
    for (index, file) in sources.files().iter().enumerate() {
        let Some(kind) = FileKind::of(&file.path) else { continue };
        let (root, findings) = parse(index, &file.text);
        report.extend(findings);
        if let Some(root) = root {
            version(index, &root, report);
            trees.push((kind, root));
        }
    }
    trees
}

fn version(file: usize, root: &Node, report: &mut Report) {
    match root.get("version") {
        None if root.entries().is_empty() => {}
        None => report.push(
            Finding::new(
                Code::Version,
                Span { file, start: 0, end: 0 },
                "the file does not begin with its version",
            )
            .help("write `version: 1` as the first line"),
        ),
        Some(version) if version.plain() == Some(VERSION) => {}
        Some(version) => {
            let found = version
                .text()
                .map_or_else(|| version.describe().to_owned(), |text| format!("`{}`", shown(text)));
            report.push(
                Finding::new(
                    Code::Version,
                    version.head(),
                    format!("{found} is not a version that is known here"),
                )
                .label("expected `1`"),
            );
        }
    }
}

/// Kinds of files of which something is missing: an unread file, a broken one, one that was cut off.
fn incomplete(set: &SourceSet, roots: &[(FileKind, &Node)]) -> BTreeSet<FileKind> {
    let whole = |kind: FileKind, root: &Node| {
        grammar::file(kind).iter().all(|field| field.need == Need::Optional || root.get(field.name).is_some())
    };
    FileKind::ALL
        .into_iter()
        .filter(|kind| {
            let read: Vec<&Node> =
                roots.iter().filter(|(other, _)| other == kind).map(|(_, root)| *root).collect();
            let required = REQUIRED.iter().any(|(required, _)| required == kind);
            read.len() < set.of_kind(*kind).count()
                || read.iter().any(|root| !whole(*kind, root))
                || (read.is_empty() && required)
                || set.problems.iter().any(|problem| FileKind::of(&problem.path) == Some(*kind))
        })
        .collect()
}

/// Reports files that are missing or were not read.
fn unread(set: &SourceSet, sources: &mut Sources, report: &mut Report) {
    for problem in &set.problems {
        let file = sources.add_unread(problem.path.clone());
        let at = Span { file, start: 0, end: 0 };
        let name = if problem.path == "." { "the folder" } else { problem.path.as_str() };
        let (code, help) = match &problem.kind {
            ProblemKind::Unreadable(_) => {
                (Code::UnreadableFile, "check the path and the permissions of the file")
            }
            ProblemKind::NotUtf8(_) => (Code::UnreadableFile, "save the file as UTF-8"),
            ProblemKind::FileTooLarge => {
                (Code::TooLarge, "split it: `lines.yaml` may also be a folder `lines/`")
            }
            ProblemKind::TooManyFiles | ProblemKind::SetTooLarge => {
                (Code::TooLarge, "is this the right folder? `--config DIR` chooses another")
            }
            ProblemKind::Unused(_) => (Code::UnusedFile, "rename the file"),
        };
        report.push(Finding::new(code, at, format!("{name} {}", problem.kind)).help(help));
    }
    for (kind, example) in REQUIRED {
        let there = set.of_kind(kind).next().is_some()
            || set.problems.iter().any(|problem| FileKind::of(&problem.path) == Some(kind));
        if !there {
            let path = format!("{}.yaml", kind.stem());
            let file = sources.add_unread(path.clone());
            report.push(
                Finding::new(
                    Code::MissingFile,
                    Span { file, start: 0, end: 0 },
                    format!("{path} is missing"),
                )
                .help(format!("create it, for example with\n{example}")),
            );
        }
    }
}
