//! Tests of handing mail over to a server that replies as told and keeps every byte.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::channels::samples::{self, Names};
use crate::channels::{Channel, Outbound, Progress, connect};
use crate::model::channel::{ChannelSettings, EmailSettings, SmtpSettings};
use crate::model::effect::{Attempt, EffectAction, Outgoing};
use crate::model::id::ChannelId;
use crate::model::secret::SecretRef;

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// What the server does at a command.
#[derive(Clone, Copy)]
enum Does {
    Replies(&'static str),
    /// Closes the connection without a word.
    Closes,
}

/// A server that replies with `250 ok`, or as told at commands that begin so; `.` stands for the end of a mail.
struct Sink {
    port: u16,
    /// Each line that came, with its line end, on all connections.
    came: Arc<Mutex<Vec<String>>>,
    /// How many connections were made.
    connections: Arc<Mutex<usize>>,
}

async fn sink(told: &'static [(&'static str, Does)]) -> Sink {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sink = Sink { port, came: Arc::default(), connections: Arc::default() };
    let (came, connections) = (Arc::clone(&sink.came), Arc::clone(&sink.connections));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            *connections.lock() += 1;
            tokio::spawn(serve(stream, told, Arc::clone(&came)));
        }
    });
    sink
}

async fn serve(stream: TcpStream, told: &'static [(&'static str, Does)], came: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut command = "CONNECT".to_owned();
    loop {
        let told = told.iter().find(|(begin, _)| command.starts_with(begin)).map(|(_, does)| *does);
        let usual = match command.as_str() {
            "CONNECT" => "220 sink\r\n",
            command if command.starts_with("EHLO") => "250-sink\r\n250 8BITMIME\r\n",
            "DATA" => "354 go\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 2.0.0 ok\r\n",
        };
        let reply = match told {
            Some(Does::Closes) => return,
            Some(Does::Replies(reply)) => reply,
            None => usual,
        };
        let in_mail = command == "DATA" && reply.starts_with("354");
        if stream.get_mut().write_all(reply.as_bytes()).await.is_err() {
            return;
        }
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            came.lock().push(line.clone());
            let is_end = line == ".\r\n";
            if !in_mail || is_end {
                command = line.trim_end().to_owned();
                break;
            }
        }
    }
}

fn email(url: String) -> Box<dyn Channel> {
    let settings = EmailSettings {
        address: "sales@shop.example".to_owned(),
        name: None,
        webhook_secret: SecretRef::Env("a-secret-of-the-shop".to_owned()),
        smtp: Some(SmtpSettings { url, username: None, password: None }),
    };
    connect(&ChannelId::from("shop"), &ChannelSettings::Email(Box::new(settings)), &Names).unwrap()
}

fn client() -> MailClient {
    MailClient::new(GuardPolicy::new(["127.0.0.0/8".parse().unwrap()]))
}

/// Sends a text, and says how the attempt ended.
async fn send(client: &MailClient, channel: &dyn Channel, text: &str) -> Attempt {
    let outgoing = Outgoing { user: "anna@client.example".to_owned(), ..samples::outgoing(text) };
    let effect = samples::effect(EffectAction::Send(outgoing));
    let Outbound::Mail(mail) = channel.outbound(&effect, &Progress::default()).unwrap() else {
        panic!("no mail");
    };
    let response = client.send(mail, LIMIT).await;
    match channel.classify(&effect, &Progress::default(), response.as_ref()) {
        crate::channels::Verdict::Ended(attempt) => attempt,
        crate::channels::Verdict::More(progress) => panic!("{progress:?}"),
    }
}

fn plain(port: u16) -> Box<dyn Channel> {
    email(format!("smtp+plain://127.0.0.1:{port}"))
}

#[tokio::test]
async fn nothing_in_a_text_is_a_command_to_the_server() {
    let sink = sink(&[]).await;
    let evil = "one\r\n.\r\nMAIL FROM:<evil@x>\nRCPT TO:<b@c>\rDATA\n.\n..two\r.\r";
    let attempt = send(&client(), &*plain(sink.port), evil).await;
    assert!(matches!(attempt, Attempt::Delivered { external_id: Some(_) }), "{attempt:?}");
    let came = sink.came.lock().clone();
    assert!(
        came.iter().all(|line| line.ends_with("\r\n") && !line.trim_end_matches("\r\n").contains('\r')),
        "{came:?}"
    );
    let ends = came.iter().filter(|line| *line == ".\r\n").count();
    assert_eq!(ends, 1, "{came:?}");
    let commands: Vec<&str> =
        came.iter().map(|line| line.trim_end()).take_while(|line| *line != "DATA").collect();
    assert_eq!(
        commands,
        ["EHLO shop.example", "MAIL FROM:<sales@shop.example>", "RCPT TO:<anna@client.example>"]
    );
    // Behind the end of the mail there is nothing.
    assert_eq!(came.last().map(String::as_str), Some(".\r\n"));
}

#[tokio::test]
async fn one_connection_carries_one_mail_after_another() {
    let sink = sink(&[]).await;
    let (client, channel) = (client(), plain(sink.port));
    for _ in 0..3 {
        let attempt = send(&client, &*channel, "hello").await;
        assert!(matches!(attempt, Attempt::Delivered { .. }), "{attempt:?}");
    }
    assert_eq!(*sink.connections.lock(), 1);
}

#[tokio::test]
async fn each_refusal_is_told_with_its_step() {
    let cases: &[(&'static [(&'static str, Does)], &str)] = &[
        (&[("CONNECT", Does::Replies("554 5.7.1 no\r\n"))], "retry Channel"),
        (&[("CONNECT", Does::Replies("421 later\r\n"))], "retry Channel"),
        (&[("CONNECT", Does::Closes)], "retry Chat"),
        (&[("CONNECT", Does::Replies("HTTP/1.1 400 Bad Request\r\n"))], "retry Chat"),
        (&[("MAIL", Does::Replies("550 5.7.1 not yours\r\n"))], "retry Channel"),
        (&[("RCPT", Does::Replies("550-5.1.1 no such\r\n550 5.1.1 user\r\n"))], "refused Blocked"),
        (&[("RCPT", Does::Replies("451 4.7.1 greylisted\r\n"))], "retry Chat"),
        (&[("RCPT", Does::Closes)], "retry Chat"),
        (&[("DATA", Does::Replies("554 5.7.1 no\r\n"))], "refused Permanent"),
        (&[(".", Does::Replies("552 5.2.2 full\r\n"))], "retry Chat"),
        (&[(".", Does::Replies("554 5.7.1 spam\r\n"))], "refused Permanent"),
        (&[(".", Does::Closes)], "ambiguous"),
    ];
    for (told, expected) in cases {
        let sink = sink(told).await;
        let attempt = send(&client(), &*plain(sink.port), "hello").await;
        let word = match &attempt {
            Attempt::Delivered { .. } => "delivered".to_owned(),
            Attempt::Retry { scope, .. } => format!("retry {scope:?}"),
            Attempt::Refused { reason, .. } => format!("refused {reason:?}"),
            Attempt::Ambiguous { .. } => "ambiguous".to_owned(),
        };
        assert_eq!(word, *expected, "{attempt:?}");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let sink = sink(&[]).await;
    let attempt = send(&client(), &*email(format!("smtp://127.0.0.1:{}", sink.port)), "hello").await;
    assert!(matches!(&attempt, Attempt::Retry { error, .. } if error.contains("STARTTLS")), "{attempt:?}");
    let came = sink.came.lock().clone();
    assert!(!came.iter().any(|line| line.starts_with("MAIL")), "{came:?}");
}

#[tokio::test]
async fn a_private_server_is_reached_only_where_it_is_allowed() {
    let sink = sink(&[]).await;
    let client = MailClient::new(GuardPolicy::public_only());
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433"] {
        let attempt = send(&client, &*email(format!("smtp+plain://{host}:{}", sink.port)), "hello").await;
        assert!(matches!(attempt, Attempt::Refused { .. }), "{host} {attempt:?}");
    }
    assert_eq!(*sink.connections.lock(), 0);
}

#[tokio::test]
async fn mail_with_bare_line_ends_is_refused_by_the_carrier_too() {
    for message in ["a\nb", "a\rb", "\nb", "a\r"] {
        assert!(!is_clean(message.as_bytes()), "{message:?}");
    }
    assert!(is_clean(b"a\r\nb\r\n"));
}
