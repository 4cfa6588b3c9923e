//! What the tests share: chance from a seed, declared people; for scenarios, simulation and golden journals a journal, an archive in memory and the loop that applies
//! entries and checks every invariant after each.

pub(crate) mod choices;
pub(crate) mod company;
pub(crate) mod memory;
mod promises;
pub(crate) mod random;
mod timeliness;

use switchboard::engine::{Applied, State, apply, fetch};
use switchboard::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry, EntryHash};
use switchboard::model::id::{ChannelId, TokenId};
use switchboard::model::input::{ConfigActivated, Input};
use switchboard::model::outcome::Outcome;
use switchboard::model::{config::Config, effect::Attempt, id::EffectId};

use memory::Memory;
use promises::Broken;

/// One daemon without the daemon: what it has journaled, what it has stored, what it knows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) archive: Memory,
    /// The bytes of each entry, as a journal keeps them.
    pub(crate) journal: Vec<Vec<u8>>,
    pub(crate) now_ms: u64,
    pub(crate) epoch: u64,
    hash: EntryHash,
}

impl World {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { now_ms, epoch: 1, ..Self::default() }
    }

    /// Journals an input and applies it.
    pub(crate) fn take(&mut self, input_id: &str, input: Input) -> Applied {
        let seq = u64::try_from(self.journal.len()).unwrap() + 1;
        let entry = Entry {
            format: ENTRY_FORMAT,
            seq,
            epoch: self.epoch,
            at_ms: self.now_ms,
            apply_version: APPLY_VERSION,
            prev_hash: self.hash,
            input_id: input_id.to_owned(),
            cause: cause(&input),
            input,
        };
        let bytes = serde_json::to_vec(&entry).unwrap();
        self.hash = EntryHash::of(&bytes);
        self.journal.push(bytes);
        let broken = Broken::of(&self.state);
        let applied = step(&mut self.state, &self.archive, &entry, self.hash);
        broken.check(&self.state);
        timeliness::check(&self.state);
        // A configuration that was refused changes no limit.
        if matches!(entry.input, Input::ConfigActivated(_)) && matches!(applied.outcome, Outcome::Applied(_))
        {
            assert_eq!(self.state.over_limits(), [], "I10: offers do not fit after a reload");
        }
        check(&self.state, &entry.input);
        applied
    }

    /// Hands everything over to the archive, and lets what is not hot leave the memory.
    pub(crate) fn flush(&mut self) {
        let (number, write_set) = self.state.hand_over();
        self.archive.store(write_set);
        self.state.stored(number);
    }

    /// The process dies and comes back: memory is what the archive has, and the journal after it is
    /// applied again, which must lead to where it was.
    pub(crate) fn restart(&mut self) -> Applied {
        let before = self.state.digest();
        self.state = State::load(self.archive.hot()).unwrap();
        let stored = usize::try_from(self.archive.position.seq).unwrap();
        replay(&mut self.state, &self.archive, &self.journal[stored..]);
        assert_eq!(self.state.digest(), before, "I36: the state after a restart is another one");
        self.epoch += 1;
        self.take(&format!("node/{}", self.epoch), Input::NodeStarted)
    }
}

/// Applies one entry as the writer does.
pub(crate) fn step(state: &mut State, archive: &Memory, entry: &Entry, hash: EntryHash) -> Applied {
    fetch(state, archive, entry).unwrap();
    apply(state, entry, hash)
}

/// Applies journaled bytes.
pub(crate) fn replay(state: &mut State, archive: &Memory, journal: &[Vec<u8>]) -> Vec<Applied> {
    journal
        .iter()
        .map(|bytes| {
            let entry: Entry = serde_json::from_slice(bytes).unwrap();
            assert_eq!(entry.prev_hash, state.position().hash, "the chain of entry {} is broken", entry.seq);
            step(state, archive, &entry, EntryHash::of(bytes))
        })
        .collect()
}

/// Fails when an invariant does not hold.
pub(crate) fn check(state: &State, after: &Input) {
    let violations: Vec<String> = state.violations().iter().map(ToString::to_string).collect();
    let shown: String = format!("{after:?}").chars().take(300).collect();
    assert!(violations.is_empty(), "after {shown}:\n{}", violations.join("\n"));
    if matches!(after, Input::Tick) {
        assert_eq!(state.overdue(), [], "I19: timers are overdue after a tick");
    }
}

/// A configuration as an input.
pub(crate) fn activation(config: &Config) -> Input {
    let canonical = serde_json::to_string(config).unwrap();
    Input::ConfigActivated(ConfigActivated {
        version: format!("sha256:{}", EntryHash::of(canonical.as_bytes())),
        commit: None,
        config: serde_json::value::RawValue::from_string(canonical).unwrap(),
    })
}

/// The end of an attempt as an input.
pub(crate) fn result(effect: EffectId, attempt: u32, result: Attempt) -> Input {
    Input::EffectResult { effect, attempt, result }
}

fn cause(input: &Input) -> Cause {
    match input {
        Input::ConfigActivated(_) => Cause::Reload,
        Input::NodeStarted => Cause::Start,
        Input::Tick => Cause::Clock,
        Input::Inbound(inbound) => Cause::Webhook(ChannelId::from(inbound.channel.as_str())),
        Input::Command(_) => Cause::Token(TokenId::from("test")),
        Input::EffectClaimed { effect, .. } | Input::EffectResult { effect, .. } => Cause::Outbox(*effect),
    }
}
