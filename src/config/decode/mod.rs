//! From checked trees to the typed configuration.
//!
//! Runs only when the checks found no error, so nothing is reported here: a reader that finds
//! something it cannot read returns `None`, and the load says that this is a fault of ours.
//! Invariant: whatever the checks accept, this reads; a test loads every accepted form.

mod channels;
mod conditions;
mod daemon;
mod lines;
mod operators;
mod rules;
mod templates;

use std::collections::BTreeSet;

use super::file_kind::FileKind;
use super::secret::Literals;
use super::tree::{Entry, Node, Span};
use crate::model::config::Config;
use crate::model::secret::SecretRef;

/// What reading needs besides the trees.
pub struct Decoder<'a> {
    /// Where plain-text secrets are kept.
    pub literals: &'a mut Literals,
    /// Rules that are left out because something in them is not acted on yet.
    pub inactive_rules: &'a BTreeSet<Span>,
}

/// Reads the configuration.
pub fn decode(decoder: &mut Decoder<'_>, files: &[(FileKind, &Node)]) -> Option<Config> {
    Some(Config {
        daemon: daemon::read(decoder, &roots(files, FileKind::Switchboard))?,
        calendars: lines::calendars(&roots(files, FileKind::Lines))?,
        lines: lines::lines(&roots(files, FileKind::Lines))?,
        channels: channels::read(decoder, &roots(files, FileKind::Channels))?,
        accounts: std::collections::BTreeMap::new(),
        operators: operators::operators(&roots(files, FileKind::Operators))?,
        teams: operators::teams(&roots(files, FileKind::Operators))?,
        roles: operators::roles(&roots(files, FileKind::Operators))?,
        tokens: operators::tokens(&roots(files, FileKind::Operators))?,
        templates: templates::read(&roots(files, FileKind::Templates))?,
        rules: rules::read(decoder, &roots(files, FileKind::Rules))?,
    })
}

fn roots<'n>(files: &[(FileKind, &'n Node)], kind: FileKind) -> Vec<&'n Node> {
    files.iter().filter(|(other, _)| *other == kind).map(|(_, root)| *root).collect()
}

/// The entries of a mapping of ids over all files, without the keys that are free for anchors.
fn named<'n>(roots: &[&'n Node], key: &str) -> Vec<&'n Entry> {
    roots
        .iter()
        .filter_map(|root| root.get(key))
        .flat_map(Node::entries)
        .filter(|entry| !entry.key.is_free())
        .collect()
}

/// The entries of one mapping, without the keys that are free for anchors.
fn own(node: &Node) -> impl Iterator<Item = &Entry> {
    node.entries().iter().filter(|entry| !entry.key.is_free())
}

/// An optional value: `Some(None)` when the key is absent, `None` when it cannot be read.
fn maybe<T>(node: &Node, key: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<Option<T>> {
    match node.get(key) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

/// An optional text.
fn maybe_text(node: &Node, key: &str) -> Option<Option<String>> {
    maybe(node, key, |value| value.text().map(str::to_owned))
}

/// All items of a list.
fn list<T>(node: &Node, read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    node.items().iter().map(read).collect()
}

/// All items of a list, or a single one.
fn one_or_many<T>(node: &Node, mut read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    if node.text().is_some() { read(node).map(|one| vec![one]) } else { list(node, read) }
}

fn boolean(node: &Node) -> Option<bool> {
    match node.plain()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A value of a closed list of words, by the name that it has in the model.
fn word<T: serde::de::DeserializeOwned>(node: &Node) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(node.text()?.to_owned())).ok()
}

impl Decoder<'_> {
    /// A reference to a secret; the value of a literal one goes to the literals.
    fn secret(&mut self, node: &Node) -> Option<SecretRef> {
        if let Some(value) = node.text() {
            return Some(self.literals.keep(value));
        }
        if let Some(variable) = node.get("env") {
            return variable.text().map(|name| SecretRef::Env(name.to_owned()));
        }
        node.get("file")?.text().map(|path| SecretRef::File(path.to_owned()))
    }
}
