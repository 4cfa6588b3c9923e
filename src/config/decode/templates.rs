//! Reads ready texts.

use std::collections::BTreeMap;

use super::{list, named, own};
use crate::config::tree::Node;
use crate::model::id::TemplateId;
use crate::model::message::Button;
use crate::model::template::Template;

pub(super) fn read(roots: &[&Node]) -> Option<BTreeMap<TemplateId, Template>> {
    named(roots, "templates")
        .into_iter()
        .map(|entry| Some((entry.key.text.as_str().into(), template(&entry.value)?)))
        .collect()
}

fn template(node: &Node) -> Option<Template> {
    let text = if node.text().is_some() { node } else { node.get("text")? };
    let buttons = node.get("buttons").map_or(Some(Vec::new()), |buttons| {
        list(buttons, |button| {
            Some(Button {
                title: button.get("title")?.text()?.to_owned(),
                data: button.get("data")?.text()?.to_owned(),
            })
        })
    })?;
    let text = match text.text() {
        Some(text) => BTreeMap::from([(Template::ANY.to_owned(), trimmed(text))]),
        None => own(text)
            .map(|entry| Some((entry.key.text.clone(), trimmed(entry.value.text()?))))
            .collect::<Option<_>>()?,
    };
    Some(Template { text, buttons })
}

/// A block (`|`) ends with a line break that nobody wants in a chat.
fn trimmed(text: &str) -> String {
    text.trim_end_matches('\n').to_owned()
}
