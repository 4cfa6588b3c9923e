//! Finding out how a channel is.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::channels::{self, Channel, Check, Finding, WireRequest};
use crate::model::channel::{Channel as Declared, ChannelKind};
use crate::model::id::ChannelId;
use crate::outbox::Outside;
use crate::outbox::http::{NotSentReason, SendError};

use super::secrets::Lookup;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Register the channel.
    Setup {
        /// Only say what would be asked.
        dry_run: bool,
    },
    /// Find out what is wrong with it.
    Doctor,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Examination {
    /// The channel.
    pub(super) channel: String,
    /// Its kind.
    pub(super) kind: ChannelKind,
    /// What was found, each with what it is about.
    pub(super) findings: Vec<(&'static str, Finding)>,
}

impl Examination {
    /// Whether everything is as it should be.
    pub(super) fn is_good(&self) -> bool {
        self.findings.iter().all(|(_, finding)| finding.good)
    }
}

/// Examines a channel or registers it. What is found contains no secret.
pub(super) async fn examine(
    name: &str,
    declared: &Declared,
    outside: &Outside,
    lookup: &Lookup,
    purpose: Purpose,
) -> Examination {
    let mut findings = Vec::new();
    let connected = channels::connect(&ChannelId::from(name), &declared.settings, lookup);
    let webhook = outside.public_url.as_ref().map(|base| format!("{base}/webhooks/{name}"));
    match &connected {
        Ok(channel) => {
            findings.push(("secrets", Finding::good("all are found and have the right form")));
            let at = At { name, kind: declared.kind(), channel: channel.as_ref(), outside };
            match purpose {
                Purpose::Setup { dry_run } => at.set_up(webhook.as_deref(), dry_run, &mut findings).await,
                Purpose::Doctor => at.look(webhook.as_deref(), &mut findings).await,
            }
        }
        Err(error) => {
            let failures = lookup.failures();
            let reasons =
                if failures.is_empty() { String::new() } else { format!(" ({})", failures.join("; ")) };
            findings.push(("secrets", Finding::bad(format!("{error}{reasons}"))));
            if purpose == Purpose::Doctor {
                findings.push(public_address(webhook.as_deref()));
            }
        }
    }
    for (_, finding) in &mut findings {
        finding.text = lookup.without_secrets(&finding.text);
    }
    Examination { channel: name.to_owned(), kind: declared.kind(), findings }
}

/// A channel that can be asked about.
struct At<'a> {
    name: &'a str,
    kind: ChannelKind,
    channel: &'a dyn Channel,
    outside: &'a Outside,
}

type Findings = Vec<(&'static str, Finding)>;

impl At<'_> {
    async fn set_up(&self, webhook: Option<&str>, dry_run: bool, findings: &mut Findings) {
        let (about, finding) = public_address(webhook);
        let Some(webhook) = webhook.filter(|_| finding.good) else {
            findings.push((about, finding));
            return;
        };
        let requests = self.channel.registration(webhook);
        if requests.is_empty() {
            let text = format!(
                "{} is set up by hand: enter {webhook} where docs/channels.md says",
                self.kind.as_str()
            );
            findings.push(("webhook", Finding::good(text)));
            return;
        }
        for check in requests {
            if dry_run {
                let host = check.request.url.host().unwrap_or_default().to_owned();
                let text = format!("would ask {host} to register {webhook}");
                findings.push((check.name, Finding::good(text)));
                continue;
            }
            let found = self.ask(&check, Some(webhook)).await;
            let is_good = found.iter().all(|finding| finding.good);
            findings.extend(found.into_iter().map(|finding| (check.name, finding)));
            // What comes next builds on what failed.
            if !is_good {
                return;
            }
        }
    }

    async fn look(&self, webhook: Option<&str>, findings: &mut Findings) {
        for check in self.channel.checks() {
            let found = self.ask(&check, webhook).await;
            findings.extend(found.into_iter().map(|finding| (check.name, finding)));
        }
        let address = public_address(webhook);
        let is_usable = address.1.good;
        findings.push(address);
        if let Some(webhook) = webhook.filter(|_| is_usable) {
            findings.push(("reachability", self.reach(webhook).await));
        }
    }

    async fn ask(&self, check: &Check, webhook: Option<&str>) -> Vec<Finding> {
        match self.outside.client.send(check.request.clone(), ANSWER_MAX).await {
            Ok(response) => self.channel.examine(check, webhook, &response),
            Err(error) => vec![Finding::bad(format!("the messenger cannot be asked: {}", advice(&error)))],
        }
    }

    /// Calls our own webhook as a stranger would: that must be refused, by the daemon.
    async fn reach(&self, webhook: &str) -> Finding {
        let Ok(url) = webhook.parse() else {
            return Finding::bad(format!("{webhook} is not an address; check `public_url`"));
        };
        let request =
            WireRequest { method: Method::POST, url, headers: HeaderMap::new(), body: Bytes::new() };
        let response = match self.outside.client.send(request, ANSWER_MAX).await {
            Ok(response) => response,
            Err(error) => return Finding::bad(format!("{webhook} cannot be reached: {}", advice(&error))),
        };
        let is_ours = response.headers.contains_key("x-request-id");
        match response.status {
            401 if is_ours => {
                Finding::good(format!("{webhook} leads to the daemon, which refuses calls without proof"))
            }
            404 if is_ours => Finding::bad(format!(
                "{webhook} leads to a daemon that has no channel `{}`: reload its configuration",
                self.name
            )),
            503 if is_ours => Finding::bad(format!(
                "{webhook} leads to the daemon, which does not take calls now: it starts, or the channel is not \
                 connected there (see /readyz)"
            )),
            300..=399 => Finding::bad(format!(
                "{webhook} answers with a redirect (HTTP {}), which messengers do not follow: set `public_url` to \
                 the final address",
                response.status
            )),
            502 | 504 => Finding::bad(format!(
                "{webhook} leads to a proxy that does not reach the daemon (HTTP {}): is it running?",
                response.status
            )),
            status => Finding::bad(format!(
                "{webhook} answered HTTP {status} where the daemon answers 401: does the proxy pass /webhooks/ on \
                 to it?"
            )),
        }
    }
}

/// Whether messengers can know where to call.
fn public_address(webhook: Option<&str>) -> (&'static str, Finding) {
    let finding = match webhook {
        None => Finding::bad(
            "`public_url` is not set: set it in switchboard.yaml to the address under which the daemon is reached",
        ),
        Some(webhook) if !webhook.starts_with("https://") => Finding::bad(format!(
            "`public_url` must begin with https://; messengers call nothing else ({webhook})"
        )),
        Some(webhook) => Finding::good(format!("messengers call {webhook}")),
    };
    ("public_url", finding)
}

/// What to do about a request that has no answer.
fn advice(error: &SendError) -> String {
    let todo = match error {
        SendError::NotSent { reason: NotSentReason::NameLookup, .. } => {
            "; check the name and this machine's DNS"
        }
        SendError::NotSent { reason: NotSentReason::Tls { .. }, .. } => "; check its certificate",
        SendError::NotSent { .. } => "; check the address and the firewall",
        SendError::Ambiguous { .. } => "; try again, or look into the log of whoever is asked",
        SendError::InvalidRequest(_) | SendError::Refused { .. } | SendError::TooLarge { .. } => "",
    };
    format!("{error}{todo}")
}

#[cfg(test)]
mod tests;
