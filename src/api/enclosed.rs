//! Files that come within a call: they are on the disk before it is confirmed, for nobody can be asked for them again.

use crate::attachments::Kept;
use crate::channels::{Channel, FileBytes, Received, WebhookCall};
use crate::model::attachment_id::AttachmentId;
use crate::model::config::Attachments;
use crate::model::id::MessageId;
use crate::model::inbound::Fact;
use crate::model::message::Attachment;
use crate::node::FileError;

use super::state::Api;

/// What is kept of the files of one fact, each with its place among the attachments.
pub(super) type Enclosed = Vec<(u32, Kept)>;

/// Keeps the files of a call; gives those of each fact, in the order of the facts. What is larger than the settings
/// allow, or of a type that they do not take, is told of and not kept.
///
/// # Errors
/// The disk says no: then the call is not taken either.
pub(super) async fn keep(
    api: &Api,
    channel: &dyn Channel,
    call: &WebhookCall<'_>,
    limits: &Attachments,
    received: &[Received],
) -> Result<Vec<Enclosed>, FileError> {
    let mut kept: Vec<Enclosed> = received.iter().map(|_| Vec::new()).collect();
    let has_files = received.iter().any(|one| !attachments(one).is_empty());
    let enclosed = if has_files { channel.enclosed(call) } else { Vec::new() };
    let now_ms = api.shared.handle.now_ms();
    for (reference, file) in enclosed.into_iter().filter(|(_, file)| is_taken(file, limits)) {
        let FileBytes { name, media_type, bytes } = file;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let hash = api.shared.files.on_disk(move |keeper| keeper.put(&bytes, now_ms)).await?;
        let file = Kept::new(hash, media_type, Some(name).filter(|name| !name.is_empty()), size);
        for (one, files) in received.iter().zip(&mut kept) {
            let places = attachments(one).iter().zip(0_u32..);
            let own = places.filter(|(attachment, _)| attachment.reference.as_ref() == Some(&reference));
            files.extend(own.map(|(_, place)| (place, file.clone())));
        }
    }
    Ok(kept)
}

/// Says which files are whose, once the message has its id.
///
/// # Errors
/// The disk says no.
pub(super) async fn note(api: &Api, message: MessageId, files: Enclosed) -> Result<(), FileError> {
    let now_ms = api.shared.handle.now_ms();
    if files.is_empty() {
        return Ok(());
    }
    let noting = api.shared.files.on_disk(move |keeper| {
        files
            .iter()
            .try_for_each(|(index, kept)| keeper.note(AttachmentId { message, index: *index }, kept, now_ms))
    });
    noting.await
}

fn is_taken(file: &FileBytes, limits: &Attachments) -> bool {
    let bytes = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
    bytes <= limits.max_bytes && (file.media_type.is_empty() || limits.takes(&file.media_type))
}

fn attachments(received: &Received) -> &[Attachment] {
    match &received.inbound.fact {
        Fact::Message(message) => &message.attachments,
        _ => &[],
    }
}
