//! Reads channel bindings.

use std::collections::BTreeMap;

use super::daemon::url;
use super::{Decoder, boolean, maybe, maybe_text, named, word};
use crate::config::grammar::channels::kind_of;
use crate::config::tree::Node;
use crate::model::channel::{
    Channel, ChannelKind, ChannelSettings, EmailSettings, GRAPH_API_BASE, Groups, InstagramSettings,
    MaxSettings, MessengerSettings, OutboundHeader, Signature, SignatureAlgorithm, SignatureEncoding,
    SmtpSettings, TelegramSettings, ViberSender, ViberSettings, VkSettings, WebhookInbound, WebhookOutbound,
    WebhookSettings, WhatsappSettings, WhatsappTemplate,
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
            api_base: api_base(node, TelegramSettings::API_BASE)?,
            groups: groups(node)?,
        }),
        ChannelKind::Whatsapp => ChannelSettings::Whatsapp(WhatsappSettings {
            phone_number_id: node.get("phone_number_id")?.text()?.to_owned(),
            access_token: decoder.secret(node.get("access_token")?)?,
            app_secret: decoder.secret(node.get("app_secret")?)?,
            verify_token: decoder.secret(node.get("verify_token")?)?,
            api_base: api_base(node, GRAPH_API_BASE)?,
            groups: groups(node)?,
            window_template: maybe(node, "window_template", window_template)?,
        }),
        ChannelKind::Messenger => ChannelSettings::Messenger(MessengerSettings {
            page_id: node.get("page_id")?.text()?.to_owned(),
            access_token: decoder.secret(node.get("access_token")?)?,
            app_secret: decoder.secret(node.get("app_secret")?)?,
            verify_token: decoder.secret(node.get("verify_token")?)?,
            api_base: api_base(node, GRAPH_API_BASE)?,
            human_agent: maybe(node, "human_agent", boolean)?.unwrap_or(false),
        }),
        ChannelKind::Instagram => ChannelSettings::Instagram(InstagramSettings {
            account_id: node.get("account_id")?.text()?.to_owned(),
            access_token: decoder.secret(node.get("access_token")?)?,
            app_secret: decoder.secret(node.get("app_secret")?)?,
            instagram_app_secret: maybe(node, "instagram_app_secret", |node| decoder.secret(node))?,
            verify_token: decoder.secret(node.get("verify_token")?)?,
            api_base: api_base(node, GRAPH_API_BASE)?,
            human_agent: maybe(node, "human_agent", boolean)?.unwrap_or(false),
        }),
        ChannelKind::Viber => ChannelSettings::Viber(ViberSettings {
            token: decoder.secret(node.get("token")?)?,
            sender: viber_sender(node.get("sender")?)?,
            api_base: api_base(node, ViberSettings::API_BASE)?,
        }),
        ChannelKind::Vk => ChannelSettings::Vk(VkSettings {
            group_id: node.get("group_id")?.text()?.to_owned(),
            access_token: decoder.secret(node.get("access_token")?)?,
            secret: decoder.secret(node.get("secret")?)?,
            confirmation: maybe_text(node, "confirmation")?,
            api_base: api_base(node, VkSettings::API_BASE)?,
            api_version: maybe_text(node, "api_version")?
                .unwrap_or_else(|| VkSettings::API_VERSION.to_owned()),
            groups: groups(node)?,
        }),
        ChannelKind::Max => ChannelSettings::Max(MaxSettings {
            token: decoder.secret(node.get("token")?)?,
            webhook_secret: decoder.secret(node.get("webhook_secret")?)?,
            api_base: api_base(node, MaxSettings::API_BASE)?,
            groups: groups(node)?,
        }),
        ChannelKind::Email => ChannelSettings::Email(Box::new(EmailSettings {
            address: node.get("address")?.text()?.to_owned(),
            name: maybe_text(node, "name")?,
            webhook_secret: decoder.secret(node.get("webhook_secret")?)?,
            smtp: maybe(node, "smtp", |node| smtp(decoder, node))?,
        })),
        ChannelKind::Webhook => ChannelSettings::Webhook(Box::new(WebhookSettings {
            signature: signature(decoder, node.get("signature")?)?,
            inbound: inbound(node.get("inbound")?)?,
            outbound: maybe(node, "outbound", |node| outbound(decoder, node))?,
        })),
        ChannelKind::Widget => ChannelSettings::Inactive(kind),
    };
    Some(Channel { line: node.get("line")?.text()?.into(), settings })
}

fn api_base(node: &Node, public: &str) -> Option<String> {
    Some(maybe(node, "api_base", url)?.unwrap_or_else(|| public.to_owned()))
}

fn groups(node: &Node) -> Option<Groups> {
    Some(maybe(node, "groups", word)?.unwrap_or_default())
}

fn window_template(node: &Node) -> Option<WhatsappTemplate> {
    Some(WhatsappTemplate {
        name: node.get("name")?.text()?.to_owned(),
        language: node.get("language")?.text()?.to_owned(),
    })
}

fn viber_sender(node: &Node) -> Option<ViberSender> {
    Some(ViberSender { name: node.get("name")?.text()?.to_owned(), avatar: maybe_text(node, "avatar")? })
}

fn smtp(decoder: &mut Decoder<'_>, node: &Node) -> Option<SmtpSettings> {
    Some(SmtpSettings {
        url: node.get("url")?.text()?.to_owned(),
        username: maybe_text(node, "username")?,
        password: maybe(node, "password", |node| decoder.secret(node))?,
    })
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
