//! What clients do: they write, edit, press and block, and their messengers tell it twice.

use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, Inbound, InboundMessage};
use switchboard::model::input::Input;
use switchboard::model::input_id;
use switchboard::model::message::Direction;
use switchboard::model::outcome::Outcome;

use super::company::Company;
use super::configs::{CHANNELS, LANGUAGES};

impl Company {
    pub(super) fn someone(&mut self) -> (String, ExternalChat, ExternalUser) {
        let channel = (*self.random.pick(&CHANNELS)).to_owned();
        let person = self.random.below(9);
        // Some write in a group, some in several conversations.
        let chat =
            if person < 2 { "group".to_owned() } else { format!("chat-{person}-{}", self.random.below(2)) };
        let user = ExternalUser {
            id: format!("user-{person}"),
            name: self.random.chance(60).then(|| format!("Name {}", self.random.below(3))),
            phone: self.random.chance(5).then(|| "+7".to_owned()),
            language: self.random.chance(40).then(|| (*self.random.pick(&LANGUAGES)).to_owned()),
            ..ExternalUser::default()
        };
        // In Messenger a chat is one person's, and has their id.
        let chat = if channel == "messenger" { user.id.clone() } else { chat };
        (channel, ExternalChat::of(chat), user)
    }

    pub(super) fn client_writes(&mut self) {
        let (channel, chat, user) = self.someone();
        let id = format!("x{}", self.fresh());
        let input_id = input_id::message(&channel.as_str().into(), &chat.id, &id);
        let message = InboundMessage {
            chat,
            user,
            id,
            text: self.words(),
            attachments: Vec::new(),
            reply_to: None,
            source: None,
            unsupported: None,
            automatic: self.random.chance(5),
            letter: None,
        };
        self.webhook(
            input_id,
            Inbound { channel: channel.as_str().into(), external_at_ms: None, fact: Fact::Message(message) },
        );
    }

    /// Mostly something to be read; sometimes an answer to a question that was asked, or was not.
    pub(super) fn words(&mut self) -> String {
        match self.random.below(10) {
            0 => (*self.random.pick(&["1", "5", "+", "-", "Enough", "continue", "new"])).to_owned(),
            _ => format!("text {}", self.random.below(5)),
        }
    }

    pub(super) fn webhook(&mut self, input_id: String, inbound: Inbound) {
        let applied = self.take(&input_id, Input::Inbound(inbound.clone()));
        if let (Fact::Message(message), Outcome::Applied(receipt)) = (&inbound.fact, &applied.outcome) {
            assert!(receipt.dialog.is_some() && receipt.message.is_some());
            self.accepted.insert(input_id.clone(), message.id.clone());
        }
        self.sent.push((input_id, inbound));
    }

    pub(super) fn webhook_again(&mut self) {
        let Some((input_id, inbound)) = self.random.pick_of(self.sent.iter().cloned()) else { return };
        let was_accepted = self.accepted.contains_key(&input_id);
        let applied = self.take(&input_id, Input::Inbound(inbound.clone()));
        if let (Fact::Message(message), Outcome::Applied(_)) = (&inbound.fact, &applied.outcome) {
            let is_new = applied.first_seq == self.world.state.position().seq;
            assert!(!(was_accepted && is_new), "I1: {input_id} was applied twice");
            self.accepted.insert(input_id, message.id.clone());
        }
    }

    pub(super) fn client_edits(&mut self) {
        let messages: Vec<_> = self
            .sent
            .iter()
            .filter_map(|(_, inbound)| match &inbound.fact {
                Fact::Message(message) => Some((inbound.channel.clone(), message.clone())),
                _ => None,
            })
            .collect();
        let Some((channel, message)) = self.random.pick_of(messages.into_iter()) else { return };
        // Now and then the edit overtakes its message.
        let id = if self.random.chance(90) { message.id } else { format!("x{}", self.counter + 1) };
        let input_id = format!("{channel}/edit/{}/{id}/{}", message.chat.id, self.fresh());
        let fact = Fact::Edited { chat: message.chat, message: id, text: format!("edit {}", self.counter) };
        self.webhook(input_id, Inbound { channel, external_at_ms: None, fact });
    }

    pub(super) fn client_presses(&mut self) {
        let (mut channel, mut chat, mut user) = self.someone();
        let mut data = "yes".to_owned();
        // A button below some message of ours, of the same chat or, by a forger, of another one.
        if let Some(dialog) = self.known_dialog().filter(|_| self.random.chance(80)) {
            let row = self.world.archive.dialogs.get(&dialog).cloned();
            if let Some(row) = row.filter(|_| self.random.chance(90)) {
                channel = row.channel.to_string();
                chat.id = row.external_chat;
                user = ExternalUser {
                    id: self.world.archive.chats[&row.chat].address.user.clone(),
                    ..ExternalUser::default()
                };
            }
            data = match self.random.below(4) {
                0 => format!("silence:{dialog}:close"),
                1 => format!("silence:{dialog}:{}", self.random.pick(&["continue", "new"])),
                _ => format!("rate:{dialog}:{}", self.random.below(7)),
            };
        }
        let input_id = format!("{channel}/button/{}", self.fresh());
        let fact = Fact::Button {
            chat,
            user,
            data,
            title: None,
            message: None,
            acknowledge: self.random.chance(60).then(|| "press".into()),
        };
        self.webhook(input_id, Inbound { channel: channel.as_str().into(), external_at_ms: None, fact });
    }

    /// The client's messenger tells what became of messages, in any order and more than once.
    pub(super) fn client_reads(&mut self) {
        let sent: Vec<_> = self
            .world
            .archive
            .messages
            .values()
            .filter_map(|row| {
                let dialog = self.world.archive.dialogs.get(&row.dialog)?;
                let external = row.external_id.clone()?;
                Some((dialog.channel.clone(), dialog.external_chat.clone(), external, row.direction))
            })
            .collect();
        let ours: Vec<_> = sent
            .iter()
            .filter(|(channel, _, _, direction)| {
                matches!(channel.as_str(), "whatsapp" | "messenger") && *direction == Direction::Out
            })
            .cloned()
            .collect();
        let ours = self.random.pick_of(ours.into_iter()).filter(|_| self.random.chance(70));
        let Some((channel, chat, message, direction)) =
            ours.or_else(|| self.random.pick_of(sent.into_iter()))
        else {
            return;
        };
        let chat = ExternalChat::of(chat);
        let fact = match direction {
            Direction::In => Fact::Deleted { chat, message },
            Direction::Out => {
                let fate = match self.random.below(3) {
                    0 => Fate::Delivered,
                    1 => Fate::Read,
                    _ => Fate::Failed { reason: "lost".into(), refusal: None },
                };
                Fact::Fate { chat, message, fate }
            }
        };
        let input_id = format!("{channel}/update/{}", self.fresh());
        self.webhook(input_id, Inbound { channel, external_at_ms: None, fact });
    }

    pub(super) fn client_blocks(&mut self) {
        let (channel, chat, user) = self.someone();
        let input_id = format!("{channel}/member/{}", self.fresh());
        let fact = match self.random.below(3) {
            0 => Fact::Unsupported { what: "poll".into(), raw: "{}".into() },
            1 => Fact::Subscription { chat, user, allowed: true },
            _ => Fact::Subscription { chat, user, allowed: false },
        };
        self.webhook(input_id, Inbound { channel: channel.as_str().into(), external_at_ms: None, fact });
    }
}
