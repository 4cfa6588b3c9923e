//! The file of the next segment, written full of zeros before it is needed.
//!
//! A sync has to write the bytes of the group and, when these made the file longer, its new length too, in
//! another place of the disk. In a file that is as long as it will ever be a sync takes half the time. The zeros
//! are written on a thread of its own while the segment before fills; a journal that needs the file earlier, or
//! gets none because the disk is full, makes an empty one and is only slower.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::super::JournalError;

/// The name of the file until it becomes a segment.
pub(super) const SPARE_NAME: &str = "spare";

/// Bytes between two syncs: few enough that a group that comes meanwhile hardly waits.
const PIECE_BYTES: usize = 1024 * 1024;

/// The file, if there is one, and the thread that fills it.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    bytes: u64,
    filling: Option<JoinHandle<Option<File>>>,
    stopped: Arc<AtomicBool>,
}

impl Spare {
    /// None yet. Removes what an earlier process left: nobody knows how far that was written.
    pub(super) fn new(directory: &Path, bytes: u64) -> Result<Self, JournalError> {
        let path = directory.join(SPARE_NAME);
        remove(&path).map_err(JournalError::io("remove", &path))?;
        Ok(Self { path, bytes, filling: None, stopped: Arc::default() })
    }

    /// Begins to fill one, unless there is one.
    pub(super) fn prepare(&mut self) {
        if self.filling.is_some() {
            return;
        }
        let (path, bytes, stopped) = (self.path.clone(), self.bytes, Arc::clone(&self.stopped));
        let thread = std::thread::Builder::new().name("journal spare".to_owned());
        // Without the thread everything works as before, only slower.
        self.filling = thread
            .spawn(move || match fill(&path, bytes, &stopped) {
                Ok(file) => Some(file),
                Err(_) => {
                    // Whatever it is (the disk may be full), the journal itself will meet it and say so; until
                    // then it gets the room.
                    remove(&path).unwrap_or_default();
                    None
                }
            })
            .ok();
    }

    /// The file and its path, if it is there and whole. It is the caller's from now on.
    pub(super) fn take(&mut self) -> Option<(File, PathBuf)> {
        let filled = self.filling.take_if(|filling| filling.is_finished())?;
        let file = filled.join().ok()??;
        Some((file, self.path.clone()))
    }

    /// Waits until it is filled.
    #[cfg(test)]
    pub(super) fn wait(&self) {
        while self.filling.as_ref().is_some_and(|filling| !filling.is_finished()) {
            std::thread::yield_now();
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(filling) = self.filling.take() {
            // What it came to interests nobody any more.
            drop(filling.join());
        }
    }
}

fn fill(path: &Path, bytes: u64, stopped: &AtomicBool) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
    let zeros = vec![0; PIECE_BYTES];
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        if stopped.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let piece = zeros.get(..left.min(PIECE_BYTES)).unwrap_or_default();
        file.write_all(piece)?;
        file.sync_data()?;
        left = left.saturating_sub(piece.len());
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
