//! Files: reading those of messages, and uploading those that are to be sent.

use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::attachments::{Kept, Upload, UploadId, content_disposition, kind_of, media_type_of, safe_name};
use crate::model::attachment_id::AttachmentId;
use crate::model::dialog::Dialog;
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, AttachmentKind, Author, Direction};
use crate::node::{FileError, FileOf};
use crate::store::queries::dialogs::{self, DialogFilter, Sort};
use crate::store::queries::messages;
use crate::store::{Store, StoreError};

use super::access::{REPLY, SEE};
use super::answers::{Id, json};
use super::auth::Principal;
use super::fields::WORD_CHARS_MAX;
use super::parameters::Parameters;
use super::problem::Problem;
use super::server::BodyLimits;
use super::state::Api;
use super::subject;

/// The time for an upload, whatever its size: twenty MiB at 70 KiB/s.
const UPLOAD_MAX: Duration = Duration::from_secs(300);

/// How much of a file is read at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The media type that files are given out with: none that a browser would do something with.
const ANYTHING: &str = "application/octet-stream";

/// A file of a message, with what is needed to have it.
struct Found {
    channel: ChannelId,
    attachment: Attachment,
    is_ours: bool,
}

/// `GET /v1/attachments/{id}`
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    principal.require(SEE)?;
    parameters.finish()?;
    let found = api.read(move |store| find(store, &principal, id)).await?.ok_or_else(Problem::not_found)?;
    let place = place(&api)?;
    let outside = api.shared.outside.load_full();
    let file = FileOf { id, channel: &found.channel, attachment: &found.attachment, is_ours: found.is_ours };
    let now_ms = api.shared.handle.now_ms();
    let kept = api.shared.files.have(&outside, file, now_ms).await.map_err(|error| problem(id, &error))?;
    let name = safe_name(found.attachment.name.as_deref().or(kept.name.as_deref()), &kept.media_type);
    give(&api, &kept, &name, ANYTHING, place).await.map_err(|error| problem(id, &error))
}

/// Whether the messages of a dialog may be read: it is seen, or it is an earlier one of a chat in which another is
/// (`GET /v1/dialogs/{id}/messages?whole_chat=true`).
fn may_read(store: &Store, principal: &Principal, row: &Dialog) -> Result<bool, StoreError> {
    if principal.sees(row) {
        return Ok(true);
    }
    if !principal.may_read_history(row) {
        return Ok(false);
    }
    let filter = DialogFilter { chat: Some(row.chat), ..DialogFilter::default() };
    let seen = |dialog: &Dialog| principal.sees(dialog);
    Ok(!dialogs::list_where(store, &filter, Sort::Opened, None, 1, &seen)?.items.is_empty())
}

/// Finds a file whose message may be read.
fn find(store: &Store, principal: &Principal, id: AttachmentId) -> Result<Option<Found>, StoreError> {
    let Some(dialog) = subject::dialog_of_message(store, id.message)? else { return Ok(None) };
    let Some(row) = dialogs::get(store, dialog)? else { return Ok(None) };
    if !may_read(store, principal, &row)? {
        return Ok(None);
    }
    let Some(message) = messages::get(store, dialog, id.message)? else { return Ok(None) };
    let place = usize::try_from(id.index).unwrap_or(usize::MAX);
    let attachment = message.attachments.get(place).filter(|attachment| attachment.kind.is_file());
    Ok(attachment.map(|attachment| Found {
        channel: row.channel,
        attachment: attachment.clone(),
        is_ours: message.direction == Direction::Out && message.author != Author::Client,
    }))
}

/// A place among those who read files: reading may wait for a messenger, and must not keep others from reading
/// what needs none.
pub(super) fn place(api: &Api) -> Result<OwnedSemaphorePermit, Problem> {
    let places = std::sync::Arc::clone(&api.file_places);
    places
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many files are being read; try again in a second"))
}

/// Answers with a file: to be kept and never to be shown in our origin. `place` is held until it is read.
pub(super) async fn give(
    api: &Api,
    kept: &Kept,
    name: &str,
    media_type: &'static str,
    place: OwnedSemaphorePermit,
) -> Result<Response, FileError> {
    let wanted = kept.clone();
    let file = api.shared.files.on_disk(move |keeper| keeper.open(&wanted)).await?.ok_or(FileError::Gone)?;
    let chunks = futures_util::stream::try_unfold((file, place), |(file, place)| async move {
        let read = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
            let (mut file, mut chunk) = (file, Vec::new());
            let limit = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            let count = (&mut file).take(limit).read_to_end(&mut chunk)?;
            Ok((count > 0).then(|| (Bytes::from(chunk), file)))
        });
        let read = read.await.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>(read.map(|(chunk, file)| (chunk, (file, place))))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(kept.size));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    let disposition =
        HeaderValue::try_from(content_disposition(name)).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The answer when a file is not to be had. Why exactly, with the names of hosts, is for the log.
fn problem(id: AttachmentId, error: &FileError) -> Problem {
    tracing::info!(attachment = %id, %error, "A file is not to be had.");
    match error {
        FileError::Gone => Problem::new(StatusCode::NOT_FOUND, "file_gone", error.to_string()),
        FileError::TooLarge { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", error.to_string())
        }
        FileError::TypeNotTaken => Problem::new(StatusCode::FORBIDDEN, "type_not_taken", error.to_string()),
        FileError::Refused(_) => {
            let detail = "the messenger does not give the file out; the daemon's log says more";
            Problem::new(StatusCode::BAD_GATEWAY, "messenger_refused", detail)
        }
        FileError::Unreachable(_) => {
            let detail = "the messenger cannot be asked for the file now; the daemon's log says more";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "messenger_unreachable", detail).with_retry()
        }
        FileError::Busy => Problem::busy("too many files are being fetched; try again in a second"),
        FileError::Disk(_) => Problem::internal(error),
    }
}

/// A file that can be sent now.
#[derive(Debug, Serialize)]
struct UploadShape<'a> {
    id: UploadId,
    kind: AttachmentKind,
    name: &'a str,
    media_type: &'a str,
    size: u64,
}

/// `POST /v1/attachments?name=…`: the body is the file.
pub(super) async fn upload(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let principal = Principal::from_request_parts(&mut parts, &api).await?;
    principal.require(REPLY)?;
    let mut parameters = Parameters::from_request_parts(&mut parts, &api).await?;
    let name = parameters.read("name", "the name of a file of at most 256 characters", |text| {
        (text.chars().count() <= WORD_CHARS_MAX).then(|| text.to_owned())
    });
    parameters.finish()?;
    let limits = api.shared.outside.load().limits.clone();
    let media_type = media_type(&parts.headers, name.as_deref())?;
    if !limits.takes(&media_type) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "type_not_taken",
            FileError::TypeNotTaken.to_string(),
        ));
    }
    // Held until the bytes are on the disk: they pass through the memory.
    let _place = api
        .upload_places
        .try_acquire()
        .map_err(|_| Problem::busy("too many files are being uploaded; try again in a second"))?;
    let max_bytes = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let bytes = BodyLimits { max_bytes, timeout: UPLOAD_MAX }.read(body).await?;
    if bytes.is_empty() {
        let detail = "send the file as the body of the request";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_file", detail));
    }
    let name = safe_name(name.as_deref(), &media_type);
    let (by, now_ms) = (owner(&principal), api.shared.handle.now_ms());
    let (kept_name, kept_type) = (name.clone(), media_type.clone());
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let id = api.shared.files.on_disk(move |keeper| {
        let file = Kept::new(keeper.put(&bytes, now_ms)?, kept_type, Some(kept_name), size);
        keeper.note_upload(&Upload { by, file }, now_ms)
    });
    let id = id.await.map_err(|error| Problem::internal(&error))?;
    let shape = UploadShape { id, kind: kind_of(&media_type), name: &name, media_type: &media_type, size };
    json(StatusCode::CREATED, &shape)
}

/// Who may send an upload: the operator with any of their tokens, or the integration.
pub(super) fn owner(principal: &Principal) -> String {
    match &principal.operator {
        Some(operator) => format!("operator/{operator}"),
        None => format!("token/{}", principal.token),
    }
}

/// The media type of an upload: as the header says, or by the name where it says nothing in particular.
fn media_type(headers: &HeaderMap, name: Option<&str>) -> Result<String, Problem> {
    let told = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default()).unwrap_or(ANYTHING);
    let essence = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "multipart/form-data" || !is_media_type(&essence) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send the file itself as the body, with its media type as `Content-Type`",
        ));
    }
    // What a program sends that does not know.
    if matches!(essence.as_str(), ANYTHING | "application/x-www-form-urlencoded") {
        return Ok(media_type_of(name.unwrap_or_default()).to_owned());
    }
    Ok(essence)
}

fn is_media_type(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.len() <= 127
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(family, rest)| is_word(family) && is_word(rest))
}
