//! Templates: they compile, and every variable is one that can be there.

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::config::diagnostic::{Code, Finding};
use crate::config::facts::{Fact, Facts, Lookup};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::suggest::nearest;
use crate::config::tree::{Kind, Node, Span, Style};

/// A template longer than this is not a chat message.
const CHARS_MAX: usize = 20_000;

/// How many instructions the trial run of a template may take, as in the engine.
const FUEL: u64 = 20_000;

/// The data of a button: the smallest that a messenger allows (Telegram: 64 bytes).
const BUTTON_DATA_BYTES_MAX: usize = 64;

/// What the body of a webhook channel may use: the message on its way out.
const WEBHOOK_VARIABLES: &[&str] = &[
    "chat",
    "chat.external_id",
    "chat.user",
    "message",
    "message.id",
    "message.text",
    "message.sender",
    "message.buttons",
    "dialog",
    "dialog.id",
    "effect",
    "effect.id",
];

/// Functions and constants of the template language that are not variables.
const BUILTINS: &[&str] = &["range", "dict", "namespace", "debug", "loop", "self", "caller", "super"];

/// Checks a text with the variables of dialogs.
pub fn inline(walk: &mut Walk<'_>, node: &Node) {
    if let Some(text) = walk.text(node) {
        // A text of a rule sees what its event has; a ready text may be used anywhere.
        let facts = if walk.in_rule { walk.facts } else { Facts::template() };
        compile(walk, node, text, |name| {
            let path: Vec<&str> = name.split('.').collect();
            match facts.look_up(&path, true) {
                Lookup::Known(Fact::Later) => Variable::Later,
                Lookup::Known(_) => Variable::Known,
                Lookup::NotHere => Variable::NotHere,
                Lookup::Unknown(near) => Variable::Unknown(near),
            }
        });
    }
}

/// Warns when a ready text uses what is not there where it is used.
pub fn used_here(walk: &mut Walk<'_>, node: &Node) {
    let Some(name) = node.text() else { return };
    let facts = walk.facts;
    let known = |variable: &&str| Facts::template().has_root(variable);
    let missing =
        walk.names.template_variables(name).filter(known).find(|variable| !facts.has_root(variable));
    if let Some(variable) = missing {
        let message =
            format!("the template `{}` uses `{}`, which is not there here", shown(name), shown(variable));
        walk.push(
            Finding::new(Code::TemplateContext, node.span, message)
                .label("will be empty")
                .help(format!("here a text can use: {}", facts.roots())),
        );
    }
}

/// The variables of a text; none when it does not compile.
pub fn variables(text: &str) -> Vec<String> {
    let mut environment = Environment::new();
    if text.chars().count() > CHARS_MAX || environment.add_template("text", text).is_err() {
        return Vec::new();
    }
    let variables = environment.get_template("text").map(|template| template.undeclared_variables(true));
    let mut variables: Vec<String> = variables.into_iter().flatten().collect();
    variables.retain(|name| !BUILTINS.contains(&name.as_str()));
    variables.sort();
    variables
}

/// What is known of a variable.
enum Variable {
    Known,
    /// It is of the contract and not filled yet.
    Later,
    /// This event has no such thing.
    NotHere,
    /// There is none; perhaps this one was meant.
    Unknown(Option<String>),
}

/// Checks a text in several languages.
pub fn languages(walk: &mut Walk<'_>, node: &Node) {
    let entries = walk.entries(node, "a text, or a mapping of languages to texts such as `{ru: …, en: …}`");
    if entries.is_empty() && matches!(node.kind, Kind::Mapping(_)) {
        walk.wrong_type(node, "at least one language", None);
    }
    for entry in entries {
        let tag = entry.key.text.as_str();
        if crate::config::scalar::language(tag).is_err() {
            walk.push(
                Finding::new(
                    Code::InvalidValue,
                    entry.key.span,
                    format!("`{}` is not a language", shown(tag)),
                )
                .label("expected a language tag such as `ru` or `pt-BR`"),
            );
        }
        inline(walk, &entry.value);
    }
}

/// Checks a tree whose texts are templates of a webhook channel.
pub fn tree(walk: &mut Walk<'_>, node: &Node) {
    match &node.kind {
        Kind::Scalar { text, .. } => compile(walk, node, text, |name| {
            if WEBHOOK_VARIABLES.contains(&name) {
                Variable::Known
            } else {
                Variable::Unknown(
                    nearest(name, WEBHOOK_VARIABLES.iter().copied().filter(|known| known.contains('.')))
                        .map(str::to_owned),
                )
            }
        }),
        Kind::Sequence(items) => items.iter().for_each(|item| tree(walk, item)),
        Kind::Mapping(entries) => entries.iter().for_each(|entry| tree(walk, &entry.value)),
    }
}

/// The data of a button.
///
/// # Errors
/// When it is empty or longer than the messengers carry.
pub fn button_data(text: &str) -> Result<(), crate::config::scalar::Unfit> {
    if (1..=BUTTON_DATA_BYTES_MAX).contains(&text.len()) {
        Ok(())
    } else {
        Err(crate::config::scalar::Unfit {
            expected: "1 to 64 bytes, as much as all messengers carry".to_owned(),
        })
    }
}

/// Compiles a text and checks its variables. `known` gives the nearest known one in its error.
fn compile(walk: &mut Walk<'_>, node: &Node, text: &str, known: impl Fn(&str) -> Variable) {
    if text.chars().count() > CHARS_MAX {
        walk.push(Finding::new(
            Code::TemplateSyntax,
            node.span,
            "the template is longer than 20000 characters",
        ));
        return;
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    if let Err(error) = environment.add_template("text", text) {
        broken(walk, node, &error);
        return;
    }
    let Ok(template) = environment.get_template("text") else { return };
    for name in variables(text) {
        let span = within(walk, node, &name);
        match known(&name) {
            Variable::Known => {}
            Variable::Later => walk.later(span, format!("the variable `{}`", shown(&name))),
            Variable::NotHere => {
                let help = format!("this event has: {}", walk.facts.roots());
                let message = format!("`{}` is not there for this event", shown(&name));
                walk.push(Finding::new(Code::TemplateVariable, span, message).help(help));
            }
            Variable::Unknown(near) => {
                let help = near.map_or_else(
                    || "variables begin with client, dialog, message, line, operator, channel, chat, event or vars".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("there is no variable `{}`", shown(&name));
                walk.push(Finding::new(Code::TemplateVariable, span, message).help(help));
            }
        }
    }
    // Unknown filters, tests and functions show only when the template runs.
    if let Err(error) = template.render_captured_to((), std::io::sink())
        && matches!(
            error.kind(),
            ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
        )
    {
        broken(walk, node, &error);
    }
}

fn broken(walk: &mut Walk<'_>, node: &Node, error: &minijinja::Error) {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let span = line(walk, node, error.line());
    walk.push(
        Finding::new(
            Code::TemplateSyntax,
            span,
            format!("the template does not compile: {}", shown(&reason)),
        )
        .help("variables are written `{{ client.name }}`, conditions `{% if … %} … {% endif %}`"),
    );
}

/// The place of a name inside a text of the file; the whole text when it is written with escapes.
fn within(walk: &Walk<'_>, node: &Node, name: &str) -> Span {
    let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let raw = walk.raw(node.span);
    let at = raw.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = raw.get(..*at).and_then(|text| text.chars().next_back());
        let after = raw.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    });
    at.map_or(node.span, |at| Span {
        start: node.span.start + at,
        end: node.span.start + at + name.len(),
        ..node.span
    })
}

/// The place of a line of a template: exact for blocks, the whole text otherwise.
fn line(walk: &Walk<'_>, node: &Node, number: Option<usize>) -> Span {
    if !matches!(node.kind, Kind::Scalar { style: Style::Block, .. }) {
        return node.span;
    }
    let raw = walk.raw(node.span);
    let mut start = 0;
    // Line 0 of a block is its `|`.
    for (index, line) in raw.split_inclusive('\n').enumerate() {
        if Some(index) == number {
            let indentation = line.len() - line.trim_start().len();
            let start = node.span.start + start + indentation;
            return Span { start, end: start + line.trim().len(), ..node.span };
        }
        start += line.len();
    }
    node.span
}
