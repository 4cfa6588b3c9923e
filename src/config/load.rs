//! From a set of files to a configuration and everything that is to be said about them.

use std::collections::BTreeSet;

use super::check::set;
use super::decode::{Decoder, decode};
use super::diagnostic::{Code, Diagnostic, Finding, Report, Severity, SourceFile, Sources, secret_spans};
use super::file_kind::FileKind;
use super::grammar::walk::{Walk, shown};
use super::grammar::{self, shape::Need, shape::Shape};
use super::link::Names;
use super::secret::Literals;
use super::source::{ProblemKind, SourceSet};
use super::tree::{Kind, Node, Span, parse};
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
                .label("expected `version: 1`, without quotes"),
            );
        }
    }
}

/// Kinds of files of which something is missing: an unread file, a broken one, one that was cut off.
fn incomplete(set: &SourceSet, roots: &[(FileKind, &Node)]) -> BTreeSet<FileKind> {
    let whole = |kind: FileKind, root: &Node| {
        grammar::file(kind).iter().all(|field| match root.get(field.name).map(|node| &node.kind) {
            None => field.need == Need::Optional,
            // A list in place of a mapping declares nothing, and the names in it are not unknown.
            Some(found) => match field.shape {
                Shape::Named(_) | Shape::Table(_) => matches!(found, Kind::Mapping(_)),
                Shape::List(_) => matches!(found, Kind::Sequence(_)),
                _ => true,
            },
        })
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
                || set.problems.iter().any(|problem| FileKind::of_problem(&problem.path) == Some(*kind))
        })
        .collect()
}

/// Reports files that are missing or were not read.
fn unread(set: &SourceSet, sources: &mut Sources, report: &mut Report) {
    for problem in &set.problems {
        let file = sources.add_unread(problem.path.clone());
        let at = Span { file, start: 0, end: 0 };
        let name = match &problem.kind {
            ProblemKind::FolderUnreadable(..) => String::new(),
            _ if problem.path == "." => "the folder ".to_owned(),
            _ => format!("{} ", problem.path),
        };
        let (code, help) = match &problem.kind {
            ProblemKind::Unreadable(_) => {
                (Code::UnreadableFile, "check the path and the permissions of the file".to_owned())
            }
            ProblemKind::FolderUnreadable(..) => (
                Code::UnreadableFile,
                "`--config DIR` names the folder that holds channels.yaml, lines.yaml and operators.yaml"
                    .to_owned(),
            ),
            ProblemKind::NotUtf8 { byte: 0, .. } => {
                (Code::UnreadableFile, "save the file as UTF-8; one from Windows may be UTF-16".to_owned())
            }
            ProblemKind::NotUtf8 { .. } => (Code::UnreadableFile, "save the file as UTF-8".to_owned()),
            ProblemKind::FileTooLarge => {
                (Code::TooLarge, "split it: `lines.yaml` may also be a folder `lines/`".to_owned())
            }
            ProblemKind::TooManyFiles | ProblemKind::SetTooLarge => {
                (Code::TooLarge, "is this the right folder? `--config DIR` chooses another".to_owned())
            }
            ProblemKind::Unused(meant) => (Code::UnusedFile, format!("did you mean `{meant}`? rename it")),
            ProblemKind::FolderBelow => {
                (Code::UnusedFile, "move its files up, or give the folder another place".to_owned())
            }
            ProblemKind::FileForFolder(kind) => (
                Code::UnusedFile,
                format!("make a folder `{0}/` and move the file to `{0}/all.yaml`", kind.stem()),
            ),
        };
        report.push(Finding::new(code, at, format!("{name}{}", problem.kind)).help(help));
    }
    if set.problems.iter().any(|problem| matches!(problem.kind, ProblemKind::FolderUnreadable(..))) {
        return;
    }
    for (kind, example) in REQUIRED {
        let there = set.of_kind(kind).next().is_some()
            || set.problems.iter().any(|problem| FileKind::of_problem(&problem.path) == Some(kind));
        if !there {
            let path = format!("{}.yaml", kind.stem());
            let misnamed = set.problems.iter().find(|problem| {
                matches!(&problem.kind, ProblemKind::Unused(meant)
                    if FileKind::of_problem(meant.trim_end_matches('/')) == Some(kind))
            });
            let help = misnamed.map_or_else(
                || format!("create it, for example with\n{example}"),
                |problem| format!("`{}` looks like it: rename it", problem.path),
            );
            let file = sources.add_unread(path.clone());
            report.push(
                Finding::new(
                    Code::MissingFile,
                    Span { file, start: 0, end: 0 },
                    format!("{path} is missing"),
                )
                .help(help),
            );
        }
    }
}
