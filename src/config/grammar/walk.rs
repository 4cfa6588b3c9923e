//! The walk over a tree along its shape. Finds all faults of form, unknown keys with the nearest
//! known one, unknown names, keys that are not acted on yet, and the places of literal secrets.

use std::collections::BTreeSet;

use super::shape::{Field, Need, Shape, State};
use crate::config::diagnostic::{Code, Finding, Report, SourceFile};
use crate::config::facts::Facts;
use crate::config::file_kind::FileKind;
use crate::config::link::{Name, Names};
use crate::config::scalar;
use crate::config::suggest::nearest;
use crate::config::tree::{Entry, Kind, Node, Span};

/// The state of a walk.
pub struct Walk<'a> {
    /// What is found.
    pub report: &'a mut Report,
    /// What is declared anywhere in the set.
    pub names: &'a Names,
    /// The texts of the files.
    pub files: &'a [SourceFile],
    /// Rules that are not acted on, by their places.
    pub inactive_rules: &'a mut BTreeSet<Span>,
    /// Places of literal secrets, to be masked.
    pub masks: &'a mut Vec<Span>,
    /// The facts that conditions may speak of at this place.
    pub facts: Facts,
    /// Inside a key that is not acted on: further such keys are not worth a warning.
    quiet: usize,
    /// The first thing of a rule that is not acted on yet; the rule as a whole then is not.
    pub rule_later: Option<(Span, String)>,
    /// Whether we are inside a rule: what is not acted on makes the whole rule wait.
    pub in_rule: bool,
}

impl<'a> Walk<'a> {
    /// A walk that has seen nothing yet.
    pub const fn new(
        report: &'a mut Report,
        names: &'a Names,
        files: &'a [SourceFile],
        masks: &'a mut Vec<Span>,
        inactive_rules: &'a mut BTreeSet<Span>,
    ) -> Self {
        Self {
            report,
            names,
            files,
            inactive_rules,
            masks,
            facts: Facts::dialog(),
            quiet: 0,
            rule_later: None,
            in_rule: false,
        }
    }

    /// The text of the file at a place, as it is written there.
    pub fn raw(&self, span: Span) -> &'a str {
        self.files.get(span.file).and_then(|file| file.text.get(span.start..span.end)).unwrap_or_default()
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.report.push(finding);
    }

    /// Says that something is accepted but not acted on.
    pub fn later(&mut self, span: Span, what: impl Into<String>) {
        if self.quiet > 0 {
            return;
        }
        let what = what.into();
        if self.in_rule {
            self.rule_later.get_or_insert((span, what));
        } else {
            self.push(
                Finding::new(Code::NotActive, span, format!("{what} is not active yet"))
                    .label("checked, but without effect"),
            );
        }
    }

    /// Walks something whose further keys are not worth a warning.
    pub fn quietly(&mut self, walk: impl FnOnce(&mut Self)) {
        self.quiet += 1;
        walk(self);
        self.quiet -= 1;
    }

    /// Compares a node with a shape.
    pub fn node(&mut self, node: &Node, shape: &Shape) {
        match shape {
            Shape::Any => {}
            Shape::Text => {
                self.text(node);
            }
            Shape::Boolean => {
                if !matches!(node.plain(), Some("true" | "false")) {
                    let help = match node.text() {
                        Some("true") => Some("write `true` without quotes"),
                        Some("false") => Some("write `false` without quotes"),
                        Some("yes" | "Yes" | "YES" | "on" | "On" | "ON" | "True" | "TRUE" | "1") => {
                            Some("write `true`")
                        }
                        Some("no" | "No" | "NO" | "off" | "Off" | "OFF" | "False" | "FALSE" | "0") => {
                            Some("write `false`")
                        }
                        _ => None,
                    };
                    self.wrong_type(node, "`true` or `false`", help.map(str::to_owned));
                }
            }
            Shape::Integer(min, max) => self.scalar(node, |text| scalar::integer(text, *min, *max).map(drop)),
            Shape::Scalar(read) => self.scalar(node, read),
            Shape::Word(words) => {
                self.word(node, words, &[]);
            }
            Shape::WordLater(words, later) => {
                if self.word(node, words, later)
                    && let Some(text) = node.text()
                    && !words.contains(&text)
                {
                    self.later(node.span, format!("`{text}`"));
                }
            }
            Shape::Id => {
                if let Some(text) = self.text(node) {
                    self.id(text, node.span);
                }
            }
            Shape::Reference(name) => {
                if self.reference(node, *name).is_some() && *name == Name::Template {
                    crate::config::check::templates::used_here(self, node);
                }
            }
            Shape::Secret => crate::config::check::secrets::secret(self, node),
            Shape::Template => crate::config::check::templates::inline(self, node),
            Shape::List(item) => match &node.kind {
                Kind::Sequence(items) => items.iter().for_each(|one| self.node(one, item)),
                _ => self.wrong_type(
                    node,
                    "a list",
                    Some("write `[a, b]`, or one item a line with `- `".to_owned()),
                ),
            },
            Shape::OneOrMany(item) => match &node.kind {
                Kind::Sequence(items) => items.iter().for_each(|one| self.node(one, item)),
                _ => self.node(node, item),
            },
            Shape::ScalarOr(single, other) => match &node.kind {
                Kind::Scalar { .. } => self.node(node, single),
                _ => self.node(node, other),
            },
            Shape::Mapping(fields) => self.mapping(node, fields),
            Shape::OneOf(fields) => self.one_of(node, fields),
            Shape::Named(value) => {
                for entry in self.entries(node, "a mapping of ids") {
                    if !entry.key.is_free() {
                        self.id(&entry.key.text, entry.key.span);
                        self.node(&entry.value, value);
                    }
                }
            }
            Shape::Table(value) => {
                for entry in self.entries(node, "a mapping") {
                    self.node(&entry.value, value);
                }
            }
            Shape::Check(check) => check(self, node),
        }
    }

    /// The entries of a mapping, or a finding.
    pub fn entries<'n>(&mut self, node: &'n Node, expected: &str) -> &'n [Entry] {
        match &node.kind {
            Kind::Mapping(entries) => entries,
            kind => {
                let help = match kind {
                    Kind::Sequence(items) => items
                        .first()
                        .and_then(Node::text)
                        .filter(|first| !first.trim().is_empty())
                        .map(|first| format!("write `{}: …`, without `- `", shown(first))),
                    Kind::Mapping(_) | Kind::Scalar { .. } if node.is_null() => {
                        Some("write `{}` if there is nothing to say, or remove the key".to_owned())
                    }
                    Kind::Mapping(_) | Kind::Scalar { .. } => None,
                };
                self.wrong_type(node, expected, help);
                &[]
            }
        }
    }

    /// The text of a scalar that is not empty, or a finding.
    pub fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match node.text() {
            Some(text) if !node.is_null() && !text.trim().is_empty() => Some(text),
            _ => {
                self.wrong_type(node, "a text", None);
                None
            }
        }
    }

    fn scalar(&mut self, node: &Node, read: impl Fn(&str) -> Result<(), scalar::Unfit>) {
        if node.is_null() || node.text().is_none() {
            let expected = read("").err().map_or_else(|| "a single value".to_owned(), |unfit| unfit.expected);
            self.wrong_type(node, &expected, None);
        } else if let Some(text) = node.text()
            && let Err(unfit) = read(text)
        {
            self.push(
                Finding::new(Code::InvalidValue, node.span, format!("`{}` is not valid here", shown(text)))
                    .label(format!("expected {unfit}")),
            );
        }
    }

    /// Whether a scalar is one of the words.
    fn word(&mut self, node: &Node, words: &[&str], later: &[&str]) -> bool {
        let Some(text) = self.text(node) else { return false };
        let all = || words.iter().chain(later).copied();
        if all().any(|word| word == text) {
            return true;
        }
        let list: Vec<String> = all().map(|word| format!("`{word}`")).collect();
        self.push(
            Finding::new(
                Code::UnknownWord,
                node.span,
                format!("`{}` is not one of the allowed words", shown(text)),
            )
            .label(format!("expected {}", list.join(", ")))
            .maybe_help(nearest(text, all()).map(|word| format!("did you mean `{word}`?"))),
        );
        false
    }

    /// Says so when a text is not an id.
    pub fn id(&mut self, text: &str, span: Span) {
        if !scalar::is_id(text) {
            self.push(
                Finding::new(Code::InvalidId, span, format!("`{}` is not an id", shown(text)))
                    .label(
                        "expected small letters a-z, digits, `_` and `-`, beginning with a letter or digit",
                    )
                    .maybe_help(scalar::id_like(text).map(|id| format!("write `{id}`"))),
            );
        }
    }

    /// The name that a node refers to, or a finding when nothing has that name.
    pub fn reference<'n>(&mut self, node: &'n Node, name: Name) -> Option<&'n str> {
        let text = self.text(node)?;
        if self.names.has(name, text) {
            return Some(text);
        }
        let known: Vec<&str> = self.names.all(name).collect();
        let bare = text.trim_matches(['“', '”', '„', '«', '»', '‘', '’', '\u{a0}']);
        let help = nearest(bare, known.iter().copied()).map_or_else(
            || match known.len() {
                0 => format!("no {} is declared; {}", name.word(), name.declare()),
                1..=12 => format!("declared: {}", known.join(", ")),
                count => format!("{count} are declared, none has a similar name"),
            },
            |near| format!("did you mean `{near}`?"),
        );
        let help = if bare != text && known.contains(&bare) {
            format!("write `{bare}`: YAML knows only the straight quotes `\"` and `'`")
        } else {
            help
        };
        self.push(
            Finding::new(
                Code::UnknownName,
                node.span,
                format!("there is no {} `{}`", name.word(), shown(text)),
            )
            .help(help),
        );
        None
    }

    /// Says that a value of another type is expected.
    pub fn wrong_type(&mut self, node: &Node, expected: &str, help: Option<String>) {
        let found = match node.text() {
            Some(text) if !node.is_null() && !text.is_empty() => format!("`{}`", shown(text)),
            _ => node.describe().to_owned(),
        };
        self.push(
            Finding::new(Code::WrongType, node.head(), format!("expected {expected}, found {found}"))
                .maybe_help(help),
        );
    }

    fn mapping(&mut self, node: &Node, fields: &[Field]) {
        let entries = self.entries(node, &keys_expected(fields));
        if !matches!(node.kind, Kind::Mapping(_)) {
            return;
        }
        for (index, entry) in entries.iter().enumerate() {
            if entry.key.is_free() {
                continue;
            }
            match fields.iter().find(|field| field.name == entry.key.text) {
                Some(field) if is_hollow(entries, index, fields, |key| has_key(&field.shape, key)) => {}
                Some(field) => self.field(entry, field),
                None => {
                    let before = entries.get(..index).unwrap_or_default().last();
                    self.unknown_key(entry, fields, before);
                }
            }
        }
        for field in fields {
            if field.need == Need::Required && node.get(field.name).is_none() {
                self.missing(node, field.name);
            }
        }
    }

    fn field(&mut self, entry: &Entry, field: &Field) {
        if field.state == State::Later {
            self.later(entry.key.span, format!("`{}`", field.name));
            self.quietly(|walk| walk.node(&entry.value, &field.shape));
        } else {
            self.node(&entry.value, &field.shape);
        }
    }

    /// Says that a required key is missing.
    pub fn missing(&mut self, node: &Node, key: &str) {
        self.push(
            Finding::new(Code::MissingKey, node.head(), format!("`{key}` is missing"))
                .label(format!("needs `{key}:`")),
        );
    }

    fn one_of(&mut self, node: &Node, fields: &[Field]) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            let first = fields.first().map_or("", |field| field.name);
            let help = node
                .text()
                .filter(|text| !text.trim().is_empty() && !node.is_null())
                .map(|text| format!("write `{{{first}: {}}}`", shown(text)));
            self.wrong_type(node, &keys_expected(fields), help);
            return;
        }
        self.mapping(node, fields);
        self.exactly_one(node, fields);
    }

    /// Says so unless exactly one of the keys is there.
    pub fn exactly_one(&mut self, node: &Node, fields: &[Field]) {
        let present: Vec<&Entry> = node
            .entries()
            .iter()
            .filter(|entry| fields.iter().any(|field| field.name == entry.key.text))
            .collect();
        if present.len() != 1 {
            let span = present.get(1).map_or_else(|| node.head(), |entry| entry.key.span);
            self.push(Finding::new(
                Code::KeyChoice,
                span,
                format!("expected exactly one of {}", key_list(fields)),
            ));
        }
    }

    /// Says that a key is not known, and what was probably meant.
    fn unknown_key(&mut self, entry: &Entry, fields: &[Field], before: Option<&Entry>) {
        let key = entry.key.text.as_str();
        let below = before.filter(|before| before.value.is_null()).filter(|before| {
            fields.iter().any(|field| field.name == before.key.text && has_key(&field.shape, key))
        });
        let is_top = fields.first().is_some_and(|field| field.name == "version");
        let elsewhere = FileKind::ALL
            .into_iter()
            .find(|kind| is_top && super::file(*kind).iter().any(|field| field.name == key));
        let help = match (below, nearest(key, fields.iter().map(|field| field.name))) {
            _ if key.starts_with(is_strange_space) => {
                "its line is indented with spaces of another kind (no-break spaces); use plain ones"
                    .to_owned()
            }
            (None, _) if let Some(kind) = elsewhere => {
                format!("`{}` stands in {}", shown(key), kind.place())
            }
            (Some(before), _) => format!("indent it under `{}`", before.key.text),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("allowed here: {}", key_list(fields)),
        };
        self.push(
            Finding::new(Code::UnknownKey, entry.key.span, format!("unknown key `{}`", shown(key)))
                .help(help),
        );
    }
}

/// White space that YAML takes for a part of the text.
fn is_strange_space(character: char) -> bool {
    character.is_whitespace() && !character.is_ascii()
}

/// Whether a key is empty only because what belongs to it stands on its own level: then the next key
/// is reported, and this one is not worth a second complaint.
pub fn is_hollow(entries: &[Entry], index: usize, fields: &[Field], owns: impl Fn(&str) -> bool) -> bool {
    let empty = entries.get(index).is_some_and(|entry| entry.value.is_null());
    let next = entries.get(index + 1).map(|next| next.key.text.as_str());
    empty && next.is_some_and(|key| owns(key) && !fields.iter().any(|field| field.name == key))
}

/// Whether a shape is a mapping that knows a key.
pub fn has_key(shape: &Shape, key: &str) -> bool {
    match shape {
        Shape::Mapping(fields) | Shape::OneOf(fields) => fields.iter().any(|field| field.name == key),
        Shape::OneOrMany(inner) | Shape::ScalarOr(_, inner) => has_key(inner, key),
        _ => false,
    }
}

/// The keys in words.
pub fn key_list(fields: &[Field]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
    names.join(", ")
}

fn keys_expected(fields: &[Field]) -> String {
    const KEYS_MAX: usize = 5;
    let more = if fields.len() > KEYS_MAX { " …" } else { "" };
    format!("a mapping with {}{more}", key_list(fields.get(..KEYS_MAX).unwrap_or(fields)))
}

/// A text of the file for a message: short, on one line, without the password of an address.
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let text =
        match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
            Some((scheme, rest)) => format!("{scheme}://…@{rest}"),
            None => text.to_owned(),
        };
    let line: String = text.chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > CHARS_MAX { format!("{line}…") } else { line }
}
