//! The list of messengers: one line each.

use crate::model::channel::ChannelSettings;
use crate::model::id::ChannelId;

use super::codec::Channel;
use super::email::Email;
use super::instagram;
use super::max::Max;
use super::messenger;
use super::start::{ConnectError, ResolvedSecrets};
use super::telegram::Telegram;
use super::viber::Viber;
use super::vk::Vk;
use super::webhook::Webhook;
use super::whatsapp::Whatsapp;

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
        ChannelSettings::Viber(settings) => Ok(Box::new(Viber::connect(id, settings, secrets)?)),
        ChannelSettings::Vk(settings) => Ok(Box::new(Vk::connect(id, settings, secrets)?)),
        ChannelSettings::Max(settings) => Ok(Box::new(Max::connect(id, settings, secrets)?)),
        ChannelSettings::Webhook(settings) => Ok(Box::new(Webhook::connect(id, settings, secrets)?)),
        ChannelSettings::Whatsapp(settings) => Ok(Box::new(Whatsapp::connect(id, settings, secrets)?)),
        ChannelSettings::Messenger(settings) => Ok(Box::new(messenger::connect(id, settings, secrets)?)),
        ChannelSettings::Instagram(settings) => Ok(Box::new(instagram::connect(id, settings, secrets)?)),
        ChannelSettings::Email(settings) => Ok(Box::new(Email::connect(id, settings, secrets)?)),
        ChannelSettings::Inactive(kind) => Err(ConnectError::NotServed(*kind)),
    }
}
