//! What an input came to.

use serde::{Deserialize, Serialize};

use super::dialog::DialogState;
use super::id::{DialogId, EffectId, MessageId, OperatorId};

/// What an input came to. Kept under its `input_id`, so that the same input again gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Applied(Receipt),
    /// It was not possible.
    Rejected(Rejection),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// The dialog concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialog: Option<DialogId>,
    /// The message stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// The outcome of an input with where it was first applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownInput {
    /// The entry that was applied.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// For a command: SHA-256 (hex) of what was asked, so that one key is not used for two wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
}

/// Why an input was not possible. A closed list; the texts are for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// No configuration is live yet.
    #[error("no configuration is live yet")]
    NotConfigured,
    /// The configuration in the entry cannot be used; the one before stays.
    #[error("the configuration cannot be used: {0}")]
    UnusableConfig(String),
    /// The configuration leaves out something that open dialogs need; the one before stays.
    #[error("{0}")]
    ConfigInUse(String),
    /// There is no such channel now.
    #[error("the channel does not exist in the live configuration")]
    UnknownChannel,
    /// There is no such dialog.
    #[error("there is no such dialog")]
    UnknownDialog,
    /// There is no such operator.
    #[error("there is no such operator")]
    UnknownOperator,
    /// There is no such team.
    #[error("there is no such team")]
    UnknownTeam,
    /// There is no such line.
    #[error("there is no such line")]
    UnknownLine,
    /// There is no such template.
    #[error("there is no such template")]
    UnknownTemplate,
    /// There is no such message.
    #[error("there is no such message")]
    UnknownMessage,
    /// There is no such effect.
    #[error("there is no such delivery")]
    UnknownEffect,
    /// The dialog is over.
    #[error("the dialog is closed")]
    DialogClosed,
    /// The offer is gone, or there never was one.
    #[error("the dialog is not offered to this operator any more")]
    NotOffered {
        /// Who has the dialog now.
        owner: Option<OperatorId>,
    },
    /// Somebody else owns the dialog, or nobody does.
    #[error("the dialog is not owned by this operator")]
    NotOwner {
        /// Who does.
        owner: Option<OperatorId>,
    },
    /// The operator to whom it is to go owns the dialog.
    #[error("the operator owns the dialog already")]
    OwnedAlready,
    /// The only operator who is there cannot decline: the dialog would have nowhere to go.
    #[error("no other operator is available for this dialog")]
    OnlyAvailableOperator,
    /// The operator is not there.
    #[error("the operator is not online")]
    OperatorUnavailable,
    /// The operator does not serve the line.
    #[error("the operator does not serve the line")]
    OperatorNotOnLine,
    /// The dialog is not in a state in which this is possible.
    #[error("this is not possible while the dialog is {}", state.as_str())]
    WrongState {
        /// The state.
        state: DialogState,
    },
    /// Another dialog of the chat is open: there is at most one.
    #[error("another dialog of the chat is open: {dialog}")]
    OtherDialogOpen {
        /// Which.
        dialog: DialogId,
    },
    /// The end of a pause is not between now and the limit of the line.
    #[error("a pause must end later than now, and within the limit of the line")]
    PauseBeyondLimit {
        /// The latest possible end, in ms.
        latest_ms: u64,
    },
    /// A score is none of 1 to 5.
    #[error("a score is a number from 1 to 5")]
    WrongScore,
    /// More people listen to the dialog than may.
    #[error("no more than {max} people can join a dialog")]
    TooManyJoined {
        /// The limit.
        max: usize,
    },
    /// There is no such chat.
    #[error("there is no such chat")]
    UnknownChat,
    /// The dialog changed in between.
    #[error("the dialog changed in between: its version is {current}")]
    VersionMismatch {
        /// The version now.
        current: u64,
    },
    /// The client does not allow us to write.
    #[error("the client does not allow messages")]
    ClientBlocked,
    /// A machine may be answering what machines of ours wrote.
    #[error("the client has had three automatic mails within an hour")]
    TooManyAutomatic,
    /// The template could not be filled in.
    #[error("the template cannot be rendered: {0}")]
    TemplateFailed(String),
    /// The text is empty.
    #[error("the text is empty")]
    EmptyText,
    /// The dialog's own fields would take more room than they may.
    #[error("the dialog's own fields would be longer than {max} bytes: shorten or remove some")]
    CustomTooLarge {
        /// The limit in bytes of JSON.
        max: usize,
    },
    /// The effect is not in a state in which this is possible.
    #[error("this is not possible while the delivery is {0}")]
    WrongEffectState(String),
    /// The result or claim does not fit what is in flight.
    #[error("the delivery is not at this attempt")]
    StaleAttempt,
    /// The same key was used for another wish.
    #[error("this idempotency key was used for a different request")]
    KeyReused,
}

impl Rejection {
    /// The word used in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::UnusableConfig(_) => "unusable_config",
            Self::ConfigInUse(_) => "config_in_use",
            Self::UnknownChannel => "unknown_channel",
            Self::UnknownDialog => "unknown_dialog",
            Self::UnknownOperator => "unknown_operator",
            Self::UnknownTeam => "unknown_team",
            Self::UnknownLine => "unknown_line",
            Self::UnknownTemplate => "unknown_template",
            Self::UnknownMessage => "unknown_message",
            Self::UnknownEffect => "unknown_delivery",
            Self::DialogClosed => "dialog_closed",
            Self::NotOffered { .. } => "not_offered",
            Self::NotOwner { .. } => "not_owner",
            Self::OwnedAlready => "owned_already",
            Self::OnlyAvailableOperator => "only_available_operator",
            Self::OperatorUnavailable => "operator_unavailable",
            Self::OperatorNotOnLine => "operator_not_on_line",
            Self::WrongState { .. } => "wrong_state",
            Self::WrongScore => "wrong_score",
            Self::TooManyJoined { .. } => "too_many_joined",
            Self::UnknownChat => "unknown_chat",
            Self::OtherDialogOpen { .. } => "other_dialog_open",
            Self::PauseBeyondLimit { .. } => "pause_beyond_limit",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::ClientBlocked => "client_blocked",
            Self::TooManyAutomatic => "too_many_automatic",
            Self::TemplateFailed(_) => "template_failed",
            Self::EmptyText => "empty_text",
            Self::CustomTooLarge { .. } => "custom_too_large",
            Self::WrongEffectState(_) => "wrong_delivery_state",
            Self::StaleAttempt => "stale_attempt",
            Self::KeyReused => "idempotency_key_reused",
        }
    }
}

/// An effect that can be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyEffect {
    /// Which.
    pub effect: EffectId,
    /// The attempt to claim.
    pub attempt: u32,
}
