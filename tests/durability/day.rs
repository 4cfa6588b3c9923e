//! A busy day of a daemon in this process, the same for the same seed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use switchboard::model::command::{Action, DialogChanges, ReplyContent, TransferTarget};
use switchboard::model::dialog::{CloseReason, Dialog, DialogState};
use switchboard::model::id::{OperatorId, TeamId};
use switchboard::model::inbound::Fact;
use switchboard::model::input::Input;
use switchboard::model::operator::Presence;
use switchboard::model::outcome::Outcome;
use switchboard::node::{Node, Submission};
use switchboard::store::queries::{LIMIT_MAX, dialogs};

use super::node::{message, submit, wish};
use crate::world::random::Random;

/// Clients.
const CHATS: u64 = 16;
const OPERATORS: [&str; 3] = ["anna", "boris", "vera"];

/// A busy day: clients write, operators do everything that they can, time passes.
pub(super) struct Day {
    time: Arc<AtomicU64>,
    pub(super) dice: Random,
    message: u64,
    key: u64,
    /// The messages that were acknowledged.
    pub(super) acknowledged: BTreeSet<u64>,
}

impl Day {
    pub(super) fn new(time: Arc<AtomicU64>, seed: u64) -> Self {
        Self { time, dice: Random::new(seed), message: 0, key: 0, acknowledged: BTreeSet::new() }
    }

    pub(super) async fn go_on(&mut self, node: &Node, steps: u64) {
        for _ in 0..steps {
            self.time.fetch_add(self.dice.below(20_000), Ordering::SeqCst);
            let dialogs = self.open_dialogs(node).await;
            let submission = self.next(&dialogs);
            self.submit(node, submission).await;
        }
    }

    /// Whether it is possible at this moment is for the engine to say; both are part of the day.
    pub(super) async fn submit(&mut self, node: &Node, submission: Submission) {
        let message = match &submission.input {
            Input::Inbound(inbound) => match &inbound.fact {
                Fact::Message(message) => Some(message.id.parse::<u64>().unwrap()),
                _ => None,
            },
            _ => None,
        };
        let answer = submit(node, submission).await;
        if matches!(answer.outcome, Outcome::Applied(_)) {
            self.acknowledged.extend(message);
        }
    }

    /// A message that nobody has written before.
    pub(super) fn new_message(&mut self) -> (u64, Submission) {
        self.message += 1;
        (self.message, message(self.message % CHATS, self.message, "one of many"))
    }

    async fn open_dialogs(&self, node: &Node) -> Vec<Dialog> {
        let read = node.shared().handle.read(|store| {
            let filter = dialogs::DialogFilter::default();
            dialogs::list(store, &filter, dialogs::Sort::Priority, None, LIMIT_MAX)
        });
        read.await.unwrap().items
    }

    fn next(&mut self, dialogs: &[Dialog]) -> Submission {
        self.key += 1;
        let kind = self.dice.below(12);
        let Some(dialog) = dialogs.get(self.dice.index(dialogs.len())).filter(|_| kind > 3) else {
            return self.outside_event();
        };
        let by_chance = OperatorId::from(OPERATORS[self.dice.index(OPERATORS.len())]);
        let offered = dialog.offers.first().map(|offer| offer.operator.clone());
        let id = dialog.id;
        let text = |text: &str| ReplyContent::Text { text: text.to_owned(), buttons: Vec::new() };
        let (who, action) = match (dialog.state, kind) {
            (DialogState::Offered, 4..=8) => {
                let operator = offered.unwrap_or(by_chance);
                (operator.clone(), Action::Accept { dialog: id, operator })
            }
            (DialogState::Offered, _) => {
                let operator = offered.unwrap_or(by_chance);
                (operator.clone(), Action::Decline { dialog: id, operator })
            }
            (_, 4..=6) => {
                let owner = dialog.owner.clone().unwrap_or(by_chance);
                (
                    owner,
                    Action::Reply {
                        dialog: id,
                        content: text("We look into it."),
                        attachments: Vec::new(),
                        reply_to: None,
                    },
                )
            }
            (_, 7) => (by_chance, Action::AddNote { dialog: id, text: "Заметка 📝".to_owned() }),
            (_, 8) => {
                let to = TransferTarget::Team(TeamId::from("seniors"));
                (by_chance, Action::Transfer { dialog: id, to, comment: Some("please".to_owned()) })
            }
            (_, 9) => {
                let changes = DialogChanges { priority: Some(5), ..DialogChanges::default() };
                (by_chance, Action::Update { dialog: id, changes })
            }
            _ => {
                let owner = dialog.owner.clone().unwrap_or(by_chance);
                (owner, Action::Close { dialog: id, reason: CloseReason::Operator })
            }
        };
        wish(who.as_str(), &self.key.to_string(), action)
    }

    fn outside_event(&mut self) -> Submission {
        if self.dice.below(4) == 0 {
            let operator = OPERATORS[self.dice.index(OPERATORS.len())];
            let presence = if self.dice.below(5) == 0 { Presence::Away } else { Presence::Online };
            let action = Action::SetPresence { operator: OperatorId::from(operator), presence };
            return wish(operator, &self.key.to_string(), action);
        }
        // Now and then a messenger brings the same message again.
        if self.dice.below(8) > 0 {
            self.message += 1;
        }
        let text = ["hello", "refund, please", "where is my invoice?", "İstanbul ΣΑΣ ß"];
        message(self.message % CHATS, self.message, text[self.dice.index(text.len())])
    }
}
