//! Every messenger against the daemon, over real sockets: what clients write comes in once, what is answered
//! goes out, and the faults that messengers are known for lose nothing.
//!
//! [`server`] is the messengers' side: it speaks each API as far as the daemon uses it, goes wrong on demand,
//! and keeps the truth of what was delivered. [`kinds`] says how each of them writes and is written to.
//! All kinds run beside each other against one daemon, so that a slow or broken one would be seen to delay
//! the others.

mod faults;
mod kinds;
mod server;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::e2e::daemon::{ADMIN, Daemon, Site};
use crate::e2e::waiting::eventually;

use kinds::Kind;
use server::Emulator;

/// A daemon with a channel of every kind, each with its own emulator.
struct Everybody {
    _site: Site,
    daemon: Daemon,
    emulators: BTreeMap<&'static str, Emulator>,
}

impl Everybody {
    async fn start() -> Self {
        let mut emulators = BTreeMap::new();
        let mut channels = "version: 1\nchannels:\n".to_owned();
        for kind in kinds::ALL {
            let emulator = Emulator::start(kind).await;
            channels.push_str(&kind.channel(&emulator.base()));
            emulators.insert(kind.name, emulator);
        }
        let files = [
            (
                "switchboard.yaml",
                "version: 1\nlisten: 127.0.0.1:0\noutbound: {allow_private: [\"127.0.0.0/8\"]}\n",
            ),
            ("channels.yaml", channels.as_str()),
            (
                "lines.yaml",
                "version: 1\nlines:\n  desk:\n    name: Desk\n    routing: {strategy: least_loaded, operators: [anna]}\n",
            ),
            // Who writes gets an answer at once: nobody has to sit at the desk for these tests.
            (
                "rules/echo.yaml",
                "version: 1\nrules:\n  - id: echo\n    on: {event: message.received}\n    do: [{reply: {text: \"You said: {{ message.text }}\"}}]\n",
            ),
        ];
        let site = Site::of(&files, kinds::SECRETS);
        let daemon = site.start().await;
        Self { _site: site, daemon, emulators }
    }

    fn emulator(&self, kind: &Kind) -> &Emulator {
        &self.emulators[kind.name]
    }

    /// The client of a kind writes; the messenger's call is answered with 200.
    async fn write(&self, kind: &Kind, number: u64, text: &str) {
        let status = server::post(self.daemon.base(), kind, &kind.message(number, text)).await;
        assert_eq!(status, 200, "{}: the call was not taken", kind.name);
    }

    /// The messages of the only dialog of a channel.
    async fn messages(&self, kind: &Kind) -> Vec<Value> {
        let dialogs = self.daemon.get(ADMIN, &format!("/v1/dialogs?channel={}", kind.name)).await.expect(200);
        let Some(dialog) = dialogs.at("/items/0/id").as_str() else { return Vec::new() };
        let messages = self.daemon.get(ADMIN, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
        messages.at("/items").as_array().cloned().unwrap_or_default()
    }

    /// Waits until the answer to `text` has one of these statuses, and gives it.
    async fn answer(&self, kind: &Kind, text: &str, statuses: &[&str]) -> Value {
        let wanted = format!("You said: {text}");
        eventually(&format!("{}: the answer to {text:?} is {statuses:?}", kind.name), || async {
            self.messages(kind).await.into_iter().find(|message| {
                message["text"] == wanted.as_str()
                    && statuses.iter().any(|status| message["status"] == *status)
            })
        })
        .await
    }
}

/// Does the same with every kind, beside each other.
async fn each<F: Future<Output = ()>>(everybody: &Everybody, act: impl Fn(&'static Kind) -> F) {
    assert_eq!(everybody.emulators.len(), kinds::ALL.len());
    futures_util::future::join_all(kinds::ALL.iter().map(act)).await;
}
