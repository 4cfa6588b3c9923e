//! What is declared anywhere in the set, so that names can be checked wherever they are used.

use std::collections::{BTreeMap, BTreeSet};

use super::check::templates;
use super::diagnostic::{Code, Finding, Report};
use super::file_kind::FileKind;
use super::tree::{Entry, Node, Span};

/// Kinds of names that the author gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Name {
    Line,
    Calendar,
    Channel,
    Operator,
    Team,
    Role,
    Token,
    Template,
    Endpoint,
    Rule,
    Scenario,
    Mapping,
}

/// Where names of a kind are declared.
struct Declared {
    name: Name,
    word: &'static str,
    file: FileKind,
    /// The key of the file.
    key: &'static str,
    /// Names that exist without being declared.
    builtin: &'static [&'static str],
}

/// The roles that exist without being declared.
const BUILTIN_ROLES: [&str; 4] = ["operator", "supervisor", "admin", "integration"];

const DECLARED: [Declared; 12] = [
    Declared { name: Name::Line, word: "line", file: FileKind::Lines, key: "lines", builtin: &[] },
    Declared {
        name: Name::Calendar,
        word: "calendar",
        file: FileKind::Lines,
        key: "calendars",
        builtin: &[],
    },
    Declared {
        name: Name::Channel,
        word: "channel",
        file: FileKind::Channels,
        key: "channels",
        builtin: &[],
    },
    Declared {
        name: Name::Operator,
        word: "operator",
        file: FileKind::Operators,
        key: "operators",
        builtin: &[],
    },
    Declared { name: Name::Team, word: "team", file: FileKind::Operators, key: "teams", builtin: &[] },
    Declared {
        name: Name::Role,
        word: "role",
        file: FileKind::Operators,
        key: "roles",
        builtin: &BUILTIN_ROLES,
    },
    Declared { name: Name::Token, word: "token", file: FileKind::Operators, key: "tokens", builtin: &[] },
    Declared {
        name: Name::Template,
        word: "template",
        file: FileKind::Templates,
        key: "templates",
        builtin: &[],
    },
    Declared {
        name: Name::Endpoint,
        word: "endpoint",
        file: FileKind::Switchboard,
        key: "endpoints",
        builtin: &[],
    },
    Declared { name: Name::Rule, word: "rule", file: FileKind::Rules, key: "rules", builtin: &[] },
    Declared {
        name: Name::Scenario,
        word: "scenario",
        file: FileKind::Rules,
        key: "scenarios",
        builtin: &[],
    },
    Declared {
        name: Name::Mapping,
        word: "CRM mapping",
        file: FileKind::CrmMappings,
        key: "id",
        builtin: &["builtin"],
    },
];

impl Name {
    fn declared(self) -> Option<&'static Declared> {
        DECLARED.iter().find(|declared| declared.name == self)
    }

    /// The word for messages.
    pub fn word(self) -> &'static str {
        self.declared().map_or("name", |declared| declared.word)
    }

    /// Where it is declared, for a hint.
    pub fn declare(self) -> String {
        self.declared().map_or_else(String::new, |declared| {
            let file = match declared.file {
                FileKind::Rules | FileKind::CrmMappings => format!("{}/*.yaml", declared.file.stem()),
                kind => format!("{}.yaml", kind.stem()),
            };
            format!("declare it in {file} under `{}:`", declared.key)
        })
    }
}

/// Everything that is declared.
#[derive(Debug, Default)]
pub struct Names {
    declared: BTreeMap<Name, BTreeMap<String, Span>>,
    /// Kinds of files that were not read in whole: what they declare is not known.
    incomplete: BTreeSet<FileKind>,
    /// The variables of each template, over all its languages.
    template_variables: BTreeMap<String, BTreeSet<String>>,
    /// The private networks that requests may go to; `None` when one of them cannot be read, so that it is
    /// not known what may be reached.
    pub networks: Option<Vec<ipnet::IpNet>>,
}

impl Names {
    /// Collects the names of all files and reports those that are given twice.
    pub fn collect<'n>(
        files: impl IntoIterator<Item = (FileKind, &'n Node)> + Clone,
        incomplete: BTreeSet<FileKind>,
        report: &mut Report,
    ) -> Self {
        let mut names = Self { incomplete, networks: Some(Vec::new()), ..Self::default() };
        for declared in &DECLARED {
            for (kind, root) in files.clone() {
                if kind == declared.file
                    && let Some(node) = root.get(declared.key)
                {
                    names.add_all(declared, node, report);
                }
            }
        }
        for (kind, root) in files {
            if kind == FileKind::Templates {
                names.add_variables(root);
            }
            if kind == FileKind::Switchboard
                && let Some(list) = root.at(&["outbound", "allow_private"])
            {
                names.networks =
                    list.items().iter().map(|item| item.text()?.parse::<ipnet::IpNet>().ok()).collect();
            }
        }
        names
    }

    fn add_variables(&mut self, root: &Node) {
        for Entry { key, value } in root.get("templates").map_or(&[] as &[Entry], Node::entries) {
            let text = if value.text().is_some() { Some(value) } else { value.get("text") };
            let texts = text.into_iter().flat_map(|text| {
                text.text().into_iter().chain(text.entries().iter().filter_map(|entry| entry.value.text()))
            });
            let variables = texts.flat_map(templates::variables).collect();
            self.template_variables.insert(key.text.clone(), variables);
        }
    }

    /// The variables that a template uses.
    pub fn template_variables(&self, template: &str) -> impl Iterator<Item = &str> {
        self.template_variables.get(template).into_iter().flatten().map(String::as_str)
    }

    fn add_all(&mut self, declared: &Declared, node: &Node, report: &mut Report) {
        for Entry { key, .. } in node.entries() {
            if !key.is_free() {
                self.add(declared, &key.text, key.span, report);
            }
        }
        // Rules and tokens are lists of mappings with an `id`; a CRM mapping is its own id.
        for id in node.items().iter().filter_map(|item| item.get("id")).chain(node.text().map(|_| node)) {
            if let Some(text) = id.text() {
                self.add(declared, text, id.span, report);
            }
        }
    }

    fn add(&mut self, declared: &Declared, text: &str, span: Span, report: &mut Report) {
        let known = self.declared.entry(declared.name).or_default();
        if let Some(first) = known.get(text) {
            report.push(
                Finding::new(
                    Code::DuplicateId,
                    span,
                    format!("the {} `{text}` is declared twice", declared.word),
                )
                .label("again here")
                .related(*first, "first here")
                .help("remove or rename one of the two"),
            );
        } else {
            known.insert(text.to_owned(), span);
        }
    }

    /// Whether all files of a kind were read: a name may be missing only because its file is broken,
    /// and then the broken file is the one thing worth telling.
    pub fn is_complete(&self, kind: FileKind) -> bool {
        !self.incomplete.contains(&kind)
    }

    /// Whether the files that were read declare this name.
    pub fn is_declared(&self, name: Name, text: &str) -> bool {
        self.declared.get(&name).is_some_and(|known| known.contains_key(text))
    }

    /// Whether something has this name, or may have it in a file that is broken.
    pub fn has(&self, name: Name, text: &str) -> bool {
        self.is_declared(name, text)
            || name.declared().is_some_and(|declared| !self.is_complete(declared.file))
            || name.declared().is_some_and(|declared| declared.builtin.contains(&text))
    }

    /// All names of a kind.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> {
        let builtin = name.declared().map_or(&[] as &[&str], |declared| declared.builtin);
        self.declared
            .get(&name)
            .into_iter()
            .flat_map(|known| known.keys().map(String::as_str))
            .chain(builtin.iter().copied())
    }
}
