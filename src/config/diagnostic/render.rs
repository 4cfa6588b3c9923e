//! The forms that diagnostics are printed in. All of them are pure functions to text.

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{Code, Diagnostic, Place, Severity};

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, with the source line.
    Text,
    /// One JSON document.
    Json,
    /// Workflow commands that annotate a pull request.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Github, Self::Sarif];

    /// The word used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Github => "github",
            Self::Sarif => "sarif",
        }
    }
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Plain,
    /// With terminal colours.
    Coloured,
}

/// Prints diagnostics in a form.
pub fn render(diagnostics: &[Diagnostic], format: Format, paint: Paint) -> String {
    match format {
        Format::Text => text(diagnostics, paint),
        Format::Json => json(diagnostics),
        Format::Github => github(diagnostics),
        Format::Sarif => sarif(diagnostics),
    }
}

/// For people: each diagnostic with its source line and a caret, then a count.
pub fn text(diagnostics: &[Diagnostic], paint: Paint) -> String {
    let renderer = match paint {
        Paint::Plain => Renderer::plain(),
        Paint::Coloured => Renderer::styled(),
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one(diagnostic, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&summary(diagnostics));
    out.push('\n');
    out
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(&diagnostic.message)).id(diagnostic.code.as_str());
    let beside = |place: &Place| {
        (&place.file, place.line, &place.source)
            == (&diagnostic.place.file, diagnostic.place.line, &diagnostic.place.source)
    };
    let mut main = if diagnostic.place.source.is_empty() {
        title.element(Origin::path(diagnostic.place.file.as_str()))
    } else {
        let mut first = snippet(&diagnostic.place, &diagnostic.label, AnnotationKind::Primary);
        for related in diagnostic.related.iter().filter(|related| beside(&related.place)) {
            first = first.annotation(annotation(&related.place, &related.label, AnnotationKind::Context));
        }
        title.element(first)
    };
    for related in diagnostic.related.iter().filter(|related| !beside(&related.place)) {
        main = main.element(snippet(&related.place, &related.label, AnnotationKind::Context));
    }
    if let Some(help) = &diagnostic.help {
        main = main.element(Level::HELP.message(clean(help)));
    }
    renderer.render(&[main])
}

fn snippet<'a>(place: &'a Place, label: &'a str, kind: AnnotationKind) -> Snippet<'a, Annotation<'a>> {
    Snippet::source(place.source.as_str())
        .line_start(place.line.max(1))
        .path(place.file.as_str())
        .annotation(annotation(place, label, kind))
}

fn annotation<'a>(place: &Place, label: &'a str, kind: AnnotationKind) -> Annotation<'a> {
    let annotation = kind.span(place.source_start..place.source_end);
    if label.is_empty() { annotation } else { annotation.label(clean(label)) }
}

/// Control characters come from the files; a terminal must not obey them.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let words = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "The configuration is fine.".to_owned(),
        (0, warnings) => format!("The configuration can be used; {}.", words(warnings, "warning")),
        (errors, 0) => format!("The configuration cannot be used: {}.", words(errors, "error")),
        (errors, warnings) => {
            format!(
                "The configuration cannot be used: {}, {}.",
                words(errors, "error"),
                words(warnings, "warning")
            )
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

/// One JSON document: `{errors, warnings, diagnostics: [{code, severity, file, line, column, …}]}`.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let document =
        Document { errors: count(Severity::Error), warnings: count(Severity::Warning), diagnostics };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Workflow commands: `::error file=…,line=…,col=…,title=CFG020::message`.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    diagnostics
        .iter()
        .map(|one| {
            let mut message = one.message.clone();
            if let Some(help) = &one.help {
                message.push_str("\nhelp: ");
                message.push_str(help);
            }
            format!(
                "::{} file={},line={},col={},title={}::{}\n",
                one.severity.as_str(),
                property(&one.place.file),
                one.place.line,
                one.place.column,
                one.code.as_str(),
                escape(&clean(&message)),
            )
        })
        .collect()
}

/// SARIF 2.1.0.
pub fn sarif(diagnostics: &[Diagnostic]) -> String {
    let rules: Vec<_> = Code::ALL
        .iter()
        .map(|code| serde_json::json!({"id": code.as_str(), "shortDescription": {"text": code.title()}}))
        .collect();
    let location = |place: &Place| {
        serde_json::json!({"physicalLocation": {
            "artifactLocation": {"uri": place.file},
            "region": {"startLine": place.line.max(1), "startColumn": place.column.max(1),
                       "byteOffset": place.start, "byteLength": place.end.saturating_sub(place.start)},
        }})
    };
    let results: Vec<_> = diagnostics
        .iter()
        .map(|one| {
            let text = match &one.help {
                Some(help) => format!("{}. Help: {help}", one.message),
                None => one.message.clone(),
            };
            serde_json::json!({
                "ruleId": one.code.as_str(),
                "level": one.severity.as_str(),
                "message": {"text": text},
                "locations": [location(&one.place)],
                "relatedLocations": one.related.iter().map(|related| {
                    let mut place = location(&related.place);
                    if let Some(object) = place.as_object_mut() {
                        object.insert("message".to_owned(), serde_json::json!({"text": related.label}));
                    }
                    place
                }).collect::<Vec<_>>(),
            })
        })
        .collect();
    let document = serde_json::json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {"name": "switchboard", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
