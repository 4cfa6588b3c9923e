//! One piece of work in a chat, from opening to close.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{ChannelId, ChatId, ClientId, DialogId, LineId, MessageId, OperatorId, TeamId, TopicId};
use super::life::Life;
use super::line::Counts;
use super::message::{Author, Direction};
use super::offer::{Offer, OfferEnd};
use super::sla::SlaClocks;

/// A dialog with everything that routing and people need to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialog {
    /// Its identifier.
    pub id: DialogId,
    /// The line that it is on.
    pub line: LineId,
    /// The channel that it came through.
    pub channel: ChannelId,
    /// The chat.
    pub chat: ChatId,
    /// The messenger's id of the conversation.
    pub external_chat: String,
    /// The client.
    pub client: ClientId,
    /// The client's name, as far as known.
    pub client_name: Option<String>,
    /// Where it is in its life.
    pub state: DialogState,
    /// The operator who accepted it.
    pub owner: Option<OperatorId>,
    /// The team that it waits for; `None`: the operators of the line.
    pub team: Option<TeamId>,
    /// The topic.
    pub topic: Option<TopicId>,
    /// Higher comes first.
    pub priority: i32,
    /// Labels.
    pub tags: BTreeSet<String>,
    /// Fields of the company's own.
    pub custom: BTreeMap<String, serde_json::Value>,
    /// How the client came to it: the parameter of a link or an advertisement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it began.
    pub opened_at_ms: u64,
    /// Since when it has its place in the queue. Kept when it is put back.
    pub queued_at_ms: u64,
    /// When the client last wrote.
    pub last_inbound_at_ms: u64,
    /// When the present owner accepted.
    pub accepted_at_ms: Option<u64>,
    /// When a person first answered. Set at most once.
    pub first_response_at_ms: Option<u64>,
    /// When it was closed.
    pub closed_at_ms: Option<u64>,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// The live offers.
    pub offers: Vec<Offer>,
    /// Who declined or let an offer expire in the present round.
    pub declined: BTreeMap<OperatorId, OfferEnd>,
    /// How often everybody was tried.
    pub rounds: u32,
    /// The last message that is not a note.
    pub last_message: Option<LastMessage>,
    /// Client messages since the last answer of a person.
    pub unread: u32,
    /// Messages and notes so far.
    pub messages: u32,
    /// True after the out-of-hours text was sent, until an operator writes.
    pub out_of_hours_told: bool,
    /// What else its life has come to: closing, pauses, reminders.
    #[serde(default, skip_serializing_if = "Life::is_fresh")]
    pub life: Life,
    /// When anything about it last changed.
    pub updated_at_ms: u64,
    /// The `seq` of the entry that last changed it: its version for optimistic concurrency.
    pub version: u64,
    /// What routing keeps of it.
    #[serde(default, skip_serializing_if = "Route::is_default")]
    pub route: Route,
    /// How it stands to what its line promises.
    #[serde(default, skip_serializing_if = "SlaClocks::is_empty")]
    pub sla: SlaClocks,
}

/// What routing keeps of a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Route {
    /// Since when it waits this time, on a line where waiting long changes something; 0: since it was queued.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero_ms")]
    pub waits_since_ms: u64,
    /// How many overflow stages it has reached.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub stage: u32,
    /// Whether the last resort was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub otherwise_done: bool,
    /// How often overflow moved it to another line.
    #[serde(default, skip_serializing_if = "super::defaults::is_zero")]
    pub line_hops: u32,
    /// For whom it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reservation>,
    /// The client's language, where operators are chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When it should be answered at the latest: orders dialogs of equal score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Whether the owner has answered, on a line where that frees capacity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner_answered: bool,
    /// Who has written in it without owning it, on a line where an answer frees capacity: should they become
    /// the owner, they have answered.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub others_answered: BTreeSet<OperatorId>,
}

impl Route {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A dialog is kept for one operator for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// For whom.
    pub operator: OperatorId,
    /// Until when.
    pub until_ms: u64,
}

/// The last message, for lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastMessage {
    /// Which.
    pub id: MessageId,
    /// Who wrote to whom.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// The beginning of its text, at most [`LastMessage::TEXT_CHARS_MAX`] characters.
    pub text: String,
    /// When.
    pub at_ms: u64,
}

impl LastMessage {
    /// Enough for a line in a list, and small enough for each dialog to keep in memory.
    pub const TEXT_CHARS_MAX: usize = 160;
}

/// Where a dialog is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialogState {
    /// Just opened; never seen after the entry that opened it.
    New,
    /// Waits for an operator.
    Queued,
    /// Waits, and is proposed to somebody. Keeps its place in the queue.
    Offered,
    /// Has an owner who has not written yet.
    Accepted,
    /// The owner wrote last.
    WaitingClient,
    /// The client wrote last.
    WaitingOperator,
    /// The work is done and the client may still rate it. Holds no capacity.
    Closing,
    /// Over, unless it is reopened.
    Closed,
}

impl Dialog {
    /// Since when it waits this time.
    pub fn waits_since_ms(&self) -> u64 {
        self.queued_at_ms.max(self.route.waits_since_ms)
    }

    /// What a reason to close comes to for this dialog. A client who leaves, or falls silent, before a person
    /// has written to them abandons the dialog; and where the messenger takes no answer any more, it is not the
    /// silence alone that ends it.
    pub fn reason_to_close(&self, reason: CloseReason) -> CloseReason {
        match reason {
            CloseReason::Client | CloseReason::Silence if self.first_response_at_ms.is_none() => {
                CloseReason::Abandoned
            }
            CloseReason::Silence if self.life.window_closed_at_ms.is_some() => CloseReason::ReplyWindow,
            _ => reason,
        }
    }

    /// How the client was left without a person's answer; `None`: they were not, or the dialog goes on, or is
    /// nothing to answer.
    pub fn missed(&self) -> Option<Missed> {
        let is_missed = self.state == DialogState::Closed && self.first_response_at_ms.is_none();
        match self.close_reason.filter(|_| is_missed)? {
            CloseReason::Spam | CloseReason::Duplicate => None,
            CloseReason::Abandoned => Some(Missed::Abandoned),
            _ => Some(Missed::Unanswered),
        }
    }

    /// Whether it counts against the limits of its owner, in a way of counting.
    pub fn counts(&self, counts: Counts) -> bool {
        match counts {
            Counts::UntilClosed => true,
            Counts::UntilClientTurn => self.state != DialogState::WaitingClient,
            Counts::UntilFirstAnswer => {
                // The first answer of all was this owner's when they had accepted before.
                let was_first = self.first_response_at_ms > self.accepted_at_ms;
                !(self.route.owner_answered || (self.first_response_at_ms.is_some() && was_first))
            }
        }
    }
}

impl DialogState {
    /// All states, in the order of life.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Queued,
        Self::Offered,
        Self::Accepted,
        Self::WaitingClient,
        Self::WaitingOperator,
        Self::Closing,
        Self::Closed,
    ];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Queued => "queued",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::WaitingClient => "waiting_client",
            Self::WaitingOperator => "waiting_operator",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }

    /// Whether a dialog may go from this state to `next` in one step. Staying is not a step.
    pub const fn may_become(self, next: Self) -> bool {
        let ends = matches!(next, Self::Closing | Self::Closed);
        match self {
            Self::New => matches!(next, Self::Queued | Self::Accepted),
            Self::Queued => ends || matches!(next, Self::Offered | Self::Accepted),
            Self::Offered => ends || matches!(next, Self::Queued | Self::Accepted),
            Self::Accepted => {
                ends || matches!(next, Self::WaitingClient | Self::WaitingOperator | Self::Queued)
            }
            Self::WaitingClient => {
                ends || matches!(next, Self::WaitingOperator | Self::Accepted | Self::Queued)
            }
            Self::WaitingOperator => {
                ends || matches!(next, Self::WaitingClient | Self::Accepted | Self::Queued)
            }
            Self::Closing => matches!(next, Self::Accepted | Self::Queued | Self::Closed),
            // Only by reopening.
            Self::Closed => matches!(next, Self::Accepted | Self::Queued),
        }
    }

    /// Whether the dialog waits for an operator.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Queued | Self::Offered)
    }

    /// Whether the dialog has an owner who works on it.
    pub const fn is_owned(self) -> bool {
        matches!(self, Self::Accepted | Self::WaitingClient | Self::WaitingOperator)
    }
}

/// How a dialog ended in which no person wrote to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The client went away before.
    Abandoned,
    /// We closed it.
    Unanswered,
}

impl Missed {
    /// Both, in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::Abandoned, Self::Unanswered];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Why a dialog was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum CloseReason {
    Operator,
    Supervisor,
    Rule,
    Spam,
    Client,
    Silence,
    Duplicate,
    ReplyWindow,
    Abandoned,
}

impl CloseReason {
    /// All reasons, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Operator,
        Self::Supervisor,
        Self::Rule,
        Self::Spam,
        Self::Client,
        Self::Silence,
        Self::Duplicate,
        Self::ReplyWindow,
        Self::Abandoned,
    ];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Rule => "rule",
            Self::Spam => "spam",
            Self::Client => "client",
            Self::Silence => "silence",
            Self::Duplicate => "duplicate",
            Self::ReplyWindow => "reply_window",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the client is asked to rate a dialog that ends so.
    pub const fn is_rated(self) -> bool {
        matches!(self, Self::Operator | Self::Supervisor | Self::Rule | Self::Client)
    }
}
