//! `channels.yaml`: channel bindings. The keys of a channel depend on its `kind`.

use super::shape::{DURATION, Field, SIZE, Shape, URL};
use super::walk::Walk;
use crate::config::check::{addresses, channels, jsonpaths, mail, templates};
use crate::config::diagnostic::Finding;
use crate::config::link::Name;
use crate::config::tree::{Kind, Node};
use crate::model::channel::ChannelKind;

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::required("channels", Shape::Named(&Shape::Check(channel))),
];

const KINDS: &[&str] =
    &["telegram", "whatsapp", "messenger", "instagram", "viber", "vk", "max", "email", "widget", "webhook"];

/// The kinds that are served.
const SERVED: [ChannelKind; 9] = [
    ChannelKind::Telegram,
    ChannelKind::Whatsapp,
    ChannelKind::Messenger,
    ChannelKind::Instagram,
    ChannelKind::Viber,
    ChannelKind::Vk,
    ChannelKind::Max,
    ChannelKind::Email,
    ChannelKind::Webhook,
];

const KIND: Field = Field::required("kind", Shape::Word(KINDS));
const LINE: Field = Field::required("line", Shape::Reference(Name::Line));
const GROUPS: Field = Field::optional("groups", Shape::Word(&["refuse", "accept"]));
const HUMAN_AGENT: Field = Field::optional("human_agent", Shape::Boolean);
const META_ID: Shape = Shape::Scalar(channels::meta_id);
const API_BASE: Field = Field::optional("api_base", Shape::Check(addresses::target));

/// The keys of a channel of a kind.
pub const fn fields(kind: ChannelKind) -> &'static [Field] {
    match kind {
        ChannelKind::Telegram => TELEGRAM,
        ChannelKind::Whatsapp => WHATSAPP,
        ChannelKind::Messenger => MESSENGER,
        ChannelKind::Instagram => INSTAGRAM,
        ChannelKind::Viber => VIBER,
        ChannelKind::Vk => VK,
        ChannelKind::Max => MAX,
        ChannelKind::Email => EMAIL,
        ChannelKind::Widget => WIDGET,
        ChannelKind::Webhook => WEBHOOK,
    }
}

const TELEGRAM: &[Field] = &[
    KIND,
    LINE,
    Field::optional("token", Shape::Secret),
    Field::optional("webhook_secret", Shape::Secret),
    GROUPS,
    API_BASE,
];

const WHATSAPP: &[Field] = &[
    KIND,
    LINE,
    Field::required("phone_number_id", META_ID),
    Field::required("access_token", Shape::Secret),
    Field::required("app_secret", Shape::Secret),
    Field::required("verify_token", Shape::Secret),
    GROUPS,
    Field::optional("window_template", Shape::Mapping(WINDOW_TEMPLATE)),
    API_BASE,
];
const WINDOW_TEMPLATE: &[Field] = &[
    Field::required("name", Shape::Scalar(channels::template_name)),
    Field::required("language", Shape::Scalar(channels::template_language)),
];

const MESSENGER: &[Field] = &[
    KIND,
    LINE,
    Field::required("page_id", META_ID),
    Field::required("access_token", Shape::Secret),
    Field::required("app_secret", Shape::Secret),
    Field::required("verify_token", Shape::Secret),
    HUMAN_AGENT,
    API_BASE,
];

const INSTAGRAM: &[Field] = &[
    KIND,
    LINE,
    Field::required("account_id", META_ID),
    Field::required("access_token", Shape::Secret),
    Field::required("app_secret", Shape::Secret),
    Field::optional("instagram_app_secret", Shape::Secret),
    Field::required("verify_token", Shape::Secret),
    HUMAN_AGENT,
    API_BASE,
];

const VIBER: &[Field] = &[
    KIND,
    LINE,
    Field::required("token", Shape::Secret),
    Field::required("sender", Shape::Mapping(VIBER_SENDER)),
    API_BASE,
];
const VIBER_SENDER: &[Field] =
    &[Field::required("name", Shape::Scalar(channels::viber_sender_name)), Field::optional("avatar", URL)];

const VK: &[Field] = &[
    KIND,
    LINE,
    Field::required("group_id", Shape::Scalar(channels::vk_group_id)),
    Field::required("access_token", Shape::Secret),
    Field::required("secret", Shape::Secret),
    Field::optional("confirmation", Shape::Scalar(channels::vk_confirmation)),
    Field::optional("api_version", Shape::Scalar(channels::vk_api_version)),
    GROUPS,
    API_BASE,
];

const MAX: &[Field] = &[
    KIND,
    LINE,
    Field::required("token", Shape::Secret),
    Field::required("webhook_secret", Shape::Secret),
    GROUPS,
    API_BASE,
];

const EMAIL: &[Field] = &[
    KIND,
    LINE,
    Field::required("address", Shape::Scalar(mail::address)),
    Field::optional("name", Shape::Scalar(mail::name)),
    Field::required("webhook_secret", Shape::Secret),
    Field::optional("smtp", Shape::Mapping(SMTP)),
];
const SMTP: &[Field] = &[
    Field::required("url", Shape::Check(mail::server)),
    Field::optional("username", Shape::Text),
    Field::optional("password", Shape::Secret),
];

const WIDGET: &[Field] = &[
    KIND,
    LINE,
    Field::required("origins", Shape::List(&URL)),
    Field::optional("appearance", Shape::Mapping(APPEARANCE)),
    Field::optional("behaviour", Shape::Mapping(BEHAVIOUR)),
    Field::optional("consent", Shape::Mapping(CONSENT)),
    Field::optional("pre_chat", Shape::Mapping(FORM)),
    Field::optional("offline_form", Shape::Mapping(FORM)),
    Field::optional("identity", Shape::Mapping(&[Field::required("hmac_secret", Shape::Secret)])),
];
const APPEARANCE: &[Field] = &[
    Field::optional("color", Shape::Text),
    Field::optional("position", Shape::Word(&["bottom-right", "bottom-left"])),
    Field::optional("title", Shape::Text),
    Field::optional("avatar", Shape::Text),
    Field::optional("locale", Shape::Text),
];
const BEHAVIOUR: &[Field] = &[
    Field::optional("open_after", DURATION),
    Field::optional("sound", Shape::Boolean),
    Field::optional("show_queue_position", Shape::Boolean),
    Field::optional("file_upload", Shape::Mapping(FILE_UPLOAD)),
];
const FILE_UPLOAD: &[Field] =
    &[Field::optional("max", SIZE), Field::optional("types", Shape::List(&Shape::Text))];
const CONSENT: &[Field] = &[
    Field::required("template", Shape::Reference(Name::Template)),
    Field::optional("required", Shape::Boolean),
];
const FORM: &[Field] = &[Field::required("fields", Shape::List(&Shape::Mapping(FORM_FIELD)))];
const FORM_FIELD: &[Field] = &[
    Field::required("id", Shape::Id),
    Field::required("type", Shape::Word(&["text", "phone", "email", "number", "date", "choice", "checkbox"])),
    Field::optional("required", Shape::Boolean),
    Field::optional("label", Shape::ScalarOr(&Shape::Text, &Shape::Table(&Shape::Text))),
    Field::optional("options", Shape::List(&Shape::Text)),
];

const WEBHOOK: &[Field] = &[
    KIND,
    LINE,
    Field::optional("signature", Shape::Mapping(SIGNATURE)),
    Field::required("inbound", Shape::Mapping(INBOUND)),
    Field::optional("outbound", Shape::Mapping(OUTBOUND)),
];
const SIGNATURE: &[Field] = &[
    Field::required("header", Shape::Scalar(channels::header_name)),
    Field::optional("algorithm", Shape::Word(&["hmac-sha256"])),
    Field::optional("encoding", Shape::Word(&["hex", "base64"])),
    Field::optional("prefix", Shape::Text),
    Field::optional("secret", Shape::Secret),
];
const JSON_PATH: Shape = Shape::Check(jsonpaths::absolute);
const INBOUND: &[Field] = &[
    Field::optional("each", JSON_PATH),
    Field::required("id", JSON_PATH),
    Field::required("chat", JSON_PATH),
    Field::optional("user", JSON_PATH),
    Field::optional("name", JSON_PATH),
    Field::optional("phone", JSON_PATH),
    Field::optional("text", JSON_PATH),
    Field::optional("at", JSON_PATH),
];
const OUTBOUND: &[Field] = &[
    Field::required("url", Shape::Check(addresses::target)),
    Field::optional("method", Shape::Word(&["POST", "PUT"])),
    Field::optional("headers", Shape::Check(channels::headers)),
    Field::required("body", Shape::Check(templates::tree)),
    Field::optional("message_id", JSON_PATH),
];

fn channel(walk: &mut Walk<'_>, node: &Node) {
    if !matches!(node.kind, Kind::Mapping(_)) {
        walk.wrong_type(node, "a channel: a mapping with `kind` and `line`", None);
        return;
    }
    let Some(kind_node) = node.get("kind") else {
        walk.missing(node, "kind");
        return;
    };
    let Some(kind) = kind_node.text().and_then(kind_of) else {
        walk.node(kind_node, &KIND.shape);
        return;
    };
    if SERVED.contains(&kind) {
        walk.node(node, &Shape::Mapping(fields(kind)));
        channels::channel(walk, node, kind);
    } else {
        walk.push(
            Finding::new(
                crate::config::diagnostic::Code::NotActive,
                kind_node.span,
                format!("channels of kind `{}` are not active yet", kind.as_str()),
            )
            .label("checked, but not started"),
        );
        walk.quietly(|walk| walk.node(node, &Shape::Mapping(fields(kind))));
    }
}

/// The kind of a word.
pub fn kind_of(text: &str) -> Option<ChannelKind> {
    ChannelKind::ALL.into_iter().find(|kind| kind.as_str() == text)
}
