//! The Telegram path against a Bot API server that others wrote: the npm package `telegram-test-api`. Our own
//! messenger knows what we believe of the Bot API; this one knows what its authors believe.
//!
//! The package posts updates without the secret that Telegram sends along, so the test takes them as a bot does that
//! asks for updates, and posts them as Telegram does.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::daemon::{ANNA, Daemon, Site, messenger};
use super::http;
use super::waiting::eventually;

const TOKEN: &str = "123456:demo";
const CLIENT: u64 = 5_550_001;

/// A running Bot API server. It ends when this is dropped.
struct Peer {
    child: Child,
    base: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Peer {
    async fn start() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("telegram-test-api");
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/peer");
        let installed = Command::new(here.join("install")).arg(&folder).output().unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        // The server wants to be told its port.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("node")
            .args([here.join("server.js"), folder])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .expect("node is missing: install it (Debian: apt-get install nodejs npm)");
        let peer = Self { child, base: format!("http://127.0.0.1:{port}") };
        eventually("the Bot API server listens", || async {
            let url = format!("{}/bot{TOKEN}/getMe", peer.base);
            http::try_request("POST", &url, &[], Some(&json!({}))).await
        })
        .await;
        peer
    }

    async fn post(&self, path: &str, body: &Value) -> http::Answer {
        http::request("POST", &format!("{}{path}", self.base), &[], Some(body)).await.expect(200)
    }

    /// What a client's telephone sends.
    async fn client(&self, path: &str, content: Value) {
        let person = json!({ "id": CLIENT, "first_name": "Мария", "is_bot": false, "language_code": "ru" });
        let chat = json!({ "id": CLIENT, "first_name": "Мария", "type": "private" });
        let mut body = json!({ "botToken": TOKEN, "from": person, "chat": chat, "date": 1_772_435_200 });
        body.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.post(path, &body).await;
    }

    /// Brings new updates to the daemon.
    async fn deliver(&self, daemon: &Daemon) {
        let updates = eventually("there are updates", || async {
            let answer = self.post(&format!("/bot{TOKEN}/getUpdates"), &json!({})).await;
            answer.at("/result").as_array().filter(|updates| !updates.is_empty()).cloned()
        })
        .await;
        for update in updates {
            let url = format!("{}/webhooks/shop-telegram", daemon.base());
            let secret = [("x-telegram-bot-api-secret-token", "telegram-secret")];
            http::request("POST", &url, &secret, Some(&update)).await.expect(200);
        }
    }

    /// A message of the bot that the server has, by a part of its text.
    async fn has(&self, part: &str) -> Value {
        eventually(part, || async {
            let history = self.post("/getUpdatesHistory", &json!({ "token": TOKEN })).await;
            let messages = history.at("/result").as_array().cloned().unwrap_or_default();
            let is_it = |message: &Value| {
                message["message"]["chat_id"] == CLIENT
                    && message["message"]["text"].as_str().is_some_and(|text| text.contains(part))
            };
            messages.into_iter().find(is_it)
        })
        .await
    }
}

#[tokio::test]
async fn the_telegram_path_works_with_a_bot_api_server_that_others_wrote() {
    let peer = Peer::start().await;
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    site.edit(
        "channels.yaml",
        &format!("api_base: http://{}", messenger.address()),
        &format!("api_base: {}", peer.base),
    );
    let daemon = site.start().await;
    daemon.anna_online().await;

    peer.client("/sendMessage", json!({ "text": "Здравствуйте! Есть в наличии?" })).await;
    peer.deliver(&daemon).await;
    peer.has("Мария").await;
    let dialog = daemon.dialog().await;
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/accept"), &json!({})).await.expect(200);

    let reply = json!({ "text": "Да, есть. Отложить?", "buttons": [{ "title": "Да", "data": "keep" }] });
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &reply).await;
    let shown = peer.has("Отложить?").await;
    let button = &shown["message"]["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!((&button["text"], &button["callback_data"]), (&json!("Да"), &json!("keep")), "{shown}");

    let below = json!({
        "message_id": shown["messageId"], "chat": { "id": CLIENT, "type": "private" }, "text": "Да, есть. Отложить?",
    });
    peer.client("/sendCallback", json!({ "data": "keep", "message": below })).await;
    peer.deliver(&daemon).await;
    eventually("the press and the reply are in the dialog, and nothing waits to be sent", || async {
        let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
        let items = messages.at("/items").as_array().cloned().unwrap_or_default();
        let pressed = items.iter().any(|item| item["button"] == "keep");
        let sent = items.iter().any(|item| {
            item["status"] == "sent" && item["external_id"] == shown["messageId"].to_string().as_str()
        });
        (pressed && sent).then_some(())
    })
    .await;

    // A text that is too long for one message arrives whole.
    let long = format!("{} конец", "слово ".repeat(1_000));
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &json!({ "text": long })).await;
    peer.has("конец").await;
}
