//! Rules: trigger → conditions → actions.
//!
//! All rules on an event are matched on one snapshot of the facts, taken when the event was stated; then
//! they act in their order. What an action causes may start further rules, but a rule never fires on
//! what follows from itself, and a chain is cut off at [`CHAIN_MAX`].

pub(super) mod act;
pub mod condition;
pub(super) mod facts;
mod index;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::decision::{RuleMatch, Verdict};
use crate::model::event::EventKind;
use crate::model::id::RuleId;
use crate::model::rule::{Rule, RuleAction};

use super::step::{Step, UnseenEvent};
use act::{By, Cause};
use condition::{Compiled, ConditionError};
use facts::Wanted;
use index::Index;

/// How many rules may cause one another in a row.
pub const CHAIN_MAX: usize = 4;

/// A rule that is ready to be asked.
#[derive(Debug)]
pub(super) struct CompiledRule {
    id: RuleId,
    when: Option<Compiled>,
    actions: Vec<RuleAction>,
    stop: bool,
}

/// Compiles a rule.
pub(super) fn compile_rule(rule: &Rule) -> Result<CompiledRule, ConditionError> {
    Ok(CompiledRule {
        id: rule.id.clone(),
        when: rule.when.as_ref().map(condition::compile).transpose()?,
        actions: rule.actions.clone(),
        stop: rule.stop,
    })
}

/// The rules on one event, in their order.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    rules: Vec<CompiledRule>,
    /// What their conditions look at.
    wanted: Wanted,
    index: Index,
}

impl RuleSet {
    /// Takes rules in their order.
    pub(super) fn of(rules: Vec<CompiledRule>) -> Self {
        let mut wanted = Wanted::default();
        for condition in rules.iter().filter_map(|rule| rule.when.as_ref()) {
            condition.add_wanted(&mut wanted);
        }
        let index = Index::of(&rules);
        Self { rules, wanted, index }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the conditions look at.
    pub(super) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The places of the rules that match, up to the first that stops the others.
    pub(super) fn matching(&self, facts: &Value, barred: &BTreeSet<RuleId>) -> Vec<usize> {
        let mut matched = Vec::new();
        // Whether it stops those behind it.
        let mut ask = |place: usize, rule: &CompiledRule| {
            let holds = || rule.when.as_ref().is_none_or(|condition| condition.holds(facts));
            let matches = !barred.contains(&rule.id) && holds();
            if matches {
                matched.push(place);
            }
            matches && rule.stop
        };
        match self.index.candidates(facts) {
            None => drop(self.rules.iter().enumerate().find(|(place, rule)| ask(*place, rule))),
            Some(candidates) => drop(
                candidates
                    .into_iter()
                    .filter_map(|place| Some((place, self.rules.get(place)?)))
                    .find(|(place, rule)| ask(*place, rule)),
            ),
        }
        matched
    }
}

/// Lets the rules act that an event matched.
pub(super) fn see(step: &mut Step<'_>, unseen: &UnseenEvent) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(set) = live.rules_on(unseen.kind) else { return };
    for rule in unseen.matched.iter().filter_map(|place| set.rules.get(*place)) {
        if unseen.chain.len() >= CHAIN_MAX {
            let data = json!({"rule": rule.id, "event": unseen.kind, "chain": unseen.chain});
            let line = step.dialog(unseen.dialog).map(|row| row.line.clone());
            step.emit_unheard(EventKind::RuleTripped, unseen.dialog, line, data);
            continue;
        }
        step.acting = unseen.chain.iter().cloned().chain([rule.id.clone()]).collect();
        let cause = Cause { by: By::Rule { rule: &rule.id, event: unseen.kind }, facts: &unseen.facts };
        let actions =
            rule.actions.iter().map(|action| act::act(step, unseen.dialog, &cause, action)).collect();
        step.record(
            unseen.dialog,
            Verdict::Rule(RuleMatch {
                rule: rule.id.clone(),
                event: unseen.kind.as_str().to_owned(),
                chain: u32::try_from(unseen.chain.len()).unwrap_or(u32::MAX),
                actions,
            }),
        );
        step.acting.clear();
    }
}

/// The events that rules can react to: those that are about a dialog.
pub const fn can_trigger(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::OperatorPresence
            | EventKind::OperatorShift
            | EventKind::ConfigActivated
            | EventKind::ClientCreated
            | EventKind::MessageUnsupported
            | EventKind::RuleTripped
    )
}
