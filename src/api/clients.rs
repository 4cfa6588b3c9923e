//! Clients: who they are and how they can be reached.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::model::client::{Client, Identity};
use crate::model::dialog::Dialog;
use crate::model::id::ClientId;
use crate::store::queries::clients;
use crate::store::queries::dialogs::{self, DialogFilter, Sort};

use super::access::CLIENTS;
use super::answers::{self, Id};
use super::auth::Principal;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;
use super::time::Time;

/// A client.
#[derive(Debug, Serialize)]
struct ClientShape<'a> {
    id: ClientId,
    name: Option<&'a str>,
    username: Option<&'a str>,
    language: Option<&'a str>,
    phones: &'a BTreeSet<String>,
    identities: &'a BTreeSet<Identity>,
    tags: &'a BTreeSet<String>,
    custom: &'a BTreeMap<String, Value>,
    source: Option<&'a str>,
    created_at: Time,
}

impl<'a> From<&'a Client> for ClientShape<'a> {
    fn from(client: &'a Client) -> Self {
        Self {
            id: client.id,
            name: client.name.as_deref(),
            username: client.username.as_deref(),
            language: client.language.as_deref(),
            phones: &client.phones,
            identities: &client.identities,
            tags: &client.tags,
            custom: &client.custom,
            source: client.source.as_deref(),
            created_at: Time(client.created_at_ms),
        }
    }
}

/// `GET /v1/clients/{id}`: a client of whom the caller may see at least one dialog.
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<ClientId>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let scope = principal.require(CLIENTS)?;
    parameters.finish()?;
    let client = api
        .read(move |store| {
            if !principal.reaches_all(scope) {
                let filter = DialogFilter { client: Some(id), ..DialogFilter::default() };
                let reached = |dialog: &Dialog| principal.reaches(scope, dialog);
                let known = dialogs::list_where(store, &filter, Sort::Opened, None, 1, &reached)?;
                if known.items.is_empty() {
                    return Ok(None);
                }
            }
            clients::get(store, id)
        })
        .await?
        .ok_or_else(Problem::not_found)?;
    answers::json(StatusCode::OK, &ClientShape::from(&client))
}
