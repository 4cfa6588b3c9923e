//! A fact that the engine states, for people and machines that watch.

use serde::{Deserialize, Serialize};

use super::id::{DialogId, LineId};

/// One event. Numbered by the entry that caused it and its place within.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The entry that caused it.
    pub seq: u64,
    /// Its place among the events of that entry.
    pub index: u32,
    /// When.
    pub at_ms: u64,
    /// What kind of fact.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The line concerned.
    pub line: Option<LineId>,
    /// The dialog concerned.
    pub dialog: Option<DialogId>,
    /// What else there is to know; the shape depends on the kind.
    pub data: serde_json::Value,
}

/// Defines the closed list of events with their names.
macro_rules! event_kinds {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// The closed list of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventKind {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)*
        }

        impl EventKind {
            /// All events, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name used in YAML and in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it says, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

event_kinds! {
    DialogOpened = "dialog.opened", "A client wrote and no dialog of the chat was open.";
    DialogQueued = "dialog.queued", "A dialog began to wait for an operator.";
    DialogOffered = "dialog.offered", "A dialog was offered to an operator.";
    DialogOfferEnded = "dialog.offer_ended", "An offer ended: accepted, declined, expired or withdrawn.";
    DialogAccepted = "dialog.accepted", "An operator became the owner.";
    DialogTransferred = "dialog.transferred", "A dialog was given to an operator, a team or a line.";
    DialogOverflowed = "dialog.overflowed", "A dialog waited so long that an overflow stage or the last resort of its line began.";
    DialogUnanswered = "dialog.unanswered", "Everybody was asked as often as `max_rounds` allows; nobody is asked again until something changes.";
    DialogJoined = "dialog.joined", "A supervisor joined a dialog, or left it.";
    DialogReviewed = "dialog.reviewed", "A supervisor rated the operator's work on a dialog.";
    DialogUpdated = "dialog.updated", "Priority, topic, tags, pause or fields of a dialog changed.";
    DialogClosing = "dialog.closing", "The work on a dialog is done; the client is asked for a rating.";
    DialogReturned = "dialog.returned", "A client wrote while a dialog was closing: it goes on.";
    DialogClosed = "dialog.closed", "A dialog was closed.";
    DialogReopened = "dialog.reopened", "A closed dialog was opened again.";
    DialogRated = "dialog.rated", "A client rated a dialog, or changed the rating.";
    MessageReceived = "message.received", "A client's message was taken in.";
    MessageQueued = "message.queued", "A message to a client was put into the outbox.";
    MessageSent = "message.sent", "The messenger took a message to a client.";
    MessageDelivered = "message.delivered", "A client's device has a message of ours.";
    MessageRead = "message.read", "A client saw a message of ours.";
    MessageFailed = "message.failed", "A message will not reach its client.";
    TextNotSent = "text.not_sent", "An automatic text could not be sent; the reason is given.";
    MessageEdited = "message.edited", "A client changed a message.";
    MessageDeleted = "message.deleted", "A client took a message back; its text is kept in its history.";
    MessageReacted = "message.reacted", "A client answered a message with a sign, or took the sign back.";
    MessageEchoed = "message.echoed", "Somebody wrote to the client in our name elsewhere.";
    MessageUnsupported = "message.unsupported", "A messenger sent something that is not understood; its raw body is kept.";
    ButtonPressed = "button.pressed", "A client pressed a button.";
    NoteAdded = "note.added", "A note was written; clients never see it.";
    ClientCreated = "client.created", "A client was heard of for the first time.";
    ClientBlocked = "client.blocked", "A client forbade us to write.";
    ClientAllowed = "client.allowed", "A client who had forbidden it allows us to write again.";
    ClientReferred = "client.referred", "A client came by a link or an advertisement, and has not written yet.";
    ClientMoved = "client.moved", "A messenger knows a client by another id from now on.";
    OperatorPresence = "operator.presence", "An operator went online, away or offline.";
    OperatorShift = "operator.shift", "A shift or a vacation of an operator began or ended.";
    SlaWarning = "sla.warning", "The time that a line promises is nearly up.";
    SlaBreached = "sla.breached", "The time that a line promises is up.";
    RuleTripped = "rule.tripped", "A chain of rules was cut off at its limit.";
    ConfigActivated = "config.activated", "A configuration became the live one.";
    DeliveryDead = "delivery.dead", "An effect used up its attempts; a person may retry it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_json_is_the_name_in_yaml() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
