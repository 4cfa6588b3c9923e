//! The rows of the state that are kept outside memory: what the engine asks for and hands over.
//!
//! Memory holds what is hot: open dialogs with their chats and clients, unfinished effects, timers
//! and operators. Everything else is fetched through an [`Archive`] before an entry is applied, and
//! everything that changed is handed over as a [`WriteSet`].

use std::sync::Arc;

use crate::model::chat::{Chat, ChatAddress};
use crate::model::client::{Client, Identity};
use crate::model::decision::Decision;
use crate::model::dialog::Dialog;
use crate::model::effect::Effect;
use crate::model::entry::EntryHash;
use crate::model::event::Event;
use crate::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId};
use crate::model::message::Message;
use crate::model::operator::OperatorStatus;
use crate::model::outcome::KnownInput;
use crate::model::timer::{Timer, TimerKey};

/// How far the journal has been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The last applied entry; 0: none.
    pub seq: u64,
    /// The hash of its bytes.
    pub hash: EntryHash,
    /// Its time.
    pub at_ms: u64,
    /// Its epoch.
    pub epoch: u64,
}

/// The configuration that an entry made live.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveConfig {
    /// The entry that made it live.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// `sha256:` and the digest of the canonical bytes.
    pub version: String,
    /// The git commit that the files were at, where there is one.
    pub commit: Option<String>,
    /// The canonical JSON of [`crate::model::config::Config`].
    pub canonical: String,
}

/// The rows could not be read. The state must not be used any further.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the store: {0}")]
pub struct ArchiveError(pub String);

/// The part of the state that is not in memory, as of the last handed-over [`WriteSet`].
pub trait Archive {
    /// What an input came to.
    fn known_input(&self, input_id: &str) -> Result<Option<KnownInput>, ArchiveError>;
    /// A dialog.
    fn dialog(&self, id: DialogId) -> Result<Option<Dialog>, ArchiveError>;
    /// A chat.
    fn chat(&self, id: ChatId) -> Result<Option<Chat>, ArchiveError>;
    /// The chat at an address.
    fn chat_at(&self, address: &ChatAddress) -> Result<Option<ChatId>, ArchiveError>;
    /// A client.
    fn client(&self, id: ClientId) -> Result<Option<Client>, ArchiveError>;
    /// The client who has an identity.
    fn client_of(&self, identity: &Identity) -> Result<Option<ClientId>, ArchiveError>;
    /// A message or note of a dialog.
    fn message(&self, dialog: DialogId, id: MessageId) -> Result<Option<Message>, ArchiveError>;
    /// An effect.
    fn effect(&self, id: EffectId) -> Result<Option<Effect>, ArchiveError>;
}

/// Everything that changed since the last hand-over. A row is in its newest form; rows replace the
/// ones with the same identifier. To be stored in one atomic step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteSet {
    /// How far the journal has been applied with these rows.
    pub position: Position,
    /// Outcomes of inputs, by `input_id`.
    pub known_inputs: Vec<(Arc<str>, KnownInput)>,
    /// Dialogs, new and changed.
    pub dialogs: Vec<Dialog>,
    /// Chats, new and changed.
    pub chats: Vec<Chat>,
    /// Clients, new and changed.
    pub clients: Vec<Client>,
    /// Messages and notes, new and changed.
    pub messages: Vec<Arc<Message>>,
    /// Effects, new and changed.
    pub effects: Vec<Effect>,
    /// How operators are.
    pub operators: Vec<OperatorStatus>,
    /// Timers set (`Some`: due at, in ms) and removed (`None`).
    pub timers: Vec<(TimerKey, Option<u64>)>,
    /// New events, in order.
    pub events: Vec<Arc<Event>>,
    /// New decisions, in order.
    pub decisions: Vec<Decision>,
    /// Configurations that became live, in order.
    pub configs: Vec<ActiveConfig>,
}

/// The rows that must be in memory before the first entry after a start is applied.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HotRows {
    /// How far the journal was applied.
    pub position: Position,
    /// The live configuration; `None` on an empty store.
    pub config: Option<ActiveConfig>,
    /// The dialogs that are not closed.
    pub dialogs: Vec<Dialog>,
    /// The chats of those dialogs.
    pub chats: Vec<Chat>,
    /// The clients of those chats.
    pub clients: Vec<Client>,
    /// The effects that are not terminal.
    pub effects: Vec<Effect>,
    /// All operators that have a status.
    pub operators: Vec<OperatorStatus>,
    /// All timers.
    pub timers: Vec<Timer>,
}
