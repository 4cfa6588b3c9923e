//! What messengers tell beside messages: signs, links, new ids, and what was written or seen elsewhere.

use switchboard::model::effect::EffectAction;
use switchboard::model::inbound::{Fact, Fate, Inbound, UpTo};
use switchboard::model::message::{Author, Direction, MessageStatus};
use switchboard::model::outcome::Outcome;

use super::company::Company;

impl Company {
    pub(super) fn messenger_tells(&mut self) {
        let (mut channel, mut chat, mut user) = self.someone();
        // Mostly of a chat that there is.
        let chats: Vec<_> = self.world.archive.chats.values().map(|row| row.address.clone()).collect();
        if let Some(address) = self.random.pick_of(chats.into_iter()).filter(|_| self.random.chance(80)) {
            channel = address.channel.to_string();
            chat.id = address.chat;
            user.id = address.user;
        }
        let fact = match self.random.below(6) {
            0 | 1 => {
                let up_to = match self.a_message() {
                    Some(message) if self.random.chance(50) => UpTo::Message(message),
                    _ => UpTo::TimeMs(self.world.now_ms - self.random.below(60_000)),
                };
                let fate = if self.random.chance(60) { Fate::Read } else { Fate::Delivered };
                Fact::FateUpTo { chat, up_to, fate }
            }
            2 => {
                let message = self.a_message().unwrap_or_else(|| "nothing".to_owned());
                Fact::Reaction { chat, user, message, sign: self.random.chance(70).then(|| "+".to_owned()) }
            }
            3 => self.echo(chat, user),
            4 => Fact::Referral { chat, user, source: format!("ad-{}", self.random.below(3)) },
            _ => {
                let to = self.random.below(9);
                let new_user = format!("user-{to}");
                let new_chat = if channel == "messenger" { new_user.clone() } else { format!("chat-{to}-0") };
                Fact::Moved { chat, user, new_chat, new_user }
            }
        };
        let input_id = format!("{channel}/update/{}", self.fresh());
        let is_echo = matches!(fact, Fact::Echo { .. });
        let before = self.world.state.effects().count();
        let inbound = Inbound { channel: channel.as_str().into(), external_at_ms: None, fact };
        self.webhook(input_id, inbound);
        if is_echo {
            let after = self.world.state.effects().count();
            assert!(after >= before, "an echo takes nothing out of the outbox");
            self.check_echo();
        }
    }

    /// What was written elsewhere is there as such: sent, and nothing that the outbox would send again.
    fn check_echo(&self) {
        let Some(applied) = self.applied.last() else { return };
        let Outcome::Applied(receipt) = &applied.outcome else { return };
        let messages = &self.world.archive.messages;
        let found = receipt.dialog.zip(receipt.message).and_then(|key| messages.get(&key));
        if let Some(row) = found.filter(|row| row.author == Author::Elsewhere) {
            assert_eq!(row.direction, Direction::Out);
            assert!(row.effect.is_none() && row.status != MessageStatus::Queued, "{row:?}");
        }
    }

    fn echo(
        &mut self,
        chat: switchboard::model::inbound::ExternalChat,
        user: switchboard::model::inbound::ExternalUser,
    ) -> Fact {
        let sent: Vec<_> = self
            .world
            .archive
            .effects
            .values()
            .filter_map(|effect| match &effect.action {
                EffectAction::Send(outgoing) => Some((effect.id, outgoing.clone())),
                _ => None,
            })
            .collect();
        let ours = self.random.pick_of(sent.into_iter()).filter(|_| self.random.chance(60));
        let id = format!("s{}", self.fresh());
        match ours {
            Some((effect, outgoing)) => Fact::Echo {
                chat: switchboard::model::inbound::ExternalChat::of(outgoing.chat),
                user: switchboard::model::inbound::ExternalUser { id: outgoing.user, ..user },
                id,
                text: if self.random.chance(80) { outgoing.text } else { "other".to_owned() },
                attachments: Vec::new(),
                tracking: self.random.chance(50).then(|| effect.to_string()),
            },
            None => {
                Fact::Echo { chat, user, id, text: self.words(), attachments: Vec::new(), tracking: None }
            }
        }
    }

    /// The messenger's id of a message, of either side.
    fn a_message(&mut self) -> Option<String> {
        let known: Vec<_> =
            self.world.archive.messages.values().filter_map(|row| row.external_id.clone()).collect();
        self.random.pick_of(known.into_iter())
    }
}
