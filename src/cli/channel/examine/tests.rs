//! Tests of examining a channel, with a daemon's address that answers as told.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::cli::Format;
use crate::cli::channel::report;
use crate::config::secret::Literals;
use crate::model::channel::{ChannelSettings, TelegramSettings};
use crate::model::config::Config;
use crate::model::secret::SecretRef;

/// The address of a server that answers everything so.
async fn answering(status: u16, headers: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let answer =
                format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}")
}

struct Rig {
    folder: tempfile::TempDir,
    declared: Declared,
    outside: Outside,
    lookup: Lookup,
}

impl Rig {
    fn new(public_url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "1234567:SECRETSECRETSECRET").unwrap();
        std::fs::write(folder.path().join("hook"), "hook-secret").unwrap();
        let file = |name: &str| SecretRef::File(name.to_owned());
        let settings = ChannelSettings::Telegram(TelegramSettings {
            groups: Default::default(),
            token: file("token"),
            webhook_secret: file("hook"),
            // Nobody listens there.
            api_base: "http://127.0.0.1:9".to_owned(),
        });
        let declared = Declared { line: "sales".into(), settings };
        let lookup = Lookup::new(folder.path(), Literals::default());
        let mut config = Config::default();
        config.daemon.public_url = public_url.map(str::to_owned);
        config.daemon.allow_private = vec!["127.0.0.0/8".to_owned()];
        let outside = Outside::open(&config, &lookup).unwrap();
        Self { folder, declared, outside, lookup }
    }

    async fn examine(&self, purpose: Purpose) -> Examination {
        examine("shop", &self.declared, &self.outside, &self.lookup, purpose).await
    }

    fn channel(&self) -> Box<dyn Channel> {
        channels::connect(&ChannelId::from("shop"), &self.declared.settings, &self.lookup).unwrap()
    }
}

fn about(examination: &Examination, what: &str) -> Finding {
    examination.findings.iter().find(|(about, _)| *about == what).unwrap().1.clone()
}

#[tokio::test]
async fn a_secret_that_is_missing_is_named_with_its_place_and_ends_in_failure() {
    let rig = Rig::new(None);
    std::fs::remove_file(rig.folder.path().join("hook")).unwrap();
    let found = rig.examine(Purpose::Doctor).await;
    assert!(!found.is_good());
    let secrets = about(&found, "secrets");
    assert!(
        !secrets.good && secrets.text.contains("webhook_secret") && secrets.text.contains("hook"),
        "{secrets:?}"
    );
    assert!(about(&found, "public_url").text.contains("is not set"));
}

#[tokio::test]
async fn without_a_public_address_of_https_nothing_is_registered() {
    for public_url in [None, Some("http://chat.example.com")] {
        let found = Rig::new(public_url).examine(Purpose::Setup { dry_run: false }).await;
        assert!(!found.is_good(), "{found:?}");
        assert!(!about(&found, "public_url").good);
    }
}

#[tokio::test]
async fn a_dry_run_asks_nobody_and_prints_no_secret() {
    let found = Rig::new(Some("https://chat.example.com")).examine(Purpose::Setup { dry_run: true }).await;
    assert!(found.is_good(), "{found:?}");
    for format in [Format::Text, Format::Json] {
        let printed = report::of(&found, format);
        assert!(printed.contains("https://chat.example.com/webhooks/shop"), "{printed}");
        assert!(!printed.contains("SECRET") && !printed.contains("hook-secret"), "{printed}");
    }
}

#[tokio::test]
async fn the_own_webhook_must_refuse_strangers_and_be_ours() {
    let ours = "X-Request-Id: 1\r\n";
    for (status, headers, good, word) in [
        (401, ours, true, "leads to the daemon"),
        (401, "", false, "HTTP 401"),
        (404, ours, false, "no channel `shop`"),
        (404, "", false, "does the proxy pass"),
        (503, ours, false, "does not take calls now"),
        (301, "Location: https://x/\r\n", false, "redirect"),
        (502, "", false, "is it running?"),
        (200, "", false, "HTTP 200"),
    ] {
        let base = answering(status, headers).await;
        let rig = Rig::new(Some(&base));
        let channel = rig.channel();
        let at = At {
            name: "shop",
            kind: ChannelKind::Telegram,
            channel: channel.as_ref(),
            outside: &rig.outside,
        };
        let finding = at.reach(&format!("{base}/webhooks/shop")).await;
        assert_eq!(finding.good, good, "{finding:?}");
        assert!(finding.text.contains(word), "{finding:?}");
    }
}

#[tokio::test]
async fn nobody_at_an_address_is_told_with_what_to_do() {
    let rig = Rig::new(None);
    let channel = rig.channel();
    let at =
        At { name: "shop", kind: ChannelKind::Telegram, channel: channel.as_ref(), outside: &rig.outside };
    let nobody = at.reach("http://127.0.0.1:9/webhooks/shop").await;
    assert!(!nobody.good && nobody.text.contains("firewall"), "{nobody:?}");
    let nowhere = at.reach("http://no-such-name.invalid/webhooks/shop").await;
    assert!(!nowhere.good && nowhere.text.contains("DNS"), "{nowhere:?}");
    let url = "http://127.0.0.1:9/botSECRET".parse().unwrap();
    let request = WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
    let found = at.ask(&Check { name: "token", request }, None).await;
    assert!(!found[0].good && !found[0].text.contains("SECRET"), "{found:?}");
}

#[test]
fn what_a_messenger_repeats_is_printed_without_secrets() {
    use crate::channels::ResolvedSecrets as _;
    let rig = Rig::new(None);
    rig.lookup.secret(&SecretRef::File("token".to_owned())).unwrap();
    let text = rig.lookup.without_secrets("no bot 1234567:SECRETSECRETSECRET here");
    assert_eq!(text, "no bot [secret] here");
    let findings = vec![("token", Finding::bad("a\u{1b}[2Jb"))];
    let examination = Examination { channel: "shop".to_owned(), kind: ChannelKind::Telegram, findings };
    assert!(!report::of(&examination, Format::Text).contains('\u{1b}'));
}
