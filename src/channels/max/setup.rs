//! Registering the webhook of a MAX bot, and examining it.

use http::Method;
use serde_json::json;
use serde_json_borrow::Value;

use crate::channels::fault::safe_text;
use crate::channels::json::{field, items, text};
use crate::channels::setup::{Check, Finding};
use crate::channels::wire::WireResponse;

use super::Max;

/// The updates that we want to hear of.
const UPDATE_TYPES: [&str; 7] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
];

impl Max {
    pub(super) fn registration_requests(&self, webhook: &str) -> Vec<Check> {
        let body =
            json!({ "url": webhook, "update_types": UPDATE_TYPES, "secret": self.webhook_secret.as_str() });
        let request = self.call(Method::POST, "/subscriptions", &[], &body);
        request.map(|request| Check { name: "webhook", request }).into_iter().collect()
    }

    pub(super) fn check_requests(&self) -> Vec<Check> {
        [("token", "/me"), ("subscriptions", "/subscriptions")]
            .into_iter()
            .filter_map(|(name, path)| {
                Some(Check { name, request: self.call(Method::GET, path, &[], &serde_json::Value::Null)? })
            })
            .collect()
    }

    pub(super) fn findings(
        &self,
        name: &str,
        webhook: Option<&str>,
        response: &WireResponse,
    ) -> Vec<Finding> {
        let body: Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        let secrets = [self.token.as_str(), self.webhook_secret.as_str()];
        let said = safe_text(&text(&body, "message").unwrap_or_default(), &secrets);
        if let Some(code) = text(&body, "code") {
            let code = safe_text(&code, &secrets);
            return vec![Finding::bad(match code.as_str() {
                "verify.token" | "deprecated.token" => format!(
                    "the token is refused ({said}): copy it anew from MAX for partners, Chat bots, Integration"
                ),
                _ => format!("MAX answered {code}: {said}"),
            })];
        }
        match name {
            "token" if field(&body, "user_id").is_some() => {
                let bot = ["username", "first_name", "name"].into_iter().find_map(|key| text(&body, key));
                let bot = bot.unwrap_or_else(|| "without a name".to_owned());
                vec![Finding::good(format!("the token is that of the bot {}", safe_text(&bot, &[])))]
            }
            "subscriptions" if field(&body, "subscriptions").is_some() => subscriptions(&body, webhook),
            "webhook" => match field(&body, "success").and_then(Value::as_bool) {
                Some(true) => vec![Finding::good("MAX calls the webhook from now on")],
                Some(false) => vec![Finding::bad(format!(
                    "MAX refused the webhook ({said}): it must be reachable by https on port 443 with a certificate of a known authority"
                ))],
                None => vec![foreign(response)],
            },
            _ => vec![foreign(response)],
        }
    }
}

fn foreign(response: &WireResponse) -> Finding {
    Finding::bad(format!(
        "HTTP {} without an answer of the API of MAX: check the channel's `api_base`",
        response.status
    ))
}

/// Whether our webhook is registered, for everything that we want to hear of.
fn subscriptions(body: &Value<'_>, webhook: Option<&str>) -> Vec<Finding> {
    let all = items(body, "subscriptions");
    let Some(webhook) = webhook else {
        return vec![Finding::good(format!("{} webhooks are registered", all.len()))];
    };
    let Some(ours) = all.iter().find(|one| text(one, "url").as_deref() == Some(webhook)) else {
        return vec![Finding::bad(format!(
            "MAX does not call {webhook}: run `switchboard channel setup` for this channel"
        ))];
    };
    let types = items(ours, "update_types");
    let missing: Vec<&str> = UPDATE_TYPES
        .into_iter()
        .filter(|wanted| !types.iter().any(|one| one.as_str() == Some(wanted)))
        .collect();
    // No list means all updates.
    if types.is_empty() || missing.is_empty() {
        vec![Finding::good(format!("MAX calls {webhook}"))]
    } else {
        vec![Finding::bad(format!(
            "MAX does not tell about {}: run `switchboard channel setup` for this channel",
            missing.join(", ")
        ))]
    }
}
