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

/// An id that Meta gives as digits.
///
/// # Errors
/// When it is anything else.
pub fn meta_id(text: &str) -> Result<(), Unfit> {
    if (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Unfit { expected: "an id as Meta shows it: digits alone, such as `106540352242922`".to_owned() })
    }
}

/// The name of a message template.
///
/// # Errors
/// When Meta would not take it.
pub fn template_name(text: &str) -> Result<(), Unfit> {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=512).contains(&text.len()) && text.bytes().all(is_fit) {
        Ok(())
    } else {
        Err(Unfit { expected: "the name of a template, of a-z 0-9 _, such as `order_ready`".to_owned() })
    }
}

/// The language of a message template.
///
/// # Errors
/// When it is not written as Meta does.
pub fn template_language(text: &str) -> Result<(), Unfit> {
    let (language, country) = text.split_once('_').map_or((text, None), |(one, other)| (one, Some(other)));
    let is_language =
        matches!(language.len(), 2 | 3) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_country = country.is_none_or(|country| {
        (2..=8).contains(&country.len()) && country.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if is_language && is_country {
        Ok(())
    } else {
        Err(Unfit { expected: "the language of a template, such as `en` or `pt_BR`".to_owned() })
    }
}

/// The name of a Viber bot's sender.
///
/// # Errors
/// When Viber would not show it.
pub fn viber_sender_name(text: &str) -> Result<(), Unfit> {
    if !text.trim().is_empty() && text.chars().count() <= 28 {
        Ok(())
    } else {
        Err(Unfit { expected: "a name of 1 to 28 characters, as Viber shows it".to_owned() })
    }
}

/// The number of a VK community.
///
/// # Errors
/// When it is none.
pub fn vk_group_id(text: &str) -> Result<(), Unfit> {
    match text.parse::<u64>() {
        Ok(number) if number > 0 && number.to_string() == text => Ok(()),
        _ => Err(Unfit { expected: "the number of a community, without a minus sign".to_owned() }),
    }
}

/// The code that VK wants to read.
///
/// # Errors
/// When it is none.
pub fn vk_confirmation(text: &str) -> Result<(), Unfit> {
    let is_code =
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_code {
        Ok(())
    } else {
        Err(Unfit { expected: "the text that VK wants to read, such as `\"2fd0e2a1\"`".to_owned() })
    }
}

/// A version of the VK API.
///
/// # Errors
/// When it is none.
pub fn vk_api_version(text: &str) -> Result<(), Unfit> {
    match text.split_once('.') {
        Some((major, minor)) if [major, minor].iter().all(|part| part.parse::<u16>().is_ok()) => Ok(()),
        _ => Err(Unfit { expected: "a version of the API, such as `\"5.199\"`".to_owned() }),
    }
}
