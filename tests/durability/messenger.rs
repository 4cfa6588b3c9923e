//! A messenger that keeps the truth of what it was sent, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

/// One request that arrived in full.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The path.
    pub(super) path: String,
    /// The key by which a receiver knows a repeated request, where the channel sends one.
    pub(super) key: Option<String>,
    /// The body.
    pub(super) body: Value,
}

impl Call {
    /// The conversation that it goes to.
    pub(super) fn chat(&self) -> String {
        let chat = self.body.get("chat_id").or_else(|| self.body.get("to"));
        chat.map(|chat| chat.as_str().map_or_else(|| chat.to_string(), str::to_owned)).unwrap_or_default()
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        self.body.get("text").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What the messenger does with a request that it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It is done, and says so.
    Accept,
    /// It is done, and nothing is ever said.
    AcceptInSilence,
    /// The client does not want to hear from us.
    Blocked,
    /// It cannot now.
    Unwell,
}

/// A messenger on a port of this machine.
pub(super) struct Messenger {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    calls: Mutex<Vec<Call>>,
    manner: Mutex<Manners>,
}

/// How the messenger chooses its manner.
type Manners = Box<dyn Fn(&Call) -> Manner + Send>;

impl Messenger {
    /// Begins to listen. It ends with the process.
    pub(super) fn start(manner: impl Fn(&Call) -> Manner + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared { calls: Mutex::default(), manner: Mutex::new(Box::new(manner)) });
        std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let shared = Arc::clone(&shared);
                    // A connection that breaks is the other side's affair.
                    std::thread::spawn(move || converse(stream, &shared).unwrap_or_default());
                }
            }
        });
        Self { address, shared }
    }

    /// Where it listens, as `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Everything that arrived, in order.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().clone()
    }

    /// From now on it behaves like this.
    pub(super) fn behave(&self, manner: impl Fn(&Call) -> Manner + Send + 'static) {
        *self.shared.manner.lock() = Box::new(manner);
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let call = read_call(&mut reader)?;
        let manner = (shared.manner.lock())(&call);
        let number = {
            let mut calls = shared.calls.lock();
            calls.push(call);
            calls.len()
        };
        let (status, body) = match manner {
            Manner::Accept => (200, json!({"ok": true, "id": number, "result": {"message_id": number}})),
            Manner::AcceptInSilence => {
                // Until the other side gives up.
                reader.read_to_end(&mut Vec::new()).ok()?;
                return None;
            }
            Manner::Blocked => {
                (403, json!({"ok": false, "error_code": 403, "description": "bot was blocked by the user"}))
            }
            Manner::Unwell => (500, json!({"ok": false, "error_code": 500, "description": "unwell"})),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all(format!("{head}{body}").as_bytes()).ok()?;
    }
}

fn read_call(reader: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut key) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|bytes| *bytes > 0)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "idempotency-key" | "webhook-id" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Call { path, key, body: serde_json::from_slice(&body).unwrap_or_default() })
}
