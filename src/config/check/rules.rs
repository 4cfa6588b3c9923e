//! Rules: the event is known, and a rule that uses anything that is not acted on yet waits as a
//! whole, so that half a rule never runs.

use crate::config::diagnostic::{Code, Finding};
use crate::config::facts::Facts;
use crate::config::grammar::rules::RULE;
use crate::config::grammar::shape::Shape;
use crate::config::grammar::walk::{Walk, shown};
use crate::config::scalar;
use crate::config::suggest::nearest;
use crate::config::tree::Node;
use crate::engine::rules::can_trigger;
use crate::model::event::EventKind;

/// Events of the contract that are not stated yet.
const LATER: &[&str] = &[
    "dialog.waiting",
    "client.identified",
    "client.merged",
    "crm.linked",
    "crm.failed",
    "scenario.finished",
];

/// Checks a rule.
pub fn rule(walk: &mut Walk<'_>, node: &Node) {
    walk.facts = node
        .at(&["on", "event"])
        .and_then(Node::text)
        .and_then(event_of)
        .map_or(Facts::template(), Facts::of);
    walk.in_rule = true;
    walk.rule_later = None;
    if let Some(event) = node.at(&["on", "event"])
        && let Some(kind) = event.text().and_then(event_of)
        && !can_trigger(kind)
    {
        walk.later(event.span, format!("a rule on `{}`", kind.as_str()));
    }
    walk.node(node, &Shape::Mapping(RULE));
    walk.in_rule = false;
    walk.facts = Facts::dialog();
    if let Some((span, what)) = walk.rule_later.take() {
        walk.inactive_rules.insert(node.span);
        let name = node.get("id").and_then(Node::text).unwrap_or_default();
        let place = node.entry("id").map_or(node.span, |entry| entry.value.span);
        walk.push(
            Finding::new(Code::NotActive, place, format!("the rule `{}` is not active yet", shown(name)))
                .label("checked, but never runs")
                .related(span, format!("{what} is not acted on yet")),
        );
    } else {
        for key in ["limits", "run"] {
            if let Some(entry) = node.entry(key) {
                walk.later(entry.key.span, format!("`{key}`"));
            }
        }
    }
}

/// Checks the name of an event.
pub fn event(walk: &mut Walk<'_>, node: &Node) {
    let Some(text) = walk.text(node) else { return };
    let hook = text.strip_prefix("hook.").is_some_and(scalar::is_id);
    if event_of(text).is_some() {
        return;
    }
    if hook || LATER.contains(&text) {
        walk.later(node.span, format!("the event `{text}`"));
        return;
    }
    let known = || EventKind::ALL.iter().map(|kind| kind.as_str()).chain(LATER.iter().copied());
    let help = nearest(text, known()).map_or_else(
        || {
            let group = text.split('.').next().unwrap_or_default();
            let group: Vec<&str> = known().filter(|name| name.split('.').next() == Some(group)).collect();
            if group.is_empty() {
                "events are listed in docs/configuration.md, such as `message.received`".to_owned()
            } else {
                format!("events of this kind: {}", group.join(", "))
            }
        },
        |near| format!("did you mean `{near}`?"),
    );
    walk.push(
        Finding::new(Code::UnknownEvent, node.span, format!("there is no event `{}`", shown(text)))
            .help(help),
    );
}

/// The event of a name.
pub fn event_of(text: &str) -> Option<EventKind> {
    EventKind::ALL.iter().copied().find(|kind| kind.as_str() == text)
}
