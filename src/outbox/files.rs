//! Files of messages: fetched from where they are on first use, and kept.
//!
//! A file of a client is fetched through its channel, which alone knows its secrets and hosts. An address that
//! stood in a message, or that an operator gave, is somebody else's choice: it is asked without any secret, by a
//! client that knows no private network, whatever the configuration allows.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attachments::{ContentHash, Keeper, Kept, media_type_of};
use crate::channels::{
    Channel, FetchError, Fetched, WireRequest, WireResponse, file_answer, file_by_address,
};
use crate::model::attachment_id::AttachmentId;
use crate::model::config::Attachments;
use crate::model::id::ChannelId;
use crate::model::message::Attachment;

use super::http::SendError;
use super::outside::Outside;

/// Files fetched at the same time: each may take as much memory as a file may have.
const FETCHES_MAX: usize = 4;

/// How long a fetch waits for its place. Who reads has not given up by then.
const PLACE_WAIT: Duration = Duration::from_secs(10);

/// The time of one request for a file: twenty MiB at 350 KiB/s.
const FETCH_MAX: Duration = Duration::from_secs(60);

/// Requests for one file: messengers need two at most.
const REQUESTS_MAX: usize = 4;

/// How long a failed fetch is not tried again, in ms: a messenger must not be asked for the same file by every
/// reader of a dialog.
const AGAIN_MS: u64 = 10_000;

/// Files whose last failure is remembered.
const TURNS_MAX: usize = 1_024;

/// The files of messages, fetched once and kept.
#[derive(Debug)]
pub struct Files {
    keeper: Keeper,
    places: Semaphore,
    turns: Mutex<BTreeMap<AttachmentId, Arc<Turn>>>,
    pub(super) loads: Arc<Semaphore>,
}

/// Who fetches a file goes first, the others wait for what comes of it.
#[derive(Debug, Default)]
struct Turn(tokio::sync::Mutex<Option<Failed>>);

#[derive(Debug, Clone)]
struct Failed {
    at_ms: u64,
    error: FileError,
}

/// A file of a message.
#[derive(Debug, Clone, Copy)]
pub struct FileOf<'a> {
    /// Its id.
    pub id: AttachmentId,
    /// The channel of the message.
    pub channel: &'a ChannelId,
    /// What the message says of it.
    pub attachment: &'a Attachment,
    /// Whether the message is one of ours: its address was given by an operator.
    pub is_ours: bool,
}

/// Why the content of a file is not to be had. Never contains a secret or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Neither the messenger nor we have it any more.
    #[error("the file is not kept any more")]
    Gone,
    /// It is larger than the settings allow.
    #[error("the file is larger than {max_bytes} bytes (`attachments.max`)")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The settings do not allow its media type.
    #[error("files of its media type are not taken (`attachments.types`)")]
    TypeNotTaken,
    /// The messenger, or whoever keeps it, says no.
    #[error("the file is not given out: {0}")]
    Refused(String),
    /// It cannot be asked for at present.
    #[error("the file cannot be fetched now: {0}")]
    Unreachable(String),
    /// Too many files are on their way.
    #[error("too many files are being fetched")]
    Busy,
    /// Our own disk says no.
    #[error("the file cannot be kept: {0}")]
    Disk(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error.to_string())
    }
}

impl FileError {
    /// Whether it may be had later.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Gone | Self::TooLarge { .. } | Self::TypeNotTaken => false,
            Self::Refused(_) | Self::Unreachable(_) | Self::Busy | Self::Disk(_) => true,
        }
    }
}

impl Files {
    /// The files of a daemon.
    pub fn new(keeper: Keeper) -> Self {
        Self {
            keeper,
            places: Semaphore::new(FETCHES_MAX),
            turns: Mutex::default(),
            loads: super::enclose::room_for_loads(),
        }
    }

    /// Where they are kept.
    pub const fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Does something with the disk, on a thread that may wait for it.
    ///
    /// # Errors
    /// When the disk says no.
    pub async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Keeper) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        let keeper = self.keeper.clone();
        match tokio::task::spawn_blocking(move || work(&keeper)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(FileError::Disk("the work broke off".to_owned())),
        }
    }

    /// What is known of a file, with its content on the disk: it is fetched if it is not there yet. However many
    /// ask at the same time, it is fetched once.
    ///
    /// # Errors
    /// See [`FileError`].
    pub async fn have(&self, outside: &Outside, file: FileOf<'_>, now_ms: u64) -> Result<Kept, FileError> {
        // A messenger's words never say which content of ours it is.
        if file.is_ours
            && let Some(kept) = own(file.attachment)
        {
            let wanted = kept.clone();
            let found = self.on_disk(move |keeper| keeper.open(&wanted)).await?;
            return found.map(|_| kept).ok_or(FileError::Gone);
        }
        let id = file.id;
        if let Some(kept) = self.on_disk(move |keeper| keeper.find(id)).await? {
            return Ok(kept);
        }
        let turn = self.turn(id);
        let mut failed = turn.0.lock().await;
        if let Some(kept) = self.on_disk(move |keeper| keeper.find(id)).await? {
            return Ok(kept);
        }
        if let Some(before) = failed.as_ref().filter(|before| now_ms < before.at_ms.saturating_add(AGAIN_MS))
        {
            return Err(before.error.clone());
        }
        let fetched = self.fetch_and_keep(outside, file, now_ms).await;
        *failed = fetched.as_ref().err().map(|error| Failed { at_ms: now_ms, error: error.clone() });
        fetched
    }

    async fn fetch_and_keep(
        &self,
        outside: &Outside,
        file: FileOf<'_>,
        now_ms: u64,
    ) -> Result<Kept, FileError> {
        let _place: tokio::sync::SemaphorePermit<'_> =
            match tokio::time::timeout(PLACE_WAIT, self.places.acquire()).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) | Err(_) => return Err(FileError::Busy),
            };
        let source = source(outside, file)?;
        let fetched = fetch(source, file.attachment, &Wire { outside }, &outside.limits).await?;
        let Content { bytes, media_type } = fetched;
        let (id, name) = (file.id, file.attachment.name.clone());
        self.on_disk(move |keeper| {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let kept = Kept::new(keeper.put(&bytes, now_ms)?, media_type, name, size);
            keeper.note(id, &kept, now_ms)?;
            Ok(kept)
        })
        .await
    }

    fn turn(&self, id: AttachmentId) -> Arc<Turn> {
        let mut turns = self.turns.lock();
        if turns.len() >= TURNS_MAX {
            // Those that somebody waits for stay; a forgotten failure costs one more request.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(id).or_default())
    }

    /// Room in the memory for a file of this many bytes on its way to a messenger; `None`: there is none now.
    pub(super) fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        super::enclose::room(&self.loads, bytes)
    }
}

/// What an operator uploaded: the message says which content it is.
fn own(attachment: &Attachment) -> Option<Kept> {
    let content = ContentHash::parse(attachment.content.as_deref()?)?;
    let media_type = attachment.media_type.clone().unwrap_or_else(|| type_by_name(attachment));
    Some(Kept::new(content, media_type, attachment.name.clone(), attachment.size.unwrap_or(0)))
}

/// Where a file is fetched from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// Its messenger.
    Channel(&'a dyn Channel),
    /// The address that an operator gave.
    Address,
}

fn source<'a>(outside: &'a Outside, file: FileOf<'_>) -> Result<Source<'a>, FileError> {
    if file.is_ours && file.attachment.reference.is_none() {
        return Ok(Source::Address);
    }
    match outside.connections.channel(file.channel.as_str()) {
        None => Err(FileError::Gone),
        Some(Err(error)) => Err(FileError::Unreachable(format!("the channel is not connected: {error}"))),
        Some(Ok(channel)) => Ok(Source::Channel(channel.as_ref())),
    }
}

/// A file, fetched.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    bytes: bytes::Bytes,
    media_type: String,
}

/// Who carries the requests for a file.
trait Carrier {
    /// Sends a request and waits for its answer of at most `max_bytes`. `is_foreign`: others chose the address.
    fn send(
        &self,
        request: WireRequest,
        is_foreign: bool,
        max_bytes: usize,
    ) -> impl Future<Output = Result<WireResponse, SendError>> + Send;
}

struct Wire<'a> {
    outside: &'a Outside,
}

impl Carrier for Wire<'_> {
    async fn send(
        &self,
        request: WireRequest,
        is_foreign: bool,
        max_bytes: usize,
    ) -> Result<WireResponse, SendError> {
        let client = if is_foreign { &self.outside.strangers } else { &self.outside.client };
        client.send_up_to(request, FETCH_MAX, max_bytes).await
    }
}

async fn fetch(
    source: Source<'_>,
    attachment: &Attachment,
    carrier: &impl Carrier,
    limits: &Attachments,
) -> Result<Content, FileError> {
    let too_large = || FileError::TooLarge { max_bytes: limits.max_bytes };
    if attachment.size.is_some_and(|size| size > limits.max_bytes) {
        return Err(too_large());
    }
    if attachment.media_type.as_deref().is_some_and(|media_type| !limits.takes(media_type)) {
        return Err(FileError::TypeNotTaken);
    }
    let max_bytes = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let mut prepared = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let request = match source {
            Source::Channel(channel) => channel.fetch(attachment, &prepared),
            Source::Address => file_by_address(attachment),
        }
        .map_err(failure)?;
        let is_foreign =
            attachment.url.as_deref().is_some_and(|url| url.parse().ok() == Some(request.url.clone()));
        let response = carrier.send(request, is_foreign, max_bytes).await.map_err(|error| match error {
            SendError::TooLarge { .. } => too_large(),
            SendError::Refused { .. } | SendError::InvalidRequest(_) => FileError::Refused(error.to_string()),
            SendError::NotSent { .. } | SendError::Ambiguous { .. } => {
                FileError::Unreachable(error.to_string())
            }
        })?;
        let fetched = match source {
            Source::Channel(channel) => channel.fetched(attachment, &prepared, &response),
            Source::Address => file_answer(&response),
        };
        match fetched {
            Fetched::More(next) => prepared = next,
            Fetched::Failed(error) => return Err(failure(error)),
            Fetched::File => {
                let media_type = attachment
                    .media_type
                    .clone()
                    .or_else(|| told_type(&response))
                    .unwrap_or_else(|| type_by_name(attachment));
                if !limits.takes(&media_type) {
                    return Err(FileError::TypeNotTaken);
                }
                return Ok(Content { bytes: response.body, media_type });
            }
        }
    }
    Err(FileError::Refused(format!("the messenger asks for more than {REQUESTS_MAX} requests")))
}

fn failure(error: FetchError) -> FileError {
    match error {
        FetchError::NoAddress | FetchError::Gone => FileError::Gone,
        FetchError::Refused(reason) => FileError::Refused(reason),
    }
}

/// The media type that an answer names, without its parameters, unless it names none in particular.
fn told_type(response: &WireResponse) -> Option<String> {
    let value = response.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_type = essence.split('/').count() == 2 && essence.len() <= 100;
    (is_type && essence != "application/octet-stream").then_some(essence)
}

fn type_by_name(attachment: &Attachment) -> String {
    media_type_of(attachment.name.as_deref().unwrap_or_default()).to_owned()
}

#[cfg(test)]
mod tests;
