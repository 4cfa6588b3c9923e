//! A picture in the language of Graphviz.

use super::picture::{NodeKind, Picture};

/// Writes a picture.
pub(super) fn write(picture: &Picture) -> String {
    let mut lines = vec![
        "digraph switchboard {".to_owned(),
        "  rankdir=LR;".to_owned(),
        "  node [fontname=\"sans-serif\", style=filled];".to_owned(),
    ];
    for kind in NodeKind::ALL {
        for (id, node) in picture.nodes.iter().filter(|(_, node)| node.kind == kind) {
            let label = node.label.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\\n");
            let (shape, color) = look(kind);
            lines.push(format!(
                "  \"{}\" [label=\"{label}\", shape={shape}, fillcolor=\"{color}\"];",
                escaped(id)
            ));
        }
    }
    for arrow in &picture.arrows {
        let mut attributes = Vec::new();
        if !arrow.label.is_empty() {
            attributes.push(format!("label=\"{}\"", escaped(&arrow.label)));
        }
        if arrow.dashed {
            attributes.push("style=dashed".to_owned());
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        lines.push(format!("  \"{}\" -> \"{}\"{attributes};", escaped(&arrow.from), escaped(&arrow.to)));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

const fn look(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Channel => ("ellipse", "#e3f2fd"),
        NodeKind::Line => ("box3d", "#e8f5e9"),
        NodeKind::Topic => ("hexagon", "#f1f8e9"),
        NodeKind::Team => ("folder", "#fff8e1"),
        NodeKind::Operator => ("box", "#fff8e1"),
        NodeKind::Event => ("cds", "#f3e5f5"),
        NodeKind::Rule => ("note", "#ede7f6"),
        NodeKind::Endpoint => ("parallelogram", "#eceff1"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
