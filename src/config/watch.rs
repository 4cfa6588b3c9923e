//! Notices that the files changed.
//!
//! Three sources: the system's file events (fast), a poll of the content hash (where events do not
//! arrive: network file systems, overflowing queues), and whoever calls [`settled`] by hand. Events
//! are gathered until they pause; then the set is read until two reads agree, so that nobody loads
//! half a `git checkout`. Only a set whose hash differs from the last one told is told.
//!
//! The decisions are pure (`Debounce`, `matters`); the wiring below them is thin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::file_kind::FileKind;
use super::source::SourceSet;

/// Events that follow each other faster than this belong together.
const QUIET_MS: u64 = 250;

/// A folder that never rests is read after this time all the same.
const BUSY_MS_MAX: u64 = 2_000;

/// How often the hash is compared without any event.
const POLL_MS: u64 = 15_000;

/// How long two reads that must agree are apart.
const SETTLE_MS: u64 = 50;

/// How many reads are tried before the poll has to find the change.
const SETTLE_READS_MAX: u32 = 20;

/// File events that wait to be looked at; more of them carry no more news.
const EVENTS_MAX: usize = 64;

/// Links that lead to links; the system follows forty.
const LINKS_MAX: u32 = 40;

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
struct Debounce {
    waiting: Option<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    first_ms: u64,
    last_ms: u64,
}

impl Debounce {
    /// An event arrived.
    fn event(&mut self, now_ms: u64) {
        let first_ms = self.waiting.map_or(now_ms, |waiting| waiting.first_ms);
        self.waiting = Some(Waiting { first_ms, last_ms: now_ms });
    }

    /// When to fire, if there is anything to fire for.
    fn deadline_ms(&self) -> Option<u64> {
        self.waiting.map(|waiting| {
            waiting.last_ms.saturating_add(QUIET_MS).min(waiting.first_ms.saturating_add(BUSY_MS_MAX))
        })
    }

    /// Whether it is time to fire; forgets the events if so.
    fn fire(&mut self, now_ms: u64) -> bool {
        let due = self.deadline_ms().is_some_and(|deadline| deadline <= now_ms);
        if due {
            self.waiting = None;
        }
        due
    }
}

/// Whether an event can mean a change. Our own reading raises events too; those must not count, or
/// each reload would cause the next.
const fn matters(kind: EventKind) -> bool {
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

/// The folders to watch, each by its one real path: the folder itself and its parent, the folders of
/// the files, and every folder that holds a link on the way to one of them (Kubernetes and git-sync
/// replace a configuration by renaming such a link).
pub fn folders(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    // A relative path has links above it, too.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let set = SourceSet::read(&folder);
    let files = set.files.keys().map(String::as_str).chain(set.problems.iter().map(|one| one.path.as_str()));
    // A folder of the set may be empty so far.
    let stems = FileKind::ALL.into_iter().map(FileKind::stem);
    let files = files.map(|path| folder.join(path));
    for path in files.chain(stems.map(|stem| folder.join(stem))).chain([folder.clone()]) {
        links(&path, LINKS_MAX, &mut found);
        if let Ok(real) = std::fs::canonicalize(&path) {
            found.extend([Some(real.as_path()), real.parent()].into_iter().flatten().map(Path::to_owned));
        }
    }
    found.retain(|path| path.is_dir());
    found
}

/// Adds the folders that hold the links on the way to `path`.
fn links(path: &Path, hops: u32, found: &mut BTreeSet<PathBuf>) {
    let mut prefix = PathBuf::new();
    let mut rest = path.components();
    while let Some(part) = rest.next() {
        prefix.push(part);
        let Ok(target) = std::fs::read_link(&prefix) else { continue };
        let Some(parent) = prefix.parent() else { return };
        if let Ok(real) = std::fs::canonicalize(parent) {
            found.insert(real);
        }
        if hops > 0 {
            links(&parent.join(target).join(rest.as_path()), hops - 1, found);
        }
        return;
    }
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
    let mut watched = BTreeMap::new();
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

/// Watches the folders that matter now and leaves the others. A folder that was replaced by another of
/// the same name has another number and is watched anew.
fn follow(
    watcher: &mut notify::RecommendedWatcher,
    folder: &Path,
    watched: &mut BTreeMap<PathBuf, FolderNumber>,
    complain: &impl Fn(&str),
) {
    let wanted = folders(folder);
    watched.retain(|path, number| {
        let keep = wanted.contains(path);
        // The watch of a folder that is gone went with it.
        if !keep && folder_number(path) == Some(*number) {
            drop(watcher.unwatch(path));
        }
        keep
    });
    for path in wanted {
        let Some(number) = folder_number(&path) else { continue };
        if watched.get(&path) == Some(&number) {
            continue;
        }
        match watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                watched.insert(path, number);
            }
            Err(error) => {
                complain(&format!(
                    "a folder of the configuration cannot be watched ({:?}); it is polled",
                    error.kind
                ));
            }
        }
    }
}

/// What tells two folders of the same name apart: device and inode.
type FolderNumber = (u64, u64);

fn folder_number(path: &Path) -> Option<FolderNumber> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
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
    fn link_targets_and_the_folders_of_links_are_watched() {
        let root = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(root.path()).unwrap();
        let (config, version) = (root.join("config"), root.join("versions/one"));
        std::fs::create_dir_all(config.join("rules")).unwrap();
        std::fs::create_dir_all(&version).unwrap();
        std::fs::create_dir_all(root.join("links")).unwrap();
        std::fs::write(version.join("lines.yaml"), "version: 1").unwrap();
        std::fs::write(config.join("rules/a.yaml"), "version: 1").unwrap();
        std::os::unix::fs::symlink("../versions/one", root.join("links/current")).unwrap();
        std::os::unix::fs::symlink(root.join("links/current/lines.yaml"), config.join("lines.yaml")).unwrap();
        let expected = [root.clone(), config.clone(), config.join("rules"), root.join("links"), version];
        assert_eq!(folders(&config), expected.into_iter().collect());
    }

    #[test]
    fn a_folder_behind_a_link_is_watched_where_the_link_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(root.path()).unwrap();
        std::fs::create_dir_all(root.join("worktrees/one/config")).unwrap();
        std::os::unix::fs::symlink("worktrees/one", root.join("current")).unwrap();
        let folders = folders(&root.join("current/config"));
        assert!(
            folders.contains(&root) && folders.contains(&root.join("worktrees/one/config")),
            "{folders:?}"
        );
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
