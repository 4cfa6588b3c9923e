//! How long an effect waits for its next attempt.

use crate::model::effect::{Effect, EffectAction};

/// The waits between attempts at an endpoint, as Standard Webhooks proposes them.
const ENDPOINT_MS: [u64; 7] = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000];
/// The first wait for a message to a client; each next one is twice as long.
const MESSAGE_FIRST_MS: u64 = 1_000;
/// The longest wait for a message: a messenger that is back is noticed within minutes.
const MESSAGE_MAX_MS: u64 = 300_000;
/// A message that could not be delivered for so long is of no use to the client any more.
const MESSAGE_GIVE_UP_MS: u64 = 24 * 3_600_000;
/// A receiver may not park a message longer than this by asking for it.
const ASKED_MAX_MS: u64 = 3_600_000;

/// How long to wait before the next attempt, in ms; `None` when attempts are used up. `asked_ms` is what
/// the receiver asked for. The spread comes from the effect's identifier, so that it is the same on
/// each replay while effects that failed together do not come back together.
pub(super) fn delay_ms(effect: &Effect, asked_ms: Option<u64>, now_ms: u64) -> Option<u64> {
    let asked_ms = asked_ms.unwrap_or(0).min(ASKED_MAX_MS);
    let place = usize::try_from(effect.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let base_ms = match &effect.action {
        EffectAction::Notify(_) => *ENDPOINT_MS.get(place)?,
        EffectAction::Send(_) => {
            if now_ms.saturating_sub(effect.created_at_ms) >= MESSAGE_GIVE_UP_MS {
                return None;
            }
            MESSAGE_FIRST_MS
                .saturating_mul(1u64.checked_shl(effect.attempts.saturating_sub(1)).unwrap_or(u64::MAX))
                .min(MESSAGE_MAX_MS)
        }
        // Worth nothing once the client has stopped looking at the button.
        EffectAction::AcknowledgeButton { .. } => *[1_000, 2_000].get(place)?,
    };
    Some(base_ms.saturating_add(spread(effect, base_ms)).max(asked_ms))
}

/// Up to a quarter of `base_ms`.
fn spread(effect: &Effect, base_ms: u64) -> u64 {
    let mixed = (effect.id.seq ^ (u64::from(effect.id.index) << 32) ^ (u64::from(effect.attempts) << 48))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        >> 32;
    mixed % (base_ms / 4 + 1)
}
