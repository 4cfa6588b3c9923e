//! A client on one kept connection that knows exactly what was acknowledged: an answer that was read in
//! full, or nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard::model::hexadecimal;

use super::deadline::PATIENCE;
use super::site::{ERP_SECRET, TELEGRAM_SECRET};

/// A connection to the daemon.
pub(super) struct Wire {
    writer: TcpStream,
    reader: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: String,
}

impl Wire {
    pub(super) fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let writer = TcpStream::connect(address)?;
        writer.set_nodelay(true)?;
        writer.set_read_timeout(Some(PATIENCE))?;
        let reader = BufReader::new(writer.try_clone()?);
        Ok(Self { writer, reader })
    }

    /// Hands an update over as Telegram does.
    pub(super) fn telegram(&mut self, update: &Value) -> std::io::Result<Reply> {
        let secret = format!("x-telegram-bot-api-secret-token: {TELEGRAM_SECRET}\r\n");
        self.post("/webhooks/shop-telegram", &secret, &update.to_string())
    }

    /// Hands messages over as the shop's own system does.
    pub(super) fn erp(&mut self, messages: &[Value]) -> std::io::Result<Reply> {
        let body = json!({ "messages": messages }).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(ERP_SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = hexadecimal::encode(&mac.finalize().into_bytes());
        self.post("/webhooks/erp", &format!("x-signature: {signature}\r\n"), &body)
    }

    fn post(&mut self, path: &str, headers: &str, body: &str) -> std::io::Result<Reply> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.writer.write_all(request.as_bytes())?;
        self.read()
    }

    fn read(&mut self) -> std::io::Result<Reply> {
        let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
        let (mut length, mut retry_after) = (0, None);
        loop {
            let mut header = String::new();
            if self.reader.read_line(&mut header)? == 0 {
                return Err(cut());
            }
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse().map_err(|_| cut())?,
                "retry-after" => retry_after = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok(Reply { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// A message of a client in Telegram. `message` is unique within a test.
pub(super) fn telegram_update(chat: u64, message: u64, text: &str) -> Value {
    json!({
        "update_id": message,
        "message": {
            "message_id": message,
            "date": 1_790_000_000,
            "from": {"id": chat, "is_bot": false, "first_name": "Client", "language_code": "en"},
            "chat": {"id": chat, "type": "private", "first_name": "Client"},
            "text": text,
        }
    })
}

/// A message in the shop's own system.
pub(super) fn erp_message(chat: &str, message: u64, text: &str) -> Value {
    json!({
        "id": message.to_string(),
        "conversation": chat,
        "from": {"id": chat, "name": "Client"},
        "text": text,
        "ts": "2026-01-01T10:00:00Z",
    })
}
