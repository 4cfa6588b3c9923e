//! Whether there is a store in a folder, and removing or replacing it, for a rebuild.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::error::StoreError;
use super::files::unlocked;
use super::handle::Store;

/// What sled names the entries of its folder.
const NAMES: [&str; 3] = ["conf", "db", "blobs"];
/// How the names of sled's snapshots begin.
const SNAPSHOT: &str = "snap.";

impl Store {
    /// Whether there is a store in the folder `path`.
    pub fn exists(path: &Path) -> Result<bool, StoreError> {
        path.join("db").try_exists().map_err(|source| StoreError::Folder { path: path.to_owned(), source })
    }

    /// Removes the store in the folder `path`, so that it can be rebuilt from the journal; no store
    /// there is no error. Refuses a folder that holds anything else, and a store that is open.
    pub fn remove(path: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::Folder { path: path.to_owned(), source };
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if !NAMES.contains(&name.as_str()) && !name.starts_with(SNAPSHOT) {
                return Err(StoreError::NotAStore { path: path.to_owned(), stranger: name });
            }
        }
        if Self::exists(path)? {
            // sled holds this lock while the store is open.
            let file = fs::File::open(path.join("db")).map_err(failed)?;
            unlocked(|| match file.try_lock() {
                Ok(()) => Ok(()),
                Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
                Err(fs::TryLockError::Error(error)) => Err(failed(error)),
            })?;
        }
        fs::remove_dir_all(path).map_err(failed)
    }

    /// Puts the store in the folder `by`, which must be closed, in the place of the one in `path`. When
    /// this breaks off in the middle there is no store in `path`, and the next start makes one.
    pub fn replace(path: &Path, by: &Path) -> Result<(), StoreError> {
        Self::remove(path)?;
        fs::rename(by, path).map_err(|source| StoreError::Folder { path: by.to_owned(), source })
    }
}
