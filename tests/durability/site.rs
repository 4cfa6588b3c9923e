//! A configuration and a data folder for one test: the example of the repository, moved to free ports.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::deadline::eventually;

/// The secret that calls of the Telegram channel carry.
pub(super) const TELEGRAM_SECRET: &str = "telegram-webhook-secret";
/// The key that calls of the generic channel are signed with.
pub(super) const ERP_SECRET: &str = "erp-signing-secret";

/// A place to run a daemon in. Removed with everything in it when dropped.
pub(super) struct Site {
    folder: TempDir,
}

impl Site {
    /// The example configuration with files for secrets, a port of the machine's choice, and the messenger at
    /// `messenger` (`127.0.0.1:…`).
    pub(super) fn new(messenger: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder };
        let config = site.config();
        for (name, secret) in [
            ("TELEGRAM_TOKEN", "123456:test-token"),
            ("TELEGRAM_SECRET", TELEGRAM_SECRET),
            ("ERP_SECRET", ERP_SECRET),
            ("HOOK_SECRET", "whsec_c2VjcmV0LW9mLXRoZS1kdXR5LXJvb20="),
        ] {
            let secrets = config.join("secrets");
            std::fs::create_dir_all(&secrets).unwrap();
            std::fs::write(secrets.join(name), secret).unwrap();
        }
        let example = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<PathBuf> = ["channels", "lines", "operators", "switchboard", "templates"]
            .iter()
            .map(|name| PathBuf::from(format!("{name}.yaml")))
            .collect();
        for rule in std::fs::read_dir(example.join("rules")).unwrap() {
            files.push(Path::new("rules").join(rule.unwrap().file_name()));
        }
        std::fs::create_dir_all(config.join("rules")).unwrap();
        for file in files {
            let text = std::fs::read_to_string(example.join(&file)).unwrap();
            let text = text
                .replace("{env: ", "{file: secrets/")
                .replace("127.0.0.1:8080", "127.0.0.1:0")
                .replace("127.0.0.1:9000", messenger)
                // One line that is always open: what is said to a client does not depend on the hour.
                .replace("line: support", "line: sales");
            std::fs::write(config.join(&file), text).unwrap();
        }
        site
    }

    /// A site whose messenger is never there.
    pub(super) fn without_messenger() -> Self {
        // Nobody listens on the discard port, and connecting fails at once.
        Self::new("127.0.0.1:9")
    }

    /// The folder of the configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The folder of journal and store.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.data().join("journal")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.data().join("store")
    }

    /// Waits until nobody has the data open. Tests run side by side, and a child process that one of them starts
    /// has for a moment, until it has become another program, a copy of everything that all of them have open,
    /// locks included. No daemon starts processes, so only tests need this.
    pub(super) fn let_go(&self) {
        for path in [self.journal().join("lock"), self.store().join("db")] {
            eventually("the data is let go", || {
                let Ok(file) = File::open(&path) else { return Some(()) };
                file.try_lock().ok()?;
                // Said aloud: the copies of this lock go too.
                file.unlock().ok()
            });
        }
    }

    /// A place for copies.
    pub(super) fn aside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The segments of the journal, oldest first.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let mut segments: Vec<PathBuf> = std::fs::read_dir(self.journal())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "journal"))
            .collect();
        segments.sort();
        segments
    }
}

/// Copies a folder with everything in it, in the place of what was there.
pub(super) fn copy_folder(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
