//! A picture in Mermaid: a flowchart from left to right.

use super::picture::{NodeKind, Picture};
use std::collections::BTreeMap;

/// Writes a picture. Ids of nodes are numbers (`n1`), since names may be words of Mermaid's own.
pub(super) fn write(picture: &Picture) -> String {
    let numbers: BTreeMap<&str, usize> =
        picture.nodes.keys().enumerate().map(|(number, id)| (id.as_str(), number + 1)).collect();
    let number = |id: &str| numbers.get(id).copied().unwrap_or_default();
    let mut lines = vec!["flowchart LR".to_owned()];
    for kind in NodeKind::ALL {
        for (id, node) in picture.nodes.iter().filter(|(_, node)| node.kind == kind) {
            let label = node.label.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>");
            let (open, close) = brackets(kind);
            lines.push(format!("  n{}{open}\"{label}\"{close}:::{}", number(id), kind.as_str()));
        }
    }
    for arrow in &picture.arrows {
        let line = if arrow.dashed { "-.->" } else { "-->" };
        let label =
            if arrow.label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&arrow.label)) };
        lines.push(format!("  n{} {line}{label} n{}", number(&arrow.from), number(&arrow.to)));
    }
    for kind in NodeKind::ALL {
        if picture.nodes.values().any(|node| node.kind == kind) {
            lines.push(format!("  classDef {} {}", kind.as_str(), style(kind)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The shape of a node.
const fn brackets(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Channel => ("([", "])"),
        NodeKind::Line => ("[[", "]]"),
        NodeKind::Topic => ("{{", "}}"),
        NodeKind::Team | NodeKind::Operator => ("(", ")"),
        NodeKind::Event => (">", "]"),
        NodeKind::Rule => ("[", "]"),
        NodeKind::Endpoint => ("[/", "/]"),
    }
}

const fn style(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Channel => "fill:#e3f2fd,stroke:#1565c0,color:#000",
        NodeKind::Line => "fill:#e8f5e9,stroke:#2e7d32,color:#000",
        NodeKind::Topic => "fill:#f1f8e9,stroke:#558b2f,color:#000",
        NodeKind::Team | NodeKind::Operator => "fill:#fff8e1,stroke:#f9a825,color:#000",
        NodeKind::Event => "fill:#f3e5f5,stroke:#6a1b9a,color:#000",
        NodeKind::Rule => "fill:#ede7f6,stroke:#4527a0,color:#000",
        NodeKind::Endpoint => "fill:#eceff1,stroke:#455a64,color:#000",
    }
}

/// A text within quotes: Mermaid knows HTML's entities, written with `#`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '#' => escaped.push_str("#35;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
