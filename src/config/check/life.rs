//! What is said to clients while nobody writes: reminders, places in the queue, names.

use crate::config::diagnostic::{Code, Finding};
use crate::config::facts::Facts;
use crate::config::grammar::lines::SILENCE;
use crate::config::grammar::shape::Shape;
use crate::config::grammar::walk::{Walk, shown};
use crate::config::link::Name;
use crate::config::scalar;
use crate::config::tree::{Node, Span};
use crate::model::line::Silence;

/// Checks `silence`: each reminder has its time, before the close.
pub fn silence(walk: &mut Walk<'_>, node: &Node) {
    walk.node(node, &Shape::Mapping(SILENCE));
    let time_ms = |node: &Node| scalar::duration_ms(node.text()?).ok();
    let close_after = node.get("close_after");
    let close_ms = close_after.map_or(Some(Silence::CLOSE_AFTER_MS), time_ms);
    let Some(close_ms) = close_ms else { return };
    let nudges = node.get("nudges").map(Node::items).unwrap_or_default();
    let mut times: Vec<(u64, Span)> = Vec::new();
    for after in nudges.iter().filter_map(|nudge| nudge.get("after")) {
        let Some(after_ms) = time_ms(after) else { continue };
        if after_ms >= close_ms {
            let finding = Finding::new(
                Code::NeverSent,
                after.span,
                "this reminder is never sent: the dialog is closed before",
            )
            .help("give it an earlier time, or a later `close_after` (4h where nothing is said)");
            walk.push(match close_after {
                Some(close) => finding.related(close.span, "closed here"),
                None => finding,
            });
        }
        if let Some((_, first)) = times.iter().find(|(known, _)| *known == after_ms) {
            walk.push(
                Finding::new(
                    Code::NeverSent,
                    after.span,
                    "two reminders at the same time: the first is never sent",
                )
                .related(*first, "the first")
                .help("give each reminder its own time"),
            );
        }
        times.push((after_ms, after.span));
    }
}

/// Checks the template that tells the place in the queue: it may use `queue`.
pub fn queue_template(walk: &mut Walk<'_>, node: &Node) {
    let outer = std::mem::replace(&mut walk.facts, Facts::queue());
    walk.node(node, &Shape::Reference(Name::Template));
    walk.facts = outer;
}

/// Checks names for single operators.
pub fn aliases(walk: &mut Walk<'_>, node: &Node) {
    for entry in walk.entries(node, "a mapping of operators to names") {
        if entry.key.is_free() {
            continue;
        }
        walk.text(&entry.value);
        if !walk.names.has(Name::Operator, &entry.key.text) {
            let message = format!("there is no operator `{}`", shown(&entry.key.text));
            walk.push(
                Finding::new(Code::UnknownName, entry.key.span, message)
                    .help("declare it in operators.yaml, or remove the name"),
            );
        }
    }
}
