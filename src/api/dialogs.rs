//! Dialogs: lists, one, and changes of its fields.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::model::command::{Action, DialogChanges};
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::{DialogId, LineId};
use crate::store::queries::dialogs::{self, DialogFilter, Sort};

use super::access::{REPLY, SEE};
use super::answers::{self, Id};
use super::auth::Principal;
use super::dialog_shape::DialogShape;
use super::fields::{Fields, WORD_CHARS_MAX, is_name};
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;
use super::writes::{DialogWriting, Writing, names_nothing};

/// The most labels of a dialog: it is kept in memory as a whole while it is open.
const TAGS_MAX: usize = 100;

/// The most own fields set at once.
const CUSTOM_MAX: usize = 100;

/// Priorities have this range, so that sums with ageing never leave the type.
const PRIORITY_RANGE: std::ops::RangeInclusive<i64> = -1_000_000..=1_000_000;

/// The words for priorities.
const PRIORITIES: [(&str, i32); 4] = [("low", -10), ("normal", 0), ("high", 10), ("urgent", 20)];

/// How a priority is written.
const PRIORITY_FORM: &str = "low, normal, high, urgent, or a whole number from -1000000 to 1000000";

/// `GET /v1/dialogs`
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(SEE)?;
    if parameters.text("q").is_some() {
        return Err(Problem::not_supported_yet("search by `q`"));
    }
    let mut filter = read_filter(&mut parameters);
    let sort =
        parameters.read("sort", "one of waiting, opened, updated, priority", read_sort).unwrap_or_default();
    let limit = parameters.limit();
    let cursor = parameters.cursor();
    let taken = parameters.finish()?;
    filter.lines = principal.narrowed_lines(filter.lines);
    let found = api
        .read(move |store| {
            let admits = |dialog: &Dialog| principal.reaches(scope, dialog);
            dialogs::list_where(store, &filter, sort, cursor.as_deref(), limit, &admits)
        })
        .await?;
    let items: Vec<DialogShape<'_>> = found.items.iter().map(DialogShape::from).collect();
    answers::page(&taken, &items, found.next_cursor.as_deref())
}

fn read_filter(parameters: &mut Parameters) -> DialogFilter {
    const NAME: &str = "an id: lower-case letters, digits, `-` and `_`";
    fn name<T: for<'a> From<&'a str>>(text: &str) -> Option<T> {
        is_name(text).then(|| T::from(text))
    }
    let states = "states, separated by commas: queued, offered, accepted, waiting_client, \
                  waiting_operator, closing, closed, or open for all but closed";
    DialogFilter {
        lines: parameters.list("line", "ids of lines, separated by commas", name::<LineId>),
        states: parameters.read("status", states, read_states),
        owner: parameters.read("owner", NAME, name),
        team: parameters.read("team", NAME, name),
        channel: parameters.read("channel", NAME, name),
        client: parameters.parse("client", "the id of a client, such as c-17"),
        chat: parameters.parse("chat", "the id of a chat, such as h-17"),
        topic: parameters.read("topic", NAME, name),
        tag: parameters.text("tag"),
        priority: parameters.read("priority", PRIORITY_FORM, |text| {
            priority_word(text).or_else(|| text.parse().ok().and_then(priority_number))
        }),
        opened_from_ms: parameters.time("opened_from"),
        opened_to_ms: parameters.time("opened_to"),
    }
}

fn read_states(text: &str) -> Option<BTreeSet<DialogState>> {
    let mut states = BTreeSet::new();
    for word in text.split(',') {
        if word == "open" {
            states.extend(DialogState::ALL.into_iter().filter(|state| *state != DialogState::Closed));
        } else {
            states.insert(DialogState::ALL.into_iter().find(|state| state.as_str() == word)?);
        }
    }
    Some(states)
}

fn read_sort(text: &str) -> Option<Sort> {
    [Sort::Waiting, Sort::Opened, Sort::Updated, Sort::Priority]
        .into_iter()
        .find(|sort| sort.as_str() == text)
}

fn priority_word(text: &str) -> Option<i32> {
    PRIORITIES.iter().find(|(word, _)| *word == text).map(|(_, priority)| *priority)
}

fn priority_number(number: i64) -> Option<i32> {
    PRIORITY_RANGE.contains(&number).then(|| i32::try_from(number).ok()).flatten()
}

/// `GET /v1/dialogs/{id}`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<DialogId>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let row = seen(&api, &principal, id).await?;
    let response = answers::json(StatusCode::OK, &DialogShape::from(&row))?;
    Ok(answers::with_version(response, row.version))
}

/// A dialog that may be seen.
///
/// # Errors
/// 404 when there is none, or it may not be seen; 403 when no dialog may be seen.
pub(super) async fn seen(api: &Api, principal: &Principal, id: DialogId) -> Result<Dialog, Problem> {
    principal.require(SEE)?;
    let row = api.read(move |store| dialogs::get(store, id)).await?;
    row.filter(|row| principal.sees(row)).ok_or_else(Problem::not_found)
}

/// `PATCH /v1/dialogs/{id}`
pub(super) async fn change(Writing { write, id: Id(id), body }: DialogWriting) -> Result<Response, Problem> {
    let changes = read_changes(body)?;
    let action = move |_: &Dialog| Ok(Action::Update { dialog: id, changes });
    write.change_dialog(id, REPLY, names_nothing, action).await
}

fn read_changes(mut body: Fields) -> Result<DialogChanges, Problem> {
    let paused = body.take("paused").and_then(|value| {
        let paused = value.as_bool();
        if paused.is_none() {
            body.complain("paused", "must be true or false");
        }
        paused
    });
    let priority = match body.take("priority") {
        None => None,
        Some(value) => {
            let priority = match &value {
                Value::String(word) => priority_word(word),
                Value::Number(number) => number.as_i64().and_then(priority_number),
                _ => None,
            };
            if priority.is_none() {
                body.complain("priority", format!("must be {PRIORITY_FORM}"));
            }
            priority
        }
    };
    // Null removes the topic; a field that is not there leaves it alone.
    let topic = body.has("topic").then(|| body.optional_name("topic"));
    let tags = body.take("tags").and_then(|value| {
        let tags = read_tags(&value);
        if tags.is_none() {
            let form =
                format!("must be a list of at most {TAGS_MAX} texts of 1 to {WORD_CHARS_MAX} characters");
            body.complain("tags", form);
        }
        tags
    });
    let custom = body.optional_object("custom", CUSTOM_MAX);
    body.finish()?;
    Ok(DialogChanges { priority, topic, tags, paused, custom })
}

fn read_tags(value: &Value) -> Option<BTreeSet<String>> {
    let tags = value.as_array().filter(|tags| tags.len() <= TAGS_MAX)?;
    tags.iter()
        .map(|tag| {
            let tag = tag.as_str()?.trim();
            (1..=WORD_CHARS_MAX).contains(&tag.chars().count()).then(|| tag.to_owned())
        })
        .collect()
}
