//! Content by its SHA-256: `ab/cdef…` below the folder of attachments.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::model::hexadecimal;

/// The SHA-256 of a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case digits; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hexadecimal::decode(text.as_bytes())?.try_into().ok()?;
        let hash = Self(bytes);
        (hash.to_string() == text).then_some(hash)
    }

    /// Its bytes.
    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From its bytes.
    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal::encode(&self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Distinguishes the temporary files of this process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Where temporary files are, below the folder.
const TEMPORARY_FOLDER: &str = "tmp";

/// Writes a file as a whole: it is there with all its bytes after a crash, or not at all. Its time of change
/// becomes `now_ms`.
pub(super) fn write_whole(folder: &Path, path: &Path, bytes: &[u8], now_ms: u64) -> io::Result<()> {
    let temporary_folder = folder.join(TEMPORARY_FOLDER);
    fs::create_dir_all(&temporary_folder)?;
    let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let temporary = temporary_folder.join(format!("{}-{number}", std::process::id()));
    let written = write_and_move(&temporary, path, bytes, now_ms);
    if written.is_err() {
        // A full disk must not stay full of what nobody can use.
        drop(fs::remove_file(&temporary));
    }
    written
}

fn write_and_move(temporary: &Path, path: &Path, bytes: &[u8], now_ms: u64) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.set_modified(moment(now_ms))?;
    file.sync_all()?;
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(parent)?;
    fs::rename(temporary, path)?;
    File::open(parent)?.sync_all()
}

/// Removes temporary files that an earlier life of the process left behind.
pub(super) fn remove_temporary(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder.join(TEMPORARY_FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn moment(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

/// Where a content is.
fn path(folder: &Path, hash: &ContentHash) -> PathBuf {
    let digits = hash.to_string();
    let (shard, rest) = digits.split_at(2);
    folder.join(shard).join(rest)
}

/// Keeps a content. One that is there already is young again.
pub(super) fn put(folder: &Path, bytes: &[u8], now_ms: u64) -> io::Result<ContentHash> {
    let hash = ContentHash::of(bytes);
    let path = path(folder, &hash);
    if let Some((file, length)) = open(folder, &hash)?
        && usize::try_from(length).is_ok_and(|length| length == bytes.len())
    {
        file.set_modified(moment(now_ms))?;
        return Ok(hash);
    }
    write_whole(folder, &path, bytes, now_ms)?;
    Ok(hash)
}

/// A content, opened, with its length in bytes; `None`: it is not there.
pub(super) fn open(folder: &Path, hash: &ContentHash) -> io::Result<Option<(File, u64)>> {
    match File::open(path(folder, hash)) {
        Ok(file) => {
            let length = file.metadata()?.len();
            Ok(Some((file, length)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes of a content; `None`: it is not there, or what is there is something else by now.
pub(super) fn read(folder: &Path, hash: &ContentHash) -> io::Result<Option<Bytes>> {
    let Some((mut file, length)) = open(folder, hash)? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    if ContentHash::of(&bytes) == *hash {
        return Ok(Some(Bytes::from(bytes)));
    }
    tracing::warn!(content = %hash, "A kept file is damaged; it is removed and fetched again where that is possible.");
    drop(file);
    fs::remove_file(path(folder, hash))?;
    Ok(None)
}

/// Removes files below a folder, at most `depth` folders deep, whose time of change is before `before_ms`.
/// Says how many; what cannot be removed now is left for the next time.
pub(super) fn remove_older(folder: &Path, depth: usize, before_ms: u64) -> io::Result<usize> {
    let mut removed: usize = 0;
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            removed = removed.saturating_add(remove_older(&entry.path(), depth - 1, before_ms)?);
        } else if kind.is_file() && entry.metadata()?.modified()? < moment(before_ms) {
            fs::remove_file(entry.path())?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}
