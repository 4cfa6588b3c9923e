//! Tests of the codecs, through the interface that the rest of the product uses.

mod answers;
pub(crate) mod conformance;
mod fixtures;
mod max;
mod meta;
mod shape;
mod viber;
mod vk;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use switchboard::channels::{Channel, ResolvedSecrets, WebhookCall, WireResponse, connect};
use switchboard::model::channel::{
    ChannelSettings, EmailSettings, GRAPH_API_BASE, Groups, InstagramSettings, MaxSettings,
    MessengerSettings, Signature, SignatureAlgorithm, SignatureEncoding, SmtpSettings, TelegramSettings,
    ViberSender, ViberSettings, VkSettings, WebhookInbound, WebhookOutbound, WebhookSettings,
    WhatsappSettings,
};
use switchboard::model::effect::{Effect, EffectAction, EffectState, Lane, Outgoing};
use switchboard::model::id::{ChannelId, DialogId, EffectId, LineId, MessageId};
use switchboard::model::secret::SecretRef;
use zeroize::Zeroizing;

/// Secrets by the name of their environment variable.
struct Secrets(BTreeMap<&'static str, String>);

impl ResolvedSecrets for Secrets {
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>> {
        match reference {
            SecretRef::Env(name) => self.0.get(name.as_str()).cloned().map(Zeroizing::new),
            _ => None,
        }
    }
}

fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

const TOKEN: &str = "123456:AAExampleTokenCanary";
const WEBHOOK_SECRET: &str = "test-secret_token-1";
const WEBHOOK_KEY: &str = "test-webhook-key";
const META_TOKEN: &str = "EAAExampleTokenCanary";
const META_APP_SECRET: &str = "test_app_secret";
const META_VERIFY_TOKEN: &str = "example-verify-token";
const VIBER_TOKEN: &str = "test-viber-auth-token";
const VK_TOKEN: &str = "vk1.a.test-token";
const VK_SECRET: &str = "secret_123456";
const MAX_TOKEN: &str = "test-max-token";
const MAX_SECRET: &str = "test-max-secret";

fn started(settings: &ChannelSettings) -> Box<dyn Channel> {
    let secrets = Secrets(BTreeMap::from([
        ("TOKEN", TOKEN.to_owned()),
        ("SECRET", WEBHOOK_SECRET.to_owned()),
        ("KEY", WEBHOOK_KEY.to_owned()),
        ("META_TOKEN", META_TOKEN.to_owned()),
        ("META_APP", META_APP_SECRET.to_owned()),
        ("META_VERIFY", META_VERIFY_TOKEN.to_owned()),
        ("META_OTHER_APP", "another_app_secret".to_owned()),
        ("VIBER_TOKEN", VIBER_TOKEN.to_owned()),
        ("VK_TOKEN", VK_TOKEN.to_owned()),
        ("VK_SECRET", VK_SECRET.to_owned()),
        ("MAX_TOKEN", MAX_TOKEN.to_owned()),
        ("MAX_SECRET", MAX_SECRET.to_owned()),
    ]));
    connect(&ChannelId::from("shop"), settings, &secrets).unwrap()
}

fn telegram() -> Box<dyn Channel> {
    started(&ChannelSettings::Telegram(TelegramSettings {
        groups: Default::default(),
        token: env("TOKEN"),
        webhook_secret: env("SECRET"),
        api_base: TelegramSettings::API_BASE.to_owned(),
    }))
}

/// The number of the recorded payloads.
const NUMBER: &str = "106540352242922";
/// Their page of Facebook.
const PAGE: &str = "370873143344730";
/// Their account of Instagram.
const ACCOUNT: &str = "17841405822304914";

fn whatsapp() -> Box<dyn Channel> {
    started(&ChannelSettings::Whatsapp(WhatsappSettings {
        phone_number_id: NUMBER.to_owned(),
        access_token: env("META_TOKEN"),
        app_secret: env("META_APP"),
        verify_token: env("META_VERIFY"),
        api_base: GRAPH_API_BASE.to_owned(),
        groups: Default::default(),
        window_template: None,
    }))
}

fn messenger(page: &str) -> Box<dyn Channel> {
    started(&ChannelSettings::Messenger(MessengerSettings {
        page_id: page.to_owned(),
        access_token: env("META_TOKEN"),
        app_secret: env("META_APP"),
        verify_token: env("META_VERIFY"),
        api_base: GRAPH_API_BASE.to_owned(),
        human_agent: false,
    }))
}

/// Signed with the second of its two secrets.
fn instagram(account: &str) -> Box<dyn Channel> {
    started(&ChannelSettings::Instagram(InstagramSettings {
        account_id: account.to_owned(),
        access_token: env("META_TOKEN"),
        app_secret: env("META_OTHER_APP"),
        instagram_app_secret: Some(env("META_APP")),
        verify_token: env("META_VERIFY"),
        api_base: GRAPH_API_BASE.to_owned(),
        human_agent: false,
    }))
}

fn viber() -> Box<dyn Channel> {
    started(&ChannelSettings::Viber(ViberSettings {
        token: env("VIBER_TOKEN"),
        sender: ViberSender { name: "Shop".to_owned(), avatar: None },
        api_base: ViberSettings::API_BASE.to_owned(),
    }))
}

fn vk(groups: Groups) -> Box<dyn Channel> {
    started(&ChannelSettings::Vk(VkSettings {
        group_id: "123456".to_owned(),
        access_token: env("VK_TOKEN"),
        secret: env("VK_SECRET"),
        confirmation: Some("2fd0e2a1".to_owned()),
        api_base: VkSettings::API_BASE.to_owned(),
        api_version: VkSettings::API_VERSION.to_owned(),
        groups,
    }))
}

fn max(groups: Groups) -> Box<dyn Channel> {
    started(&ChannelSettings::Max(MaxSettings {
        token: env("MAX_TOKEN"),
        webhook_secret: env("MAX_SECRET"),
        api_base: MaxSettings::API_BASE.to_owned(),
        groups,
    }))
}

fn email() -> Box<dyn Channel> {
    started(&ChannelSettings::Email(Box::new(EmailSettings {
        address: "sales@crm.example".to_owned(),
        name: Some("Shop".to_owned()),
        webhook_secret: env("SECRET"),
        smtp: Some(SmtpSettings {
            url: "smtps://mail.crm.example".to_owned(),
            username: Some("sales".to_owned()),
            password: Some(env("TOKEN")),
        }),
    })))
}

/// The paths of the sample that is one item.
fn lead() -> WebhookInbound {
    let path = |text: &str| Some(text.to_owned());
    WebhookInbound {
        each: None,
        id: "$.id".to_owned(),
        chat: "$.client.uid".to_owned(),
        user: None,
        name: path("$.client.fio"),
        phone: path("$.client.phone"),
        text: path("$.msg.body"),
        at: path("$.created"),
    }
}

/// The paths of the sample that is a batch.
fn batch() -> WebhookInbound {
    let path = |text: &str| Some(text.to_owned());
    WebhookInbound {
        each: path("$.items[*]"),
        id: "$.id".to_owned(),
        chat: "$.from".to_owned(),
        user: path("$.from"),
        name: None,
        phone: None,
        text: path("$.text"),
        at: path("$.ts"),
    }
}

fn webhook(inbound: WebhookInbound, encoding: SignatureEncoding) -> Box<dyn Channel> {
    started(&ChannelSettings::Webhook(Box::new(WebhookSettings {
        signature: Signature {
            header: "x-signature".to_owned(),
            algorithm: SignatureAlgorithm::HmacSha256,
            encoding,
            prefix: "sha256=".to_owned(),
            secret: env("KEY"),
        },
        inbound,
        outbound: Some(WebhookOutbound {
            url: "https://erp.example.com/reply".to_owned(),
            method: "POST".to_owned(),
            headers: BTreeMap::new(),
            body: json!({ "to": "{{ chat.external_id }}", "text": "{{ message.text }}" }),
            message_id: Some("$.result.message.id".to_owned()),
        }),
    })))
}

fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/channels").join(name)
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of the fixtures of one folder, sorted, with the folder.
pub(crate) fn fixtures_of(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixture_path(folder))
        .unwrap()
        .map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    names.sort();
    names
}

pub(crate) fn call<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> WebhookCall<'a> {
    WebhookCall { method: &Method::POST, headers, query: "", body }
}

fn header(name: &str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    headers
}

/// The facts of a body, as JSON.
fn facts(channel: &dyn Channel, body: &[u8]) -> Value {
    let decoded = channel.decode(&call(&HeaderMap::new(), body)).unwrap();
    decoded
        .received
        .iter()
        .map(|received| json!({ "input_id": received.input_id, "inbound": received.inbound }))
        .collect()
}

/// The facts of several payloads, by their names.
fn all_facts(channel: &dyn Channel, payloads: &[(&str, Value)]) -> Value {
    let named = payloads.iter();
    named
        .map(|(name, body)| ((*name).to_owned(), facts(channel, body.to_string().as_bytes())))
        .collect::<serde_json::Map<String, Value>>()
        .into()
}

pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> WireResponse {
    WireResponse { status, headers: HeaderMap::new(), body: body.into() }
}

pub(crate) fn send(text: &str) -> Effect {
    Effect {
        id: EffectId::new(7, 0),
        lane: Lane::Chat { channel: ChannelId::from("shop"), chat: "1111111".to_owned() },
        line: LineId::from("sales"),
        dialog: DialogId::new(3, 0),
        action: EffectAction::Send(Outgoing {
            automatic: false,
            context: None,
            sender: None,
            channel: ChannelId::from("shop"),
            chat: "1111111".to_owned(),
            user: "1111111".to_owned(),
            message: MessageId::new(7, 0),
            text: text.to_owned(),
            buttons: Vec::new(),
            attachments: Vec::new(),
            reply_to: None,
        }),
        state: EffectState::Pending,
        attempts: 1,
        parts_done: 0,
        last_error: None,
        created_at_ms: 0,
        updated_at_ms: 0,
    }
}
