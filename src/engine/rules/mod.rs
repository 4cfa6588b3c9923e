//! Rules: trigger → conditions → actions.
//!
//! All rules on an event are matched on one snapshot of the facts, taken when the event was stated; then
//! they act in their order. What an action causes may start further rules, but a rule never fires on
//! what follows from itself, and a chain is cut off at [`CHAIN_MAX`].

pub(super) mod act;
pub mod condition;
pub(super) mod facts;

use serde_json::json;

use crate::model::decision::{RuleMatch, Verdict};
use crate::model::event::EventKind;
use crate::model::id::RuleId;
use crate::model::rule::{Rule, RuleAction};

use super::step::{Step, UnseenEvent};
use condition::{Compiled, ConditionError};

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

/// Shows an event to the rules.
pub(super) fn see(step: &mut Step<'_>, unseen: &UnseenEvent) {
    let live = std::sync::Arc::clone(&step.live);
    let mut matched = Vec::new();
    for rule in live.rules_on(unseen.kind) {
        if unseen.barred.contains(&rule.id) {
            continue;
        }
        if rule.when.as_ref().is_none_or(|condition| condition.holds(&unseen.facts)) {
            matched.push(rule);
            if rule.stop {
                break;
            }
        }
    }
    for rule in matched {
        if unseen.chain.len() >= CHAIN_MAX {
            let data = json!({"rule": rule.id, "event": unseen.kind, "chain": unseen.chain});
            let line = step.dialog(unseen.dialog).map(|row| row.line.clone());
            step.emit_tripped(unseen.dialog, line, data);
            continue;
        }
        step.acting = unseen.chain.iter().cloned().chain([rule.id.clone()]).collect();
        let actions = rule.actions.iter().map(|action| act::act(step, unseen, &rule.id, action)).collect();
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
            | EventKind::ConfigActivated
            | EventKind::ClientCreated
            | EventKind::MessageUnsupported
            | EventKind::RuleTripped
    )
}
