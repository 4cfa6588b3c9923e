//! What people and integrations ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::dialog::CloseReason;
use super::id::{ChatId, DialogId, EffectId, LineId, OperatorId, TeamId, TemplateId, TokenId, TopicId};
use super::message::{Attachment, Button};
use super::operator::Presence;
use super::role::Scope;

/// A wish with its author. Rights were checked before it became an input; whether it is still possible
/// is decided when it is applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub actor: Actor,
    /// How far the right reaches that they ask by.
    pub scope: Scope,
    /// The lines that the right reaches as a whole, or that the token is bound to; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<BTreeSet<LineId>>,
    /// Optimistic concurrency: refuse when the dialog's version is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// What for.
    pub action: Action,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An operator, by their own token.
    Operator(OperatorId),
    /// An integration, by its token.
    Integration(TokenId),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Take an offered dialog.
    Accept {
        /// Which.
        dialog: DialogId,
        /// Who takes it.
        operator: OperatorId,
    },
    /// Refuse an offered dialog.
    Decline {
        /// Which.
        dialog: DialogId,
        /// Who refuses.
        operator: OperatorId,
    },
    /// Write to the client.
    Reply {
        /// In which dialog.
        dialog: DialogId,
        /// What.
        content: ReplyContent,
        /// Files along with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// The messenger's id of the message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    /// Write something that the client never sees.
    AddNote {
        /// In which dialog.
        dialog: DialogId,
        /// What.
        text: String,
    },
    /// Give a dialog to somebody else.
    Transfer {
        /// Which.
        dialog: DialogId,
        /// To whom.
        to: TransferTarget,
        /// A word to the next one; becomes a note.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Put a dialog back into its queue.
    Requeue {
        /// Which.
        dialog: DialogId,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Close a dialog.
    Close {
        /// Which.
        dialog: DialogId,
        /// Why.
        reason: CloseReason,
    },
    /// Open a dialog again that is closed or closing.
    Reopen {
        /// Which.
        dialog: DialogId,
    },
    /// Pin a dialog: silence does not close it.
    Pause {
        /// Which.
        dialog: DialogId,
        /// Until when, in ms; `None`: as long as the line allows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
    },
    /// End a pause.
    Resume {
        /// Which.
        dialog: DialogId,
    },
    /// Take a dialog from whoever has it.
    TakeOver {
        /// Which.
        dialog: DialogId,
        /// Who takes it.
        operator: OperatorId,
    },
    /// Listen to a dialog and write in it, without owning it. The client is not told.
    Join {
        /// Which.
        dialog: DialogId,
        /// Who.
        operator: OperatorId,
    },
    /// Stop that.
    Leave {
        /// Which.
        dialog: DialogId,
        /// Who.
        operator: OperatorId,
    },
    /// Rate the operator's work on a dialog, closed or not. Again replaces the rating.
    RateWork {
        /// Which.
        dialog: DialogId,
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Open a dialog by writing to the client of a chat.
    WriteFirst {
        /// In which chat.
        chat: ChatId,
        /// Who writes, and owns the dialog.
        operator: OperatorId,
        /// What.
        content: ReplyContent,
        /// Files along with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// Whether to write into the dialog that is open already, if there is one; otherwise that is refused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        into_open: bool,
    },
    /// Change what is known of a dialog. `None` leaves a field alone.
    Update {
        /// Which.
        dialog: DialogId,
        /// What.
        changes: DialogChanges,
    },
    /// Go online, away or offline.
    SetPresence {
        /// Who.
        operator: OperatorId,
        /// How.
        presence: Presence,
    },
    /// Try a failed, dead or cancelled effect once more, with fresh attempts.
    RetryDelivery {
        /// Which.
        effect: EffectId,
    },
    /// Give an effect up.
    CancelDelivery {
        /// Which.
        effect: EffectId,
    },
}

/// What an operator writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyContent {
    /// Free text.
    Text {
        /// The text.
        text: String,
        /// Buttons below it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buttons: Vec<Button>,
    },
    /// A ready text.
    Template {
        /// Which.
        template: TemplateId,
        /// Its variables, visible as `vars`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        vars: BTreeMap<String, serde_json::Value>,
    },
}

/// To whom a dialog goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferTarget {
    /// One operator.
    Operator(OperatorId),
    /// Whoever is free in a team.
    Team(TeamId),
    /// The queue of another line.
    Line(LineId),
}

/// Changes of a dialog.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DialogChanges {
    /// The new priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// The new topic; `Some(None)` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Option<TopicId>>,
    /// The new tags, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Fields to set; null removes one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, serde_json::Value>,
}
