//! What conditions and templates may speak of: the paths of the document that the engine makes for
//! an event, with the type of what stands there.
//!
//! This is a table. When the engine's document gains a field, a row here makes it known to the
//! checks, and nothing else changes.

use super::link::Name;
use super::suggest::nearest;
use crate::model::event::EventKind;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A text.
    Text,
    /// A text that is the name of something declared.
    Name(Name),
    /// One of a closed list of words.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// A number that may be written as a priority.
    Priority,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
    /// An object with known fields.
    Object,
    /// Anything, with anything below it.
    Free,
    /// Known to the contract and not filled yet.
    Later,
}

const STATES: &[&str] =
    &["new", "queued", "offered", "accepted", "waiting_client", "waiting_operator", "closing", "closed"];
const REASONS: &[&str] = &[
    "operator",
    "supervisor",
    "rule",
    "spam",
    "client",
    "silence",
    "duplicate",
    "reply_window",
    "abandoned",
];
const KINDS: &[&str] =
    &["telegram", "whatsapp", "messenger", "instagram", "viber", "vk", "max", "email", "widget", "webhook"];

/// Path and type, sorted by root.
const FACTS: &[(&str, Fact)] = &[
    ("event", Fact::Object),
    ("event.type", Fact::Text),
    ("event.at_ms", Fact::Number),
    ("event.data", Fact::Free),
    ("dialog", Fact::Object),
    ("dialog.id", Fact::Text),
    ("dialog.line", Fact::Name(Name::Line)),
    ("dialog.channel", Fact::Name(Name::Channel)),
    ("dialog.state", Fact::Word(STATES)),
    ("dialog.owner", Fact::Name(Name::Operator)),
    ("dialog.team", Fact::Name(Name::Team)),
    ("dialog.topic", Fact::Text),
    ("dialog.priority", Fact::Priority),
    ("dialog.tags", Fact::Texts),
    ("dialog.custom", Fact::Free),
    ("dialog.unread", Fact::Number),
    ("dialog.paused", Fact::Boolean),
    ("dialog.reopened", Fact::Number),
    ("dialog.rating", Fact::Number),
    ("dialog.messages", Fact::Later),
    ("dialog.opened_at", Fact::Later),
    ("dialog.queued_at", Fact::Later),
    ("dialog.accepted_at", Fact::Later),
    ("dialog.first_response_at", Fact::Later),
    ("dialog.closed_at", Fact::Later),
    ("dialog.close_reason", Fact::Word(REASONS)),
    ("dialog.source", Fact::Text),
    ("message", Fact::Object),
    ("message.id", Fact::Text),
    ("message.text", Fact::Text),
    ("message.direction", Fact::Word(&["in", "out"])),
    ("message.author", Fact::Object),
    (
        "message.author.kind",
        Fact::Word(&["client", "operator", "rule", "system", "integration", "elsewhere"]),
    ),
    ("message.author.id", Fact::Text),
    ("message.status", Fact::Later),
    ("message.attachments", Fact::Objects),
    ("message.button", Fact::Text),
    ("message.note", Fact::Boolean),
    ("message.automatic", Fact::Boolean),
    ("message.external_id", Fact::Text),
    ("message.reply_to", Fact::Later),
    ("message.at", Fact::Later),
    ("client", Fact::Object),
    ("client.id", Fact::Text),
    ("client.name", Fact::Text),
    ("client.username", Fact::Text),
    ("client.language", Fact::Text),
    ("client.phones", Fact::Texts),
    ("client.tags", Fact::Texts),
    ("client.custom", Fact::Free),
    ("client.source", Fact::Text),
    ("client.created_at", Fact::Later),
    ("client.crm", Fact::Later),
    ("client.deals", Fact::Later),
    ("client.emails", Fact::Later),
    ("chat", Fact::Object),
    ("chat.id", Fact::Text),
    ("chat.external_id", Fact::Text),
    ("channel", Fact::Object),
    ("channel.id", Fact::Name(Name::Channel)),
    ("channel.kind", Fact::Word(KINDS)),
    ("line", Fact::Object),
    ("line.id", Fact::Name(Name::Line)),
    ("line.name", Fact::Text),
    ("operator", Fact::Object),
    ("operator.id", Fact::Name(Name::Operator)),
    ("operator.name", Fact::Text),
    ("queue", Fact::Object),
    ("queue.position", Fact::Number),
    ("queue.wait_minutes", Fact::Number),
    ("vars", Fact::Free),
    ("steps", Fact::Later),
];

/// All paths with their types, for the documentation.
pub const fn all() -> &'static [(&'static str, Fact)] {
    FACTS
}

/// The roots that are there for an event: the first parts of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts(&'static [&'static str]);

const DIALOG: &[&str] = &["event", "dialog", "client", "chat", "channel", "line", "operator", "steps"];
const MESSAGE: &[&str] =
    &["event", "dialog", "message", "client", "chat", "channel", "line", "operator", "steps"];
const QUEUE: &[&str] =
    &["event", "dialog", "client", "chat", "channel", "line", "operator", "queue", "steps"];
const TEMPLATE: &[&str] = &[
    "event", "dialog", "message", "client", "chat", "channel", "line", "operator", "queue", "steps", "vars",
];

/// Fields with shorter names, such as `id`, are found below every root and say nothing.
const LEAF_LETTERS_MIN: usize = 4;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// To this.
    Known(Fact),
    /// To something that this event has not.
    NotHere,
    /// To nothing; perhaps this was meant.
    Unknown(Option<String>),
}

impl Facts {
    /// What is there when a dialog is looked at.
    pub const fn dialog() -> Self {
        Self(DIALOG)
    }

    /// What is there when a message is looked at.
    pub const fn message() -> Self {
        Self(MESSAGE)
    }

    /// What is there when a client is told the place in the queue.
    pub const fn queue() -> Self {
        Self(QUEUE)
    }

    /// What templates may use.
    pub const fn template() -> Self {
        Self(TEMPLATE)
    }

    /// What is there for an event.
    pub const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::DialogOpened
            | EventKind::MessageReceived
            | EventKind::MessageQueued
            | EventKind::MessageSent
            | EventKind::MessageDelivered
            | EventKind::MessageRead
            | EventKind::MessageFailed
            | EventKind::MessageDeleted
            | EventKind::MessageEdited
            | EventKind::MessageReacted
            | EventKind::MessageEchoed
            | EventKind::MessageUnsupported
            | EventKind::ButtonPressed
            | EventKind::NoteAdded => Self(MESSAGE),
            EventKind::ClientCreated => Self(&["event", "client", "chat", "channel", "line"]),
            EventKind::OperatorPresence | EventKind::OperatorShift => Self(&["event", "operator"]),
            EventKind::ConfigActivated => Self(&["event"]),
            EventKind::ClientBlocked
            | EventKind::ClientAllowed
            | EventKind::ClientReferred
            | EventKind::ClientMoved
            | EventKind::DialogQueued
            | EventKind::DialogOffered
            | EventKind::DialogOfferEnded
            | EventKind::DialogAccepted
            | EventKind::DialogTransferred
            | EventKind::DialogOverflowed
            | EventKind::DialogUnanswered
            | EventKind::DialogJoined
            | EventKind::DialogReviewed
            | EventKind::DialogUpdated
            | EventKind::DialogClosing
            | EventKind::DialogReturned
            | EventKind::DialogClosed
            | EventKind::DialogReopened
            | EventKind::DialogRated
            | EventKind::TextNotSent
            | EventKind::SlaWarning
            | EventKind::SlaBreached
            | EventKind::RuleTripped
            | EventKind::DeliveryDead => Self(DIALOG),
        }
    }

    /// Whether a root is there.
    pub fn has_root(self, path: &str) -> bool {
        self.0.contains(&root(path))
    }

    /// Looks a path up. `exact` is false when the path goes on in ways that are not known before
    /// the run (an index, a wildcard).
    pub fn look_up(self, path: &[&str], exact: bool) -> Lookup {
        let joined = path.join(".");
        let free = FACTS.iter().find(|(known, fact)| {
            matches!(fact, Fact::Free | Fact::Later)
                && joined.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let found = free.or_else(|| FACTS.iter().find(|(known, _)| *known == joined));
        match found {
            Some((known, fact)) if self.0.contains(&root(known)) => match (*fact, exact) {
                (fact @ (Fact::Free | Fact::Later), _) | (fact, true) => Lookup::Known(fact),
                (Fact::Texts | Fact::Objects | Fact::Object, false) => Lookup::Known(Fact::Free),
                (_, false) => Lookup::Unknown(Some((*known).to_owned())),
            },
            Some(_) => Lookup::NotHere,
            None if path.is_empty() => Lookup::Known(Fact::Free),
            None => Lookup::Unknown(self.near(&joined)),
        }
    }

    fn near(self, path: &str) -> Option<String> {
        let known = || FACTS.iter().map(|(known, _)| *known).filter(|known| self.0.contains(&root(known)));
        let leaf = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        nearest(path, known())
            // The right field below the wrong root: `client.text` for `message.text`.
            .or_else(|| {
                known().find(|known| {
                    known.contains('.') && leaf(known) == leaf(path) && leaf(known).len() >= LEAF_LETTERS_MIN
                })
            })
            .map(str::to_owned)
    }

    /// The roots, for a hint.
    pub fn roots(self) -> String {
        self.0.iter().filter(|root| **root != "steps").copied().collect::<Vec<_>>().join(", ")
    }
}

fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_types_by_event() {
        let facts = Facts::of(EventKind::MessageReceived);
        assert_eq!(facts.look_up(&["message", "text"], true), Lookup::Known(Fact::Text));
        assert_eq!(facts.look_up(&["client", "custom", "a", "b"], true), Lookup::Known(Fact::Free));
        assert_eq!(facts.look_up(&["dialog", "tags"], false), Lookup::Known(Fact::Free));
        assert_eq!(
            facts.look_up(&["mesage", "text"], true),
            Lookup::Unknown(Some("message.text".to_owned()))
        );
        assert_eq!(
            facts.look_up(&["channel", "text"], true),
            Lookup::Unknown(Some("message.text".to_owned()))
        );
        assert_eq!(Facts::dialog().look_up(&["message", "text"], true), Lookup::NotHere);
    }

    #[test]
    fn each_path_stands_below_a_known_object() {
        for (path, _) in FACTS {
            if let Some((parent, _)) = path.rsplit_once('.') {
                assert!(FACTS.iter().any(|(known, _)| *known == parent), "{path} has no parent");
            }
            assert!(Facts::template().0.contains(&root(path)), "{path} has a root of its own");
        }
    }
}
