//! Machines that answer each other by mail: what says that it is a machine is never answered, and what does not
//! say so is answered a few times.

use crate::model::id::ClientId;
use crate::model::outcome::Rejection;

use super::step::Step;

/// Automatic mails to one client within [`WITHIN_MS`]: a greeting, a word while waiting, a last word.
const AUTOMATIC_MAX: usize = 3;

/// An hour, in ms.
const WITHIN_MS: u64 = 60 * 60 * 1000;

/// Counts an automatic mail to a client.
///
/// # Errors
/// There were too many lately: this one is not to be sent.
pub(super) fn count(step: &mut Step<'_>, client: ClientId) -> Result<(), Rejection> {
    let at_ms = step.at_ms;
    let Some(row) = step.state.clients.get_mut(&client) else { return Ok(()) };
    row.automatic_mails_ms.retain(|sent_ms| at_ms.saturating_sub(*sent_ms) < WITHIN_MS);
    if row.automatic_mails_ms.len() >= AUTOMATIC_MAX {
        return Err(Rejection::TooManyAutomatic);
    }
    row.automatic_mails_ms.push(at_ms);
    Ok(())
}
