//! Actions of rules: one key each, with what it needs.

use super::conditions;
use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::rules::OCCURRENCE;
use crate::config::grammar::shape::{DURATION, Field, PERIOD, PRIORITY, Shape, State};
use crate::config::grammar::walk::{Walk, has_key, is_hollow, key_list, shown};
use crate::config::link::Name;
use crate::config::suggest::nearest;
use crate::config::tree::{Kind, Node};

const TEMPLATE: Field = Field::optional("template", Shape::Reference(Name::Template));
const TEXT: Field = Field::optional("text", Shape::Template);
const WORDS: Shape = Shape::ScalarOr(&Shape::Template, &Shape::OneOf(&[TEMPLATE, TEXT]));

const RECEIVER: [Field; 3] = [
    Field::optional("operator", Shape::Reference(Name::Operator)),
    Field::optional("team", Shape::Reference(Name::Team)),
    Field::optional("line", Shape::Reference(Name::Line)),
];

/// Actions that need no settings may stand as a single word.
const WORDS_ALONE: [&str; 5] = ["close", "spam", "pause", "requeue", "stop"];

const ACTIONS: &[Field] = &[
    Field::optional("reply", WORDS),
    Field::optional("note", Shape::Template),
    Field::optional("transfer", Shape::Check(transfer)),
    Field::optional("set_priority", PRIORITY),
    Field::optional("set_topic", Shape::Id),
    Field::optional("add_tags", Shape::OneOrMany(&Shape::Text)),
    Field::optional("close", Shape::Check(close)),
    Field::optional("notify", Shape::Check(notify)),
    Field::later("say", WORDS),
    Field::later("assign", Shape::OneOf(&RECEIVER)),
    Field::optional("requeue", Shape::Mapping(&[Field::optional("reason", Shape::Text)])),
    Field::later("remove_tags", Shape::OneOrMany(&Shape::Text)),
    Field::later("set", Shape::Table(&Shape::Any)),
    Field::optional("pause", Shape::Mapping(&[Field::optional("for", PERIOD)])),
    Field::optional("spam", Shape::Check(spam)),
    Field::later("start", Shape::Mapping(&[Field::required("scenario", Shape::Reference(Name::Scenario))])),
    Field::later("crm", Shape::Mapping(CRM)),
    Field::later("call", Shape::Mapping(CALL)),
    Field::later("wait", Shape::Mapping(WAIT)),
    Field::later("if", Shape::Check(conditions::of_context)),
    Field::later("stop", Shape::Any),
];

const CRM: &[Field] = &[
    Field::required("do", Shape::Text),
    Field::optional("as", Shape::Id),
    Field::optional("with", Shape::Any),
    Field::optional("mapping", Shape::Reference(Name::Mapping)),
];
const CALL: &[Field] = &[
    Field::required("endpoint", Shape::Reference(Name::Endpoint)),
    Field::optional("body", Shape::Any),
    Field::optional("as", Shape::Id),
];
const WAIT: &[Field] =
    &[Field::optional("for", DURATION), Field::optional("until", Shape::Mapping(OCCURRENCE))];

/// Checks a list of actions.
pub fn list(walk: &mut Walk<'_>, node: &Node) {
    match &node.kind {
        Kind::Sequence(items) if !items.is_empty() => items.iter().for_each(|item| action(walk, item)),
        _ => walk.wrong_type(node, "a list of actions", Some("write `- reply: {template: …}`".to_owned())),
    }
}

/// Checks one action.
pub fn action(walk: &mut Walk<'_>, node: &Node) {
    let entries = match &node.kind {
        Kind::Scalar { text, .. } if WORDS_ALONE.contains(&text.as_str()) => {
            if !matches!(text.as_str(), "close" | "spam" | "pause" | "requeue") {
                walk.later(node.span, format!("the action `{text}`"));
            }
            return;
        }
        Kind::Mapping(entries) => entries,
        _ => {
            walk.wrong_type(node, "an action such as `reply: {template: welcome}`", None);
            return;
        }
    };
    let conditional = node.get("if").is_some();
    let mut found = None;
    for (index, entry) in entries.iter().enumerate() {
        let key = entry.key.text.as_str();
        if entry.key.is_free() {
            continue;
        }
        if conditional && matches!(key, "then" | "else") {
            walk.quietly(|walk| list(walk, &entry.value));
            continue;
        }
        let Some(field) = ACTIONS.iter().find(|field| field.name == key) else {
            let before = entries.get(..index).unwrap_or_default().last();
            let below = before.filter(|before| before.value.is_null()).filter(|before| {
                ACTIONS.iter().any(|field| field.name == before.key.text && action_has_key(field, key))
            });
            let help = match (below, nearest(key, ACTIONS.iter().map(|field| field.name))) {
                (Some(before), _) => format!("indent it under `{}`", before.key.text),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("the actions are: {}", key_list(ACTIONS)),
            };
            walk.push(
                Finding::new(Code::UnknownKey, entry.key.span, format!("unknown action `{}`", shown(key)))
                    .help(help),
            );
            continue;
        };
        if let Some(first) = found.replace(entry.key.span) {
            walk.push(
                Finding::new(Code::KeyChoice, entry.key.span, "one item of the list is one action")
                    .label("a second action")
                    .related(first, "the first action")
                    .help("begin the second one with `- ` on a line of its own"),
            );
        }
        if is_hollow(entries, index, ACTIONS, |key| action_has_key(field, key)) {
            continue;
        }
        if field.state == State::Later {
            walk.later(entry.key.span, format!("the action `{key}`"));
            walk.quietly(|walk| walk.node(&entry.value, &field.shape));
        } else {
            walk.node(&entry.value, &field.shape);
        }
    }
    if conditional && node.get("then").is_none() {
        walk.missing(node, "then");
    }
    if found.is_none() && entries.iter().all(|entry| entry.key.is_free()) {
        walk.wrong_type(node, "an action", None);
    }
}

fn action_has_key(field: &Field, key: &str) -> bool {
    match field.name {
        "transfer" => matches!(key, "operator" | "team" | "line" | "else"),
        "notify" => NOTIFY.iter().any(|field| field.name == key),
        _ => has_key(&field.shape, key),
    }
}

fn transfer(walk: &mut Walk<'_>, node: &Node) {
    const TRANSFER: &[Field] = &[
        Field::optional("operator", Shape::Reference(Name::Operator)),
        Field::optional("team", Shape::Reference(Name::Team)),
        Field::optional("line", Shape::Reference(Name::Line)),
        Field::optional("else", Shape::OneOf(&RECEIVER)),
    ];
    walk.node(node, &Shape::Mapping(TRANSFER));
    if matches!(node.kind, Kind::Mapping(_)) {
        walk.exactly_one(node, &RECEIVER);
    }
}

fn close(walk: &mut Walk<'_>, node: &Node) {
    takes_nothing(walk, node, "nothing: `close` takes no settings", "write `- close`");
}

fn spam(walk: &mut Walk<'_>, node: &Node) {
    takes_nothing(walk, node, "nothing: `spam` takes no settings", "write `- spam`");
}

fn takes_nothing(walk: &mut Walk<'_>, node: &Node, expected: &str, help: &str) {
    let nothing = node.is_null()
        || node.plain() == Some("true")
        || matches!(&node.kind, Kind::Mapping(entries) if entries.is_empty());
    if !nothing {
        walk.wrong_type(node, expected, Some(help.to_owned()));
    }
}

const NOTIFY: &[Field] = &[
    Field::optional("endpoint", Shape::Reference(Name::Endpoint)),
    Field::later("operator", Shape::Check(operator_or_owner)),
    Field::later("team", Shape::Reference(Name::Team)),
    Field::later("email", Shape::Scalar(super::operators::email)),
    TEMPLATE,
    TEXT,
    Field::later("attach", Shape::Table(&Shape::Any)),
];

fn notify(walk: &mut Walk<'_>, node: &Node) {
    const TARGETS: &[Field] = &[
        Field::optional("endpoint", Shape::Any),
        Field::optional("operator", Shape::Any),
        Field::optional("team", Shape::Any),
        Field::optional("email", Shape::Any),
    ];
    walk.node(node, &Shape::Mapping(NOTIFY));
    if !matches!(node.kind, Kind::Mapping(_)) {
        return;
    }
    walk.exactly_one(node, TARGETS);
    if let (Some(_), Some(second)) = (node.get("template"), node.entry("text")) {
        walk.push(Finding::new(Code::KeyChoice, second.key.span, "expected one of `template`, `text`"));
    }
}

fn operator_or_owner(walk: &mut Walk<'_>, node: &Node) {
    if node.text() != Some("owner") {
        walk.reference(node, Name::Operator);
    }
}
