//! YAML as a tree in which everything knows its place.
//!
//! Made by [`parse`]; read by `grammar`, `check` and `decode`. A tree is plain data: no tags, no
//! aliases, no duplicate keys, bounded in depth and size.

mod parse;
mod syntax;

pub use parse::{ALIAS_NODES_MAX, DEPTH_MAX, parse};

/// A range of bytes of one file of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The number of the file in the set.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// The key that it stands under, if any: the place to speak about a whole mapping or list.
    pub key: Option<Span>,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A text, not yet read as anything.
    Scalar {
        /// The text after quotes and escapes.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping with distinct keys, in the order of the file.
    Mapping(Vec<Entry>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// As a block (`|` or `>`).
    Block,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Key {
    /// Whether it is free for anchors: `x-…`.
    pub fn is_free(&self) -> bool {
        self.text.starts_with("x-")
    }
}

impl Node {
    /// The place to speak about the node as a whole: its key, or itself.
    pub fn head(&self) -> Span {
        match &self.kind {
            Kind::Scalar { .. } if self.span.end > self.span.start => self.span,
            _ => self.key.or_else(|| self.entries().first().map(|first| first.key.span)).unwrap_or(self.span),
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that was written without quotes.
    pub fn plain(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } => Some(text),
            _ => None,
        }
    }

    /// Whether nothing stands here: no value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.plain(), Some("" | "~" | "null"))
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// The entry of a key of a mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// What it is, in words for a message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { text, .. } if text.trim().is_empty() => "an empty text",
            Kind::Scalar { .. } => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// The value as JSON. Scalars without quotes become numbers, booleans and null where JSON would
    /// write them so; everything else stays the text of the file (`NO`, `007`, `1_000`).
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } => match text.as_str() {
                "" | "~" | "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text => match serde_json::from_str::<serde_json::Number>(text) {
                    Ok(number) => Value::Number(number),
                    Err(_) => Value::String(text.to_owned()),
                },
            },
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Mapping(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect(),
            ),
        }
    }
}
