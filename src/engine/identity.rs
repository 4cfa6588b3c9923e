//! Under which name clients see operators.

use serde_json::Value;

use crate::model::dialog::Dialog;
use crate::model::id::OperatorId;
use crate::model::line::OperatorIdentity;
use crate::model::message::Author;

use super::live::Live;
use super::step::Step;

/// The name that a client sees of an operator in a dialog; `None`: none.
fn shown_name<'a>(live: &'a Live, policy: &'a OperatorIdentity, operator: &OperatorId) -> Option<&'a str> {
    let profile = || live.config.operators.get(operator).map(|declared| declared.name.as_str());
    match policy {
        OperatorIdentity::Hidden => None,
        OperatorIdentity::Profile => profile(),
        OperatorIdentity::Alias { name, operators } => {
            operators.get(operator).or(name.as_ref()).map(String::as_str).or_else(profile)
        }
    }
}

fn policy<'a>(live: &'a Live, row: &Dialog) -> Option<&'a OperatorIdentity> {
    live.line(&row.line)?.operator_identity.as_ref()
}

/// The name that goes with a message to the client. Lines that say nothing about names send none.
pub(super) fn sender(live: &Live, row: &Dialog, author: &Author) -> Option<String> {
    match author {
        Author::Operator(operator) => shown_name(live, policy(live, row)?, operator).map(str::to_owned),
        _ => None,
    }
}

/// Puts the name that the client may see into what a text for the client is made from.
pub(super) fn show(step: &Step<'_>, row: &Dialog, known: &mut Value) {
    let (Some(policy), Some(owner)) = (policy(&step.live, row), &row.owner) else { return };
    let shown = shown_name(&step.live, policy, owner);
    if let Some(operator) = known.get_mut("operator").and_then(Value::as_object_mut) {
        // The id may be a name as well.
        operator.clear();
        if let Some(name) = shown {
            operator.insert("name".to_owned(), name.into());
        }
    }
}
