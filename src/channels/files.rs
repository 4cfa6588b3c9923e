//! Files of clients: fetching what a plain address leads to.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::model::message::Attachment;

use super::codec::{FetchError, Fetched};
use super::wire::{WireRequest, WireResponse};

/// A plain request for the address that the messenger gave: without any secret, since the address is not ours.
pub(super) fn by_address(attachment: &Attachment) -> Result<WireRequest, FetchError> {
    let url = attachment.url.as_deref().ok_or(FetchError::NoAddress)?;
    let url: http::Uri = url.parse().map_err(|_| FetchError::NoAddress)?;
    if url.scheme_str() != Some("https") {
        return Err(FetchError::NoAddress);
    }
    Ok(WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
}

/// What a plain answer means.
pub(super) fn answer(response: &WireResponse) -> Fetched {
    match response.status {
        200 => Fetched::File,
        // Addresses of files are signed for a time: 403 is what most storages answer afterwards.
        403 | 404 | 410 => Fetched::Failed(FetchError::Gone),
        status => Fetched::Failed(FetchError::Refused(format!("HTTP {status}"))),
    }
}
