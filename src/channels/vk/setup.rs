//! Registering a server of VK's Callback API, and examining it.

use serde_json::json;
use serde_json_borrow::Value;

use crate::channels::fault::safe_text;
use crate::channels::json::{at, field, id, items, text};
use crate::channels::setup::{Check, Finding};
use crate::channels::wire::WireResponse;

use super::Vk;

/// The name of our server in the community's administration. VK takes 14 characters.
const TITLE: &str = "switchboard";

/// The events that we want to hear of.
const EVENTS: [&str; 8] = [
    "message_new",
    "message_reply",
    "message_edit",
    "message_allow",
    "message_deny",
    "message_event",
    "message_read",
    "message_reaction_event",
];

impl Vk {
    /// First the code that VK wants to read is compared, then the server is registered in one go: a script that
    /// VK runs finds it by its address or adds it, and sets its events. So it can be repeated without harm.
    pub(super) fn registration_requests(&self, webhook: &str) -> Vec<Check> {
        let group = self.group_id.as_str();
        let code = self.call("groups.getCallbackConfirmationCode", &[("group_id", group)]);
        let script = self.script(webhook);
        let server = self.call("execute", &[("code", script.as_str())]);
        [("confirmation", code), ("webhook", server)]
            .into_iter()
            .filter_map(|(name, request)| Some(Check { name, request: request? }))
            .collect()
    }

    pub(super) fn check_requests(&self) -> Vec<Check> {
        let group = ("group_id", self.group_id.as_str());
        [
            ("token", self.call("groups.getById", &[group])),
            ("confirmation", self.call("groups.getCallbackConfirmationCode", &[group])),
            ("servers", self.call("groups.getCallbackServers", &[group])),
        ]
        .into_iter()
        .filter_map(|(name, request)| Some(Check { name, request: request? }))
        .collect()
    }

    fn script(&self, webhook: &str) -> String {
        let group = &self.group_id;
        // Texts of JSON are texts of the script.
        let (url, secret, title) = (json!(webhook), json!(self.secret.as_str()), json!(TITLE));
        let version = json!(self.version);
        let events: String = EVENTS.iter().map(|event| format!(",\"{event}\":1")).collect();
        format!(
            "var all = API.groups.getCallbackServers({{\"group_id\":{group}}}).items;\
             var found = 0; var i = 0;\
             while (i < all.length) {{ if (all[i].url == {url}) {{ found = all[i].id; }} i = i + 1; }}\
             if (found == 0) {{ found = API.groups.addCallbackServer({{\"group_id\":{group},\"url\":{url},\
             \"title\":{title},\"secret_key\":{secret}}}).server_id; }}\
             else {{ API.groups.editCallbackServer({{\"group_id\":{group},\"server_id\":found,\"url\":{url},\
             \"title\":{title},\"secret_key\":{secret}}}); }}\
             API.groups.setCallbackSettings({{\"group_id\":{group},\"server_id\":found,\"api_version\":{version}{events}}});\
             return found;"
        )
    }

    pub(super) fn findings(
        &self,
        name: &str,
        webhook: Option<&str>,
        response: &WireResponse,
    ) -> Vec<Finding> {
        let body: Value<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        let secrets = [self.token.as_str(), self.secret.as_str()];
        // A script that VK ran lists its errors beside its result.
        let failed = field(&body, "error").or_else(|| items(&body, "execute_errors").first());
        if let Some(error) = failed {
            let code = id(error, "error_code").unwrap_or_else(|| "?".to_owned());
            let said = text(error, "error_msg").unwrap_or_default();
            let said = safe_text(&said, &secrets);
            return vec![Finding::bad(match code.as_str() {
                "5" | "27" | "28" => {
                    format!("the token is refused ({said}): make one under Manage, API usage, Access tokens")
                }
                "7" | "15" | "203" => format!(
                    "the token may not do this ({said}): it needs the rights to messages and to manage the community"
                ),
                _ => format!("VK answered error {code}: {said}"),
            })];
        }
        let Some(answer) = field(&body, "response") else {
            return vec![Finding::bad(format!(
                "HTTP {} without an answer of the API of VK: check the channel's `api_base`",
                response.status
            ))];
        };
        match name {
            "token" => vec![self.community(answer)],
            "confirmation" => vec![self.code(text(answer, "code"))],
            "servers" => vec![server(answer, webhook)],
            _ if answer.as_u64().is_some_and(|server| server > 0) => vec![Finding::good(
                "the server is registered; `switchboard channel doctor` shows whether VK could confirm it",
            )],
            _ => vec![Finding::bad(
                "VK registered no server: a community has at most 10; remove one under Manage, API usage, Callback API",
            )],
        }
    }

    fn community(&self, answer: &Value<'_>) -> Finding {
        // Newer versions have the list one level deeper.
        let found = items(answer, "groups").first().or_else(|| answer.as_array()?.first());
        let number = found.and_then(|group| id(group, "id"));
        if number.as_deref() == Some(self.group_id.as_str()) {
            let name = found.and_then(|group| text(group, "name")).unwrap_or_default();
            Finding::good(format!("the token is good for the community {}", safe_text(&name, &[])))
        } else {
            Finding::bad("VK does not know the community: check `group_id`")
        }
    }

    fn code(&self, code: Option<String>) -> Finding {
        match (code, &self.confirmation) {
            (Some(code), Some(ours)) if code == *ours => {
                Finding::good("`confirmation` is the code that VK wants to read")
            }
            (Some(code), _) => Finding::bad(format!(
                "VK wants to read another code: write `confirmation: \"{}\"`, reload, and set the channel up again",
                safe_text(&code, &[])
            )),
            (None, _) => Finding::bad("VK gave no confirmation code"),
        }
    }
}

/// Whether our server is registered, and what VK thinks of it.
fn server(answer: &Value<'_>, webhook: Option<&str>) -> Finding {
    let Some(webhook) = webhook else {
        return Finding::good(format!("{} servers are registered", items(answer, "items").len()));
    };
    let mut servers = items(answer, "items").iter();
    let Some(server) = servers.find(|item| text(item, "url").as_deref() == Some(webhook)) else {
        return Finding::bad(format!(
            "VK calls no server at {webhook}: run `switchboard channel setup` for this channel"
        ));
    };
    match at(server, &["status"]).and_then(Value::as_str) {
        Some("ok") => Finding::good(format!("VK calls {webhook}")),
        Some("wait") => Finding::bad("VK has not confirmed the server yet: look again in a minute"),
        Some("failed") => Finding::bad(
            "VK could not confirm the server: it must be reachable by https and the channel connected, with the right `confirmation`",
        ),
        _ => Finding::bad(
            "the server is not confirmed: set `confirmation`, reload, and set the channel up again",
        ),
    }
}
