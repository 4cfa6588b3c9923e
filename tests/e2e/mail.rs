//! A letter and its answer: in by the pipe of a mail server, out by SMTP, and back again.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::daemon::{ANNA, Daemon, Site, messenger};
use super::waiting::eventually;

const CHANNEL: &str = "
  letters:
    kind: email
    line: sales
    address: sales@crm.example
    webhook_secret: {file: ./mail-secret}
    smtp: {url: \"smtp+plain://127.0.0.1:PORT\"}
";

/// A mail server that takes everything, and what it took.
async fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&kept)));
        }
    });
    (port, taken)
}

async fn serve(stream: TcpStream, taken: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 here\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line.starts_with("DATA") {
            stream.get_mut().write_all(b"354 go\r\n").await.ok()?;
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                stream.read_line(&mut mail).await.ok().filter(|read| *read > 0)?;
            }
            taken.lock().push(mail);
        }
        stream.get_mut().write_all(b"250 2.0.0 ok\r\n").await.ok()?;
    }
}

/// Pipes a mail in, and gives the exit code.
fn inject(site: &Site, daemon: &Daemon, channel: &str, mail: &str) -> Option<i32> {
    let mut child = site
        .command(&["inject-email", "--channel", channel, "--url", daemon.base()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    child.stdin.take().unwrap().write_all(mail.replace('\n', "\r\n").as_bytes()).ok();
    child.wait().unwrap().code()
}

async fn site(port: u16) -> Site {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    std::fs::write(site.folder().join("mail-secret"), "a-secret-for-the-mailbox\n").unwrap();
    site.edit(
        "channels.yaml",
        "channels:\n",
        &format!("channels:{}", CHANNEL.replace("PORT", &port.to_string())),
    );
    site
}

/// The value of a header.
fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    mail.lines()
        .find_map(|line| line.strip_prefix(&format!("{name}: ")))
        .unwrap_or_else(|| panic!("{name}: {mail}"))
}

#[tokio::test]
async fn a_letter_is_answered_and_its_answer_comes_into_the_same_dialog() {
    let (port, taken) = mail_server().await;
    let site = site(port).await;
    let daemon = site.start().await;
    daemon.anna_online().await;
    let letter = "From: Anna Client <anna@client.example>\nTo: sales@crm.example\nSubject: Price\nMessage-ID: <1@client.example>\n\nHow much?\n";
    // A delivery that is repeated changes nothing.
    assert_eq!(inject(&site, &daemon, "letters", letter), Some(0));
    assert_eq!(inject(&site, &daemon, "letters", letter), Some(0));
    let dialog = daemon.dialog().await;
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/accept"), &json!({})).await.expect(200);
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/messages"), &json!({ "text": "990." })).await;
    let answer = eventually("the answer goes out", || async {
        taken.lock().iter().find(|mail| mail.contains("\r\n990.\r\n")).cloned()
    })
    .await;
    assert_eq!(header(&answer, "Subject"), "Re: Price");
    assert_eq!(header(&answer, "In-Reply-To"), "<1@client.example>");
    // Automatic texts say that they are, people do not.
    assert!(taken.lock().iter().any(|mail| mail.contains("\r\nAuto-Submitted: auto-replied\r\n")));
    assert!(!answer.contains("Auto-Submitted"), "{answer}");

    // The client answers, with a file that no call of a messenger has.
    let to = header(&answer, "Reply-To");
    let file = "QUJD".repeat(16) + "\n";
    let reply = format!(
        "From: anna@client.example\nTo: {to}\nSubject: Re: Price\nMessage-ID: <2@client.example>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nI take two.\n\nOn 1 January 2026 Sales wrote:\n> 990.\n--b\n\
         Content-Type: application/pdf; name=order.pdf\nContent-Disposition: attachment; filename=order.pdf\n\
         Content-Transfer-Encoding: base64\n\n{}\n--b--\n",
        file.repeat(50_000)
    );
    assert!(reply.len() > 3 << 20);
    assert_eq!(inject(&site, &daemon, "letters", &reply), Some(0));
    assert_eq!(daemon.dialog().await, dialog);
    let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
    let items = messages.at("/items").as_array().unwrap().clone();
    let came = items.iter().find(|item| item["external_id"] == "2@client.example").unwrap();
    assert_eq!(came["text"], "I take two.");
    assert_eq!(came["full_text"], "I take two.\n\nOn 1 January 2026 Sales wrote:\n> 990.");
    assert_eq!(
        (&came["subject"], &came["attachments"][0]["name"]),
        (&json!("Re: Price"), &json!("order.pdf"))
    );

    // The file is there, as it was sent.
    let id = came["attachments"][0]["id"].as_str().unwrap();
    let file = daemon.get(ANNA, &format!("/v1/attachments/{id}")).await.expect(200);
    assert_eq!(file.text.len(), 50_000 * 48);
    assert!(file.text.starts_with("ABCABC"), "{}", file.text.get(..20).unwrap_or_default());

    // The answer comes back: its server could not deliver it after all.
    let bounce = format!(
        "From: MAILER-DAEMON@mx\nMessage-ID: <3@mx>\nMIME-Version: 1.0\nContent-Type: multipart/report; boundary=b; report-type=delivery-status\n\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.2.2\n\n\
         --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {}\n\n--b--\n",
        header(&answer, "Message-ID")
    );
    assert_eq!(inject(&site, &daemon, "letters", &bounce), Some(0));
    eventually("the answer counts as failed", || async {
        let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
        let items = messages.at("/items").as_array().cloned().unwrap_or_default();
        items.into_iter().find(|item| item["text"] == "990." && item["status"] == "failed")
    })
    .await;
}

#[tokio::test]
async fn a_pipe_is_told_what_to_do_with_its_mail() {
    let (port, _taken) = mail_server().await;
    let site = site(port).await;
    let mut daemon = site.start().await;
    let letter = "From: anna@client.example\nMessage-ID: <1@client.example>\n\nHello\n";
    assert_eq!(inject(&site, &daemon, "nowhere", letter), Some(78));
    assert_eq!(inject(&site, &daemon, "shop-telegram", letter), Some(78));
    assert_eq!(inject(&site, &daemon, "letters", " \n"), Some(65));
    assert_eq!(inject(&site, &daemon, "letters", letter), Some(0));
    std::fs::write(site.folder().join("mail-secret"), "another-secret-than-theirs\n").unwrap();
    assert_eq!(inject(&site, &daemon, "letters", letter), Some(78));
    daemon.stop().await;
    assert_eq!(inject(&site, &daemon, "letters", letter), Some(75));
}
