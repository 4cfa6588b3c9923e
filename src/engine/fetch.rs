//! Bringing rows into memory before an entry is applied, so that applying needs no store.

use std::sync::Arc;

use crate::model::chat::ChatAddress;
use crate::model::client::Identity;
use crate::model::command::Action;
use crate::model::effect::{EffectAction, Lane};
use crate::model::entry::Entry;
use crate::model::id::{ChannelId, ChatId, ClientId, DialogId, EffectId, MessageId};
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, UpTo};
use crate::model::input::Input;
use crate::model::input_id;
use crate::model::outcome::Outcome;
use crate::model::timer::TimerKey;

use super::rows::{Archive, ArchiveError};
use super::state::State;
use super::{rating, silence};

/// Fetches every row that applying `entry` may look at and that is not in memory.
///
/// # Errors
/// When the store cannot be read. The state is as before, apart from rows fetched so far.
pub fn fetch(state: &mut State, archive: &dyn Archive, entry: &Entry) -> Result<(), ArchiveError> {
    fetch_for(state, archive, &entry.input_id, &entry.input, entry.at_ms).map(drop)
}

/// As [`fetch`], for an input that has no entry yet. Returns whether it came before: then nothing else is
/// fetched, since it will not be applied again.
///
/// # Errors
/// When the store cannot be read.
pub fn fetch_for(
    state: &mut State,
    archive: &dyn Archive,
    input_id: &str,
    input: &Input,
    at_ms: u64,
) -> Result<bool, ArchiveError> {
    let mut fetch = Fetch { state, archive };
    if matches!(input, Input::Inbound(_) | Input::Command(_)) && fetch.known_input(input_id)? {
        return Ok(true);
    }
    fetch.rows(input, at_ms).map(|()| false)
}

struct Fetch<'a> {
    state: &'a mut State,
    archive: &'a dyn Archive,
}

impl Fetch<'_> {
    /// What applying `input` may look at.
    fn rows(&mut self, input: &Input, at_ms: u64) -> Result<(), ArchiveError> {
        match input {
            Input::ConfigActivated(_) => Ok(()),
            Input::NodeStarted => {
                let open: Vec<EffectId> =
                    self.state.lanes.values().filter_map(|lane| lane.in_flight).collect();
                open.into_iter().try_for_each(|effect| self.effect(effect))
            }
            Input::Tick => {
                let due: Vec<EffectId> = self
                    .state
                    .timers
                    .due(at_ms)
                    .filter_map(|key| match key {
                        TimerKey::EffectDeadline { effect } => Some(*effect),
                        TimerKey::OfferExpires { .. }
                        | TimerKey::ReservationEnds { .. }
                        | TimerKey::Overflow { .. }
                        | TimerKey::Otherwise { .. }
                        | TimerKey::Sla { .. }
                        | TimerKey::ShiftBorder { .. }
                        | TimerKey::EffectRetry { .. }
                        | TimerKey::Life { .. } => None,
                    })
                    .collect();
                due.into_iter().try_for_each(|effect| self.effect(effect))
            }
            Input::Inbound(inbound) => match &inbound.fact {
                Fact::Message(message) => self.person(&inbound.channel, &message.chat, &message.user),
                Fact::Button { chat, user, data, .. } => {
                    // The button may belong to a dialog that was over long ago.
                    let named = rating::of_button(data).map(|(dialog, _)| dialog);
                    let named = named.or_else(|| silence::of_button(data).map(|(dialog, _)| dialog));
                    named.map_or(Ok(()), |dialog| self.dialog(dialog))?;
                    self.person(&inbound.channel, chat, user)
                }
                Fact::Subscription { chat, user, .. } => self.person(&inbound.channel, chat, user),
                Fact::Edited { chat, message, .. } | Fact::Deleted { chat, message } => {
                    self.original(&input_id::message(&inbound.channel, &chat.id, message))
                }
                Fact::Fate { chat, message, .. } => {
                    self.original(&input_id::sent(&inbound.channel, &chat.id, message))
                }
                Fact::FateUpTo { chat, up_to, .. } => self.unseen(&inbound.channel, chat, up_to),
                Fact::Reaction { chat, user, message, .. } => {
                    self.original(&input_id::message(&inbound.channel, &chat.id, message))?;
                    self.original(&input_id::sent(&inbound.channel, &chat.id, message))?;
                    self.person(&inbound.channel, chat, user)
                }
                Fact::Echo { chat, user, id, tracking, .. } => {
                    let tracked = tracking.as_deref().and_then(|tracking| tracking.parse().ok());
                    tracked.map_or(Ok(()), |effect| self.effect(effect))?;
                    self.original(&input_id::sent(&inbound.channel, &chat.id, id))?;
                    self.on_its_way(&inbound.channel, chat)?;
                    self.person(&inbound.channel, chat, user)?;
                    self.last_message(&inbound.channel, chat, user)
                }
                Fact::Referral { chat, user, .. } => self.person(&inbound.channel, chat, user),
                Fact::Moved { chat, user, new_chat, new_user } => {
                    self.person(&inbound.channel, chat, user)?;
                    let user = ExternalUser { id: new_user.clone(), ..ExternalUser::default() };
                    self.person(&inbound.channel, &ExternalChat::of(new_chat.clone()), &user)?;
                    self.identity(&inbound.channel, &user)
                }
                Fact::Unsupported { .. } => Ok(()),
            },
            Input::Command(command) => match &command.action {
                Action::Accept { dialog, .. }
                | Action::Decline { dialog, .. }
                | Action::Reply { dialog, .. }
                | Action::AddNote { dialog, .. }
                | Action::Transfer { dialog, .. }
                | Action::Requeue { dialog, .. }
                | Action::Close { dialog, .. }
                | Action::Reopen { dialog }
                | Action::Pause { dialog, .. }
                | Action::Resume { dialog }
                | Action::TakeOver { dialog, .. }
                | Action::Join { dialog, .. }
                | Action::Leave { dialog, .. }
                | Action::RateWork { dialog, .. }
                | Action::Update { dialog, .. } => self.dialog(*dialog),
                Action::RetryDelivery { effect } | Action::CancelDelivery { effect } => self.effect(*effect),
                Action::WriteFirst { chat, .. } => self.chat(*chat),
                Action::SetPresence { .. } => Ok(()),
            },
            Input::EffectClaimed { effect, .. } | Input::EffectResult { effect, .. } => self.effect(*effect),
        }
    }

    /// What an input came to. Returns whether it came before.
    fn known_input(&mut self, input_id: &str) -> Result<bool, ArchiveError> {
        if self.state.known_inputs.get(input_id).is_some() {
            return Ok(true);
        }
        let Some(known) = self.archive.known_input(input_id)? else { return Ok(false) };
        let number = self.state.current_hand_over();
        self.state.known_inputs.put_stored(input_id, known, number);
        Ok(true)
    }

    fn person(
        &mut self,
        channel: &ChannelId,
        chat: &ExternalChat,
        user: &ExternalUser,
    ) -> Result<(), ArchiveError> {
        let known = match self.state.chat_at(channel, chat, user) {
            Some(id) => Some(id),
            None => self.archive.chat_at(&ChatAddress::of(channel, chat, user))?,
        };
        known.map_or(Ok(()), |id| self.chat(id))?;
        // The archive finds a chat by its earlier addresses too.
        match self.state.chat_at(channel, chat, user) {
            Some(id) => {
                // With no dialog open, the message may reopen the last one or be a vote about it.
                let last = self.state.chats.get(&id).filter(|chat| chat.open_dialog.is_none());
                last.and_then(|chat| chat.last_dialog).map_or(Ok(()), |last| self.dialog(last))
            }
            None => self.identity(channel, user),
        }
    }

    /// The client whom the messenger knows by an id.
    fn identity(&mut self, channel: &ChannelId, user: &ExternalUser) -> Result<(), ArchiveError> {
        let identity = Identity { channel: channel.clone(), user: user.id.clone() };
        if self.state.identities.get(&identity).is_none()
            && let Some(client) = self.archive.client_of(&identity)?
        {
            self.client(client)?;
        }
        Ok(())
    }

    /// The messages of a chat that the client has not seen yet.
    fn unseen(&mut self, channel: &ChannelId, chat: &ExternalChat, up_to: &UpTo) -> Result<(), ArchiveError> {
        if let UpTo::Message(message) = up_to {
            self.original(&input_id::sent(channel, &chat.id, message))?;
        }
        let user = ExternalUser { id: chat.id.clone(), ..ExternalUser::default() };
        self.person(channel, chat, &user)?;
        let known = self.state.chat_at(channel, chat, &user).and_then(|id| self.state.chats.get(&id));
        let unseen = known.map(|chat| chat.unseen.clone()).unwrap_or_default();
        unseen.into_iter().try_for_each(|sent| {
            self.dialog(sent.dialog)?;
            self.message(sent.dialog, sent.message)
        })
    }

    /// The message that is sent in a chat now.
    fn on_its_way(&mut self, channel: &ChannelId, chat: &ExternalChat) -> Result<(), ArchiveError> {
        let lane = Lane::Chat { channel: channel.clone(), chat: chat.id.clone() };
        let first = self.state.lanes.get(&lane).and_then(|lane| lane.open.first()).copied();
        first.map_or(Ok(()), |effect| self.effect(effect))
    }

    /// The last message of the dialog that is open in a chat, or was.
    fn last_message(
        &mut self,
        channel: &ChannelId,
        chat: &ExternalChat,
        user: &ExternalUser,
    ) -> Result<(), ArchiveError> {
        let known = self.state.chat_at(channel, chat, user).and_then(|id| self.state.chats.get(&id));
        let Some(dialog) = known.and_then(|chat| chat.open_dialog.or(chat.last_dialog)) else {
            return Ok(());
        };
        let last = self.state.dialogs.get(&dialog).and_then(|row| row.last_message.as_ref());
        last.map(|last| last.id).map_or(Ok(()), |message| self.message(dialog, message))
    }

    /// The message that a key leads to, with its dialog.
    fn original(&mut self, key: &str) -> Result<(), ArchiveError> {
        self.known_input(key)?;
        let receipt = match self.state.known_inputs.get(key).map(|known| &known.outcome) {
            Some(Outcome::Applied(receipt)) => receipt.clone(),
            _ => return Ok(()),
        };
        if let (Some(dialog), Some(message)) = (receipt.dialog, receipt.message) {
            self.dialog(dialog)?;
            self.message(dialog, message)?;
        }
        Ok(())
    }

    fn dialog(&mut self, id: DialogId) -> Result<(), ArchiveError> {
        if !self.state.dialogs.contains(&id) {
            let Some(dialog) = self.archive.dialog(id)? else { return Ok(()) };
            let number = self.state.current_hand_over();
            self.state.dialogs.put_stored(id, dialog, number);
        }
        match self.state.dialogs.get(&id).map(|dialog| dialog.chat) {
            Some(chat) => self.chat(chat),
            None => Ok(()),
        }
    }

    fn chat(&mut self, id: ChatId) -> Result<(), ArchiveError> {
        if !self.state.chats.contains(&id) {
            let Some(chat) = self.archive.chat(id)? else { return Ok(()) };
            let number = self.state.current_hand_over();
            self.state.addresses.insert(chat.address.clone(), id);
            self.state.chats.put_stored(id, chat, number);
        }
        match self.state.chats.get(&id).map(|chat| chat.client) {
            Some(client) => self.client(client),
            None => Ok(()),
        }
    }

    fn client(&mut self, id: ClientId) -> Result<(), ArchiveError> {
        if !self.state.clients.contains(&id) {
            let Some(client) = self.archive.client(id)? else { return Ok(()) };
            let number = self.state.current_hand_over();
            for identity in &client.identities {
                self.state.identities.insert(identity.clone(), id);
            }
            self.state.clients.put_stored(id, client, number);
        }
        Ok(())
    }

    fn message(&mut self, dialog: DialogId, id: MessageId) -> Result<(), ArchiveError> {
        if !self.state.messages.contains(&id)
            && let Some(message) = self.archive.message(dialog, id)?
        {
            let number = self.state.current_hand_over();
            self.state.messages.put_stored(id, Arc::new(message), number);
        }
        Ok(())
    }

    fn effect(&mut self, id: EffectId) -> Result<(), ArchiveError> {
        if !self.state.effects.contains(&id) {
            let Some(effect) = self.archive.effect(id)? else { return Ok(()) };
            let number = self.state.current_hand_over();
            self.state.effects.put_stored(id, effect, number);
        }
        let Some(effect) = self.state.effects.get(&id) else { return Ok(()) };
        let dialog = effect.dialog;
        let message = match &effect.action {
            EffectAction::Send(outgoing) => Some(outgoing.message),
            EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => None,
        };
        self.dialog(dialog)?;
        message.map_or(Ok(()), |message| self.message(dialog, message))
    }
}
