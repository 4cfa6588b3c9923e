//! Clients: when they come, what they write, how long they are patient, how they vote.

use switchboard::model::dialog::DialogState;
use switchboard::model::id::DialogId;
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::Input;
use switchboard::model::input_id;

use super::Day;
use super::agenda::Deed;

/// How many write for the first time in each hour from 06:00 on: most at 10 and at 15 o'clock.
const ARRIVALS: [u64; 28] =
    [4, 14, 26, 40, 64, 42, 30, 26, 38, 62, 40, 28, 20, 12, 8, 6, 5, 4, 3, 3, 2, 2, 2, 2, 4, 8, 8, 6];

/// The channels by the share of clients in percent, with what they write about.
const BY_DAY: [(u64, &str, &[&str]); 7] = [
    (20, "sales-telegram", &["I want an offer", "What about the contract?", "Is it in stock?"]),
    (12, "sales-site", &["I want an offer", "refund please", "What does it cost?"]),
    (26, "support-telegram", &["The router is dead", "It does not work", "How do I do this?"]),
    (12, "support-site", &["The cable is broken", "I cannot log in", "refund now"]),
    (10, "billing-telegram", &["The invoice is wrong", "When do I pay?"]),
    (10, "billing-mail", &["About the invoice", "refund for April"]),
    (10, "vip-telegram", &["Please call me", "About our contract"]),
];
/// The share of those who write to the hotline between 20:00 and 07:00, in percent.
const HOTLINE: u64 = 50;

/// Somebody outside.
#[derive(Debug, Clone)]
pub(super) struct Client {
    channel: &'static str,
    language: Option<&'static str>,
    texts: &'static [&'static str],
}

/// What a client wants of a dialog.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) client: usize,
    /// After how many answers they are content.
    pub(super) answers_wanted: u64,
    /// Goes away in the midst of it without a word.
    falls_silent: bool,
    /// The operator finds that somebody else knows better.
    pub(super) is_for_others: bool,
    /// The operator has to look something up for long.
    pub(super) is_paused: bool,
}

impl Day {
    pub(super) fn plan_clients(&mut self) {
        let start_ms = self.date.at(0, "06:00");
        for (hour, arrivals) in (0..).zip(ARRIVALS) {
            for _ in 0..arrivals {
                let at_ms = start_ms + hour * 3_600_000 + self.random.below(3_600_000);
                let is_night = !(1..14).contains(&(hour % 24));
                let client = self.somebody(is_night);
                self.agenda.add(at_ms, Deed::Arrives { client });
            }
        }
    }

    /// A new client, or one who was here before.
    fn somebody(&mut self, is_night: bool) -> usize {
        if !self.clients.is_empty() && self.random.chance(12) {
            return self.random.index(self.clients.len());
        }
        let (channel, texts) = if is_night && self.random.chance(HOTLINE) {
            ("hotline-telegram", &["An emergency", "Is anybody there?"] as &[_])
        } else {
            let mut share = self.random.below(100);
            let row = BY_DAY.iter().find(|(percent, _, _)| {
                let is_it = share < *percent;
                share = share.saturating_sub(*percent);
                is_it
            });
            row.map(|(_, channel, texts)| (*channel, *texts)).unwrap()
        };
        let language = *self.random.pick(&[Some("de"), Some("de"), Some("en"), Some("fr"), Some("tr"), None]);
        self.clients.push(Client { channel, language, texts });
        self.clients.len() - 1
    }

    pub(super) fn client_arrives(&mut self, client: usize) {
        let texts = self.clients[client].texts;
        let text = (*self.random.pick(texts)).to_owned();
        self.client_writes(client, &text, None);
    }

    /// What a client writes while their messenger is down comes when it is up again, all at once.
    pub(super) fn client_writes(&mut self, client: usize, text: &str, while_waiting: Option<DialogId>) {
        if let Some(dialog) = while_waiting
            && self.row(dialog).is_none_or(|row| !row.state.is_waiting())
        {
            return;
        }
        let channel = self.clients[client].channel;
        if self.is_down(&channel.into()) {
            let at_ms = self.outage().end + self.random.below(60_000);
            self.agenda.add(at_ms, Deed::Writes { client, text: text.to_owned(), while_waiting });
            return;
        }
        let (chat, user) = self.address(client);
        self.counter += 1;
        let id = format!("x{}", self.counter);
        let input_id = input_id::message(&channel.into(), &chat.id, &id);
        let message = InboundMessage {
            chat,
            user,
            id,
            text: text.to_owned(),
            attachments: Vec::new(),
            reply_to: None,
            source: None,
            unsupported: None,
            automatic: false,
            letter: None,
        };
        self.hand_in(input_id, channel, Fact::Message(message));
    }

    pub(super) fn client_presses(&mut self, client: usize, data: &str) {
        let channel = self.clients[client].channel;
        let (chat, user) = self.address(client);
        self.counter += 1;
        let input_id = format!("{channel}/button/{}", self.counter);
        let data = data.to_owned();
        let fact = Fact::Button { chat, user, data, title: None, message: None, acknowledge: None };
        self.hand_in(input_id, channel, fact);
    }

    fn hand_in(&mut self, input_id: String, channel: &str, fact: Fact) {
        let inbound = Inbound { channel: channel.into(), external_at_ms: None, fact };
        self.take(&input_id, Input::Inbound(inbound.clone()));
        // Messengers tell some things twice.
        if self.random.chance(3) {
            self.take(&input_id, Input::Inbound(inbound));
        }
    }

    fn address(&self, client: usize) -> (ExternalChat, ExternalUser) {
        let language = self.clients[client].language.map(str::to_owned);
        let user = ExternalUser { id: format!("user-{client}"), language, ..ExternalUser::default() };
        (ExternalChat::of(format!("chat-{client}")), user)
    }

    /// A dialog began: the client knows what they want of it.
    pub(super) fn client_begins_to_wait(&mut self, dialog: DialogId) {
        let row = self.row(dialog).unwrap();
        let client = row.external_chat.strip_prefix("chat-").unwrap().parse().unwrap();
        let case = Case {
            client,
            answers_wanted: 1 + self.random.below(4),
            falls_silent: self.random.chance(8),
            is_for_others: self.random.chance(7),
            is_paused: self.random.chance(3),
        };
        self.cases.insert(dialog, case);
        if self.random.chance(35) {
            let at_ms = self.in_seconds(240, 420);
            let text = "Is anybody there?".to_owned();
            self.agenda.add(at_ms, Deed::Writes { client, text, while_waiting: Some(dialog) });
        }
    }

    /// A client reads what an operator wrote.
    pub(super) fn client_reads(&mut self, dialog: DialogId) {
        let Some(case) = self.cases.get_mut(&dialog) else { return };
        case.answers_wanted = case.answers_wanted.saturating_sub(1);
        let (client, is_content, falls_silent) = (case.client, case.answers_wanted == 0, case.falls_silent);
        if is_content {
            let at_ms = self.in_seconds(120, 900);
            self.agenda.add(at_ms, Deed::Closes { dialog });
        } else if !falls_silent {
            let at_ms = self.in_seconds(60, 900);
            let text = format!("And {}?", self.random.below(9));
            self.agenda.add(at_ms, Deed::Writes { client, text, while_waiting: None });
        }
    }

    /// A client reads what the company wrote by itself: where it offers choices, some choose.
    pub(super) fn client_is_reminded(&mut self, dialog: DialogId) {
        let Some(row) = self.row(dialog).filter(|row| row.state == DialogState::WaitingClient) else {
            return;
        };
        let choices = row.life.choices.clone();
        let is_telegram = row.channel.as_str().ends_with("telegram");
        if choices.is_empty() || !self.random.chance(60) {
            return;
        }
        let choice = self.random.pick(&choices).as_str();
        let client = self.cases[&dialog].client;
        let at_ms = self.in_seconds(30, 600);
        let deed = if is_telegram {
            Deed::Presses { client, data: format!("silence:{dialog}:{choice}") }
        } else {
            Deed::Writes { client, text: choice.to_owned(), while_waiting: None }
        };
        self.agenda.add(at_ms, deed);
    }

    pub(super) fn client_is_asked_for_a_vote(&mut self, dialog: DialogId) {
        if !self.random.chance(55) {
            return;
        }
        let client = self.cases[&dialog].client;
        let is_telegram = self.clients[client].channel.ends_with("telegram");
        let score = *self.random.pick(&[5, 5, 5, 4, 1]);
        let at_ms = self.in_seconds(10, 900);
        let deed = if is_telegram {
            Deed::Presses { client, data: format!("rate:{dialog}:{score}") }
        } else {
            Deed::Writes { client, text: score.to_string(), while_waiting: None }
        };
        self.agenda.add(at_ms, deed);
    }
}
