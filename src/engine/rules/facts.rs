//! The document that conditions and templates look at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::engine::step::Step;
use crate::model::client::Client;
use crate::model::dialog::Dialog;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, MessageId};
use crate::model::message::Message;

/// A branch of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Branch {
    Event,
    Dialog,
    Chat,
    Line,
    Channel,
    Client,
    Operator,
    Message,
}

/// What of the document is wanted: building what nobody looks at is the dearest part of matching.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Wanted(BTreeMap<Branch, Leaves>);

/// What of a branch is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Leaves {
    All,
    Only(BTreeSet<String>),
}

impl Leaves {
    fn have(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(leaves) => leaves.contains(name),
        }
    }
}

/// The leaf of `event` that is different for each kind.
const DATA: &str = "data";

/// A branch in the making: takes only what is wanted.
struct Growing<'a> {
    wanted: &'a Leaves,
    facts: Map<String, Value>,
}

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

impl Wanted {
    /// All of it.
    pub(in crate::engine) fn all() -> Self {
        Self(Branch::ALL.into_iter().map(|branch| (branch, Leaves::All)).collect())
    }

    /// Adds what a path leads to: a leaf of a branch, or all of the branch. A path to nowhere adds nothing.
    pub(in crate::engine) fn add(&mut self, branch: &str, leaf: Option<&str>) {
        let Some(branch) = Branch::ALL.into_iter().find(|known| known.name() == branch) else { return };
        match leaf {
            None => {
                self.0.insert(branch, Leaves::All);
            }
            Some(leaf) => {
                if let Leaves::Only(leaves) =
                    self.0.entry(branch).or_insert_with(|| Leaves::Only(BTreeSet::new()))
                {
                    leaves.insert(leaf.to_owned());
                }
            }
        }
    }

    /// Adds everything.
    pub(in crate::engine) fn add_all(&mut self) {
        *self = Self::all();
    }
}

impl<'a> Growing<'a> {
    fn new(wanted: &'a Leaves) -> Self {
        Self { wanted, facts: Map::new() }
    }

    /// Adds a leaf if it is wanted.
    fn add<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if self.wanted.have(name) {
            self.facts.insert(name.to_owned(), json!(value));
        }
    }

    /// Adds a leaf if it is known and wanted.
    fn add_known<T: serde::Serialize>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

/// What can be seen of an event, as far as wanted: `event`, `dialog`, `line`, `channel`, `chat`,
/// `client`, `operator` (the owner) and `message`, each where there is one. What is not known is left out.
pub(in crate::engine) fn document(
    step: &Step<'_>,
    kind: EventKind,
    dialog: Option<DialogId>,
    message: Option<MessageId>,
    wanted: &Wanted,
) -> Value {
    document_of(step, kind, dialog.and_then(|id| step.dialog(id)), message, wanted)
}

/// The same of a dialog that may not be in the state yet.
pub(in crate::engine) fn document_of(
    step: &Step<'_>,
    kind: EventKind,
    row: Option<&Dialog>,
    message: Option<MessageId>,
    wanted: &Wanted,
) -> Value {
    let mut facts = Map::new();
    for (branch, leaves) in &wanted.0 {
        let mut growing = Growing::new(leaves);
        let exists = match branch {
            Branch::Event => {
                growing.add("type", &kind);
                growing.add("at_ms", &step.at_ms);
                Some(())
            }
            Branch::Dialog => row.map(|row| dialog_facts(&mut growing, row)),
            Branch::Chat => row.map(|row| {
                growing.add("id", &row.chat);
                growing.add("external_id", &row.external_chat);
            }),
            Branch::Line => {
                row.and_then(|row| step.live.line(&row.line).map(|line| (row, line))).map(|(row, line)| {
                    growing.add("id", &row.line);
                    growing.add("name", &line.name);
                })
            }
            Branch::Channel => row
                .and_then(|row| step.live.config.channels.get(&row.channel).map(|channel| (row, channel)))
                .map(|(row, channel)| {
                    growing.add("id", &row.channel);
                    growing.add("kind", channel.kind().as_str());
                }),
            Branch::Client => row
                .and_then(|row| step.state.clients.get(&row.client))
                .map(|client| client_facts(&mut growing, client)),
            Branch::Operator => row.and_then(|row| row.owner.as_ref()).and_then(|owner| {
                let operator = step.live.config.operators.get(owner)?;
                growing.add("id", owner);
                growing.add("name", &operator.name);
                Some(())
            }),
            Branch::Message => message
                .and_then(|id| step.state.messages.get(&id))
                .map(|message| message_facts(&mut growing, message)),
        };
        if exists.is_some() {
            facts.insert(branch.name().to_owned(), Value::Object(growing.facts));
        }
    }
    Value::Object(facts)
}

/// The document with what an event tells beside: `event.data`, if that is wanted.
pub(in crate::engine) fn with_data(mut facts: Value, data: Option<&Value>, wanted: &Wanted) -> Value {
    let is_wanted = wanted.0.get(&Branch::Event).is_some_and(|leaves| leaves.have(DATA));
    if let Some(data) = data.filter(|_| is_wanted)
        && let Some(event) = facts.get_mut(Branch::Event.name()).and_then(Value::as_object_mut)
    {
        event.insert(DATA.to_owned(), data.clone());
    }
    facts
}

/// The languages to write to a client in, best first.
pub(in crate::engine) fn languages(step: &Step<'_>, dialog: DialogId) -> Vec<String> {
    step.dialog(dialog).map(|row| languages_of(step, row)).unwrap_or_default()
}

/// The same of a dialog that may not be in the state yet.
pub(in crate::engine) fn languages_of(step: &Step<'_>, row: &Dialog) -> Vec<String> {
    let of_client = step.state.clients.get(&row.client).and_then(|client| client.language.clone());
    let of_line = step.live.line(&row.line).and_then(|line| line.language.clone());
    of_client.into_iter().chain(of_line).collect()
}

fn dialog_facts(facts: &mut Growing<'_>, dialog: &Dialog) {
    facts.add("id", &dialog.id);
    facts.add("line", &dialog.line);
    facts.add("channel", &dialog.channel);
    facts.add("state", &dialog.state);
    facts.add("priority", &dialog.priority);
    facts.add("tags", &dialog.tags);
    facts.add("custom", &dialog.custom);
    facts.add("unread", &dialog.unread);
    facts.add("paused", &dialog.life.paused.is_some());
    facts.add("reopened", &dialog.life.reopened);
    let vote = dialog.life.rating.as_ref().and_then(|rating| rating.vote.as_ref());
    facts.add_known("rating", &vote.map(|vote| vote.score));
    facts.add_known("owner", &dialog.owner);
    facts.add_known("team", &dialog.team);
    facts.add_known("topic", &dialog.topic);
    facts.add_known("close_reason", &dialog.close_reason);
    facts.add_known("source", &dialog.source);
}

fn client_facts(facts: &mut Growing<'_>, client: &Client) {
    facts.add("id", &client.id);
    facts.add("tags", &client.tags);
    facts.add("custom", &client.custom);
    facts.add("phones", &client.phones);
    facts.add_known("name", &client.name);
    facts.add_known("username", &client.username);
    facts.add_known("language", &client.language);
    facts.add_known("source", &client.source);
}

fn message_facts(facts: &mut Growing<'_>, message: &Message) {
    facts.add("id", &message.id);
    facts.add("direction", &message.direction);
    facts.add("author", &message.author);
    facts.add("text", &message.text);
    facts.add("automatic", &message.automatic);
    facts.add("note", &message.note);
    facts.add("attachments", &message.attachments);
    facts.add_known("button", &message.button);
    facts.add_known("external_id", &message.external_id);
}
