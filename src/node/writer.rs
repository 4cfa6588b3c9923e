//! The one writer: takes inputs in, makes them durable in groups, applies them in order, answers.
//!
//! Runs on a thread of its own, because it waits for the disk. While it does, the next group gathers:
//! one sync serves all inputs that came meanwhile. Nothing is answered before it is durable. Any
//! failure to write ends the daemon: after a failed sync nobody knows what is on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};

use crate::engine::rows::ArchiveError;
use crate::engine::{self, Applied, State};
use crate::journal::{self, GROUP_BYTES_MAX, Head, Journal, JournalError, SealedEntry};
use crate::model::effect::{Attempt, Scope};
use crate::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry};
use crate::model::event::Event;
use crate::model::id::EffectId;
use crate::model::input::Input;
use crate::model::outcome::{Outcome, ReadyEffect};
use crate::observe::Metrics;
use crate::store::{Store, StoreError};

use super::answers::Given;
use super::claims::{Claimed, Claims};
use super::handle::{Answer, Message, Submission, SubmitError};
use super::journal_time::JournalTime;
use super::projection::{FinishError, Projection, ProjectionEnded};

/// The most inputs in one group.
const GROUP_MAX: usize = 1024;
/// How long changed rows may wait before they are handed to the store, when nobody asks for them: rows
/// that change often are written once then.
const HAND_OVER_AFTER_MS: u64 = 1_000;
/// With so many changed rows they are handed over at once: some tens of MB.
const HAND_OVER_ROWS: usize = 30_000;
/// The longest sleep: the clock of the machine may be set, and timers go by it.
const SLEEP_MAX: Duration = Duration::from_millis(500);

/// Why the writer ended. The daemon ends with it.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store's thread ended.
    #[error("the store cannot be written any more")]
    ProjectionEnded,
    /// The writer itself broke off.
    #[error(
        "the writer broke off; this is a mistake of ours: please report what stands in the log before it"
    )]
    Broken,
}

impl From<FinishError> for WriterError {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::Store(error) => Self::Store(error),
            FinishError::Ended(error) => error.into(),
        }
    }
}

impl From<ProjectionEnded> for WriterError {
    fn from(_: ProjectionEnded) -> Self {
        Self::ProjectionEnded
    }
}

/// The writer with everything it owns.
pub(super) struct Writer {
    pub(super) journal: Box<dyn Journal>,
    pub(super) state: State,
    pub(super) store: Store,
    pub(super) projection: Projection,
    pub(super) epoch: u64,
    pub(super) time: JournalTime,
    pub(super) incoming: Receiver<Message>,
    pub(super) applied_seq: Arc<AtomicU64>,
    pub(super) events: broadcast::Sender<Arc<[Arc<Event>]>>,
    pub(super) answers: mpsc::Sender<Vec<Given>>,
    /// Answers of the group that is taken in.
    pub(super) given: Vec<Given>,
    /// `None` once nothing is claimed any more: the outbox then has all there is, and ends.
    pub(super) claimed: Option<mpsc::Sender<Claimed>>,
    pub(super) metrics: Arc<Metrics>,
}

/// An input of a group.
struct Pending {
    submission: Submission,
    reply: Reply,
}

/// Who waits for the answer.
enum Reply {
    To(oneshot::Sender<Result<Answer, SubmitError>>),
    /// The writer's own claim of an effect.
    Claim(ReadyEffect),
    /// The writer's own tick.
    Tick,
}

/// A group with its place in history: entries, their bytes and who waits for them, side by side.
#[derive(Default)]
struct Sealed {
    entries: Vec<Entry>,
    sealed: Vec<SealedEntry>,
    replies: Vec<Reply>,
}

#[derive(Default)]
struct Received {
    group: Vec<Pending>,
    publish: bool,
    drain: bool,
    stop: bool,
}

impl Received {
    fn take(&mut self, message: Message) {
        match message {
            Message::Submit(submission, reply) => {
                self.group.push(Pending { submission: *submission, reply: Reply::To(reply) });
            }
            Message::Publish => self.publish = true,
            Message::Stored => {}
            Message::Drain => self.drain = true,
            Message::Stop => self.stop = true,
        }
    }
}

impl Writer {
    /// Works until it is told to stop or something fails.
    ///
    /// # Errors
    /// When journal or store fail; nothing more may be answered then.
    pub(super) fn run(mut self) -> Result<(), WriterError> {
        let mut claims = Claims::default();
        for ready in self.state.ready_effects() {
            claims.add(&self.state, ready);
        }
        let mut publish = false;
        let mut changed_since_ms = None;
        loop {
            let received = self.receive(&claims, changed_since_ms);
            publish |= received.publish;
            if received.drain || received.stop {
                claims.drain();
                self.claimed = None;
            }
            self.projection.collect(&mut self.state);
            self.take_in(received.group, &mut claims)?;
            self.give_answers();
            if self.projection.is_behind(&self.state) {
                let now_ms = self.time.now_ms();
                let since_ms = *changed_since_ms.get_or_insert(now_ms);
                let is_due = publish
                    || self.state.changed_rows() >= HAND_OVER_ROWS
                    || now_ms.saturating_sub(since_ms) >= HAND_OVER_AFTER_MS;
                if is_due {
                    match self.projection.hand_over(&mut self.state) {
                        Ok(true) => {
                            changed_since_ms = None;
                            publish = false;
                        }
                        Ok(false) => {}
                        // The reason is with the store's thread.
                        Err(ended) => {
                            self.projection.finish(&mut self.state)?;
                            return Err(ended.into());
                        }
                    }
                }
            } else {
                publish = false;
            }
            if received.stop {
                // Senders that come later find nobody; who waits already was answered above.
                self.projection.finish(&mut self.state)?;
                return Ok(());
            }
        }
    }

    /// Waits for something to do and takes what is there, up to a group.
    fn receive(&mut self, claims: &Claims, changed_since_ms: Option<u64>) -> Received {
        let mut received = Received::default();
        let now_ms = self.time.now_ms();
        let first = if claims.next_ms().is_some_and(|next_ms| next_ms <= now_ms) {
            match self.incoming.try_recv() {
                Ok(message) => Some(message),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Message::Stop),
            }
        } else {
            let sleep = self.sleep(changed_since_ms, claims.next_ms());
            match self.incoming.recv_timeout(sleep) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
            }
        };
        let mut next = first;
        while let Some(message) = next {
            received.take(message);
            if received.group.len() >= GROUP_MAX {
                break;
            }
            next = self.incoming.try_recv().ok();
        }
        received
    }

    fn sleep(&mut self, changed_since_ms: Option<u64>, claim_ms: Option<u64>) -> Duration {
        let now_ms = self.time.now_ms();
        let hand_over_ms = changed_since_ms.map(|since_ms| since_ms.saturating_add(HAND_OVER_AFTER_MS));
        let wake_ms = self.state.next_due_ms().into_iter().chain(hand_over_ms).chain(claim_ms).min();
        wake_ms.map_or(SLEEP_MAX, |wake_ms| {
            // At least a millisecond: while the store is busy there is nothing to hurry for.
            Duration::from_millis(wake_ms.saturating_sub(now_ms).max(1)).min(SLEEP_MAX)
        })
    }

    /// Makes a group durable, applies it and has the answers ready.
    fn take_in(&mut self, mut group: Vec<Pending>, claims: &mut Claims) -> Result<(), WriterError> {
        let head = self.journal.head();
        let at_ms = self.time.now_ms();
        self.answer_repeated(&mut group, at_ms)?;
        self.add_own(&mut group, claims, at_ms)?;
        if group.is_empty() {
            return Ok(());
        }
        let Sealed { entries, sealed, replies } = self.seal(group, head, at_ms);
        if entries.is_empty() {
            return Ok(());
        }
        self.append(&sealed)?;
        self.metrics.journal_entries.inc_by(u64::try_from(sealed.len()).unwrap_or(u64::MAX));
        let mut events: Vec<Arc<Event>> = Vec::new();
        for ((entry, sealed), reply) in entries.iter().zip(&sealed).zip(replies) {
            let applied = engine::apply(&mut self.state, entry, sealed.hash());
            self.metrics.applied(&entry.input, &applied.outcome);
            for ready in &applied.ready {
                claims.add(&self.state, *ready);
            }
            // Before the answer: who reads after it must see what it says.
            self.applied_seq.store(entry.seq, Ordering::Release);
            self.conclude(entry, &applied, reply, claims);
            events.extend(applied.events);
        }
        if !events.is_empty() && self.events.receiver_count() > 0 {
            // Nobody listens any more: that is their matter.
            self.events.send(events.into()).map(drop).unwrap_or_default();
        }
        Ok(())
    }

    /// Answers inputs that came before and takes them out: they change nothing, so they need no entry.
    fn answer_repeated(&mut self, group: &mut Vec<Pending>, at_ms: u64) -> Result<(), WriterError> {
        let mut fresh = Vec::with_capacity(group.len());
        for pending in group.drain(..) {
            let Submission { input_id, input, .. } = &pending.submission;
            let came_before = engine::fetch_for(&mut self.state, &self.store, input_id, input, at_ms)?;
            let known = if came_before { self.state.known_input(input_id) } else { None };
            match known {
                Some(known) => {
                    let fingerprint = match input {
                        Input::Command(command) => Some(engine::fingerprint(command)),
                        _ => None,
                    };
                    let applied = engine::repeated(known, fingerprint.as_deref());
                    self.metrics.repeated_inputs.inc();
                    self.answer(pending.reply, &applied, Repetition::Repeated);
                }
                None => fresh.push(pending),
            }
        }
        *group = fresh;
        Ok(())
    }

    /// Adds what the writer itself has to say: that time passed, and which effects are tried now.
    fn add_own(
        &mut self,
        group: &mut Vec<Pending>,
        claims: &mut Claims,
        at_ms: u64,
    ) -> Result<(), WriterError> {
        for ready in claims.next(at_ms) {
            let input = Input::EffectClaimed { effect: ready.effect, attempt: ready.attempt };
            let submission = Submission {
                input_id: format!("claim/{}/{}", ready.effect, ready.attempt),
                cause: Cause::Outbox(ready.effect),
                input,
            };
            engine::fetch_for(&mut self.state, &self.store, &submission.input_id, &submission.input, at_ms)?;
            group.push(Pending { submission, reply: Reply::Claim(ready) });
        }
        if self.state.next_due_ms().is_some_and(|due_ms| due_ms <= at_ms) {
            let submission =
                Submission { input_id: format!("tick/{at_ms}"), cause: Cause::Clock, input: Input::Tick };
            engine::fetch_for(&mut self.state, &self.store, "", &Input::Tick, at_ms)?;
            // Before everything else: an offer whose time is over cannot be accepted any more.
            group.insert(0, Pending { submission, reply: Reply::Tick });
        }
        Ok(())
    }

    /// Gives each input its place in history. One that cannot be written is refused by itself.
    fn seal(&mut self, group: Vec<Pending>, head: Head, at_ms: u64) -> Sealed {
        let mut done = Sealed::default();
        let (mut last_seq, mut prev_hash) = (head.seq, head.hash);
        for Pending { submission, reply } in group {
            let entry = Entry {
                format: ENTRY_FORMAT,
                seq: last_seq.saturating_add(1),
                epoch: self.epoch,
                at_ms,
                apply_version: APPLY_VERSION,
                prev_hash,
                input_id: submission.input_id,
                cause: submission.cause,
                input: submission.input,
            };
            match journal::seal(&entry) {
                Ok(sealed) => {
                    last_seq = entry.seq;
                    prev_hash = sealed.hash();
                    done.entries.push(entry);
                    done.sealed.push(sealed);
                    done.replies.push(reply);
                }
                Err(error) => {
                    tracing::warn!(cause = ?entry.cause, %error, "An input cannot be kept.");
                    if let Reply::To(waiter) = reply {
                        self.given.push((waiter, Err(SubmitError::Unwritable)));
                    }
                }
            }
        }
        done
    }

    /// Makes entries durable, in as many groups as the journal needs: large inputs that come at the same
    /// time may together exceed what it takes at once.
    fn append(&mut self, sealed: &[SealedEntry]) -> Result<(), JournalError> {
        let mut rest = sealed;
        while !rest.is_empty() {
            let (group, later) = rest.split_at(group_length(rest, GROUP_BYTES_MAX));
            self.journal.append(self.journal.head().seq, group)?;
            self.metrics.journal_groups.inc();
            rest = later;
        }
        Ok(())
    }

    fn conclude(&mut self, entry: &Entry, applied: &Applied, reply: Reply, claims: &mut Claims) {
        match reply {
            Reply::To(_) => {
                match &entry.input {
                    Input::EffectResult { effect, result, .. } => {
                        claims.ended(*effect);
                        let is_of_all = matches!(result, Attempt::Retry { scope: Scope::Channel, .. });
                        if is_of_all && matches!(applied.outcome, Outcome::Applied(_)) {
                            claims.hold(&self.state, *effect);
                        }
                    }
                    Input::ConfigActivated(_) => claims.release(),
                    _ => {}
                }
                let repetition =
                    if applied.first_seq == entry.seq { Repetition::First } else { Repetition::Repeated };
                self.answer(reply, applied, repetition);
            }
            Reply::Claim(ready) => match &applied.outcome {
                Outcome::Applied(_) => self.start_attempt(ready, claims),
                Outcome::Rejected(_) => claims.ended(ready.effect),
            },
            Reply::Tick => claims.forget_overdue(&self.state),
        }
    }

    fn answer(&mut self, reply: Reply, applied: &Applied, repetition: Repetition) {
        if let Reply::To(waiter) = reply {
            let answer = Answer {
                seq: applied.first_seq,
                outcome: applied.outcome.clone(),
                repeated: repetition == Repetition::Repeated,
            };
            self.given.push((waiter, Ok(answer)));
        }
    }

    fn give_answers(&mut self) {
        if !self.given.is_empty() {
            // The runtime is gone, and with it everybody who waits.
            drop(self.answers.blocking_send(std::mem::take(&mut self.given)));
        }
    }

    fn start_attempt(&self, ready: ReadyEffect, claims: &mut Claims) {
        let id: EffectId = ready.effect;
        let Some(effect) = self.state.effect(id).cloned() else { return };
        let claimed = Claimed { effect, attempt: ready.attempt };
        // The outbox takes it off the channel at once: it starts a task for each.
        let sent = self.claimed.as_ref().is_some_and(|outbox| outbox.blocking_send(claimed).is_ok());
        if !sent {
            // The outbox is gone: the attempt's deadline or the next start finds the effect again.
            claims.ended(id);
        }
    }
}

/// How many of these entries the journal takes at once: at least one.
fn group_length(entries: &[SealedEntry], bytes_max: usize) -> usize {
    let mut bytes = 0_usize;
    let fitting = entries.iter().take_while(|entry| {
        bytes = bytes.saturating_add(entry.bytes().len());
        bytes <= bytes_max
    });
    fitting.count().clamp(1, entries.len().max(1))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repetition {
    First,
    Repeated,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::EntryHash;

    fn entry(input_id_bytes: usize) -> SealedEntry {
        let entry = Entry {
            format: ENTRY_FORMAT,
            seq: 1,
            epoch: 1,
            at_ms: 1,
            apply_version: APPLY_VERSION,
            prev_hash: EntryHash::ZERO,
            input_id: "x".repeat(input_id_bytes),
            cause: Cause::Clock,
            input: Input::Tick,
        };
        journal::seal(&entry).unwrap()
    }

    #[test]
    fn a_group_has_as_many_entries_as_the_journal_takes_at_once_and_at_least_one() {
        let entries = [entry(10), entry(10), entry(1_000), entry(10)];
        let small = entries[0].bytes().len();
        assert_eq!(group_length(&entries, usize::MAX), 4);
        assert_eq!(group_length(&entries, 2 * small), 2);
        assert_eq!(group_length(&entries, 2 * small - 1), 1);
        assert_eq!(group_length(&entries[2..], small), 1, "what is too large is for the journal to refuse");
    }
}
