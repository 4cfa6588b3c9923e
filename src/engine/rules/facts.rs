//! The document that conditions and templates look at.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::engine::step::Step;
use crate::model::client::Client;
use crate::model::dialog::Dialog;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

/// A branch of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Branch {
    Event,
    Dialog,
    Chat,
    Line,
    Channel,
    Client,
    Operator,
    Message,
}

/// Which branches are wanted: building what nobody looks at is the dearest part of matching.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Branches(BTreeSet<Branch>);

impl Branch {
    const ALL: [Self; 8] = [
        Self::Event,
        Self::Dialog,
        Self::Chat,
        Self::Line,
        Self::Channel,
        Self::Client,
        Self::Operator,
        Self::Message,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Dialog => "dialog",
            Self::Chat => "chat",
            Self::Line => "line",
            Self::Channel => "channel",
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Message => "message",
        }
    }
}

impl Branches {
    /// All of them.
    pub(in crate::engine) fn all() -> Self {
        Self(Branch::ALL.into())
    }

    /// Adds the branch of this name, if there is one.
    pub(in crate::engine) fn add(&mut self, name: &str) {
        self.0.extend(Branch::ALL.into_iter().find(|branch| branch.name() == name));
    }

    /// Adds all branches.
    pub(in crate::engine) fn add_all(&mut self) {
        self.0.extend(Branch::ALL);
    }
}

/// What can be seen of an event, as far as wanted: `event`, `dialog`, `line`, `channel`, `chat`,
/// `client`, `operator` (the owner) and `message`, each where there is one. What is not known is left out.
pub(in crate::engine) fn document(
    step: &Step<'_>,
    kind: EventKind,
    dialog: Option<DialogId>,
    message: Option<MessageId>,
    wanted: &Branches,
) -> Value {
    let row = dialog.and_then(|id| step.dialog(id));
    let mut facts = Map::new();
    for branch in &wanted.0 {
        let value = match branch {
            Branch::Event => Some(json!({"type": kind, "at_ms": step.at_ms})),
            Branch::Dialog => row.map(dialog_facts),
            Branch::Chat => row.map(|row| json!({"id": row.chat, "external_id": row.external_chat})),
            Branch::Line => row.and_then(|row| {
                step.live.line(&row.line).map(|line| json!({"id": row.line, "name": line.name}))
            }),
            Branch::Channel => row.and_then(|row| {
                let channel = step.live.config.channels.get(&row.channel)?;
                Some(json!({"id": row.channel, "kind": channel.kind().as_str()}))
            }),
            Branch::Client => row.and_then(|row| step.state.clients.get(&row.client)).map(client_facts),
            Branch::Operator => row.and_then(|row| {
                let owner = row.owner.as_ref()?;
                let operator = step.live.config.operators.get(owner)?;
                Some(json!({"id": owner, "name": operator.name}))
            }),
            Branch::Message => message.and_then(|id| step.state.messages.get(&id)).map(message_facts),
        };
        if let Some(value) = value {
            facts.insert(branch.name().to_owned(), value);
        }
    }
    Value::Object(facts)
}

/// The languages to write to a client in, best first.
pub(in crate::engine) fn languages(step: &Step<'_>, dialog: DialogId) -> Vec<String> {
    let Some(row) = step.dialog(dialog) else { return Vec::new() };
    let of_client = step.state.clients.get(&row.client).and_then(|client| client.language.clone());
    let of_line = step.live.line(&row.line).and_then(|line| line.language.clone());
    of_client.into_iter().chain(of_line).collect()
}

fn dialog_facts(dialog: &Dialog) -> Value {
    let mut facts = Map::new();
    facts.insert("id".to_owned(), json!(dialog.id));
    facts.insert("line".to_owned(), json!(dialog.line));
    facts.insert("channel".to_owned(), json!(dialog.channel));
    facts.insert("state".to_owned(), json!(dialog.state));
    facts.insert("priority".to_owned(), json!(dialog.priority));
    facts.insert("tags".to_owned(), json!(dialog.tags));
    facts.insert("custom".to_owned(), json!(dialog.custom));
    facts.insert("unread".to_owned(), json!(dialog.unread));
    insert_known(&mut facts, "owner", &dialog.owner);
    insert_known(&mut facts, "team", &dialog.team);
    insert_known(&mut facts, "topic", &dialog.topic);
    insert_known(&mut facts, "close_reason", &dialog.close_reason);
    Value::Object(facts)
}

fn client_facts(client: &Client) -> Value {
    let mut facts = Map::new();
    facts.insert("id".to_owned(), json!(client.id));
    facts.insert("tags".to_owned(), json!(client.tags));
    facts.insert("custom".to_owned(), json!(client.custom));
    facts.insert("phones".to_owned(), json!(client.phones));
    insert_known(&mut facts, "name", &client.name);
    insert_known(&mut facts, "username", &client.username);
    insert_known(&mut facts, "language", &client.language);
    insert_known(&mut facts, "source", &client.source);
    Value::Object(facts)
}

fn message_facts(message: &Message) -> Value {
    let mut facts = Map::new();
    facts.insert("id".to_owned(), json!(message.id));
    facts.insert("direction".to_owned(), json!(message.direction));
    facts.insert("author".to_owned(), json!(message.author));
    facts.insert("text".to_owned(), json!(message.text));
    facts.insert("automatic".to_owned(), json!(message.automatic));
    facts.insert("note".to_owned(), json!(message.note));
    facts.insert("attachments".to_owned(), json!(message.attachments));
    insert_known(&mut facts, "button", &message.button);
    insert_known(&mut facts, "external_id", &message.external_id);
    Value::Object(facts)
}

fn insert_known<T: serde::Serialize>(facts: &mut Map<String, Value>, name: &str, value: &Option<T>) {
    if let Some(value) = value {
        facts.insert(name.to_owned(), json!(value));
    }
}
