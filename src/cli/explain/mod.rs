//! `switchboard explain`: why things happened as they did, for people or for programs.
//!
//! Lives here: the command and its questions to the daemon; the page that people read ([`page`]), one decision on it
//! ([`decision`]; those about its life and its waiting: [`life`]), tables ([`table`]). Calls the client of the command line. What the API says of a decision and this
//! program does not know is printed as it comes, so an older program explains a newer daemon.

mod decision;
mod life;
mod page;
mod table;

use std::process::ExitCode;

use chrono::Local;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::id::{DialogId, MessageId, OfferId};

use super::client::{Client, ClientError, Daemon};
use super::output::{self, OutputError};
use super::terminal_text::paint_of;
use super::{Arguments, Format, wait_for};

/// More decisions than a dialog of months has: each message and each change of presence may bring one.
const DECISIONS_MAX: usize = 10_000;
/// The same for everything that happened in a dialog.
const TIMELINE_MAX: usize = 20_000;

#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    daemon: Daemon,
    /// What to explain: a dialog (`d-3`), a message (`m-17`), an offer (`o-4`) or an event (`17.0`).
    #[arg(value_name = "ID", value_parser = id)]
    id: String,
    /// How it is printed: for people in local time, or as one JSON document.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Takes the ids that can be explained.
fn id(text: &str) -> Result<String, String> {
    let is_event = || {
        let (seq, index) = text.split_once('.')?;
        Some(seq.parse::<u64>().is_ok() && index.parse::<u32>().is_ok())
    };
    let is_id = text.parse::<DialogId>().is_ok()
        || text.parse::<MessageId>().is_ok()
        || text.parse::<OfferId>().is_ok()
        || is_event() == Some(true);
    is_id.then(|| text.to_owned()).ok_or_else(|| {
        "give the id of a dialog (d-3), a message (m-17), an offer (o-4) or an event (17.0)".to_owned()
    })
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("there is no {what} `{id}`, or this token may not see it")]
    NotFound { what: &'static str, id: String },
    #[error("the output cannot be written")]
    Output(#[from] OutputError),
    #[error("the explanation cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Everything that is known about what was asked for.
#[derive(Debug, Serialize)]
struct Explanation {
    id: String,
    /// `dialog`, `message`, `offer` or `event`.
    kind: String,
    /// The entry that made it.
    seq: u64,
    /// Null: an event about no dialog.
    dialog: Option<Value>,
    /// What happened in that entry.
    events: Vec<Value>,
    /// How an offer ended; null: it has not, or it is none.
    offer_end: Option<Value>,
    decisions: Vec<Value>,
    /// Whether there are more decisions than are shown.
    is_cut: bool,
    /// The configurations that decided, as far as the token may know of them.
    configurations: Vec<Configuration>,
}

/// A configuration that was live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Configuration {
    version: String,
    commit: Option<String>,
    activated_at: String,
}

/// What an id stands for, as the API says.
#[derive(Deserialize)]
struct Subject {
    kind: String,
    seq: u64,
    dialog: Option<String>,
    events: Vec<Value>,
}

#[derive(Deserialize)]
struct History {
    history: Vec<Configuration>,
}

pub(super) fn run(arguments: &Arguments, explain: &Explain) -> ExitCode {
    wait_for(async {
        let client = explain.daemon.client(&arguments.config)?;
        let explanation = ask(&client, &explain.id).await?;
        let text = match explain.format {
            Format::Json => serde_json::to_string_pretty(&explanation)?,
            Format::Text => page::of(&explanation, &Local, paint_of(&std::io::stdout())),
        };
        match output::line(text.trim_end()) {
            Err(OutputError::Closed) => Ok(()),
            written => written.map_err(ExplainError::Output),
        }
    })
}

async fn ask(client: &Client, id: &str) -> Result<Explanation, ExplainError> {
    let subject: Subject = client.get(&format!("/v1/explain/{id}")).await.map_err(|error| {
        if error.is_not_found() {
            ExplainError::NotFound { what: kind_of(id), id: id.to_owned() }
        } else {
            error.into()
        }
    })?;
    let mut explanation = Explanation {
        id: id.to_owned(),
        kind: subject.kind,
        seq: subject.seq,
        dialog: None,
        events: subject.events,
        offer_end: None,
        decisions: Vec::new(),
        is_cut: false,
        configurations: Vec::new(),
    };
    let Some(dialog) = subject.dialog else { return Ok(explanation) };
    explanation.dialog = Some(client.get(&format!("/v1/dialogs/{dialog}")).await?);
    let decisions = client.list(&format!("/v1/dialogs/{dialog}/explain"), DECISIONS_MAX).await?;
    explanation.is_cut = decisions.is_cut;
    explanation.decisions = decisions.items;
    explanation.decisions.retain(|decision| match explanation.kind.as_str() {
        "dialog" => true,
        "offer" => made_offer(decision, id),
        _ => decision.get("seq").and_then(Value::as_u64) == Some(explanation.seq),
    });
    if explanation.kind == "offer" {
        explanation.offer_end = offer_end(client, &dialog, id).await?;
    }
    explanation.configurations = configurations(client, &explanation.decisions).await?;
    Ok(explanation)
}

/// Whether a decision made this offer.
fn made_offer(decision: &Value, id: &str) -> bool {
    let is_it = |value: &Value| value.as_str() == Some(id);
    let offers = decision.get("offers").and_then(Value::as_array).into_iter().flatten();
    decision.get("offer").is_some_and(is_it) || offers.filter_map(|offer| offer.get("id")).any(is_it)
}

/// The event that ended an offer.
async fn offer_end(client: &Client, dialog: &str, id: &str) -> Result<Option<Value>, ClientError> {
    let timeline = client.list(&format!("/v1/dialogs/{dialog}/timeline?order=desc"), TIMELINE_MAX).await?;
    Ok(timeline.items.into_iter().find_map(|mut item| {
        let event = item.get_mut("event")?.take();
        let is_end = event.get("type")?.as_str()? == "dialog.offer_ended"
            && event.get("data")?.get("offer")?.as_str()? == id;
        is_end.then_some(event)
    }))
}

/// The configurations by which the decisions were taken. Only administrators see when which one was live.
async fn configurations(client: &Client, decisions: &[Value]) -> Result<Vec<Configuration>, ClientError> {
    let history = match client.get::<History>("/v1/config").await {
        Ok(History { history }) => history,
        Err(ClientError::RightMissing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let has_decided = |configuration: &Configuration| {
        let versions = decisions.iter().filter_map(|decision| decision.get("config")?.as_str());
        versions.into_iter().any(|version| version == configuration.version)
    };
    Ok(history.into_iter().filter(has_decided).collect())
}

fn kind_of(id: &str) -> &'static str {
    match id.split_once('-').map(|(prefix, _)| prefix) {
        Some("d") => "dialog",
        Some("m") => "message",
        Some("o") => "offer",
        _ => "event",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_explained_is_refused_with_what_can() {
        for good in ["d-3", "m-17-2", "o-4", "17.0"] {
            assert_eq!(id(good), Ok(good.to_owned()));
        }
        for wrong in ["", "17", "c-3", "d-03", "../x", "17.0.0"] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_offer_is_explained_by_the_decision_that_made_it() {
        let routing = serde_json::json!({"offers": [{"id": "o-4", "operator": "anna"}]});
        let transfer = serde_json::json!({"offer": "o-5"});
        assert!(made_offer(&routing, "o-4") && !made_offer(&routing, "o-5"));
        assert!(made_offer(&transfer, "o-5") && !made_offer(&transfer, "o-4"));
    }
}
