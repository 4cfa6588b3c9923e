//! Making the files of a message ready for its messenger, before its first request: their bytes, or an address
//! that the messenger can fetch them from.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attachments::{ContentHash, LINK_MS, Link, media_type_of, safe_name};
use crate::channels::{Channel, FileBytes, FileRoute};
use crate::model::attachment_id::AttachmentId;
use crate::model::effect::{Attempt, Effect, EffectAction, Outgoing, Refusal, Scope};

use super::files::{FileError, FileOf, Files};
use super::outside::Outside;

/// Memory for files on their way to messengers, in KiB: twelve of the largest that are allowed by default.
const LOADS_KIB: usize = 256 * 1024;

/// How long an attempt waits when there is no memory for its files, in ms: others are sent meanwhile.
const ROOM_WAIT_MS: u64 = 2_000;

/// The memory for files on their way.
pub(super) fn room_for_loads() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LOADS_KIB))
}

/// Room for so many bytes.
pub(super) fn room(loads: &Arc<Semaphore>, bytes: u64) -> Option<OwnedSemaphorePermit> {
    // What is larger than all of it takes all of it.
    let kib = usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX).min(LOADS_KIB);
    Arc::clone(loads).try_acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX)).ok()
}

/// An effect that can be sent.
pub(super) struct Enclosed {
    /// The effect; addresses stand in it where the messenger wants such.
    pub(super) effect: Effect,
    /// The bytes of its files where the messenger wants those.
    pub(super) files: Arc<[Option<FileBytes>]>,
    /// The memory that they take.
    _room: Vec<OwnedSemaphorePermit>,
}

/// Whether an effect has files that must be made ready.
pub(super) fn has_files(effect: &Effect) -> bool {
    matches!(&effect.action, EffectAction::Send(outgoing) if !outgoing.attachments.is_empty())
}

/// Makes the files of an effect ready.
///
/// # Errors
/// How the attempt ends when they are not to be had.
pub(super) async fn enclose(
    outside: &Outside,
    files: &Files,
    channel: &dyn Channel,
    effect: &Effect,
    now_ms: u64,
) -> Result<Enclosed, Attempt> {
    let mut enclosed = Enclosed { effect: effect.clone(), files: Arc::default(), _room: Vec::new() };
    let EffectAction::Send(outgoing) = &mut enclosed.effect.action else { return Ok(enclosed) };
    let ended = |(number, error): (usize, FileError)| ended(effect, number, &error);
    match channel.capabilities().files {
        // The codec says that it carries none.
        FileRoute::None => {}
        FileRoute::Address => give_addresses(outside, files, outgoing, now_ms).await.map_err(ended)?,
        FileRoute::Bytes => {
            let (bytes, room) = load(outside, files, outgoing, now_ms).await.map_err(ended)?;
            enclosed.files = bytes.into();
            enclosed._room = room;
        }
    }
    Ok(enclosed)
}

/// Puts an address that we serve in the place of what is kept by us.
async fn give_addresses(
    outside: &Outside,
    files: &Files,
    outgoing: &mut Outgoing,
    now_ms: u64,
) -> Result<(), (usize, FileError)> {
    for (attachment, number) in outgoing.attachments.iter_mut().zip(1..) {
        let Some(content) = attachment.content.as_deref().and_then(ContentHash::parse) else { continue };
        let base = outside.public_url.as_deref().ok_or_else(|| {
            let reason = "this messenger fetches files from us: set `public_url` in switchboard.yaml";
            (number, FileError::Refused(reason.to_owned()))
        })?;
        let name = attachment.name.clone().unwrap_or_default();
        let media_type = attachment.media_type.clone().unwrap_or_else(|| media_type_of(&name).to_owned());
        let link = Link { content, name: safe_name(Some(&name), &media_type), media_type };
        let until_ms = now_ms.saturating_add(LINK_MS);
        let token = files.on_disk(move |keeper| {
            let is_there = keeper.open_content(&link.content)?.is_some();
            is_there.then(|| keeper.sign(&link, until_ms)).transpose()
        });
        let token =
            token.await.and_then(|token| token.ok_or(FileError::Gone)).map_err(|error| (number, error))?;
        attachment.url = Some(format!("{base}/files/{token}"));
    }
    Ok(())
}

type Loaded = (Vec<Option<FileBytes>>, Vec<OwnedSemaphorePermit>);

/// The bytes of the files of a message.
async fn load(
    outside: &Outside,
    files: &Files,
    outgoing: &Outgoing,
    now_ms: u64,
) -> Result<Loaded, (usize, FileError)> {
    let (mut loaded, mut rooms) = (Vec::new(), Vec::new());
    for (attachment, index) in outgoing.attachments.iter().zip(0_u32..) {
        if !attachment.kind.is_file() {
            loaded.push(None);
            continue;
        }
        let number = loaded.len() + 1;
        let id = AttachmentId { message: outgoing.message, index };
        let file = FileOf { id, channel: &outgoing.channel, attachment, is_ours: true };
        let kept = files.have(outside, file, now_ms).await.map_err(|error| (number, error))?;
        rooms.push(files.room(kept.size).ok_or((number, FileError::Busy))?);
        let content = kept.content().ok_or((number, FileError::Gone))?;
        let bytes = files.on_disk(move |keeper| keeper.read(&content)).await;
        let bytes = bytes.and_then(|bytes| bytes.ok_or(FileError::Gone)).map_err(|error| (number, error))?;
        let name = safe_name(attachment.name.as_deref(), &kept.media_type);
        loaded.push(Some(FileBytes { name, media_type: kept.media_type, bytes }));
    }
    Ok((loaded, rooms))
}

fn ended(effect: &Effect, number: usize, error: &FileError) -> Attempt {
    let parts_done = effect.parts_done;
    let text = format!("file {number}: {error}");
    if !error.may_pass() {
        return Attempt::Refused { reason: Refusal::Permanent, error: text, parts_done };
    }
    let after_ms = (*error == FileError::Busy).then_some(ROOM_WAIT_MS);
    Attempt::Retry { after_ms, error: text, parts_done, scope: Scope::Chat }
}
