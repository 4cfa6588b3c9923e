//! A dialog proposed to an operator.

use serde::{Deserialize, Serialize};

use super::id::{OfferId, OperatorId};

/// A live offer. It holds capacity of the operator until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its identifier.
    pub id: OfferId,
    /// To whom.
    pub operator: OperatorId,
    /// Since when.
    pub offered_at_ms: u64,
    /// Until when; `None` stays until it is answered or withdrawn.
    pub expires_at_ms: Option<u64>,
    /// True when this operator was chosen by name (a transfer): nobody else is asked meanwhile, and a person,
    /// though not a rule, may exceed the capacity by that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// How an offer ended. Each offer has exactly one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// The operator took the dialog.
    Accepted,
    /// The operator declined.
    Declined,
    /// The deadline passed.
    Expired,
    /// Somebody else accepted first.
    TakenByOther,
    /// The operator is not there any more.
    OperatorAway,
    /// The operator may not serve the line any more.
    OperatorRemoved,
    /// The operator's shift is over.
    OffShift,
    /// The operator is on vacation or works here no more.
    OnLeave,
    /// A limit was lowered: the operator has no room for it any more.
    Full,
    /// The topic changed: others are asked now.
    TopicChanged,
    /// It waited too long: others are asked now.
    Overflowed,
    /// The dialog was transferred.
    Transferred,
    /// The dialog was put back into the queue.
    Requeued,
    /// The dialog was closed.
    DialogClosed,
}
