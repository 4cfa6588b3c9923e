//! Links by which a messenger fetches a file that we keep: signed, and over after a while.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;

use super::content::ContentHash;
use super::keeper::Keeper;

/// How long a link works, in ms. A messenger fetches the file within seconds; some fetch it again when the client
/// opens it.
pub const LINK_MS: u64 = 24 * 60 * 60 * 1000;

/// What signatures of links are for.
const PURPOSE: &str = "link";

/// The bytes of the signature.
const MAC_BYTES: usize = 32;

/// The longest token that is looked at, in bytes: names are short.
const TOKEN_BYTES_MAX: usize = 2 * 1024;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The content.
    pub content: ContentHash,
    /// Its media type.
    pub media_type: String,
    /// The name of the file.
    pub name: String,
}

/// A link leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not signed by us.
    #[error("the link is not one of this daemon")]
    NotOurs,
    /// Its time is over.
    #[error("the time of the link is over")]
    Over,
    /// The key cannot be read.
    #[error("the key of links cannot be read")]
    NoKey,
}

impl Keeper {
    /// The token of a link that works until `until_ms`.
    ///
    /// # Errors
    /// When the key can be neither read nor made.
    pub fn sign(&self, link: &Link, until_ms: u64) -> io::Result<String> {
        let mut told = until_ms.to_be_bytes().to_vec();
        told.extend_from_slice(link.content.bytes());
        told.extend_from_slice(link.media_type.as_bytes());
        told.push(0);
        told.extend_from_slice(link.name.as_bytes());
        let mut mac = self.mac(PURPOSE)?;
        mac.update(&told);
        let mut token = mac.finalize().into_bytes().to_vec();
        token.append(&mut told);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// What a token leads to.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn open_link(&self, token: &str, now_ms: u64) -> Result<Link, LinkError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(LinkError::NotOurs);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkError::NotOurs)?;
        let (signature, told) = bytes.split_at_checked(MAC_BYTES).ok_or(LinkError::NotOurs)?;
        let mut mac = self.mac(PURPOSE).map_err(|error| {
            tracing::error!(%error, "The key of links cannot be read.");
            LinkError::NoKey
        })?;
        mac.update(told);
        mac.verify_slice(signature).map_err(|_| LinkError::NotOurs)?;
        read(told, now_ms)
    }
}

fn read(told: &[u8], now_ms: u64) -> Result<Link, LinkError> {
    let (until, rest) = told.split_first_chunk::<8>().ok_or(LinkError::NotOurs)?;
    let (content, rest) = rest.split_first_chunk::<32>().ok_or(LinkError::NotOurs)?;
    if now_ms >= u64::from_be_bytes(*until) {
        return Err(LinkError::Over);
    }
    let rest = std::str::from_utf8(rest).map_err(|_| LinkError::NotOurs)?;
    let (media_type, name) = rest.split_once('\0').ok_or(LinkError::NotOurs)?;
    Ok(Link {
        content: ContentHash::from_bytes(*content),
        media_type: media_type.to_owned(),
        name: name.to_owned(),
    })
}
