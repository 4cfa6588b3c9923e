//! Tests of fetching files and of making them ready, with a messenger of our own on the loopback interface.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::attachments::Link;
use crate::channels::{
    CallHead, Capabilities, DecodeError, Decoded, EncodeError, FileRoute, Progress, SendFailure, TextLimit,
    TextUnit, Verdict, VerifyError, WebhookCall, samples,
};
use crate::model::channel::ChannelKind;
use crate::model::config::Config;
use crate::model::effect::{Attempt, Effect, EffectAction};
use crate::model::id::MessageId;
use crate::model::message::AttachmentKind;
use crate::outbox::http::{GuardPolicy, HttpClient};

const NOW_MS: u64 = 1_772_442_000_000;

/// Knows a file by a reference: the first request yields its address, the second the file.
#[derive(Debug)]
struct Messenger {
    address: SocketAddr,
    capabilities: &'static Capabilities,
}

const fn capabilities(files: FileRoute) -> Capabilities {
    Capabilities {
        text: TextLimit { length: 100, unit: TextUnit::Utf16 },
        parts_max: 4,
        buttons: None,
        replies: false,
        acknowledges_buttons: false,
        files,
        edits: false,
        deletes: false,
        typing: false,
    }
}

static BYTES: Capabilities = capabilities(FileRoute::Bytes);
static ADDRESS: Capabilities = capabilities(FileRoute::Address);

impl Messenger {
    fn request(&self, path: &str) -> WireRequest {
        let url = format!("http://{}/{path}", self.address).parse().unwrap();
        WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
    }
}

impl Channel for Messenger {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Viber
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    fn verify_head(&self, _: &CallHead<'_>) -> Result<(), VerifyError> {
        Err(VerifyError::Method)
    }

    fn verify(&self, _: &WebhookCall<'_>) -> Result<(), VerifyError> {
        Err(VerifyError::Method)
    }

    fn decode(&self, _: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        Err(DecodeError::Missing("anything"))
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let EffectAction::Send(outgoing) = &effect.action else { return Err(EncodeError::EmptyText) };
        let mut path = "send".to_owned();
        for file in progress.files.iter().flatten() {
            write!(path, "/{}/{}", file.name, file.bytes.len()).unwrap();
        }
        for url in outgoing.attachments.iter().filter_map(|file| file.url.as_deref()) {
            write!(path, "?{}", url.replace("https://", "")).unwrap();
        }
        Ok(self.request(&path))
    }

    fn classify(&self, _: &Effect, _: &Progress, response: Result<&WireResponse, &SendFailure>) -> Verdict {
        let told = String::from_utf8_lossy(&response.unwrap().body).into_owned();
        Verdict::Ended(Attempt::Delivered { external_id: Some(told) })
    }

    fn fetch(&self, attachment: &Attachment, prepared: &[String]) -> Result<WireRequest, FetchError> {
        let Some(reference) = attachment.reference.as_deref() else { return file_by_address(attachment) };
        Ok(self.request(prepared.first().map_or(&format!("where/{reference}"), |path| path)))
    }

    fn fetched(&self, _: &Attachment, prepared: &[String], response: &WireResponse) -> Fetched {
        if prepared.is_empty() && response.status == 200 {
            return Fetched::More(vec![String::from_utf8(response.body.to_vec()).unwrap()]);
        }
        file_answer(response)
    }
}

/// Serves `where/NAME` and `file/NAME`; `send…` is answered with itself. Counts the files it gave.
async fn serve(given: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let given = Arc::clone(&given);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
                let (status, media_type, body) = answer(&path, &given);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            });
        }
    });
    address
}

fn answer(path: &str, given: &AtomicUsize) -> (u16, &'static str, Vec<u8>) {
    match path.split_once('/') {
        Some(("where", "gone")) => (404, "text/plain", Vec::new()),
        Some(("where", "angry")) => (500, "text/plain", Vec::new()),
        Some(("where", "moved")) => (200, "text/plain", b"redirect/1".to_vec()),
        Some(("where", name)) => (200, "text/plain", format!("file/{name}").into_bytes()),
        Some(("redirect", _)) => (302, "text/plain", Vec::new()),
        Some(("file", name)) => {
            given.fetch_add(1, Ordering::SeqCst);
            (200, "image/png; charset=x", vec![b'x'; name.parse().unwrap_or(5)])
        }
        _ => (200, "text/plain", path.as_bytes().to_vec()),
    }
}

struct Rig {
    folder: tempfile::TempDir,
    files: Files,
    outside: Outside,
    given: Arc<AtomicUsize>,
}

impl Rig {
    async fn new(capabilities: &'static Capabilities) -> Self {
        let given = Arc::new(AtomicUsize::new(0));
        let address = serve(Arc::clone(&given)).await;
        let mut outside = Outside::open(&Config::default(), &samples::Names).unwrap();
        outside.client = HttpClient::new(GuardPolicy::new(["127.0.0.0/8".parse().unwrap()])).unwrap();
        let messenger = Arc::new(Messenger { address, capabilities });
        outside.connections = outside.connections.with_channel("shop", messenger);
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(Keeper::new(folder.path()));
        Self { folder, files, outside, given }
    }

    async fn have(&self, attachment: &Attachment, now_ms: u64) -> Result<Kept, FileError> {
        let id = AttachmentId { message: MessageId::new(7, 0), index: 0 };
        let channel = ChannelId::from("shop");
        let is_ours = attachment.reference.is_none();
        self.files.have(&self.outside, FileOf { id, channel: &channel, attachment, is_ours }, now_ms).await
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    async fn deliver(&self, attachments: Vec<Attachment>) -> Attempt {
        let mut outgoing = samples::outgoing("look");
        outgoing.attachments = attachments;
        let effect = samples::effect(EffectAction::Send(outgoing));
        crate::outbox::deliver(&self.outside, &self.files, &effect, NOW_MS).await
    }

    /// An upload of `hello`.
    fn upload(&self) -> Attachment {
        let content = self.files.keeper().put(b"hello", NOW_MS).unwrap();
        Attachment {
            content: Some(content.to_string()),
            name: Some("a b.png".to_owned()),
            media_type: Some("image/png".to_owned()),
            size: Some(5),
            ..Attachment::of(AttachmentKind::Image)
        }
    }
}

fn photo(reference: &str) -> Attachment {
    Attachment { reference: Some(reference.to_owned()), ..Attachment::of(AttachmentKind::Image) }
}

#[tokio::test]
async fn however_many_ask_for_a_file_it_is_fetched_once_and_kept() {
    let mut rig = Rig::new(&BYTES).await;
    let photo = photo("300");
    let asked = (0..20).map(|_| rig.have(&photo, NOW_MS));
    let had = futures_util::future::join_all(asked).await;
    assert!(had.iter().all(|kept| kept.as_ref().is_ok_and(|kept| kept.size == 300)), "{had:?}");
    assert_eq!(had[0].as_ref().unwrap().media_type, "image/png");
    assert_eq!(rig.given(), 1);
    // After a new start it is still there; without its folder the messenger has it.
    rig.files = Files::new(Keeper::new(rig.folder.path()));
    rig.have(&photo, NOW_MS).await.unwrap();
    assert_eq!(rig.given(), 1);
    std::fs::remove_dir_all(rig.folder.path().join("attachments")).unwrap();
    rig.have(&photo, NOW_MS).await.unwrap();
    assert_eq!(rig.given(), 2);
}

#[tokio::test]
async fn a_file_that_is_not_given_out_says_why_and_is_asked_for_again_later() {
    let rig = Rig::new(&BYTES).await;
    assert_eq!(rig.have(&photo("gone"), NOW_MS).await, Err(FileError::Gone));
    // The same id: within ten seconds nobody is asked, even for what is there.
    assert_eq!(rig.have(&photo("5"), NOW_MS + AGAIN_MS - 1).await, Err(FileError::Gone));
    assert!(rig.have(&photo("5"), NOW_MS + AGAIN_MS).await.is_ok());
    let rig = Rig::new(&BYTES).await;
    let angry = rig.have(&photo("angry"), NOW_MS).await;
    assert!(matches!(&angry, Err(FileError::Refused(reason)) if reason.contains("500")), "{angry:?}");
    let rig = Rig::new(&BYTES).await;
    let moved = rig.have(&photo("moved"), NOW_MS).await;
    assert!(matches!(&moved, Err(FileError::Refused(reason)) if reason.contains("302")), "{moved:?}");
}

#[tokio::test]
async fn a_file_that_is_too_large_or_of_another_type_is_not_kept() {
    let mut rig = Rig::new(&BYTES).await;
    rig.outside.limits.max_bytes = 1_000;
    let too_large = Err(FileError::TooLarge { max_bytes: 1_000 });
    assert_eq!(rig.have(&photo("1001"), NOW_MS).await, too_large);
    let told = Attachment { size: Some(1_001), ..photo("5") };
    assert_eq!(rig.have(&told, NOW_MS + AGAIN_MS).await, too_large);
    rig.outside.limits.types = vec!["application/pdf".to_owned()];
    assert_eq!(rig.have(&photo("5"), NOW_MS + 2 * AGAIN_MS).await, Err(FileError::TypeNotTaken));
    rig.outside.limits.types.push("image/*".to_owned());
    assert!(rig.have(&photo("5"), NOW_MS + 3 * AGAIN_MS).await.is_ok());
}

#[tokio::test]
async fn an_address_that_others_chose_leads_to_no_private_network() {
    let rig = Rig::new(&BYTES).await;
    for url in ["https://127.0.0.1/a.png", "https://[::1]/", "https://2130706433/", "https://10.0.0.1:443/x"]
    {
        // Of a client's message and of an operator's: the configuration allows 127.0.0.0/8 to its own addresses.
        let of_client = Attachment { url: Some(url.to_owned()), ..Attachment::of(AttachmentKind::Image) };
        for is_ours in [true, false] {
            let id = AttachmentId { message: MessageId::new(8, 0), index: u32::from(is_ours) };
            let channel = ChannelId::from("shop");
            let file = FileOf { id, channel: &channel, attachment: &of_client, is_ours };
            let had = Files::new(Keeper::new(rig.folder.path())).have(&rig.outside, file, NOW_MS).await;
            assert!(matches!(had, Err(FileError::Refused(_))), "{url}: {had:?}");
        }
    }
    let plain =
        Attachment { url: Some("http://example.com/a".to_owned()), ..Attachment::of(AttachmentKind::Image) };
    assert_eq!(rig.have(&plain, NOW_MS).await, Err(FileError::Gone));
}

#[tokio::test]
async fn the_words_of_a_client_name_no_content_of_ours() {
    let rig = Rig::new(&BYTES).await;
    let known = Attachment { reference: Some("gone".to_owned()), ..rig.upload() };
    assert_eq!(rig.have(&known, NOW_MS).await, Err(FileError::Gone));
}

#[tokio::test]
async fn a_messenger_that_wants_bytes_gets_them() {
    let rig = Rig::new(&BYTES).await;
    let upload = Attachment { name: Some("b.png".to_owned()), ..rig.upload() };
    let sent = rig.deliver(vec![upload.clone()]).await;
    assert_eq!(sent, Attempt::Delivered { external_id: Some("send/b.png/5".to_owned()) });
    std::fs::remove_dir_all(rig.folder.path().join("attachments")).unwrap();
    let lost = rig.deliver(vec![upload]).await;
    assert!(matches!(&lost, Attempt::Refused { error, .. } if error.contains("file 1")), "{lost:?}");
}

#[tokio::test]
async fn a_messenger_that_wants_an_address_gets_a_signed_one() {
    let mut rig = Rig::new(&ADDRESS).await;
    let without = rig.deliver(vec![rig.upload()]).await;
    assert!(matches!(&without, Attempt::Retry { error, .. } if error.contains("public_url")), "{without:?}");
    rig.outside.public_url = Some("https://chat.example.com".to_owned());
    let sent = rig.deliver(vec![rig.upload()]).await;
    let Attempt::Delivered { external_id: Some(told) } = sent else { panic!("{sent:?}") };
    let token = told.strip_prefix("send?chat.example.com/files/").unwrap();
    let link: Link = rig.files.keeper().open_link(token, NOW_MS).unwrap();
    assert_eq!((link.name.as_str(), link.media_type.as_str()), ("a b.png", "image/png"));
    // An address that an operator gave is passed on.
    let public = Attachment {
        url: Some("https://example.com/x.png".to_owned()),
        ..Attachment::of(AttachmentKind::Image)
    };
    let sent = rig.deliver(vec![public]).await;
    assert_eq!(sent, Attempt::Delivered { external_id: Some("send?example.com/x.png".to_owned()) });
}
