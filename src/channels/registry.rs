//! The list of messengers: one line each.

use crate::model::channel::ChannelSettings;
use crate::model::id::ChannelId;

use super::codec::Channel;
use super::email::Email;
use super::start::{ConnectError, ResolvedSecrets};
use super::telegram::Telegram;
use super::webhook::Webhook;

/// Starts the channel binding `id`: checks its settings and takes its secrets.
///
/// # Errors
/// A secret is missing, a setting cannot work, or this version does not serve the kind. The daemon
/// runs without the channel and tries again at the next reload.
pub fn connect(
    id: &ChannelId,
    settings: &ChannelSettings,
    secrets: &dyn ResolvedSecrets,
) -> Result<Box<dyn Channel>, ConnectError> {
    match settings {
        ChannelSettings::Telegram(settings) => Ok(Box::new(Telegram::connect(id, settings, secrets)?)),
        ChannelSettings::Email(settings) => Ok(Box::new(Email::connect(id, settings, secrets)?)),
        ChannelSettings::Webhook(settings) => Ok(Box::new(Webhook::connect(id, settings, secrets)?)),
        ChannelSettings::Whatsapp(_)
        | ChannelSettings::Messenger(_)
        | ChannelSettings::Instagram(_)
        | ChannelSettings::Viber(_)
        | ChannelSettings::Vk(_)
        | ChannelSettings::Max(_) => Err(ConnectError::NotServed(settings.kind())),
        ChannelSettings::Inactive(kind) => Err(ConnectError::NotServed(*kind)),
    }
}
