//! How each messenger writes to us, is written to, and says no.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::server::{Call, Delivered};

/// The secrets of all channels, as the environment of the daemon.
pub(super) const SECRETS: &[(&str, &str)] = &[
    ("TELEGRAM_TOKEN", "123456:emulated-token"),
    ("WEBHOOK_SECRET", "emulated-webhook-secret"),
    ("ACCESS_TOKEN", "emulated-access-token"),
    ("APP_SECRET", "emulated-app-secret"),
    ("VERIFY_TOKEN", "emulated-verify-token"),
    ("VIBER_TOKEN", "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"),
];

/// A call of a messenger.
pub(super) struct Post {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// A refusal as the messenger writes it, and what becomes of the message.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: &'static str,
}

/// One kind of messenger.
pub(super) struct Kind {
    /// Its name in YAML, and the channel's id.
    pub(super) name: &'static str,
    /// The rest of its channel in YAML; `BASE` stands for the address of its API.
    yaml: &'static str,
    /// The call with the client's message of this number.
    write: fn(u64, &str) -> Post,
    /// The text that a call sends, if it is one that sends; its id is still empty.
    pub(super) sent: fn(&Call) -> Option<Delivered>,
    /// The id of the n-th text.
    pub(super) id: fn(usize) -> String,
    /// The answer to a text that was taken.
    pub(super) receipt: fn(&str) -> Value,
    /// The answer to any other call.
    pub(super) aside: fn(&Call) -> Value,
    /// Too fast: come again after a second or so.
    pub(super) too_fast: Refusal,
    /// The client does not want to hear from us.
    pub(super) blocked: Refusal,
    /// The token is not taken any more.
    pub(super) bad_token: Refusal,
    /// The window for answers is over; `None`: there is none.
    pub(super) window_closed: Option<Refusal>,
    /// The request is wrong: no other attempt would do better.
    pub(super) wrong: Refusal,
}

impl Kind {
    /// Its channel in YAML.
    pub(super) fn channel(&self, base: &str) -> String {
        format!("  {}: {{kind: {}, line: desk, {}}}\n", self.name, self.name, self.yaml.replace("BASE", base))
    }

    /// The call with the client's message of this number.
    pub(super) fn message(&self, number: u64, text: &str) -> Post {
        (self.write)(number, text)
    }
}

const fn refusal(status: u16, body: &'static str) -> Refusal {
    Refusal { status, headers: &[], body }
}

/// All that speak HTTP in both directions.
pub(super) static ALL: &[Kind] = &[TELEGRAM, WHATSAPP, MESSENGER, INSTAGRAM, VIBER, VK, MAX];

fn mac(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(known, _)| *known == name).unwrap().1
}

fn by_meta(body: &Value) -> Post {
    let body = body.to_string();
    let signature = format!("sha256={}", mac(secret("APP_SECRET"), &body));
    Post { headers: vec![("x-hub-signature-256", signature)], body }
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn delivered(chat: Option<String>, text: Option<String>, key: Option<String>) -> Option<Delivered> {
    Some(Delivered { chat: chat?, text: text?, id: String::new(), key })
}

const TELEGRAM: Kind = Kind {
    name: "telegram",
    yaml: "token: {env: TELEGRAM_TOKEN}, webhook_secret: {env: WEBHOOK_SECRET}, api_base: BASE",
    write: |number, text| Post {
        headers: vec![("x-telegram-bot-api-secret-token", secret("WEBHOOK_SECRET").to_owned())],
        body: json!({"update_id": 1000 + number, "message": {
            "message_id": number, "date": 1_772_435_200, "text": text,
            "from": {"id": 5_550_001, "is_bot": false, "first_name": "Maria"},
            "chat": {"id": 5_550_001, "first_name": "Maria", "type": "private"}}})
        .to_string(),
    },
    sent: |call| {
        let body = call.path.ends_with("/sendMessage").then(|| call.json())?;
        delivered(text_at(&body, "/chat_id"), text_at(&body, "/text"), None)
    },
    id: |number| number.to_string(),
    receipt: |id| json!({"ok": true, "result": {"message_id": id.parse::<u64>().unwrap()}}),
    aside: |_| json!({"ok": true, "result": true}),
    too_fast: refusal(
        429,
        r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}"#,
    ),
    blocked: refusal(
        403,
        r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
    ),
    bad_token: refusal(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
    window_closed: None,
    wrong: refusal(400, r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#),
};

const WHATSAPP: Kind = Kind {
    name: "whatsapp",
    yaml: "phone_number_id: \"106540352242922\", access_token: {env: ACCESS_TOKEN}, app_secret: {env: APP_SECRET}, \
           verify_token: {env: VERIFY_TOKEN}, api_base: BASE",
    write: |number, text| {
        by_meta(
            &json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
                "contacts": [{"profile": {"name": "Maria"}, "wa_id": "16505551234"}],
                "messages": [{"from": "16505551234", "id": format!("wamid.IN{number}"), "timestamp": "1772435200",
                    "type": "text", "text": {"body": text}}]}}]}]}),
        )
    },
    sent: |call| {
        let body = call.path.ends_with("/messages").then(|| call.json())?;
        delivered(text_at(&body, "/to"), text_at(&body, "/text/body"), None)
    },
    id: |number| format!("wamid.OUT{number}"),
    receipt: |id| {
        json!({"messaging_product": "whatsapp", "contacts": [{"input": "16505551234", "wa_id": "16505551234"}],
            "messages": [{"id": id}]})
    },
    aside: |_| json!({"success": true}),
    too_fast: refusal(
        400,
        r#"{"error":{"message":"(#131056) Pair rate limit hit","type":"OAuthException","code":131056}}"#,
    ),
    blocked: refusal(
        400,
        r#"{"error":{"message":"(#131026) Message undeliverable","type":"OAuthException","code":131026}}"#,
    ),
    bad_token: refusal(
        401,
        r#"{"error":{"message":"Error validating access token","type":"OAuthException","code":190}}"#,
    ),
    window_closed: Some(refusal(
        400,
        r#"{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047}}"#,
    )),
    wrong: refusal(
        400,
        r#"{"error":{"message":"(#100) Invalid parameter","type":"OAuthException","code":100}}"#,
    ),
};

/// A message of Messenger or Instagram.
fn messaging(object: &str, account: &str, number: u64, text: &str) -> Post {
    by_meta(
        &json!({"object": object, "entry": [{"id": account, "time": 1_772_435_200_000_u64, "messaging": [{
        "sender": {"id": "6543210987"}, "recipient": {"id": account}, "timestamp": 1_772_435_200_000_u64 + number,
        "message": {"mid": format!("m_in{number}"), "text": text}}]}]}),
    )
}

fn sent_by_meta(call: &Call) -> Option<Delivered> {
    let body = call.path.ends_with("/messages").then(|| call.json())?;
    delivered(text_at(&body, "/recipient/id"), text_at(&body, "/message/text"), None)
}

const META_TOO_FAST: Refusal = refusal(
    400,
    r#"{"error":{"message":"(#4) Application request limit reached","type":"OAuthException","code":4,"error_subcode":2018022}}"#,
);
const META_BLOCKED: Refusal = refusal(
    400,
    r#"{"error":{"message":"(#551) This person isn't available right now.","type":"OAuthException","code":551,"error_subcode":1545041}}"#,
);
const META_BAD_TOKEN: Refusal = refusal(
    401,
    r#"{"error":{"message":"Error validating access token","type":"OAuthException","code":190,"error_subcode":463}}"#,
);
const META_WRONG: Refusal =
    refusal(400, r#"{"error":{"message":"(#100) Invalid parameter","type":"OAuthException","code":100}}"#);

const MESSENGER: Kind = Kind {
    name: "messenger",
    yaml: "page_id: \"1067280970047460\", access_token: {env: ACCESS_TOKEN}, app_secret: {env: APP_SECRET}, \
           verify_token: {env: VERIFY_TOKEN}, api_base: BASE",
    write: |number, text| messaging("page", "1067280970047460", number, text),
    sent: sent_by_meta,
    id: |number| format!("m_out{number}"),
    receipt: |id| json!({"recipient_id": "6543210987", "message_id": id}),
    aside: |_| json!({"recipient_id": "6543210987"}),
    too_fast: META_TOO_FAST,
    blocked: META_BLOCKED,
    bad_token: META_BAD_TOKEN,
    window_closed: Some(refusal(
        400,
        r#"{"error":{"message":"(#10) This message is sent outside of allowed window.","type":"OAuthException","code":10,"error_subcode":2018278}}"#,
    )),
    wrong: META_WRONG,
};

const INSTAGRAM: Kind = Kind {
    name: "instagram",
    yaml: "account_id: \"17841400000000001\", access_token: {env: ACCESS_TOKEN}, app_secret: {env: APP_SECRET}, \
           verify_token: {env: VERIFY_TOKEN}, api_base: BASE",
    write: |number, text| messaging("instagram", "17841400000000001", number, text),
    sent: sent_by_meta,
    id: |number| format!("aWdout{number}"),
    receipt: |id| json!({"recipient_id": "6543210987", "message_id": id}),
    aside: |_| json!({"recipient_id": "6543210987"}),
    too_fast: META_TOO_FAST,
    blocked: META_BLOCKED,
    bad_token: META_BAD_TOKEN,
    window_closed: Some(refusal(
        400,
        r#"{"error":{"message":"(#10) Sent outside of the allowed window","type":"IGApiException","code":10,"error_subcode":2534022}}"#,
    )),
    wrong: META_WRONG,
};

const VIBER: Kind = Kind {
    name: "viber",
    yaml: "token: {env: VIBER_TOKEN}, sender: {name: Shop}, api_base: BASE",
    write: |number, text| {
        let body = json!({"event": "message", "timestamp": 1_772_435_200_000_u64 + number,
            "chat_hostname": "SN-CHAT-01_", "message_token": 4_912_661_846_655_238_145_u64 + number,
            "sender": {"id": "01234567890A=", "name": "Maria", "language": "en", "country": "UK", "api_version": 1},
            "message": {"text": text, "type": "text"}, "silent": false})
        .to_string();
        Post { headers: vec![("x-viber-content-signature", mac(secret("VIBER_TOKEN"), &body))], body }
    },
    sent: |call| {
        let body = call.path.ends_with("/send_message").then(|| call.json())?;
        delivered(text_at(&body, "/receiver"), text_at(&body, "/text"), None)
    },
    id: |number| (5_098_034_272_017_990_000_u64 + number as u64).to_string(),
    receipt: |id| {
        json!({"status": 0, "status_message": "ok", "message_token": id.parse::<u64>().unwrap(),
            "chat_hostname": "SN-CHAT-01_", "billing_status": 1})
    },
    aside: |_| json!({"status": 0, "status_message": "ok"}),
    too_fast: refusal(200, r#"{"status":12,"status_message":"tooManyRequests"}"#),
    blocked: refusal(200, r#"{"status":6,"status_message":"notSubscribed"}"#),
    bad_token: refusal(200, r#"{"status":2,"status_message":"invalidAuthToken"}"#),
    window_closed: None,
    wrong: refusal(200, r#"{"status":3,"status_message":"badData"}"#),
};

const VK: Kind = Kind {
    name: "vk",
    yaml: "group_id: \"194378250\", access_token: {env: ACCESS_TOKEN}, secret: {env: WEBHOOK_SECRET}, \
           confirmation: \"a1b2c3d4\", api_base: BASE",
    write: |number, text| {
        Post {
        headers: vec![],
        body: json!({"type": "message_new", "event_id": format!("e{number}"), "v": "5.199", "group_id": 194_378_250,
            "secret": secret("WEBHOOK_SECRET"), "object": {"client_info": {"button_actions": ["text"]}, "message": {
                "id": 100 + number, "date": 1_772_435_200, "peer_id": 5_550_001, "from_id": 5_550_001, "out": 0,
                "conversation_message_id": number, "version": 10_000, "text": text, "attachments": [],
                "fwd_messages": [], "important": false, "is_hidden": false, "random_id": 0}}})
        .to_string(),
    }
    },
    sent: |call| {
        call.path.ends_with("/messages.send").then_some(())?;
        delivered(call.field("peer_id"), call.field("message"), call.field("random_id"))
    },
    id: |number| number.to_string(),
    receipt: |id| json!({"response": id.parse::<u64>().unwrap()}),
    aside: |_| json!({"response": 1}),
    too_fast: refusal(200, r#"{"error":{"error_code":6,"error_msg":"Too many requests per second"}}"#),
    blocked: refusal(
        200,
        r#"{"error":{"error_code":901,"error_msg":"Can't send messages for users without permission"}}"#,
    ),
    bad_token: refusal(
        200,
        r#"{"error":{"error_code":5,"error_msg":"User authorization failed: invalid access_token (4)."}}"#,
    ),
    window_closed: None,
    wrong: refusal(
        200,
        r#"{"error":{"error_code":100,"error_msg":"One of the parameters specified was missing or invalid"}}"#,
    ),
};

const MAX: Kind = Kind {
    name: "max",
    yaml: "token: {env: ACCESS_TOKEN}, webhook_secret: {env: WEBHOOK_SECRET}, api_base: BASE",
    write: |number, text| {
        Post {
        headers: vec![("x-max-bot-api-secret", secret("WEBHOOK_SECRET").to_owned())],
        body: json!({"update_type": "message_created", "timestamp": 1_772_435_200_000_u64 + number, "message": {
            "recipient": {"chat_id": 44_550_001, "chat_type": "dialog", "user_id": 77},
            "timestamp": 1_772_435_200_000_u64 + number,
            "sender": {"user_id": 5_550_001, "first_name": "Maria", "is_bot": false},
            "body": {"mid": format!("mid.in{number}"), "seq": 114_000_000_000_000_000_u64 + number, "text": text}},
            "user_locale": "en"})
        .to_string(),
    }
    },
    sent: |call| {
        call.path.ends_with("/messages").then_some(())?;
        let chat = call.field("chat_id").or_else(|| call.field("user_id"));
        delivered(chat, text_at(&call.json(), "/text"), None)
    },
    id: |number| format!("mid.out{number}"),
    receipt: |id| {
        json!({"message": {"recipient": {"chat_id": 44_550_001, "chat_type": "dialog"},
            "timestamp": 1_772_435_200_000_u64, "body": {"mid": id, "seq": 1, "text": ""}}})
    },
    aside: |_| json!({"success": true}),
    too_fast: refusal(429, r#"{"code":"too.many.requests","message":"Too many requests"}"#),
    blocked: refusal(403, r#"{"code":"chat.denied","message":"error.dialog.suspended"}"#),
    bad_token: refusal(401, r#"{"code":"verify.token","message":"Invalid access_token"}"#),
    window_closed: None,
    wrong: refusal(400, r#"{"code":"proto.payload","message":"Invalid payload"}"#),
};
