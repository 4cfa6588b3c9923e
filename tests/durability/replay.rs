//! The store is a function of the journal: however it came about, wherever it is made, it is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use switchboard::model::command::{Action, DialogChanges, ReplyContent, TransferTarget};
use switchboard::model::dialog::{CloseReason, Dialog, DialogState};
use switchboard::model::id::{OperatorId, TeamId};
use switchboard::model::operator::Presence;
use switchboard::node::start::open_data;
use switchboard::node::{Clock, Node, Submission};
use switchboard::store::queries::{LIMIT_MAX, dialogs};

use super::contents::Contents;
use super::daemon::{digest_in, run, run_abroad};
use super::messenger::{Manner, Messenger};
use super::node::{message, running, submit, wish};
use super::site::{Site, copy_folder};

/// Steps in each half of the day.
const STEPS: u64 = 120;
/// Clients.
const CHATS: u64 = 16;
const OPERATORS: [&str; 3] = ["anna", "boris", "vera"];

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_the_same_grown_rebuilt_abroad_and_caught_up_from_half_way() {
    let messenger = Messenger::start(|call| match call.chat().parse::<u64>().unwrap_or(0) % 4 {
        0 => Manner::Blocked,
        1 => Manner::Unwell,
        _ => Manner::Accept,
    });
    let site = Site::new(messenger.address());
    let time = Arc::new(AtomicU64::new(1_790_000_000_000));
    let mut day = Day { time: Arc::clone(&time), dice: Dice(7), message: 0, key: 0 };

    let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
    day.go_on(&node).await;
    node.stop().await.unwrap();
    let half_way = site.aside("store-half-way");
    copy_folder(&site.store(), &half_way);
    let at_half = Contents::of(&site);

    let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
    day.go_on(&node).await;
    node.stop().await.unwrap();
    let grown = Contents::of(&site);
    assert!(at_half.head + STEPS / 2 < grown.head && grown.dialogs.len() > 8, "the day was busy");
    assert!(grown.delivered().count() > 3, "effects arrived");
    assert!(grown.effects.iter().any(|effect| effect.state.as_str() == "failed"), "effects failed");
    assert!(grown.effects.iter().any(|effect| effect.attempts > 1), "effects were tried again");

    assert_eq!(digest_in(&run(&site, "rebuild")), grown.digest, "rebuilt here");
    assert_eq!(
        digest_in(&run_abroad(&site, "rebuild")),
        grown.digest,
        "rebuilt in another zone and language"
    );
    assert_eq!(digest_in(&run(&site, "verify")), grown.digest, "as `verify` sees it");

    copy_folder(&half_way, &site.store());
    site.let_go();
    drop(open_data(&site.data(), &mut |_| {}).unwrap());
    let caught_up = Contents::of(&site);
    assert_eq!(caught_up.stored, grown.head);
    assert_eq!(caught_up.digest, grown.digest, "caught up from half way");
}

/// A busy day: clients write, operators do everything that they can, time passes.
struct Day {
    time: Arc<AtomicU64>,
    dice: Dice,
    message: u64,
    key: u64,
}

impl Day {
    async fn go_on(&mut self, node: &Node) {
        for _ in 0..STEPS {
            self.time.fetch_add(self.dice.below(20_000), Ordering::SeqCst);
            let dialogs = self.open_dialogs(node).await;
            let submission = self.next(&dialogs);
            // Whether it is possible at this moment is for the engine to say; both are part of the day.
            submit(node, submission).await;
        }
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
                (owner, Action::Reply { dialog: id, content: text("We look into it."), reply_to: None })
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

/// Numbers that look random and are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }

    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}
