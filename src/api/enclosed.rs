//! Files that come within a call: they are kept before the call is, for nobody can be asked for them again.

use crate::channels::{Channel, FileBytes, Received, WebhookCall};
use crate::model::config::Attachments;
use crate::model::inbound::Fact;
use crate::model::message::Attachment;
use crate::outbox::files::FileError;

use super::state::Api;

/// Keeps the files of a call and writes into the facts which content is whose. What is larger than the settings allow,
/// or of a type that they do not take, is told of and not kept.
///
/// # Errors
/// The disk says no: then the call is not taken either.
pub(super) async fn keep(
    api: &Api,
    channel: &dyn Channel,
    call: &WebhookCall<'_>,
    limits: &Attachments,
    received: &mut [Received],
) -> Result<(), FileError> {
    let has_files = received.iter_mut().any(|one| !attachments(one).is_empty());
    let enclosed = if has_files { channel.enclosed(call) } else { Vec::new() };
    let now_ms = api.shared.handle.now_ms();
    for (reference, file) in enclosed.into_iter().filter(|(_, file)| is_taken(file, limits)) {
        let bytes = file.bytes;
        let hash = api.shared.files.on_disk(move |keeper| keeper.put(&bytes, now_ms)).await?;
        for attachment in received.iter_mut().flat_map(attachments) {
            if attachment.reference.as_ref() == Some(&reference) {
                attachment.content = Some(hash.to_string());
            }
        }
    }
    Ok(())
}

fn is_taken(file: &FileBytes, limits: &Attachments) -> bool {
    let bytes = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
    bytes <= limits.max_bytes && (file.media_type.is_empty() || limits.takes(&file.media_type))
}

fn attachments(received: &mut Received) -> &mut [Attachment] {
    match &mut received.inbound.fact {
        Fact::Message(message) => &mut message.attachments,
        _ => &mut [],
    }
}
