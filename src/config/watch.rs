//! Notices that the files changed.
//!
//! Three sources: the system's file events (fast), a poll of the content hash (where events do not
//! arrive: network file systems, overflowing queues), and whoever calls [`settled`] by hand. Events
//! are gathered until they pause; then the set is read until two reads agree, so that nobody loads
//! half a `git checkout`. Only a set whose hash differs from the last one told is told.
//!
//! The decisions are pure ([`Debounce`], [`matters`]); the wiring below them is thin.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::source::SourceSet;

/// Events that follow each other faster than this belong together.
pub const QUIET_MS: u64 = 250;

/// A folder that never rests is read after this time all the same.
pub const BUSY_MS_MAX: u64 = 2_000;

/// How often the hash is compared without any event.
pub const POLL_MS: u64 = 15_000;

/// How long two reads that must agree are apart.
const SETTLE_MS: u64 = 50;

/// How many reads are tried before the poll has to find the change.
const SETTLE_READS_MAX: u32 = 20;

/// File events that wait to be looked at; more of them carry no more news.
const EVENTS_MAX: usize = 64;

/// The folder's files changed: a set that was read twice alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The files.
    pub set: SourceSet,
    /// Their hash.
    pub hash: [u8; 32],
}

/// Gathers events: fires when they pause for [`QUIET_MS`], and at the latest after [`BUSY_MS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Debounce {
    waiting: Option<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    first_ms: u64,
    last_ms: u64,
}

impl Debounce {
    /// An event arrived.
    pub fn event(&mut self, now_ms: u64) {
        let first_ms = self.waiting.map_or(now_ms, |waiting| waiting.first_ms);
        self.waiting = Some(Waiting { first_ms, last_ms: now_ms });
    }

    /// When to fire, if there is anything to fire for.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.waiting.map(|waiting| {
            waiting.last_ms.saturating_add(QUIET_MS).min(waiting.first_ms.saturating_add(BUSY_MS_MAX))
        })
    }

    /// Whether it is time to fire; forgets the events if so.
    pub fn fire(&mut self, now_ms: u64) -> bool {
        let due = self.deadline_ms().is_some_and(|deadline| deadline <= now_ms);
        if due {
            self.waiting = None;
        }
        due
    }
}

/// Whether an event can mean a change. Our own reading raises events too; those must not count, or
/// each reload would cause the next.
pub const fn matters(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

/// The folders to watch: the folder itself, its folders, where links lead to, and the parents of all
/// of them (a Kubernetes volume is replaced by renaming a link beside the files).
pub fn folders(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut add = |path: &Path| {
        for path in [Some(path.to_owned()), std::fs::canonicalize(path).ok()].into_iter().flatten() {
            if path.is_dir() {
                found.insert(path.clone());
            }
            if let Some(parent) = path.parent().filter(|parent| parent.is_dir()) {
                found.insert(parent.to_owned());
            }
        }
    };
    add(folder);
    let set = SourceSet::read(folder);
    for path in set.files.keys().map(String::as_str).chain(set.problems.iter().map(|one| one.path.as_str())) {
        add(&folder.join(path));
    }
    found
}

/// Reads the set until two reads agree. `None`: it never rests, or reading failed.
pub async fn settled(folder: &Path) -> Option<Changed> {
    let mut last: Option<[u8; 32]> = None;
    for _ in 0..SETTLE_READS_MAX {
        let path = folder.to_owned();
        let set = tokio::task::spawn_blocking(move || SourceSet::read(&path)).await.ok()?;
        let hash = set.hash();
        if last == Some(hash) {
            return Some(Changed { set, hash });
        }
        last = Some(hash);
        tokio::time::sleep(Duration::from_millis(SETTLE_MS)).await;
    }
    None
}

/// Watches a folder until the receiver is dropped. `known` is the hash of the set that is live.
///
/// A failure to watch is not fatal: the poll goes on. It is told once, in words, by `complain`.
pub async fn watch(
    folder: PathBuf,
    known: [u8; 32],
    changes: mpsc::Sender<Changed>,
    complain: impl Fn(&str) + Send,
) {
    let (events, mut incoming) = mpsc::channel(EVENTS_MAX);
    let mut watcher = match notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(event.kind)) {
            match events.try_send(()) {
                // A full queue already says that something changed.
                Ok(()) | Err(_) => {}
            }
        }
    }) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            complain(&format!("file events are not available ({error}); the folder is polled"));
            None
        }
    };
    let mut watched = BTreeSet::new();
    let mut known = known;
    let mut debounce = Debounce::default();
    let begin = Instant::now();
    let now_ms = || u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    loop {
        if let Some(watcher) = &mut watcher {
            follow(watcher, &folder, &mut watched, &complain);
        }
        // Wait for events to pause, or for the poll.
        let poll_at = begin + Duration::from_millis(now_ms().saturating_add(POLL_MS));
        loop {
            let deadline =
                debounce.deadline_ms().map_or(poll_at, |at| (begin + Duration::from_millis(at)).min(poll_at));
            tokio::select! {
                biased;
                () = changes.closed() => return,
                event = incoming.recv(), if watcher.is_some() => match event {
                    Some(()) => debounce.event(now_ms()),
                    None => watcher = None,
                },
                () = tokio::time::sleep_until(deadline) => {
                    if debounce.fire(now_ms()) || Instant::now() >= poll_at {
                        break;
                    }
                }
            }
        }
        if let Some(changed) = settled(&folder).await
            && changed.hash != known
        {
            known = changed.hash;
            if changes.send(changed).await.is_err() {
                return;
            }
        }
    }
}

/// Watches the folders that matter now and leaves the others.
fn follow(
    watcher: &mut notify::RecommendedWatcher,
    folder: &Path,
    watched: &mut BTreeSet<PathBuf>,
    complain: &impl Fn(&str),
) {
    let wanted = folders(folder);
    for path in watched.difference(&wanted) {
        // A folder that is gone has no watch to remove.
        drop(watcher.unwatch(path));
    }
    let mut following = BTreeSet::new();
    for path in wanted {
        // Watching again is needed after a folder was replaced by another of the same name.
        if watched.contains(&path) {
            drop(watcher.unwatch(&path));
        }
        match watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                following.insert(path);
            }
            Err(error) if !watched.contains(&path) => {
                complain(&format!(
                    "a folder of the configuration cannot be watched ({:?}); it is polled",
                    error.kind
                ));
            }
            Err(_) => {}
        }
    }
    *watched = following;
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, ModifyKind};

    use super::*;

    #[test]
    fn events_are_gathered_until_they_pause() {
        let mut debounce = Debounce::default();
        assert_eq!(debounce.deadline_ms(), None);
        debounce.event(1_000);
        debounce.event(1_200);
        assert_eq!(debounce.deadline_ms(), Some(1_450));
        assert!(!debounce.fire(1_449));
        assert!(debounce.fire(1_450));
        assert!(!debounce.fire(9_999), "fired once");
    }

    #[test]
    fn a_folder_that_never_rests_is_read_after_a_while() {
        let mut debounce = Debounce::default();
        for at in (0..5_000).step_by(100) {
            debounce.event(at);
            if debounce.fire(at) {
                assert_eq!(at, BUSY_MS_MAX);
                return;
            }
        }
        panic!("never fired");
    }

    #[test]
    fn reading_the_files_is_no_change() {
        assert!(!matters(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!matters(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(matters(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(matters(EventKind::Create(CreateKind::File)));
        assert!(matters(EventKind::Modify(ModifyKind::Data(DataChange::Content))));
    }

    #[test]
    fn link_targets_and_parents_are_watched() {
        let root = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(root.path()).unwrap();
        let (config, version) = (root.join("config"), root.join("versions/one"));
        std::fs::create_dir_all(&config).unwrap();
        std::fs::create_dir_all(&version).unwrap();
        std::fs::write(version.join("lines.yaml"), "version: 1").unwrap();
        std::os::unix::fs::symlink(version.join("lines.yaml"), config.join("lines.yaml")).unwrap();
        let folders = folders(&config);
        for path in [&config, &root, &version] {
            assert!(folders.contains(path), "{} is not watched", path.display());
        }
    }

    #[tokio::test]
    async fn a_set_is_told_once_two_reads_agree() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("lines.yaml"), "version: 1").unwrap();
        let changed = settled(root.path()).await.unwrap();
        assert_eq!(changed.hash, SourceSet::read(root.path()).hash());
        assert_eq!(changed.set.files.len(), 1);
    }
}
