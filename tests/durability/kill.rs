//! kill -9 under load, and an outside ledger of what was acknowledged.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::contents::Contents;
use super::daemon::{Daemon, digest_in, run};
use super::deadline::eventually;
use super::messenger::{Manner, Messenger};
use super::site::Site;
use super::wire::{Wire, telegram_update};
use crate::world::random::Random;

/// Kills. `DURABILITY_ROUNDS=500` makes a long run of it.
const ROUNDS: u64 = 7;
/// What the moments of the kills come from. `DURABILITY_SEED=…` makes other ones.
const SEED: u64 = 2_026;
/// Connections, each with chats of its own.
const CLIENTS: u64 = 4;
/// Chats of each client.
const CHATS: u64 = 5;

#[test]
fn what_was_acknowledged_survives_kill_9_in_exactly_one_dialog_exactly_once() {
    let messenger = Messenger::start(|call| match call.chat().parse::<u64>().unwrap_or(0) % 7 {
        0 => Manner::Unwell,
        _ => Manner::Accept,
    });
    let site = Site::new(messenger.address());
    let ledger = Arc::new(Ledger::default());
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(number, &ledger)).collect();
    let seed = setting("DURABILITY_SEED", SEED);
    println!("DURABILITY_SEED={seed}");
    let mut dice = Random::new(seed);
    for round in 0..setting("DURABILITY_ROUNDS", ROUNDS) {
        let daemon = Daemon::start(&site);
        let (address, until) = (daemon.address(), ledger.count() + dice.below(120));
        std::thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| client.write_until_cut_off(address));
            }
            eventually("messages are acknowledged", || (ledger.count() >= until).then_some(()));
            // Not always right after an acknowledgement: somewhere in the work that follows.
            for _ in 0..dice.below(200_000) {
                std::hint::spin_loop();
            }
            if round % 3 == 2 {
                // A start that is killed as well, in the middle of recovery or soon after.
                daemon.kill();
                Daemon::killed_while_it_starts(&site, dice.below(40));
            } else {
                daemon.kill();
            }
        });
    }
    let daemon = Daemon::start(&site);
    for client in &mut clients {
        client.finish(daemon.address());
    }
    let ended = daemon.stop();
    assert!(ended.status.success(), "{}", ended.said);

    let acknowledged = ledger.acknowledged();
    assert!(acknowledged.len() > 200, "only {} messages", acknowledged.len());
    let contents = Contents::of(&site);
    contents.assert_kept(&acknowledged);
    let kept: usize = contents.dialogs.values().map(Vec::len).sum();
    println!("{} acknowledged, {kept} messages, {} entries", acknowledged.len(), contents.head);
    let sent = messenger.calls().len();
    assert!(sent >= contents.delivered().count(), "shown as sent and never sent");
    assert_eq!(digest_in(&run(&site, "verify")), contents.digest);
    assert_eq!(digest_in(&run(&site, "rebuild")), contents.digest, "the store that lived through it all");
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

/// What the outside world was told, kept outside of the daemon.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<BTreeSet<u64>>,
    answers: AtomicU64,
}

impl Ledger {
    fn write(&self, message: u64) {
        self.acknowledged.lock().insert(message);
        self.answers.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    fn acknowledged(&self) -> BTreeSet<u64> {
        self.acknowledged.lock().clone()
    }
}

/// A messenger's sender: one message after another; who gets no answer is asked again before anything new.
struct Client {
    number: u64,
    next: u64,
    unanswered: VecDeque<u64>,
    answered: Vec<u64>,
    dice: Random,
    ledger: Arc<Ledger>,
}

impl Client {
    fn new(number: u64, ledger: &Arc<Ledger>) -> Self {
        Self {
            number,
            next: 0,
            unanswered: VecDeque::new(),
            answered: Vec::new(),
            dice: Random::new(number),
            ledger: Arc::clone(ledger),
        }
    }

    fn write_until_cut_off(&mut self, address: SocketAddr) {
        let Ok(mut wire) = Wire::connect(address) else { return };
        loop {
            let message = self.choose();
            if !self.hand_over(&mut wire, message) {
                return;
            }
        }
    }

    fn finish(&mut self, address: SocketAddr) {
        let mut wire = Wire::connect(address).unwrap();
        while let Some(message) = self.unanswered.pop_front() {
            assert!(self.hand_over(&mut wire, message));
        }
        for message in self.answered.clone().into_iter().step_by(5) {
            assert!(self.hand_over(&mut wire, message), "a repeated message is acknowledged again");
        }
    }

    fn choose(&mut self) -> u64 {
        if let Some(message) = self.unanswered.pop_front() {
            return message;
        }
        // A messenger that missed our answer brings an acknowledged message again.
        if !self.answered.is_empty() && self.dice.below(6) == 0 {
            return self.answered[self.dice.index(self.answered.len())];
        }
        self.next += 1;
        self.number * 1_000_000 + self.next
    }

    /// Whether it was acknowledged. When not, it is asked again first.
    fn hand_over(&mut self, wire: &mut Wire, message: u64) -> bool {
        let chat = 100 + self.number * CHATS + message % CHATS;
        let text = format!("{message}: where is my order? {}", "…".repeat(self.dice.index(200)));
        match wire.telegram(&telegram_update(chat, message, &text)) {
            Ok(reply) if reply.status == 200 => {
                self.ledger.write(message);
                self.answered.push(message);
                true
            }
            Ok(reply) => panic!("an answer that nobody expects: {reply:?}"),
            Err(_) => {
                if !self.answered.contains(&message) {
                    self.unanswered.push_back(message);
                }
                false
            }
        }
    }
}
