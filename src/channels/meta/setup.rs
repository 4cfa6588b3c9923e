//! Examining an account at Meta.

use chrono::DateTime;
use serde_json::Value;

use crate::channels::fault::safe_text;
use crate::channels::setup::{Check, Finding};
use crate::channels::wire::WireResponse;

use super::account::Account;
use super::batch::array;
use super::error::{GraphError, Meaning};

/// The check that asks what the token is worth.
pub(in crate::channels) const TOKEN: &str = "token";

/// Asks Meta what it knows of our token.
pub(in crate::channels) fn token(account: &Account) -> Option<Check> {
    let path = format!("debug_token?input_token={}", account.token_in_query().as_str());
    Some(Check { name: TOKEN, request: account.get(&path)? })
}

/// What an error means to whoever sets the channel up; `None`: the answer has none.
pub(in crate::channels) fn error(
    account: &Account,
    check: &str,
    response: &WireResponse,
    body: &Value,
) -> Option<Finding> {
    let Some(error) = GraphError::of_answer(body) else {
        let is_fine = (200..300).contains(&response.status) && body.is_object();
        let text = format!(
            "HTTP {} without an answer of the Graph API: check `api_base` ({})",
            response.status, account.base
        );
        return (!is_fine).then(|| Finding::bad(text));
    };
    // Meta tells of a token to the application's own people alone.
    if check == TOKEN && error.code == 100 {
        return Some(Finding::good(
            "Meta does not say what the token may do; the other checks show whether it works",
        ));
    }
    let advice = match error.meaning() {
        Meaning::Token => {
            "make a new token with the rights that docs/channels.md names and put it into `access_token`"
        }
        Meaning::AccountRate { .. } => "too many requests at present: ask again later",
        Meaning::Transient | Meaning::AccountTransient => "Meta has a fault at present: ask again later",
        Meaning::Restricted => "Meta has restricted the account: its pages say why",
        _ if error.is_not_found() || error.code == 100 => {
            "check the id in the settings, and that the token is of the same business"
        }
        _ => "see what Meta says of this code",
    };
    Some(Finding::bad(format!("{}: {advice}", safe_text(&error.text, &account.secrets()))))
}

/// Reads the answer to [`token`].
pub(in crate::channels) fn token_findings(body: &Value, needed: &[&str]) -> Vec<Finding> {
    let data = body.get("data").unwrap_or(&Value::Null);
    if data.get("is_valid").and_then(Value::as_bool) != Some(true) {
        return vec![Finding::bad(
            "the token is not valid any more: make a new one and put it into `access_token`",
        )];
    }
    let mut findings = vec![match data.get("expires_at").and_then(Value::as_i64) {
        Some(0) | None => Finding::good("the token is valid and does not expire"),
        Some(at) => match DateTime::from_timestamp(at, 0) {
            Some(at) => Finding::good(format!(
                "the token is valid until {}: put a new one into `access_token` before",
                at.format("%Y-%m-%d %H:%M UTC")
            )),
            None => Finding::good("the token is valid"),
        },
    }];
    if let Some(scopes) = data.get("scopes").and_then(Value::as_array) {
        let has = |scope: &str| scopes.iter().any(|given| given.as_str() == Some(scope));
        for scope in needed.iter().filter(|scope| !has(scope)) {
            findings.push(Finding::bad(format!("the token lacks the right `{scope}`: make one that has it")));
        }
    }
    findings
}

/// The body of an answer, as far as it is JSON.
pub(in crate::channels) fn body(response: &WireResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// Reads the answer to a subscription, or to the question which there are.
pub(in crate::channels) fn subscription(body: &Value, needed: &str) -> Finding {
    if body.get("success").and_then(Value::as_bool) == Some(true) {
        return Finding::good("the account tells our application what happens");
    }
    let fields = array(body, "data").iter().flat_map(|subscriber| array(subscriber, "subscribed_fields"));
    let mut names = fields.filter_map(|field| field.as_str().or_else(|| field.get("name")?.as_str()));
    if names.any(|name| name == needed) {
        Finding::good("the account tells our application what clients write")
    } else {
        Finding::bad(format!(
            "the account does not tell our application of `{needed}`: run `switchboard channel setup`"
        ))
    }
}
