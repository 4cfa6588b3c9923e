//! Reads channel bindings.

use std::collections::BTreeMap;

use super::daemon::url;
use super::{Decoder, maybe, maybe_text, named, word};
use crate::config::grammar::channels::kind_of;
use crate::config::tree::Node;
use crate::model::channel::{
    Channel, ChannelKind, ChannelSettings, OutboundHeader, Signature, SignatureAlgorithm, SignatureEncoding,
    TelegramSettings, WebhookInbound, WebhookOutbound, WebhookSettings,
};
use crate::model::id::ChannelId;

pub(super) fn read(decoder: &mut Decoder<'_>, roots: &[&Node]) -> Option<BTreeMap<ChannelId, Channel>> {
    named(roots, "channels")
        .into_iter()
        .map(|entry| Some((entry.key.text.as_str().into(), channel(decoder, &entry.value)?)))
        .collect()
}

fn channel(decoder: &mut Decoder<'_>, node: &Node) -> Option<Channel> {
    let kind = kind_of(node.get("kind")?.text()?)?;
    let settings = match kind {
        ChannelKind::Telegram => ChannelSettings::Telegram(TelegramSettings {
            token: decoder.secret(node.get("token")?)?,
            webhook_secret: decoder.secret(node.get("webhook_secret")?)?,
            api_base: maybe(node, "api_base", url)?.unwrap_or_else(|| TelegramSettings::API_BASE.to_owned()),
        }),
        ChannelKind::Webhook => ChannelSettings::Webhook(Box::new(WebhookSettings {
            signature: signature(decoder, node.get("signature")?)?,
            inbound: inbound(node.get("inbound")?)?,
            outbound: maybe(node, "outbound", |node| outbound(decoder, node))?,
        })),
        kind => ChannelSettings::Inactive(kind),
    };
    Some(Channel { line: node.get("line")?.text()?.into(), settings })
}

fn signature(decoder: &mut Decoder<'_>, node: &Node) -> Option<Signature> {
    Some(Signature {
        header: node.get("header")?.text()?.to_ascii_lowercase(),
        algorithm: maybe(node, "algorithm", word)?.unwrap_or(SignatureAlgorithm::HmacSha256),
        encoding: maybe(node, "encoding", word)?.unwrap_or(SignatureEncoding::Hex),
        prefix: maybe_text(node, "prefix")?.unwrap_or_default(),
        secret: decoder.secret(node.get("secret")?)?,
    })
}

fn inbound(node: &Node) -> Option<WebhookInbound> {
    Some(WebhookInbound {
        each: maybe_text(node, "each")?,
        id: node.get("id")?.text()?.to_owned(),
        chat: node.get("chat")?.text()?.to_owned(),
        user: maybe_text(node, "user")?,
        name: maybe_text(node, "name")?,
        phone: maybe_text(node, "phone")?,
        text: maybe_text(node, "text")?,
        at: maybe_text(node, "at")?,
    })
}

fn outbound(decoder: &mut Decoder<'_>, node: &Node) -> Option<WebhookOutbound> {
    let headers = node.get("headers").map_or(&[] as &[_], Node::entries);
    Some(WebhookOutbound {
        url: node.get("url")?.text()?.to_owned(),
        method: maybe_text(node, "method")?.unwrap_or_else(|| "POST".to_owned()),
        headers: headers
            .iter()
            .map(|entry| Some((entry.key.text.clone(), header(decoder, &entry.key.text, &entry.value)?)))
            .collect::<Option<_>>()?,
        body: node.get("body")?.to_json(),
        message_id: maybe_text(node, "message_id")?,
    })
}

/// The value of a header. What is a secret by the name of its header is kept apart, however it is written.
fn header(decoder: &mut Decoder<'_>, name: &str, node: &Node) -> Option<OutboundHeader> {
    match node.text() {
        Some(text) if !OutboundHeader::is_secret(name) => Some(OutboundHeader::Text(text.to_owned())),
        _ => decoder.secret(node).map(OutboundHeader::Secret),
    }
}
