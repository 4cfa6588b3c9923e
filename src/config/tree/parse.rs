//! From text to tree: one pass over the events of the YAML parser.
//!
//! Enforces the profile: one document, distinct scalar keys, no tags, bounded depth, bounded
//! expansion of aliases. Merge keys (`<<`) are applied; a key of the mapping itself wins.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan};

use super::syntax;
use super::{Entry, Key, Kind, Node, Span, Style};
use crate::config::diagnostic::{Code, Finding};

/// No configuration nests deeper; the recursion of all later passes is bounded by it.
pub const DEPTH_MAX: usize = 64;

/// Most nodes that the anchors of one file may hold and its aliases unfold to: a shared block used
/// by hundreds of lines fits, a "billion laughs" does not.
pub const ALIAS_NODES_MAX: usize = 50_000;

/// Reads one file. Returns the tree, if there is one, and everything that is wrong with its form.
pub fn parse(file: usize, text: &str) -> (Option<Node>, Vec<Finding>) {
    let mut builder = Builder::new(file, text);
    let root = builder.run();
    (root, builder.findings)
}

/// A mapping or list that is being read.
struct Frame {
    start: Span,
    anchor: usize,
    kind: FrameKind,
    /// The key that the collection itself stands under.
    key: Option<Span>,
}

enum FrameKind {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, seen: BTreeMap<String, Span>, key: Option<Key>, merges: Vec<Node> },
}

/// What an anchor stands for.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder<'a> {
    text: &'a str,
    file: usize,
    /// The byte offset of each character: the parser counts characters.
    offsets: Vec<usize>,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    alias_nodes: usize,
    root: Option<Node>,
    findings: Vec<Finding>,
}

/// Reading cannot go on.
struct Stop;

impl<'a> Builder<'a> {
    fn new(file: usize, text: &'a str) -> Self {
        let offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
        Self {
            text,
            file,
            offsets,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            alias_nodes: 0,
            root: None,
            findings: Vec::new(),
        }
    }

    fn run(&mut self) -> Option<Node> {
        let mut documents = 0_u32;
        let mut parser = Parser::new_from_str(self.text);
        while let Some(next) = parser.next_event() {
            let (event, span) = match next {
                Ok(next) => next,
                Err(error) => {
                    let at = self.offset(error.marker().index());
                    self.findings.push(syntax::finding(self.file, self.text, at, error.info()));
                    return None;
                }
            };
            let at = self.span(span);
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    self.findings.push(
                        Finding::new(Code::SeveralDocuments, at, "a second document begins here")
                            .label("not read")
                            .help(match self.text.get(at.start..at.end) {
                                Some("---") => {
                                    "one file holds one document: move it to a file of its own, or remove `---`"
                                }
                                _ => "`...` above ends the file: remove it, or what follows it",
                            }),
                    );
                    return None;
                }
            }
            if self.event(event, at).is_err() {
                return None;
            }
        }
        match self.root.take() {
            Some(root) if !root.is_null() => Some(root),
            _ => {
                let at = Span { file: self.file, start: 0, end: 0 };
                self.findings.push(
                    Finding::new(Code::EmptyFile, at, "the file is empty")
                        .help("every file begins with `version: 1`; remove the file if it is not needed"),
                );
                None
            }
        }
    }

    fn event(&mut self, event: Event<'_>, at: Span) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let kind = Kind::Scalar { text: text.into_owned(), style };
                self.value(Node { span: at, key: None, kind }, anchor, Source::Written)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                self.open(at, anchor, FrameKind::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                let kind = FrameKind::Mapping {
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.open(at, anchor, kind)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(&mut self, at: Span, anchor: usize, kind: FrameKind) -> Result<(), Stop> {
        if self.stack.len() >= DEPTH_MAX {
            self.findings.push(
                Finding::new(Code::TooDeep, at, format!("nested deeper than {DEPTH_MAX} levels"))
                    .help("no setting nests that deep; check the indentation and the brackets"),
            );
            return Err(Stop);
        }
        let key = match self.stack.last() {
            Some(Frame { kind: FrameKind::Mapping { key: Some(key), .. }, .. }) => Some(key.span),
            Some(Frame { kind: FrameKind::Mapping { key: None, .. }, .. }) => {
                self.findings.push(
                    Finding::new(Code::KeyNotText, at, "a key must be a text, not a list or a mapping")
                        .help("quote it if a template was meant: \"{{ … }}\""),
                );
                return Err(Stop);
            }
            _ => None,
        };
        self.stack.push(Frame { start: at, anchor, kind, key });
        Ok(())
    }

    fn close(&mut self, at: Span) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Err(Stop) };
        let span = Span { file: self.file, start: frame.start.start, end: at.end.max(frame.start.end) };
        let kind = match frame.kind {
            FrameKind::Sequence(items) => Kind::Sequence(items),
            FrameKind::Mapping { entries, merges, .. } => Kind::Mapping(merged(entries, merges)),
        };
        self.value(Node { span, key: frame.key, kind }, frame.anchor, Source::Written)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.findings.push(
                Finding::new(Code::AliasExpansion, at, "an alias refers to a block that contains it")
                    .help("a block cannot contain itself"),
            );
            return Err(Stop);
        };
        let (nodes, depth) = (anchored.nodes, self.stack.len() + anchored.depth);
        self.spend(nodes, depth, at)?;
        let Some(node) = self.anchors.get(&anchor).map(|anchored| anchored.node.clone()) else {
            return Err(Stop);
        };
        if matches!(self.stack.last(), Some(Frame { kind: FrameKind::Mapping { key: None, .. }, .. })) {
            self.findings.push(
                Finding::new(Code::KeyNotText, at, "an alias cannot be a key").help("write the key itself"),
            );
            return Err(Stop);
        }
        self.value(node, 0, Source::Alias)
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, mut node: Node, anchor: usize, source: Source) -> Result<(), Stop> {
        if anchor != 0 {
            let (nodes, depth) = measure(&node);
            self.spend(nodes, self.stack.len(), node.head())?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, depth });
        }
        match self.stack.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(node),
            Some(FrameKind::Sequence(items)) => items.push(node),
            Some(FrameKind::Mapping { entries, seen, key: waiting, merges }) => match waiting.take() {
                None => {
                    let Kind::Scalar { text, style } = node.kind else { return Err(Stop) };
                    if let Some(first) = seen.get(&text) {
                        self.findings.push(
                            Finding::new(Code::DuplicateKey, node.span, format!("`{text}` is given twice"))
                                .label("again here")
                                .related(*first, "first here")
                                .help(if text == "<<" {
                                    "merge both at once: `<<: [*first, *second]`"
                                } else {
                                    "keep one of the two"
                                }),
                        );
                    } else {
                        seen.insert(text.clone(), node.span);
                    }
                    let is_merge = text == "<<" && style == Style::Plain;
                    let text = if is_merge { MERGE.to_owned() } else { text };
                    *waiting = Some(Key { text, span: node.span });
                }
                Some(key) if key.text == MERGE => {
                    if !is_mergeable(&node) {
                        self.findings.push(
                            Finding::new(
                                Code::MergeKey,
                                key.span,
                                "`<<` takes a mapping or a list of mappings",
                            )
                            .help("write `<<: *anchor`"),
                        );
                    }
                    merges.push(node);
                }
                Some(key) => {
                    node.key = Some(key.span);
                    if node.span.start >= node.span.end && source == Source::Written {
                        node.span = key.span;
                    }
                    // The second of two equal keys was reported; the tree keeps the first.
                    if seen.get(&key.text) == Some(&key.span) {
                        entries.push(Entry { key, value: node });
                    }
                }
            },
        }
        Ok(())
    }

    /// Takes `nodes` from the budget of anchors and aliases.
    fn spend(&mut self, nodes: usize, depth: usize, at: Span) -> Result<(), Stop> {
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        if self.alias_nodes <= ALIAS_NODES_MAX && depth <= DEPTH_MAX {
            return Ok(());
        }
        self.findings.push(
            Finding::new(Code::AliasExpansion, at, "the anchors and aliases of this file unfold to too much")
                .label(format!("more than {ALIAS_NODES_MAX} values, or deeper than {DEPTH_MAX} levels"))
                .help("share smaller blocks, or split the file"),
        );
        Err(Stop)
    }

    fn refuse_tag(&mut self, tagged: bool, at: Span) {
        if tagged {
            self.findings.push(
                Finding::new(Code::Tag, at, "tags such as `!name` or `!!str` are not used here")
                    .help("remove the tag; every value is read by what its key expects"),
            );
        }
    }

    fn offset(&self, character: usize) -> usize {
        self.offsets.get(character).copied().unwrap_or(self.text.len())
    }

    fn span(&self, span: YamlSpan) -> Span {
        let start = self.offset(span.start.index());
        let end = self.offset(span.end.index()).max(start);
        // The parser's spans of plain scalars may run over the space that follows.
        let trimmed = self.text.get(start..end).map_or(end, |slice| start + slice.trim_end().len());
        Span { file: self.file, start, end: trimmed.max(start) }
    }
}

/// Where a value comes from.
#[derive(PartialEq, Eq)]
enum Source {
    Written,
    Alias,
}

/// Marks a merge key among the waiting keys; no key can be spelled so.
const MERGE: &str = "\u{0}<<";

fn is_mergeable(node: &Node) -> bool {
    match &node.kind {
        Kind::Mapping(_) => true,
        Kind::Sequence(items) => items.iter().all(|item| matches!(item.kind, Kind::Mapping(_))),
        Kind::Scalar { .. } => false,
    }
}

/// The entries of a mapping and those of the merged ones that it does not have itself; earlier
/// merged mappings win over later ones.
fn merged(mut entries: Vec<Entry>, merges: Vec<Node>) -> Vec<Entry> {
    let mut known: BTreeSet<String> = entries.iter().map(|entry| entry.key.text.clone()).collect();
    let mappings = merges.into_iter().flat_map(|merge| match merge.kind {
        Kind::Sequence(items) => items,
        _ => vec![merge],
    });
    for mapping in mappings {
        if let Kind::Mapping(inherited) = mapping.kind {
            for entry in inherited {
                if known.insert(entry.key.text.clone()) {
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

/// The number of nodes and the depth of a tree.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.kind {
        Kind::Scalar { .. } => return (1, 0),
        Kind::Sequence(items) => items.iter().collect(),
        Kind::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
    };
    children
        .into_iter()
        .map(measure)
        .fold((1, 1), |(nodes, depth), (more, below)| (nodes.saturating_add(more), depth.max(below + 1)))
}
