//! Which dialogs a list shows.

use std::collections::BTreeSet;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{ChannelId, ChatId, ClientId, LineId, OperatorId, TeamId, TopicId};

/// Conditions that a dialog must meet, all of them; `None` asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialogFilter {
    /// On one of these lines. An empty set shows nothing: it is what a token without lines may see.
    pub lines: Option<BTreeSet<LineId>>,
    /// In one of these states.
    pub states: Option<BTreeSet<DialogState>>,
    /// Owned by this operator.
    pub owner: Option<OperatorId>,
    /// Waiting for this team.
    pub team: Option<TeamId>,
    /// Through this channel.
    pub channel: Option<ChannelId>,
    /// With this client.
    pub client: Option<ClientId>,
    /// In this chat.
    pub chat: Option<ChatId>,
    /// On this topic.
    pub topic: Option<TopicId>,
    /// With this label.
    pub tag: Option<String>,
    /// With exactly this priority.
    pub priority: Option<i32>,
    /// Opened at this time or later, in ms.
    pub opened_from_ms: Option<u64>,
    /// Opened before this time, in ms.
    pub opened_to_ms: Option<u64>,
}

impl DialogFilter {
    /// Whether a dialog meets all conditions.
    pub fn matches(&self, dialog: &Dialog) -> bool {
        fn admits<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        fn admits_option<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        self.lines.as_ref().is_none_or(|lines| lines.contains(&dialog.line))
            && self.states.as_ref().is_none_or(|states| states.contains(&dialog.state))
            && admits_option(self.owner.as_ref(), dialog.owner.as_ref())
            && admits_option(self.team.as_ref(), dialog.team.as_ref())
            && admits(self.channel.as_ref(), &dialog.channel)
            && admits(self.client.as_ref(), &dialog.client)
            && admits(self.chat.as_ref(), &dialog.chat)
            && admits_option(self.topic.as_ref(), dialog.topic.as_ref())
            && self.tag.as_ref().is_none_or(|tag| dialog.tags.contains(tag))
            && admits(self.priority.as_ref(), &dialog.priority)
            && self.opened_from_ms.is_none_or(|from| dialog.opened_at_ms >= from)
            && self.opened_to_ms.is_none_or(|to| dialog.opened_at_ms < to)
    }

    /// Whether no dialog can match.
    pub(super) fn shows_nothing(&self) -> bool {
        self.lines.as_ref().is_some_and(BTreeSet::is_empty)
            || self.states.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// The wanted states, when all of them are states of open dialogs.
    pub(super) fn open_states(&self) -> Option<&BTreeSet<DialogState>> {
        self.states.as_ref().filter(|states| !states.contains(&DialogState::Closed))
    }
}
