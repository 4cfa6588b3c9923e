//! Files, in both directions: how they are fetched and handed over, and what a plain address leads to.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::model::message::Attachment;

use super::wire::{WireRequest, WireResponse};

/// How a messenger takes files from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRoute {
    /// Not at all, as far as its codec serves it.
    None,
    /// It fetches them from a public address.
    Address,
    /// We give it the bytes: they stand in [`Progress::files`](super::Progress::files) before the first request.
    Bytes,
}

/// A file on its way to a messenger.
#[derive(Clone, PartialEq, Eq)]
pub struct FileBytes {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl fmt::Debug for FileBytes {
    /// Shows no content: it is what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBytes")
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What an answer means for the fetching of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It goes on: ask [`Channel::fetch`](super::Channel::fetch) again with this.
    More(Vec<String>),
    /// The body of the answer is the file.
    File,
    /// There is no file.
    Failed(FetchError),
}

/// Why a file cannot be fetched. Never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It has neither an address nor a reference that the messenger serves.
    #[error("the messenger does not say where the file is")]
    NoAddress,
    /// The messenger does not have it any more.
    #[error("the messenger does not keep the file any more")]
    Gone,
    /// The messenger says no for now.
    #[error("the messenger does not give the file out now: {0}")]
    Refused(String),
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// The messenger wants a public address, and it has none.
    #[error("it has no public address (https), which this messenger asks for")]
    NoAddress,
    /// The messenger wants its bytes, and they are not there.
    #[error("its content is not there")]
    NoBytes,
    /// The messenger does not take this kind of file.
    #[error("this messenger does not take files of its kind")]
    Kind,
    /// It is larger than the messenger takes.
    #[error("it has {bytes} bytes; at most {max} are taken")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
}

/// A plain request for the address that the messenger gave: without any secret, since the address is not ours.
///
/// # Errors
/// There is no address, or it is not one of `https`.
pub fn by_address(attachment: &Attachment) -> Result<WireRequest, FetchError> {
    let url = attachment.url.as_deref().ok_or(FetchError::NoAddress)?;
    let url: http::Uri = url.parse().map_err(|_| FetchError::NoAddress)?;
    if url.scheme_str() != Some("https") {
        return Err(FetchError::NoAddress);
    }
    Ok(WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
}

/// What a plain answer means. Redirects are not followed: they could lead anywhere.
pub fn answer(response: &WireResponse) -> Fetched {
    match response.status {
        200 => Fetched::File,
        // Addresses of files are signed for a time: 403 is what most storages answer afterwards.
        403 | 404 | 410 => Fetched::Failed(FetchError::Gone),
        status => Fetched::Failed(FetchError::Refused(format!("HTTP {status}"))),
    }
}
