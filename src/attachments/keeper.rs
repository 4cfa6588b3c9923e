//! The folder of attachments: content, which file of a message has which, and uploads.
//!
//! ```text
//! attachments/ab/cdef…          a content, by its SHA-256
//! attachments/of/1f/a-31-0-0    what the first file of the message m-31 is
//! attachments/uploads/u-…       what an operator uploaded and has perhaps not sent yet
//! attachments/tmp/              being written
//! files.key                     the key of links and of the ids of uploads
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::attachment_id::AttachmentId;
use crate::model::hexadecimal;

use super::content::{self, ContentHash};

/// How long an upload waits to be sent, in ms. Its content is kept as long as any.
const UPLOAD_MS: u64 = 24 * 60 * 60 * 1000;

/// The bytes of the key.
const KEY_BYTES: usize = 32;

/// The bytes of the id of an upload: more than can be guessed.
const UPLOAD_ID_BYTES: usize = 16;

/// The content of files and what is known of it. Cheap to clone; every call waits for the disk.
#[derive(Debug, Clone)]
pub struct Keeper {
    folder: PathBuf,
    key_path: PathBuf,
}

/// What is known of a file whose content is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its content, in the digits of its hash.
    content: String,
    /// Its media type, as its sender calls it.
    pub media_type: String,
    /// Its name, as its sender gave it.
    pub name: Option<String>,
    /// Its size in bytes.
    pub size: u64,
}

impl Kept {
    /// A file with this content.
    pub fn new(content: ContentHash, media_type: String, name: Option<String>, size: u64) -> Self {
        Self { content: content.to_string(), media_type, name, size }
    }

    /// Its content; `None` when the record is damaged.
    pub fn content(&self) -> Option<ContentHash> {
        ContentHash::parse(&self.content)
    }
}

/// The id of an upload: `u-` and 32 digits. Cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadId(String);

impl UploadId {
    /// Reads an id.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("u-")?;
        let is_id = digits.len() == 2 * UPLOAD_ID_BYTES
            && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        is_id.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Who: it can be sent by nobody else.
    pub by: String,
    /// What.
    pub file: Kept,
}

impl Keeper {
    /// Over a data folder. Nothing is made there until something is to be kept.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("attachments"), key_path: data.join("files.key") }
    }

    /// Removes what an earlier life of the process left unfinished.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn begin(&self) -> io::Result<()> {
        content::remove_temporary(&self.folder)
    }

    /// Keeps a content.
    ///
    /// # Errors
    /// When the disk says no: then nothing is kept.
    pub fn put(&self, bytes: &[u8], now_ms: u64) -> io::Result<ContentHash> {
        content::put(&self.folder, bytes, now_ms)
    }

    /// A content, opened, if it is there with this size.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open(&self, kept: &Kept) -> io::Result<Option<File>> {
        let Some(hash) = kept.content() else { return Ok(None) };
        Ok(self.open_content(&hash)?.filter(|(_, length)| *length == kept.size).map(|(file, _)| file))
    }

    /// A content, opened, with its length in bytes.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open_content(&self, hash: &ContentHash) -> io::Result<Option<(File, u64)>> {
        content::open(&self.folder, hash)
    }

    /// The bytes of a content, checked against its hash.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn read(&self, hash: &ContentHash) -> io::Result<Option<Bytes>> {
        content::read(&self.folder, hash)
    }

    /// What the file of a message is, if its content is kept.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn find(&self, id: AttachmentId) -> io::Result<Option<Kept>> {
        let found: Option<Kept> = read_record(&self.record_path(id))?;
        match found {
            Some(kept) if self.open(&kept)?.is_some() => Ok(Some(kept)),
            _ => Ok(None),
        }
    }

    /// Notes what the file of a message is.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn note(&self, id: AttachmentId, kept: &Kept, now_ms: u64) -> io::Result<()> {
        self.write_record(&self.record_path(id), kept, now_ms)
    }

    /// Notes what somebody uploaded. The same file from the same hands has the same id, so an upload can be
    /// repeated.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn note_upload(&self, upload: &Upload, now_ms: u64) -> io::Result<UploadId> {
        let text = serde_json::to_vec(upload)?;
        let mut mac = self.mac("upload")?;
        mac.update(&text);
        let digest = mac.finalize().into_bytes();
        let short = digest.get(..UPLOAD_ID_BYTES).unwrap_or(&digest);
        let id = UploadId(format!("u-{}", hexadecimal::encode(short)));
        self.write_record(&self.upload_path(&id), upload, now_ms)?;
        Ok(id)
    }

    /// What was uploaded under an id, if its content is kept.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn upload(&self, id: &UploadId) -> io::Result<Option<Upload>> {
        let found: Option<Upload> = read_record(&self.upload_path(id))?;
        match found {
            Some(upload) if self.open(&upload.file)?.is_some() => Ok(Some(upload)),
            _ => Ok(None),
        }
    }

    /// Removes content older than `retention_ms` and uploads that nobody sent in time. Says how many files went.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn purge(&self, retention_ms: u64, now_ms: u64) -> io::Result<usize> {
        let uploads =
            content::remove_older(&self.folder.join("uploads"), 0, now_ms.saturating_sub(UPLOAD_MS))?;
        let rest = content::remove_older(&self.folder, 2, now_ms.saturating_sub(retention_ms))?;
        Ok(uploads.saturating_add(rest))
    }

    /// A signature in the making, under the key of this daemon and for this purpose alone.
    pub(super) fn mac(&self, purpose: &str) -> io::Result<Hmac<Sha256>> {
        let key = self.key()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(io::Error::other)?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        Ok(mac)
    }

    /// The key, made when it is first needed. Nobody but the daemon's user may read it.
    fn key(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;

        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let mut suffix = [0; 8];
        getrandom::fill(&mut suffix).map_err(io::Error::other)?;
        let new = self.key_path.with_extension(format!("key-{}", hexadecimal::encode(&suffix)));
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&key)?;
        file.sync_all()?;
        // Of two that make it at the same time the first wins: a link, unlike a move, replaces nothing.
        let linked = fs::hard_link(&new, &self.key_path);
        fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if let Some(parent) = self.key_path.parent() {
            File::open(parent)?.sync_all()?;
        }
        self.read_key()?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read_key(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match fs::read(&self.key_path) {
            Ok(key) if key.len() == KEY_BYTES => Ok(Some(Zeroizing::new(key))),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "`files.key` in the data folder is damaged; remove it, links that were given out end by that",
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn record_path(&self, id: AttachmentId) -> PathBuf {
        let shard = format!("{:02x}", id.message.seq % 256);
        self.folder.join("of").join(shard).join(id.to_string())
    }

    fn upload_path(&self, id: &UploadId) -> PathBuf {
        self.folder.join("uploads").join(id.as_str())
    }

    fn write_record<T: Serialize>(&self, path: &Path, record: &T, now_ms: u64) -> io::Result<()> {
        content::write_whole(&self.folder, path, &serde_json::to_vec(record)?, now_ms)
    }
}

/// A record; one that cannot be read is as good as none: it is made again.
fn read_record<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
