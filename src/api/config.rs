//! The configuration: what is live, what the last attempt came to, and the call to try again.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::node::status::{ActiveVersion, ReloadReport, ReloadResult};
use crate::store::queries::configs;

use super::access::ADMINISTER;
use super::answers;
use super::auth::Principal;
use super::fields::Fields;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;
use super::time::Time;

/// How many earlier versions are shown.
const HISTORY_MAX: usize = 50;

#[derive(Debug, Serialize)]
struct ConfigShape<'a> {
    active: Option<VersionShape<'a>>,
    last_attempt: Option<AttemptShape<'a>>,
    problems: Vec<ProblemShape<'a>>,
    history: Vec<VersionShape<'a>>,
}

#[derive(Debug, Serialize)]
struct VersionShape<'a> {
    version: &'a str,
    commit: Option<&'a str>,
    seq: u64,
    activated_at: Time,
}

#[derive(Debug, Serialize)]
struct AttemptShape<'a> {
    at: Time,
    result: &'static str,
    version: Option<&'a str>,
    reason: Option<&'a str>,
    diagnostics: &'a [Value],
}

/// Something declared that is not connected.
#[derive(Debug, Serialize)]
struct ProblemShape<'a> {
    what: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a ActiveVersion> for VersionShape<'a> {
    fn from(active: &'a ActiveVersion) -> Self {
        Self {
            version: &active.version,
            commit: active.commit.as_deref(),
            seq: active.seq,
            activated_at: Time(active.activated_at_ms),
        }
    }
}

impl<'a> From<&'a ReloadReport> for AttemptShape<'a> {
    fn from(report: &'a ReloadReport) -> Self {
        Self {
            at: Time(report.at_ms),
            result: report.result.as_str(),
            version: report.version.as_deref(),
            reason: report.reason.as_deref(),
            diagnostics: &report.diagnostics,
        }
    }
}

/// `GET /v1/config`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    parameters: Parameters,
) -> Result<Response, Problem> {
    principal.require(ADMINISTER)?;
    parameters.finish()?;
    let history = api.read(|store| configs::history(store, HISTORY_MAX)).await?;
    let status = api.shared.config_status.load();
    let body = ConfigShape {
        active: status.active.as_ref().map(VersionShape::from),
        last_attempt: status.last_attempt.as_ref().map(AttemptShape::from),
        problems: status.problems.iter().map(|(what, reason)| ProblemShape { what, reason }).collect(),
        history: history
            .iter()
            .map(|summary| VersionShape {
                version: &summary.version,
                commit: summary.commit.as_deref(),
                seq: summary.seq,
                activated_at: Time(summary.at_ms),
            })
            .collect(),
    };
    answers::json(StatusCode::OK, &body)
}

/// `POST /v1/config/reload`: answers when the files are live, or with everything that is wrong.
pub(super) async fn reload(
    State(api): State<Api>,
    principal: Principal,
    parameters: Parameters,
    body: Fields,
) -> Result<Response, Problem> {
    principal.require(ADMINISTER)?;
    parameters.finish()?;
    body.finish()?;
    let report = api.shared.reload().await?;
    match report.result {
        ReloadResult::Activated | ReloadResult::Unchanged => {
            answers::json(StatusCode::OK, &AttemptShape::from(&report))
        }
        ReloadResult::Refused => {
            let detail = report.reason.as_deref().unwrap_or("the files have errors");
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "config_refused", detail);
            Err(problem.with_errors(&report.diagnostics).with_member("version", &report.version))
        }
    }
}
