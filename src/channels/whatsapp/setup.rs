//! Registering the webhook of a number, and examining the number.

use serde_json::{Value, json};

use crate::channels::meta::account::Account;
use crate::channels::meta::batch::text;
use crate::channels::meta::setup::{self, TOKEN};
use crate::channels::setup::{Check, Finding};
use crate::channels::wire::WireResponse;

/// Registers the webhook of this number alone; others of the application keep theirs.
const WEBHOOK: &str = "webhook";

/// What Meta says of the number.
const NUMBER: &str = "number";

/// The rights that the codec needs.
const RIGHTS: [&str; 2] = ["whatsapp_business_messaging", "whatsapp_business_management"];

pub(super) fn registration(account: &Account, number: &str, webhook: &str) -> Vec<Check> {
    let configuration = json!({ "override_callback_uri": webhook, "verify_token": account.verify_token() });
    let body = json!({ "webhook_configuration": configuration });
    account.post(number, &body).map(|request| Check { name: WEBHOOK, request }).into_iter().collect()
}

pub(super) fn checks(account: &Account, number: &str) -> Vec<Check> {
    let path =
        format!("{number}?fields=display_phone_number,verified_name,quality_rating,webhook_configuration");
    let asked = account.get(&path).map(|request| Check { name: NUMBER, request });
    setup::token(account).into_iter().chain(asked).collect()
}

pub(super) fn examine(
    account: &Account,
    check: &Check,
    webhook: Option<&str>,
    response: &WireResponse,
) -> Vec<Finding> {
    let body = setup::body(response);
    if let Some(finding) = setup::error(account, check.name, response, &body) {
        return vec![finding];
    }
    match check.name {
        TOKEN => setup::token_findings(&body, &RIGHTS),
        NUMBER => number_findings(&body, webhook),
        _ if body.get("success").and_then(Value::as_bool) == Some(true) => {
            vec![Finding::good("Meta asked our address and sends the calls of this number there")]
        }
        _ => vec![Finding::bad(
            "Meta did not confirm it: register the webhook by hand, as docs/channels.md says",
        )],
    }
}

fn number_findings(body: &Value, webhook: Option<&str>) -> Vec<Finding> {
    let said = |place: &str| text(body, place).unwrap_or_else(|| "unknown".to_owned());
    let mut findings = vec![Finding::good(format!(
        "the number is {} ({}), its quality {}",
        said("/display_phone_number"),
        said("/verified_name"),
        said("/quality_rating")
    ))];
    // The nearest of three places counts.
    let registered = ["phone_number", "whatsapp_business_account", "application"]
        .iter()
        .find_map(|place| text(body, &format!("/webhook_configuration/{place}")));
    findings.push(match (registered, webhook) {
        (None, _) => Finding::bad(
            "no webhook is registered for the number: run `switchboard channel setup`, or register it by hand",
        ),
        (Some(registered), Some(ours)) if registered != ours => Finding::bad(format!(
            "calls go to {registered}, not to {ours}: run `switchboard channel setup`"
        )),
        (Some(registered), _) => Finding::good(format!("calls go to {registered}")),
    });
    findings
}
