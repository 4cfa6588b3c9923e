//! What a rule does.

use serde_json::json;

use crate::engine::outgoing::{Draft, WrittenBy, send};
use crate::engine::render::Missing;
use crate::engine::routing::candidates;
use crate::engine::step::{Step, UnseenEvent};
use crate::engine::{close, commands, delivery, transfer};
use crate::model::command::{DialogChanges, TransferTarget};
use crate::model::decision::ActionTrace;
use crate::model::dialog::CloseReason;
use crate::model::effect::{EffectAction, Lane, Notification};
use crate::model::id::{EndpointId, OperatorId, RuleId};
use crate::model::message::{Author, Button};
use crate::model::operator::Presence;
use crate::model::rule::{Content, Receiver, RuleAction};

use super::facts;

/// Does one action of a rule. What is refused is recorded and stops nothing.
pub(super) fn act(
    step: &mut Step<'_>,
    unseen: &UnseenEvent,
    rule: &RuleId,
    action: &RuleAction,
) -> ActionTrace {
    ActionTrace { action: action.name().to_owned(), refused: perform(step, unseen, rule, action).err() }
}

fn perform(
    step: &mut Step<'_>,
    unseen: &UnseenEvent,
    rule: &RuleId,
    action: &RuleAction,
) -> Result<(), String> {
    let dialog = unseen.dialog;
    match action {
        RuleAction::Reply(content) => {
            let (text, buttons) = words(step, unseen, content)?;
            let draft = Draft {
                author: Author::Rule(rule.clone()),
                text,
                buttons,
                reply_to: None,
                written_by: WrittenBy::Machine,
            };
            if answers_a_machine(unseen) {
                return Err("an automatic message is not answered automatically".to_owned());
            }
            send(step, dialog, draft).map(drop).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Note(source) => {
            let text = step
                .live
                .templates
                .render_inline(source, &unseen.facts, Missing::Empty)
                .map_err(|error| error.to_string())?;
            commands::note(step, dialog, Author::Rule(rule.clone()), text)
                .map(drop)
                .map_err(|rejection| rejection.to_string())
        }
        RuleAction::AddTags(tags) => {
            let row = step.dialog(dialog).ok_or("the dialog is gone")?;
            let tags = row.tags.union(tags).cloned().collect();
            change(step, unseen, DialogChanges { tags: Some(tags), ..DialogChanges::default() })
        }
        RuleAction::SetPriority(priority) => {
            change(step, unseen, DialogChanges { priority: Some(*priority), ..DialogChanges::default() })
        }
        RuleAction::SetTopic(topic) => {
            let topic = Some(Some(topic.clone()));
            change(step, unseen, DialogChanges { topic, ..DialogChanges::default() })
        }
        RuleAction::Transfer { to, otherwise } => {
            let receiver = match otherwise {
                Some(otherwise) if !has_anybody(step, unseen, to) => otherwise,
                _ => to,
            };
            if let Receiver::Operator(operator) = receiver
                && !has_room(step, unseen, operator)
            {
                return Err("the operator has no room".to_owned());
            }
            transfer::transfer(step, dialog, &target(receiver), None, &Author::Rule(rule.clone()))
                .map(drop)
                .map_err(|rejection| rejection.to_string())
        }
        RuleAction::Close => {
            close::close(step, dialog, CloseReason::Rule).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Notify { endpoint, content } => notify(step, unseen, rule, endpoint, content.as_ref()),
    }
}

/// Whether the event is about an automatic message, of a client's machine or of ours. The fate of our own
/// comes back entries later, when the chain of rules is forgotten: a reply to it would never end.
fn answers_a_machine(unseen: &UnseenEvent) -> bool {
    unseen.facts.pointer("/message/automatic").and_then(serde_json::Value::as_bool).unwrap_or(false)
}

fn words(step: &Step<'_>, unseen: &UnseenEvent, content: &Content) -> Result<(String, Vec<Button>), String> {
    let templates = &step.live.templates;
    match content {
        Content::Template(template) => {
            let languages = facts::languages(step, unseen.dialog);
            templates
                .render(template, &languages, &unseen.facts, Missing::Empty)
                .map(|rendered| (rendered.text, rendered.buttons))
        }
        Content::Text(source) => {
            templates.render_inline(source, &unseen.facts, Missing::Empty).map(|text| (text, Vec::new()))
        }
    }
    .map_err(|error| error.to_string())
}

fn change(step: &mut Step<'_>, unseen: &UnseenEvent, changes: DialogChanges) -> Result<(), String> {
    commands::update(step, unseen.dialog, &changes).map(drop).map_err(|rejection| rejection.to_string())
}

fn target(receiver: &Receiver) -> TransferTarget {
    match receiver {
        Receiver::Operator(operator) => TransferTarget::Operator(operator.clone()),
        Receiver::Team(team) => TransferTarget::Team(team.clone()),
        Receiver::Line(line) => TransferTarget::Line(line.clone()),
    }
}

/// Whether an operator has room for the dialog: only people may exceed a capacity, rules may not.
fn has_room(step: &Step<'_>, unseen: &UnseenEvent, operator: &OperatorId) -> bool {
    let Some(row) = step.dialog(unseen.dialog) else { return true };
    let Some(line) = step.live.line(&row.line) else { return true };
    let weight = step.live.weight_milli(&row.line, &row.channel);
    candidates::has_room(step.state, &step.live, line, &row.line, operator, weight)
}

/// Whether somebody of the receiver is online; an operator must have room as well.
fn has_anybody(step: &Step<'_>, unseen: &UnseenEvent, receiver: &Receiver) -> bool {
    let is_online = |operator| step.state.presence(operator) == Presence::Online;
    match receiver {
        Receiver::Operator(operator) => is_online(operator) && has_room(step, unseen, operator),
        Receiver::Team(team) => step.live.config.team_members(team).any(is_online),
        Receiver::Line(line) => step.live.members(line, None).iter().any(is_online),
    }
}

fn notify(
    step: &mut Step<'_>,
    unseen: &UnseenEvent,
    rule: &RuleId,
    endpoint: &EndpointId,
    content: Option<&Content>,
) -> Result<(), String> {
    if !step.live.config.daemon.endpoints.contains_key(endpoint) {
        return Err("there is no such endpoint".to_owned());
    }
    let text = match content {
        Some(content) => Some(words(step, unseen, content)?.0),
        None => None,
    };
    let row = step.dialog(unseen.dialog).ok_or("the dialog is gone")?;
    let data = json!({
        "rule": rule,
        "event": unseen.kind,
        "line": row.line,
        "dialog": unseen.dialog,
        "text": text,
    });
    let lane = Lane::Endpoint { endpoint: endpoint.clone(), dialog: unseen.dialog };
    let action = EffectAction::Notify(Notification {
        endpoint: endpoint.clone(),
        event: "rule.notify".to_owned(),
        seq: step.seq,
        at_ms: step.at_ms,
        data,
    });
    delivery::emit_effect(step, unseen.dialog, lane, action);
    Ok(())
}
