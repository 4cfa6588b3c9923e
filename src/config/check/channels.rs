//! Channels: no channel without the secret that verifies its calls.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::{Walk, shown};
use crate::config::scalar::Unfit;
use crate::config::tree::{Kind, Node};
use crate::model::channel::{ChannelKind, OutboundHeader};

use super::{mail, secrets};

/// Checks that a channel has its secrets.
pub fn channel(walk: &mut Walk<'_>, node: &Node, kind: ChannelKind) {
    let missing = |walk: &mut Walk<'_>, what: &str, example: &str| {
        walk.push(
            Finding::new(Code::ChannelSecret, node.head(), format!("the channel has no {what}"))
                .label("anybody could post messages in the name of its clients")
                .help(format!("add `{example}`")),
        );
    };
    match kind {
        ChannelKind::Telegram => {
            if node.get("token").is_none() {
                walk.push(
                    Finding::new(Code::ChannelSecret, node.head(), "the channel has no `token`")
                        .label("nothing can be sent without it")
                        .help("add `token: {env: TELEGRAM_TOKEN}`; @BotFather gives it"),
                );
            }
            if node.get("webhook_secret").is_none() {
                missing(walk, "`webhook_secret`", "webhook_secret: {env: TELEGRAM_SECRET}");
            }
        }
        ChannelKind::Webhook => match node.get("signature") {
            None => {
                missing(walk, "`signature`", "signature: {header: X-Signature, secret: {env: ERP_SECRET}}")
            }
            Some(signature) if !signature.entries().is_empty() && signature.get("secret").is_none() => {
                missing(walk, "`signature.secret`", "secret: {env: ERP_SECRET}");
            }
            Some(_) => {}
        },
        ChannelKind::Email => mail::login(walk, node),
        _ => {}
    }
}

/// Headers that the daemon sets itself.
const RESERVED: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "idempotency-key"];

/// Checks the further headers of a request.
pub fn headers(walk: &mut Walk<'_>, node: &Node) {
    for entry in walk.entries(node, "a mapping of headers") {
        let name = entry.key.text.as_str();
        if header_name(name).is_err() || RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            walk.push(
                Finding::new(
                    Code::InvalidValue,
                    entry.key.span,
                    format!("`{}` cannot be set here", shown(name)),
                )
                .label("not the name of a header, or one that the daemon sets itself"),
            );
        }
        let is_reference = !matches!(entry.value.kind, Kind::Scalar { .. });
        let value = if is_reference || OutboundHeader::is_secret(name) {
            secrets::secret(walk, &entry.value);
            entry.value.text()
        } else {
            walk.text(&entry.value)
        };
        if let Some(value) = value
            && http::HeaderValue::from_str(value).is_err()
        {
            walk.push(
                Finding::new(Code::InvalidValue, entry.value.span, "this is not the value of a header")
                    .label("expected one line of visible ASCII characters"),
            );
        }
    }
}

/// The name of a header.
///
/// # Errors
/// When it is not one.
pub fn header_name(text: &str) -> Result<(), Unfit> {
    text.parse::<http::HeaderName>()
        .map(drop)
        .map_err(|_| Unfit { expected: "the name of a header, such as `X-Signature`".to_owned() })
}
