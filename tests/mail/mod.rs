//! Mail through a real server: `aiosmtpd`, with STARTTLS and a login.
//!
//! The server is installed into the folder of build results when it is not there yet; so the first run needs
//! `python3` and its package index, as it needs cargo's.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use serde_json::Value;
use switchboard::channels::{Channel, Outbound, Progress, ResolvedSecrets, Verdict, connect};
use switchboard::model::channel::{ChannelSettings, EmailSettings, SmtpSettings};
use switchboard::model::effect::{
    Attempt, Effect, EffectAction, EffectState, Lane, Outgoing, Refusal, Scope,
};
use switchboard::model::id::{ChannelId, DialogId, EffectId, LineId, MessageId};
use switchboard::model::secret::SecretRef;
use switchboard::outbox::http::GuardPolicy;
use switchboard::outbox::mail::MailClient;
use zeroize::Zeroizing;

/// A mail server on a slow machine starts within a second.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

const LIMIT: Duration = Duration::from_secs(20);

/// The interpreter that has the server's packages.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail-server");
    let (python, mark) = (folder.join("bin/python"), folder.join("installed.txt"));
    if std::fs::read_to_string(&mark).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements));
        std::fs::write(&mark, wanted).unwrap();
    }
    python
});

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; `python3` is needed"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

struct Server {
    process: Child,
    said: mpsc::Receiver<Value>,
    port: u64,
    authority: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(&*PYTHON)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py"))
            .arg(free_port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let first: Value = said.recv_timeout(STARTS_WITHIN).expect("the mail server does not start");
        let port = first["port"].as_u64().unwrap();
        Self { process, said, port, authority: first["authority"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// aiosmtpd wants to be told a port.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Secrets(&'static str);

impl ResolvedSecrets for Secrets {
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>> {
        match reference {
            SecretRef::Env(name) if name == "PASSWORD" => Some(Zeroizing::new(self.0.to_owned())),
            _ => Some(Zeroizing::new("a-secret-of-the-shop".to_owned())),
        }
    }
}

fn email(server: &Server, password: &'static str) -> Box<dyn Channel> {
    let settings = EmailSettings {
        address: "sales@shop.example".to_owned(),
        name: Some("Отдел продаж".to_owned()),
        webhook_secret: SecretRef::Env("SECRET".to_owned()),
        smtp: Some(SmtpSettings {
            url: format!("smtp://localhost:{}", server.port),
            username: Some("sales".to_owned()),
            password: Some(SecretRef::Env("PASSWORD".to_owned())),
        }),
    };
    let settings = ChannelSettings::Email(Box::new(settings));
    connect(&ChannelId::from("shop"), &settings, &Secrets(password)).unwrap()
}

fn text_to(user: &str) -> Effect {
    Effect {
        id: EffectId::new(7, 0),
        lane: Lane::Chat { channel: ChannelId::from("shop"), chat: "abc".to_owned() },
        line: LineId::from("sales"),
        dialog: DialogId::new(3, 0),
        action: EffectAction::Send(Outgoing {
            automatic: true,
            context: Some(r#"{"subject":"Price","last":"1@client.example"}"#.to_owned()),
            sender: None,
            channel: ChannelId::from("shop"),
            chat: "abc".to_owned(),
            user: user.to_owned(),
            message: MessageId::new(7, 0),
            text: "Hello\n.\nMAIL FROM:<evil@x>\n".to_owned(),
            buttons: Vec::new(),
            attachments: Vec::new(),
            reply_to: None,
        }),
        state: EffectState::Pending,
        attempts: 1,
        parts_done: 0,
        last_error: None,
        created_at_ms: 1_768_208_400_000,
        updated_at_ms: 0,
    }
}

fn loopback() -> GuardPolicy {
    GuardPolicy::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

async fn attempt(client: &MailClient, channel: &dyn Channel, user: &str) -> Attempt {
    let effect = text_to(user);
    let Outbound::Mail(mail) = channel.outbound(&effect, &Progress::default()).unwrap() else {
        panic!("no mail")
    };
    let response = client.send(mail, LIMIT).await;
    match channel.classify(&effect, &Progress::default(), response.as_ref()) {
        Verdict::Ended(attempt) => attempt,
        Verdict::More(progress) => panic!("{progress:?}"),
    }
}

#[tokio::test]
async fn a_real_server_takes_mail_by_starttls_and_login() {
    let server = Server::start();
    let client = MailClient::new(loopback()).trusting(server.authority.as_bytes()).unwrap();
    let channel = email(&server, "a right password");
    let Attempt::Delivered { external_id: Some(id) } =
        attempt(&client, &*channel, "anna@client.example").await
    else {
        panic!("not taken");
    };
    let taken = server.said.recv_timeout(STARTS_WITHIN).unwrap();
    assert_eq!(taken["sender"], "sales@shop.example");
    assert_eq!(taken["recipients"], serde_json::json!(["anna@client.example"]));
    assert_eq!((&taken["encrypted"], &taken["login"]), (&Value::Bool(true), &Value::from("sales")));
    let content = taken["content"].as_str().unwrap();
    assert!(content.contains(&format!("Message-ID: <{id}>")), "{content}");
    assert!(content.contains("\r\nAuto-Submitted: auto-replied\r\n"), "{content}");
    assert!(content.contains("\r\nIn-Reply-To: <1@client.example>\r\n"), "{content}");
    assert!(content.contains("Hello\r\n.\r\nMAIL FROM:<evil@x>\r\n"), "{content}");

    // The same connection serves the next ones, and what is refused is told by its code.
    let refused = attempt(&client, &*channel, "nobody@client.example").await;
    assert!(matches!(refused, Attempt::Refused { reason: Refusal::Blocked, .. }), "{refused:?}");
    let full = attempt(&client, &*channel, "full@client.example").await;
    assert!(matches!(full, Attempt::Retry { after_ms: Some(3_600_000), .. }), "{full:?}");
    let again = attempt(&client, &*channel, "anna@client.example").await;
    assert!(matches!(again, Attempt::Delivered { .. }), "{again:?}");
}

#[tokio::test]
async fn a_wrong_password_holds_the_whole_channel_and_a_strange_certificate_gets_nothing() {
    let server = Server::start();
    let client = MailClient::new(loopback()).trusting(server.authority.as_bytes()).unwrap();
    let refused = attempt(&client, &*email(&server, "a wrong password"), "anna@client.example").await;
    assert!(
        matches!(&refused, Attempt::Retry { scope: Scope::Channel, error, .. }
            if error.contains("login refused") && !error.contains("a wrong password")),
        "{refused:?}"
    );
    let stranger = MailClient::new(loopback());
    let refused = attempt(&stranger, &*email(&server, "a right password"), "anna@client.example").await;
    assert!(matches!(refused, Attempt::Retry { .. }), "{refused:?}");
    assert!(server.said.try_recv().is_err());
}
