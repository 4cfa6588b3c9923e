//! Reads rules, in the order in which they act: priority, then file name and place.

use super::conditions::condition;
use super::{Decoder, boolean, maybe, one_or_many};
use crate::config::check::rules::event_of;
use crate::config::facts::Facts;
use crate::config::scalar;
use crate::config::tree::Node;
use crate::model::rule::{Content, Receiver, Rule, RuleAction};

pub(super) fn read(decoder: &Decoder<'_>, roots: &[&Node]) -> Option<Vec<Rule>> {
    let mut rules: Vec<Rule> = roots
        .iter()
        .filter_map(|root| root.get("rules"))
        .flat_map(Node::items)
        .filter(|node| !decoder.inactive_rules.contains(&node.span))
        .map(rule)
        .collect::<Option<_>>()?;
    // Stable: files and places stay in order.
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    Some(rules)
}

fn rule(node: &Node) -> Option<Rule> {
    let event = event_of(node.at(&["on", "event"])?.text()?)?;
    let facts = Facts::of(event);
    Some(Rule {
        id: node.get("id")?.text()?.into(),
        event,
        when: maybe(node, "when", |when| condition(facts, when))?,
        actions: node.get("do")?.items().iter().map(action).collect::<Option<_>>()?,
        priority: maybe(node, "priority", |value| scalar::priority(value.text()?).ok())?.unwrap_or(0),
        stop: maybe(node, "stop", boolean)?.unwrap_or(false),
    })
}

pub(super) fn action(node: &Node) -> Option<RuleAction> {
    match node.text() {
        Some("close") => return Some(RuleAction::Close),
        Some("spam") => return Some(RuleAction::Spam),
        Some("pause") => return Some(RuleAction::Pause { for_ms: None }),
        Some("requeue") => return Some(RuleAction::Requeue { reason: None }),
        _ => {}
    }
    let entry = super::own(node).next()?;
    let value = &entry.value;
    Some(match entry.key.text.as_str() {
        "reply" => RuleAction::Reply(content(value)?),
        "note" => RuleAction::Note(value.text()?.to_owned()),
        "add_tags" => RuleAction::AddTags(
            one_or_many(value, |tag| tag.text().map(str::to_owned))?.into_iter().collect(),
        ),
        "set_priority" => RuleAction::SetPriority(scalar::priority(value.text()?).ok()?),
        "set_topic" => RuleAction::SetTopic(value.text()?.into()),
        "transfer" => {
            RuleAction::Transfer { to: receiver(value)?, otherwise: maybe(value, "else", receiver)? }
        }
        "requeue" => {
            RuleAction::Requeue { reason: maybe(value, "reason", |reason| reason.text().map(str::to_owned))? }
        }
        "close" => RuleAction::Close,
        "spam" => RuleAction::Spam,
        "pause" => {
            RuleAction::Pause { for_ms: maybe(value, "for", |time| scalar::duration_ms(time.text()?).ok())? }
        }
        "notify" => {
            let words = value.get("template").is_some() || value.get("text").is_some();
            RuleAction::Notify {
                endpoint: value.get("endpoint")?.text()?.into(),
                content: if words { Some(content(value)?) } else { None },
            }
        }
        _ => return None,
    })
}

fn content(node: &Node) -> Option<Content> {
    if let Some(text) = node.text() {
        return Some(Content::Text(text.to_owned()));
    }
    if let Some(template) = node.get("template") {
        return template.text().map(|id| Content::Template(id.into()));
    }
    node.get("text")?.text().map(|text| Content::Text(text.to_owned()))
}

fn receiver(node: &Node) -> Option<Receiver> {
    if let Some(id) = node.get("operator") {
        return id.text().map(|id| Receiver::Operator(id.into()));
    }
    if let Some(id) = node.get("team") {
        return id.text().map(|id| Receiver::Team(id.into()));
    }
    node.get("line")?.text().map(|id| Receiver::Line(id.into()))
}
