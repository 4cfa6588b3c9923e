//! Why the daemon cannot be asked, or does not answer what was asked for. Only here a problem of the API becomes words
//! for the command line.

use std::path::PathBuf;

use http::StatusCode;
use serde::Deserialize;

use crate::config::secret::SecretError;

/// A question to the daemon that came to nothing. Says what to do; never contains the token.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ClientError {
    /// The address on the command line.
    #[error("`--url` cannot be used: {reason}")]
    Url { reason: String },
    /// The configuration does not say where the daemon is.
    #[error(
        "the configuration in {} does not say where the daemon listens; name its folder with --config, or the \
         daemon's address with --url", .0.display()
    )]
    NoSettings(PathBuf),
    /// Only the daemon knows its port.
    #[error("`listen` of switchboard.yaml takes any free port; name the daemon's address with --url")]
    AnyPort,
    /// There is no token.
    #[error("there is no API token: {0}; name a file with --token-file, or set SWITCHBOARD_TOKEN")]
    NoToken(SecretError),
    /// The token has characters that no header may have.
    #[error("the API token has characters that no token has; look at its file or variable")]
    TokenForm,
    /// The TLS library.
    #[error("the TLS settings of the HTTP client are not usable: {0}")]
    Tls(#[from] rustls::Error),
    /// No connection came about.
    #[error("nobody answers at {base}: {reason}; is the daemon running, and is this its address?")]
    Unreachable { base: String, reason: String },
    /// The connection broke, or took too long.
    #[error("the daemon at {base} did not answer: {reason}")]
    Broken { base: String, reason: String },
    /// The token opens nothing.
    #[error(
        "the daemon does not know this token, or it has expired; `switchboard token new` makes one, and \
         operators.yaml must have its hash"
    )]
    TokenRefused,
    /// The token does not open this.
    #[error("{detail}; give the role that right in operators.yaml, or use another token")]
    RightMissing { detail: String },
    /// The daemon starts, stops or has too much to do.
    #[error("the daemon cannot answer now: {detail}")]
    Busy { detail: String },
    /// A line that the daemon does not have, or does not show to this token.
    #[error("there is no line `{name}` that this token may see{}", hint(.nearest.as_deref()))]
    UnknownLine { name: String, nearest: Option<String> },
    /// Any other problem.
    #[error("the daemon refuses ({code}): {detail}")]
    Refused { status: StatusCode, code: String, detail: String },
    /// What answers is not this API.
    #[error("what answers at {base} is not the API of Switchboard ({what}); is the address right?")]
    NotTheApi { base: String, what: String },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// The body of an error answer (RFC 9457), as far as it is needed here.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    detail: String,
}

impl ClientError {
    /// What an answer with an error status means.
    pub(super) fn of_answer(base: &str, status: StatusCode, body: &[u8]) -> Self {
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            return match status {
                // A proxy in front of the daemon speaks HTML.
                StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                    Self::Busy { detail: format!("something between here and there answers {status}") }
                }
                _ => Self::NotTheApi { base: base.to_owned(), what: format!("it answers {status}") },
            };
        };
        let Problem { code, mut detail, errors } = problem;
        for error in errors {
            detail.push_str(&format!("; {}: {}", error.field, error.detail));
        }
        match status {
            StatusCode::UNAUTHORIZED => Self::TokenRefused,
            StatusCode::FORBIDDEN => Self::RightMissing { detail },
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Self::Busy { detail },
            _ => Self::Refused { status, code, detail },
        }
    }

    /// Whether asking again later may come to another end.
    pub(in crate::cli) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Busy { .. } => true,
            // The daemon is at fault rather than the question.
            Self::Refused { status, .. } => status.as_u16() >= 500,
            _ => false,
        }
    }

    /// Whether what was asked for is not there, or may not be seen.
    pub(in crate::cli) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_the_api_becomes_a_sentence_that_says_what_to_do() {
        let told = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            ClientError::of_answer("http://127.0.0.1:8080", status, body.as_bytes()).to_string()
        };
        let problem = |code: &str, detail: &str, errors: &str| {
            format!(
                r#"{{"type": "about:blank", "code": "{code}", "detail": "{detail}", "errors": [{errors}]}}"#
            )
        };
        let all = [
            told(401, &problem("unauthenticated", "send …", "")),
            told(403, &problem("forbidden", "this token's role does not grant `events`", "")),
            told(503, &problem("starting", "the daemon is starting", "")),
            told(404, &problem("not_found", "there is no such resource, or it may not be seen", "")),
            told(400, &problem("invalid_parameter", "wrong", r#"{"field": "type", "detail": "must be …"}"#)),
            told(502, "<html>"),
            told(404, "<html>"),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
