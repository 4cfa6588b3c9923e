//! Setting a bot up, and what an examination of it says.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::channels::fault::safe_text;
use crate::channels::setup::Finding;
use crate::model::channel::Groups;

/// The updates that are asked for. Reactions come only to those who ask.
const UPDATES: [&str; 5] =
    ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];

/// The name of the request that registers the webhook.
pub(super) const REGISTER: &str = "register";
/// The name of the request that asks whose token it is.
pub(super) const TOKEN: &str = "token";
/// The name of the request that asks where updates go.
pub(super) const WEBHOOK: &str = "webhook";

/// The parameters of `setWebhook`.
pub(super) fn registration(webhook: &str, secret: &str) -> Value {
    json!({ "url": webhook, "secret_token": secret, "allowed_updates": UPDATES })
}

/// What an answer says to whoever sets the bot up.
pub(super) fn examine(
    check: &str,
    webhook: Option<&str>,
    groups: Groups,
    status: u16,
    body: &[u8],
    secrets: &[&str],
) -> Vec<Finding> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return vec![Finding::bad(format!(
            "HTTP {status} without an answer of the Bot API: see `api_base`, and whether a proxy stands before it"
        ))];
    };
    if body.get("ok").and_then(Value::as_bool) != Some(true) {
        return vec![refused(status, &body, secrets)];
    }
    let result = body.get("result").unwrap_or(&Value::Null);
    match check {
        TOKEN => whose(result, groups, secrets),
        WEBHOOK => where_to(result, webhook, secrets),
        _ => vec![Finding::good("Telegram has taken the webhook")],
    }
}

fn refused(status: u16, body: &Value, secrets: &[&str]) -> Finding {
    let code = body.get("error_code").and_then(Value::as_u64).unwrap_or_else(|| u64::from(status));
    let said =
        safe_text(body.get("description").and_then(Value::as_str).unwrap_or("no description"), secrets);
    Finding::bad(match code {
        401 | 404 => format!(
            "the token is refused ({said}): take the present one from @BotFather (/token), put it where `token` points, and reload"
        ),
        429 => format!("too many calls ({said}): try again later"),
        400 => format!(
            "Telegram refuses it ({said}): the address must be https, on port 443, 80, 88 or 8443, and be found from outside"
        ),
        _ => format!("Telegram answers {code}: {said}"),
    })
}

/// `getMe`.
fn whose(bot: &Value, groups: Groups, secrets: &[&str]) -> Vec<Finding> {
    let name = safe_text(bot.get("username").and_then(Value::as_str).unwrap_or("?"), secrets);
    let mut findings = vec![Finding::good(format!("the token is that of @{name}"))];
    let is_off = |key: &str| bot.get(key).and_then(Value::as_bool) == Some(false);
    if groups == Groups::Accept {
        if is_off("can_join_groups") {
            findings.push(Finding::bad(
                "`groups: accept`, and the bot may not join groups: @BotFather, /setjoingroups, Enable",
            ));
        }
        if is_off("can_read_all_group_messages") {
            findings.push(Finding::bad(
                "`groups: accept`, and in groups the bot sees commands and answers to it alone: @BotFather, /setprivacy, \
                 Disable; then take it out of the group and add it again",
            ));
        }
    }
    findings
}

/// `getWebhookInfo`.
fn where_to(info: &Value, webhook: Option<&str>, secrets: &[&str]) -> Vec<Finding> {
    let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default();
    let setup = "run `switchboard channel setup` for this channel";
    let url = text("url");
    let shown = safe_text(url, secrets);
    if url.is_empty() {
        return vec![Finding::bad(format!("no webhook is registered: {setup}"))];
    }
    let mut findings = vec![match webhook {
        Some(ours) if ours != url => Finding::bad(format!(
            "updates go to {shown}, and this channel is at {ours}: {setup}, or see whether another system uses this bot"
        )),
        _ => Finding::good(format!("updates go to {shown}")),
    }];
    // An empty list stands for everything but what has to be asked for.
    let asked: Vec<&str> = info
        .get("allowed_updates")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let is_default = asked.is_empty();
    let missing: Vec<&str> = UPDATES
        .into_iter()
        .filter(|update| if is_default { *update == "message_reaction" } else { !asked.contains(update) })
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::bad(format!("Telegram does not send {}: {setup}", missing.join(", "))));
    }
    let waiting = info.get("pending_update_count").and_then(Value::as_u64).unwrap_or(0);
    let failure = text("last_error_message");
    if !failure.is_empty() {
        let at = info.get("last_error_date").and_then(Value::as_i64);
        let at = at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let at = at.map(|at| at.format(" at %Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        let said = format!("the last call that failed{at}: {}", safe_text(failure, secrets));
        findings.push(if waiting == 0 {
            Finding::good(format!("{said}; nothing waits since"))
        } else {
            Finding::bad(format!("{said}: {}", advice(failure)))
        });
    }
    if waiting > 0 {
        findings.push(Finding::bad(format!("{waiting} updates wait to be taken")));
    }
    findings
}

/// What to do about a failure, by Telegram's words for it.
fn advice(failure: &str) -> &'static str {
    let failure = failure.to_ascii_lowercase();
    let says = |word: &str| failure.contains(word);
    if says("401") {
        "the secret that Telegram shows is not `webhook_secret`: run `switchboard channel setup` for this channel"
    } else if says("404") {
        "a server answers and does not know this path: compare `public_url` and the proxy before the daemon"
    } else if says("503") || says("502") {
        "the daemon does not run behind its proxy, or the channel is not connected: see `GET /v1/config`"
    } else if says("ssl") || says("certificate") {
        "the certificate is not trusted: it must be valid for the name and come with its intermediate ones"
    } else if says("resolve") {
        "the name of `public_url` is not found from outside: see its DNS"
    } else if says("timed out") || says("timeout") || says("refused") || says("unreachable") {
        "`public_url` is not reachable from outside: open port 443, 80, 88 or 8443 to Telegram"
    } else {
        "see what stands between Telegram and the daemon"
    }
}
