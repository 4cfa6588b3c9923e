//! The data folder: where it is, what is in it, and opening it.

use std::path::{Path, PathBuf};

use crate::config::load::load;
use crate::config::source::SourceSet;
use crate::engine::State;
use crate::journal::files::Recovery;
use crate::journal::{self, FileJournal, Journal, JournalError};
use crate::model::config::Daemon;
use crate::store::{self, Store, StoreError};

use super::recover::{Progress, RecoverError, recover};

/// What is told while the daemon starts.
#[derive(Debug)]
pub enum StartEvent<'a> {
    /// The journal was opened.
    JournalOpened(&'a Recovery),
    /// Entries are applied that the store lacks.
    Recovering(Progress),
}

/// Why the data cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state cannot be brought up.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

/// The data of a daemon, opened: journal, store and state at the journal's end.
pub struct Opened {
    /// The journal.
    pub journal: Box<dyn Journal>,
    /// The store, up to date with it.
    pub store: Store,
    /// The state.
    pub state: State,
}

/// Where the journal is below the data folder.
pub fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Where the store is below the data folder.
pub fn store_folder(data: &Path) -> PathBuf {
    data.join("store")
}

/// Whether there is anything of a daemon in a data folder.
pub(super) fn has_data(data: &Path) -> bool {
    journal_folder(data).exists() || store_folder(data).exists()
}

/// Opens the data in a folder and applies what the store lacks.
///
/// # Errors
/// When another daemon has it open, or something in it is damaged.
pub fn open_data(data: &Path, tell: &mut dyn FnMut(StartEvent<'_>)) -> Result<Opened, DataError> {
    let (journal, recovery) = FileJournal::open(&journal_folder(data), journal::Settings::default())?;
    tell(StartEvent::JournalOpened(&recovery));
    let store = Store::open(&store_folder(data), store::Settings::default())?;
    let state = recover(&journal, &store, &mut |progress| tell(StartEvent::Recovering(progress)))?;
    Ok(Opened { journal: Box::new(journal), store, state })
}

/// The settings of the daemon itself: as `switchboard.yaml` says, whatever the state of the other files.
/// `None`: that file has errors of its own. By these it is known where to listen and where the data is
/// before anything of the data is touched.
pub fn settings(set: &SourceSet) -> Option<Daemon> {
    let daemon_alone = SourceSet::from_files(
        set.files
            .iter()
            .filter(|(path, _)| path.starts_with("switchboard"))
            .map(|(path, text)| (path.clone(), text.clone()))
            .chain([
                ("channels.yaml".to_owned(), "version: 1\nchannels: {}\n".to_owned()),
                ("operators.yaml".to_owned(), "version: 1\noperators: {a: {name: a}}\n".to_owned()),
                ("lines.yaml".to_owned(), "version: 1\nlines: {a: {routing: {operators: [a]}}}\n".to_owned()),
            ]),
    );
    load(&daemon_alone).config.map(|config| config.daemon)
}

/// The data folder of a configuration, by its [`settings`].
pub fn data_folder(folder: &Path, set: &SourceSet) -> PathBuf {
    folder.join(settings(set).unwrap_or_default().data_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(daemon: &str, rules: &str) -> SourceSet {
        let files = [("switchboard.yaml", daemon), ("rules/a.yaml", rules), ("lines.yaml", "lines: [")];
        SourceSet::from_files(files.map(|(path, text)| (path.to_owned(), text.to_owned())))
    }

    #[test]
    fn where_to_listen_is_known_whatever_is_wrong_with_the_other_files() {
        let daemon =
            "version: 1\nlisten: 127.0.0.1:9999\ndata_dir: ./kept\nmetrics: {listen: \"127.0.0.1:9091\"}\n";
        let set = set(daemon, "version: 1\nrules: nothing\n");
        let found = settings(&set).unwrap();
        assert_eq!((found.listen.as_str(), found.data_dir.as_str()), ("127.0.0.1:9999", "./kept"));
        assert_eq!(found.metrics_listen.as_deref(), Some("127.0.0.1:9091"));
        assert_eq!(data_folder(Path::new("/etc/x"), &set), Path::new("/etc/x/./kept"));
    }

    #[test]
    fn a_file_of_the_daemon_with_errors_says_nothing() {
        assert_eq!(settings(&set("version: 1\nlisten: nowhere\n", "")), None);
    }
}
