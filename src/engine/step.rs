//! One application of one entry: what the verbs share while they work.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::model::decision::{Decision, Trigger, Verdict};
use crate::model::dialog::Dialog;
use crate::model::effect::Lane;
use crate::model::entry::Entry;
use crate::model::event::{Event, EventKind};
use crate::model::id::{
    ChatId, ClientId, DialogId, EffectId, LineId, MessageId, OfferId, OperatorId, RuleId,
};

use super::live::Live;
use super::routing::queue::Audience;
use super::rules::facts::{self, Wanted};
use super::state::State;

/// What the verbs work with.
pub(super) struct Step<'a> {
    pub(super) state: &'a mut State,
    pub(super) live: Arc<Live>,
    pub(super) seq: u64,
    pub(super) at_ms: u64,
    pub(super) epoch: u64,
    /// The meaning by which the entry was first applied: what was decided once stays decided.
    pub(super) apply_version: u32,
    made: Made,
    /// Events stated in this step.
    pub(super) events: Vec<Arc<Event>>,
    /// Events that rules have not seen yet, with the facts as they were then.
    pub(super) unseen: VecDeque<UnseenEvent>,
    /// The rules that led to what is done now, the first cause first.
    pub(super) acting: Vec<RuleId>,
    /// The rules that touched a dialog in this step.
    touched: BTreeMap<DialogId, Touched>,
    /// Queues that may have something to give.
    pub(super) to_route: BTreeSet<Audience>,
    /// Dialogs that need a decision, with the reason.
    pub(super) undecided: BTreeMap<DialogId, Trigger>,
    /// Lanes whose head may have become ready.
    pub(super) lanes: BTreeSet<Lane>,
    /// Dialogs that changed: what is due in their life may have changed with them.
    pub(super) changed: BTreeSet<DialogId>,
    /// Dialogs whose clocks have to be looked at, where anything is promised.
    pub(super) clocks: BTreeSet<DialogId>,
    /// Whether somebody has come or gone.
    pub(super) presence_changed: bool,
}

/// An event that rules matched and have not acted on yet.
pub(super) struct UnseenEvent {
    pub(super) kind: EventKind,
    pub(super) dialog: DialogId,
    /// The facts as they were when it was stated.
    pub(super) facts: Value,
    /// The rules that led to it, the first cause first.
    pub(super) chain: Vec<RuleId>,
    /// The places of the rules that matched.
    pub(super) matched: Vec<usize>,
}

/// The rules that touched one dialog.
#[derive(Default)]
struct Touched {
    rules: BTreeSet<RuleId>,
    /// The longest row of rules, each caused by the one before, that led to a touch.
    longest: Vec<RuleId>,
}

/// How many identifiers of each kind this step has made.
#[derive(Default)]
struct Made {
    dialogs: u32,
    messages: u32,
    clients: u32,
    chats: u32,
    offers: u32,
    effects: u32,
    decisions: u32,
}

impl<'a> Step<'a> {
    pub(super) fn new(state: &'a mut State, live: Arc<Live>, entry: &Entry) -> Self {
        Self {
            state,
            live,
            seq: entry.seq,
            at_ms: entry.at_ms,
            epoch: entry.epoch,
            apply_version: entry.apply_version,
            made: Made::default(),
            events: Vec::new(),
            unseen: VecDeque::new(),
            acting: Vec::new(),
            touched: BTreeMap::new(),
            to_route: BTreeSet::new(),
            undecided: BTreeMap::new(),
            lanes: BTreeSet::new(),
            changed: BTreeSet::new(),
            clocks: BTreeSet::new(),
            presence_changed: false,
        }
    }

    pub(super) fn new_dialog(&mut self) -> DialogId {
        DialogId::new(self.seq, next(&mut self.made.dialogs))
    }

    pub(super) fn new_message(&mut self) -> MessageId {
        MessageId::new(self.seq, next(&mut self.made.messages))
    }

    pub(super) fn new_client(&mut self) -> ClientId {
        ClientId::new(self.seq, next(&mut self.made.clients))
    }

    pub(super) fn new_chat(&mut self) -> ChatId {
        ChatId::new(self.seq, next(&mut self.made.chats))
    }

    pub(super) fn new_offer(&mut self) -> OfferId {
        OfferId::new(self.seq, next(&mut self.made.offers))
    }

    pub(super) fn new_effect(&mut self) -> EffectId {
        EffectId::new(self.seq, next(&mut self.made.effects))
    }

    /// A dialog that is in memory.
    pub(super) fn dialog(&self, id: DialogId) -> Option<&Dialog> {
        self.state.dialogs.get(&id)
    }

    /// Changes a dialog, with its version and time of change.
    pub(super) fn change_dialog<R>(
        &mut self,
        id: DialogId,
        change: impl FnOnce(&mut Dialog) -> R,
    ) -> Option<R> {
        let (seq, at_ms) = (self.seq, self.at_ms);
        self.changed.insert(id);
        if !self.acting.is_empty() {
            let touched = self.touched.entry(id).or_default();
            touched.rules.extend(self.acting.iter().cloned());
            if touched.longest.len() < self.acting.len() {
                touched.longest.clone_from(&self.acting);
            }
        }
        if self.live.promises_anything {
            self.clocks.insert(id);
        }
        self.state.change_dialog(id, |dialog| {
            dialog.version = seq;
            dialog.updated_at_ms = at_ms;
            change(dialog)
        })
    }

    /// States a fact about a dialog.
    pub(super) fn emit(
        &mut self,
        kind: EventKind,
        dialog: DialogId,
        message: Option<MessageId>,
        data: Value,
    ) {
        let line = self.dialog(dialog).map(|dialog| dialog.line.clone());
        self.push_event(kind, line, Some(dialog), data);
        let live = Arc::clone(&self.live);
        if let Some(rules) = live.rules_on(kind) {
            let touched = self.touched.get(&dialog);
            // What routing does later in this step follows from whatever rules did before.
            let chain = match touched {
                Some(touched) if self.acting.is_empty() => touched.longest.clone(),
                _ => self.acting.clone(),
            };
            let mut barred: BTreeSet<RuleId> = chain.iter().cloned().collect();
            barred.extend(touched.into_iter().flat_map(|touched| touched.rules.iter().cloned()));
            let data = self.events.last().map(|event| &event.data);
            let asked = facts::document(self, kind, Some(dialog), message, rules.wanted());
            let asked = facts::with_data(asked, data, rules.wanted());
            let matched = rules.matching(&asked, &barred);
            if !matched.is_empty() {
                let facts = facts::document(self, kind, Some(dialog), message, &Wanted::all());
                let facts = facts::with_data(facts, data, &Wanted::all());
                self.unseen.push_back(UnseenEvent { kind, dialog, facts, chain, matched });
            }
        }
    }

    /// States a fact that is about no dialog.
    pub(super) fn emit_general(&mut self, kind: EventKind, line: Option<LineId>, data: Value) {
        self.push_event(kind, line, None, data);
    }

    /// States a fact that no rule may react to, because it follows from rules without end.
    pub(super) fn emit_unheard(
        &mut self,
        kind: EventKind,
        dialog: DialogId,
        line: Option<LineId>,
        data: Value,
    ) {
        self.push_event(kind, line, Some(dialog), data);
    }

    fn push_event(&mut self, kind: EventKind, line: Option<LineId>, dialog: Option<DialogId>, data: Value) {
        let index = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        let event = Event { seq: self.seq, index, at_ms: self.at_ms, kind, line, dialog, data };
        self.events.push(Arc::new(event));
    }

    /// Keeps the record of a decision.
    pub(super) fn record(&mut self, dialog: DialogId, verdict: Verdict) {
        let decision = Decision {
            seq: self.seq,
            index: next(&mut self.made.decisions),
            at_ms: self.at_ms,
            dialog,
            config: self.live.version.clone(),
            verdict,
        };
        self.state.decisions.push(decision);
    }

    /// A dialog needs a decision.
    pub(super) fn decide(&mut self, dialog: DialogId, trigger: Trigger) {
        if let Some(row) = self.dialog(dialog) {
            let audience = Audience::of(row, &self.live);
            self.undecided.insert(dialog, trigger);
            self.to_route.insert(audience);
        }
    }

    /// An operator may have room: every queue that could give them something is looked at.
    pub(super) fn route_for(&mut self, operator: &OperatorId) {
        let Some(number) = self.live.people.number(operator) else { return };
        let audiences: Vec<Audience> = self
            .state
            .queues
            .iter()
            .filter(|(_, queue)| queue.pool.set.has(number))
            .map(|(audience, _)| audience.clone())
            .collect();
        self.to_route.extend(audiences);
    }
}

fn next(counter: &mut u32) -> u32 {
    let index = *counter;
    *counter = counter.saturating_add(1);
    index
}
