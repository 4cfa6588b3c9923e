//! What a rule does.

use serde_json::{Value, json};

use crate::engine::outgoing::{Draft, WrittenBy, send};
use crate::engine::render::Missing;
use crate::engine::routing::candidates;
use crate::engine::step::Step;
use crate::engine::{close, commands, delivery, overflow, pause, transfer};
use crate::model::command::{DialogChanges, TransferTarget};
use crate::model::decision::{ActionTrace, Trigger};
use crate::model::dialog::CloseReason;
use crate::model::effect::{EffectAction, Lane, Notification};
use crate::model::event::EventKind;
use crate::model::id::{DialogId, EndpointId, OperatorId, RuleId};
use crate::model::message::{Author, Button};
use crate::model::offer::OfferEnd;
use crate::model::rule::{Content, Receiver, RuleAction};

use super::facts;

/// Why something is done.
pub(in crate::engine) struct Cause<'a> {
    /// What does it.
    pub(in crate::engine) by: By<'a>,
    /// What conditions and templates see.
    pub(in crate::engine) facts: &'a Value,
}

/// What does something.
#[derive(Clone, Copy)]
pub(in crate::engine) enum By<'a> {
    /// A rule, on an event.
    Rule { rule: &'a RuleId, event: EventKind },
    /// The last resort of a line, because a dialog waited too long.
    Waiting,
}

impl By<'_> {
    fn author(self) -> Author {
        match self {
            Self::Rule { rule, .. } => Author::Rule(rule.clone()),
            Self::Waiting => Author::System,
        }
    }
}

/// Does one action. What is refused is recorded and stops nothing.
pub(in crate::engine) fn act(
    step: &mut Step<'_>,
    dialog: DialogId,
    cause: &Cause<'_>,
    action: &RuleAction,
) -> ActionTrace {
    ActionTrace { action: action.name().to_owned(), refused: perform(step, dialog, cause, action).err() }
}

fn perform(
    step: &mut Step<'_>,
    dialog: DialogId,
    cause: &Cause<'_>,
    action: &RuleAction,
) -> Result<(), String> {
    match action {
        RuleAction::Reply(content) => {
            let (text, buttons) = words(step, dialog, cause, content)?;
            let draft = Draft {
                author: cause.by.author(),
                text,
                buttons,
                attachments: Vec::new(),
                reply_to: None,
                written_by: WrittenBy::Machine,
                even_if_closed: false,
            };
            if answers_a_machine(cause) {
                return Err("an automatic message is not answered automatically".to_owned());
            }
            send(step, dialog, draft).map(drop).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Note(source) => {
            let text = step
                .live
                .templates
                .render_inline(source, cause.facts, Missing::Empty)
                .map_err(|error| error.to_string())?;
            commands::note(step, dialog, cause.by.author(), text)
                .map(drop)
                .map_err(|rejection| rejection.to_string())
        }
        RuleAction::AddTags(tags) => {
            let row = step.dialog(dialog).ok_or("the dialog is gone")?;
            let tags = row.tags.union(tags).cloned().collect();
            change(step, dialog, DialogChanges { tags: Some(tags), ..DialogChanges::default() })
        }
        RuleAction::SetPriority(priority) => {
            change(step, dialog, DialogChanges { priority: Some(*priority), ..DialogChanges::default() })
        }
        RuleAction::SetTopic(topic) => {
            let topic = Some(Some(topic.clone()));
            change(step, dialog, DialogChanges { topic, ..DialogChanges::default() })
        }
        RuleAction::Transfer { to, otherwise } => {
            let receiver = match otherwise {
                Some(otherwise) if !has_anybody(step, dialog, to) => otherwise,
                _ => to,
            };
            if let Receiver::Operator(operator) = receiver
                && !has_room(step, dialog, operator)
            {
                return Err("the operator has no room".to_owned());
            }
            if let (By::Waiting, Receiver::Line(line)) = (cause.by, receiver) {
                return overflow::move_to(step, dialog, line);
            }
            transfer::transfer(step, dialog, &target(receiver), None, &cause.by.author())
                .map(drop)
                .map_err(|rejection| rejection.to_string())
        }
        RuleAction::Requeue { reason } => {
            transfer::requeue(step, dialog, OfferEnd::Requeued, Trigger::Requeued, reason.as_deref())
                .map(drop)
                .map_err(|rejection| rejection.to_string())
        }
        RuleAction::Close => {
            close::close(step, dialog, CloseReason::Rule).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Spam => {
            close::close(step, dialog, CloseReason::Spam).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Pause { for_ms } => {
            pause::pause_for(step, dialog, *for_ms).map(drop).map_err(|rejection| rejection.to_string())
        }
        RuleAction::Notify { endpoint, content } => notify(step, dialog, cause, endpoint, content.as_ref()),
    }
}

/// Whether the event is about an automatic message, of a client's machine or of ours. The fate of our own
/// comes back entries later, when the chain of rules is forgotten: a reply to it would never end.
fn answers_a_machine(cause: &Cause<'_>) -> bool {
    cause.facts.pointer("/message/automatic").and_then(serde_json::Value::as_bool).unwrap_or(false)
}

fn words(
    step: &Step<'_>,
    dialog: DialogId,
    cause: &Cause<'_>,
    content: &Content,
) -> Result<(String, Vec<Button>), String> {
    let templates = &step.live.templates;
    match content {
        Content::Template(template) => {
            let languages = facts::languages(step, dialog);
            templates
                .render(template, &languages, cause.facts, Missing::Empty)
                .map(|rendered| (rendered.text, rendered.buttons))
        }
        Content::Text(source) => {
            templates.render_inline(source, cause.facts, Missing::Empty).map(|text| (text, Vec::new()))
        }
    }
    .map_err(|error| error.to_string())
}

fn change(step: &mut Step<'_>, dialog: DialogId, changes: DialogChanges) -> Result<(), String> {
    commands::update(step, dialog, &changes).map(drop).map_err(|rejection| rejection.to_string())
}

fn target(receiver: &Receiver) -> TransferTarget {
    match receiver {
        Receiver::Operator(operator) => TransferTarget::Operator(operator.clone()),
        Receiver::Team(team) => TransferTarget::Team(team.clone()),
        Receiver::Line(line) => TransferTarget::Line(line.clone()),
    }
}

/// Whether an operator has room for the dialog: only people may exceed a capacity, rules may not.
fn has_room(step: &Step<'_>, dialog: DialogId, operator: &OperatorId) -> bool {
    let Some(row) = step.dialog(dialog) else { return true };
    let Some(line) = step.live.line(&row.line) else { return true };
    let weight = step.live.weight_milli(&row.line, &row.channel);
    candidates::has_room(step.state, &step.live, line, &row.line, operator, weight)
}

/// Whether somebody of the receiver is online; an operator must have room as well.
fn has_anybody(step: &Step<'_>, dialog: DialogId, receiver: &Receiver) -> bool {
    let is_online = |operator: &OperatorId| candidates::is_online(step.state, operator);
    match receiver {
        Receiver::Operator(operator) => is_online(operator) && has_room(step, dialog, operator),
        Receiver::Team(team) => step.live.config.team_members(team).any(is_online),
        Receiver::Line(line) => step.live.members(line, None).iter().any(is_online),
    }
}

fn notify(
    step: &mut Step<'_>,
    dialog: DialogId,
    cause: &Cause<'_>,
    endpoint: &EndpointId,
    content: Option<&Content>,
) -> Result<(), String> {
    if !step.live.config.daemon.endpoints.contains_key(endpoint) {
        return Err("there is no such endpoint".to_owned());
    }
    let text = match content {
        Some(content) => Some(words(step, dialog, cause, content)?.0),
        None => None,
    };
    let row = step.dialog(dialog).ok_or("the dialog is gone")?;
    let (rule, event) = match cause.by {
        By::Rule { rule, event } => (Some(rule), event),
        By::Waiting => (None, EventKind::DialogOverflowed),
    };
    let data = json!({
        "rule": rule,
        "event": event,
        "line": row.line,
        "dialog": dialog,
        "text": text,
    });
    let lane = Lane::Endpoint { endpoint: endpoint.clone(), dialog };
    let action = EffectAction::Notify(Notification {
        endpoint: endpoint.clone(),
        event: "rule.notify".to_owned(),
        seq: step.seq,
        at_ms: step.at_ms,
        data,
    });
    delivery::emit_effect(step, dialog, lane, action);
    Ok(())
}
