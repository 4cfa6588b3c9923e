//! Effects and secrets for the unit tests of the codecs and of what carries their requests.

use zeroize::Zeroizing;

use crate::model::effect::{Effect, EffectAction, EffectState, Lane, Outgoing};
use crate::model::id::{ChannelId, DialogId, EffectId, LineId, MessageId};
use crate::model::secret::SecretRef;

use super::start::ResolvedSecrets;

/// Each variable of the environment has the value of its name; `MISSING` has none.
pub(crate) struct Names;

impl ResolvedSecrets for Names {
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>> {
        match reference {
            SecretRef::Env(name) if name != "MISSING" => Some(Zeroizing::new(name.clone())),
            _ => None,
        }
    }
}

/// A text for the chat of the sample person.
pub(crate) fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        sender: None,
        channel: ChannelId::from("shop"),
        chat: "1111111".to_owned(),
        user: "1111111".to_owned(),
        message: MessageId::new(7, 0),
        text: text.to_owned(),
        buttons: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        automatic: false,
        context: None,
    }
}

/// The first attempt on `action`.
pub(crate) fn effect(action: EffectAction) -> Effect {
    Effect {
        id: EffectId::new(7, 0),
        lane: Lane::Chat { channel: ChannelId::from("shop"), chat: "1111111".to_owned() },
        line: LineId::from("sales"),
        dialog: DialogId::new(3, 0),
        action,
        state: EffectState::Pending,
        attempts: 1,
        parts_done: 0,
        last_error: None,
        created_at_ms: 0,
        updated_at_ms: 0,
    }
}

/// The first attempt on a text.
pub(crate) fn send(text: &str) -> Effect {
    effect(EffectAction::Send(outgoing(text)))
}
