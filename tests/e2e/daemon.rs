//! The daemon as a process, on a copy of the example configuration.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::http::{self, Answer};
use super::messenger::Messenger;
use super::waiting::eventually;

/// The demo tokens of operators.yaml, as the README gives them.
pub(crate) const ANNA: &str = "swb_demo_anna_7a77acae2782f6d3f16460594f069663";
pub(crate) const ADMIN: &str = "swb_demo_admin_8c8c5838fc6da2b3a59f83b69b8fae6d";

/// The secrets that the example configuration refers to.
const SECRETS: &[(&str, &str)] = &[
    ("TELEGRAM_TOKEN", "123456:demo"),
    ("TELEGRAM_SECRET", "telegram-secret"),
    ("ERP_SECRET", "erp-secret"),
    ("HOOK_SECRET", "hook-secret"),
];

/// Starts a messenger on a free port.
pub(crate) async fn messenger() -> Messenger {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Messenger::start(listener, Some("hook-secret".to_owned())).unwrap()
}

/// A folder with the example configuration, its data, and what the daemon is started with.
pub(crate) struct Site {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Site {
    /// The example, with the messenger in place of port 9000 and a free port in place of 8080.
    pub(crate) fn example(messenger: &Messenger) -> Self {
        let folder = TempDir::new().unwrap();
        copy_example(folder.path());
        let site = Self {
            folder,
            environment: SECRETS
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let address = messenger.address().to_string();
        site.edit("channels.yaml", "127.0.0.1:9000", &address);
        site.edit("switchboard.yaml", "127.0.0.1:9000", &address);
        site.edit("switchboard.yaml", "127.0.0.1:8080", "127.0.0.1:0");
        site
    }

    /// A configuration of one's own, with the operators and tokens of the example, and its secrets.
    pub(crate) fn of(files: &[(&str, &str)], secrets: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("operators.yaml");
        let operators = fs::read_to_string(example).unwrap();
        let operators = operators.replace("lines: [sales, support]", "lines: [desk]");
        fs::write(folder.path().join("operators.yaml"), operators).unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let environment = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { folder, environment: environment.collect() }
    }

    /// The folder of the configuration.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces a text that must be there.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder().join(file);
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{file} has no {from:?}");
        fs::write(path, before.replace(from, to)).unwrap();
    }

    /// Leaves a secret out of the environment.
    pub(crate) fn without_secret(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// The command `switchboard`, on this site.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.folder())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts the daemon and waits until it listens.
    pub(crate) async fn start(&self) -> Daemon {
        Daemon::start(self.command(&["serve"])).await
    }
}

/// Copies the files of the example configuration.
pub(crate) fn copy_example(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["switchboard.yaml", "channels.yaml", "lines.yaml", "operators.yaml", "templates.yaml"] {
        fs::copy(root.join(file), to.join(file)).unwrap();
    }
    fs::create_dir(to.join("rules")).unwrap();
    for rule in fs::read_dir(root.join("rules")).unwrap() {
        let rule: PathBuf = rule.unwrap().path();
        fs::copy(&rule, to.join("rules").join(rule.file_name().unwrap())).unwrap();
    }
}

/// A running daemon. It is killed when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    base: String,
    printed: Arc<Mutex<String>>,
    /// What it says to whoever started it; the log goes elsewhere.
    said: Arc<Mutex<String>>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("The daemon printed:\n{}", self.printed());
        }
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Daemon {
    /// Starts a command and waits until it says where it listens.
    pub(crate) async fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let said = Arc::new(Mutex::new(String::new()));
        keep_lines(child.stdout.take().unwrap(), vec![Arc::clone(&printed), Arc::clone(&said)]);
        keep_lines(child.stderr.take().unwrap(), vec![Arc::clone(&printed)]);
        let mut daemon = Self { child, base: String::new(), printed, said };
        let printed = Arc::clone(&daemon.printed);
        let child = Mutex::new(&mut daemon.child);
        let address = eventually("the daemon listens", || async {
            if let Some(status) = child.lock().try_wait().unwrap() {
                panic!("the daemon ended with {status}:\n{}", printed.lock());
            }
            let printed = printed.lock();
            let line = printed.lines().find_map(|line| line.strip_prefix("Switchboard listens on "));
            line.map(str::to_owned)
        })
        .await;
        daemon.base = address;
        daemon
    }

    /// `http://` and where it listens.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Everything printed so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.lock().clone()
    }

    /// Everything that it has said so far, without its log.
    pub(crate) fn said(&self) -> String {
        self.said.lock().clone()
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = Mutex::new(&mut self.child);
        eventually("the daemon ends", || async { child.lock().try_wait().unwrap() }).await
    }

    /// Tells it to stop, and waits until it has, without an error.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{}", self.printed());
    }

    /// Asks the API.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.request("GET", token, path, None).await
    }

    /// Changes something by the API.
    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.request("POST", token, path, Some(body)).await
    }

    /// Makes a request to the API.
    pub(crate) async fn request(
        &self,
        method: &str,
        token: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        http::request(method, &format!("{}{path}", self.base), &[("authorization", &bearer)], body).await
    }

    /// A message of a client by Telegram.
    pub(crate) async fn telegram(&self, number: u64, text: &str) -> Answer {
        let url = format!("{}/webhooks/shop-telegram", self.base);
        let secret = [("x-telegram-bot-api-secret-token", "telegram-secret")];
        http::request("POST", &url, &secret, Some(&update(number, text))).await
    }

    /// Anna is there.
    pub(crate) async fn anna_online(&self) {
        let online = json!({ "status": "online" });
        self.request("PUT", ANNA, "/v1/operators/anna/presence", Some(&online)).await.expect(200);
    }

    /// The only dialog that Anna sees.
    pub(crate) async fn dialog(&self) -> String {
        let dialogs = self.get(ANNA, "/v1/dialogs").await.expect(200);
        assert_eq!(dialogs.at("/items").as_array().map(Vec::len), Some(1), "{}", dialogs.text);
        dialogs.at("/items/0/id").as_str().unwrap().to_owned()
    }

    /// Writes first and answers: a client's message, accepted by Anna. Gives the dialog.
    pub(crate) async fn accepted_dialog(&self) -> String {
        self.anna_online().await;
        self.telegram(1, "Здравствуйте!").await.expect(200);
        let dialog = self.dialog().await;
        self.post(ANNA, &format!("/v1/dialogs/{dialog}/accept"), &json!({})).await.expect(200);
        dialog
    }
}

/// An update as Telegram posts it.
pub(crate) fn update(number: u64, text: &str) -> Value {
    let client = json!({
        "id": 5_550_001, "is_bot": false, "first_name": "Мария", "language_code": "ru",
    });
    json!({
        "update_id": 700_000 + number,
        "message": {
            "message_id": number,
            "from": client,
            "chat": { "id": 5_550_001, "first_name": "Мария", "type": "private" },
            "date": 1_772_435_200,
            "text": text,
        },
    })
}

fn keep_lines(stream: impl std::io::Read + Send + 'static, kept: Vec<Arc<Mutex<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            for printed in &kept {
                let mut printed = printed.lock();
                printed.push_str(&line);
                printed.push('\n');
            }
        }
    });
}
