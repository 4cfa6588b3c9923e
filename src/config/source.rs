//! Reads the set of files that is the configuration: how many there may be, how large, and the hash by which
//! a change is noticed. Which files belong to it is in `file_kind`. Knows nothing of YAML.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::file_kind::{FileKind, file_meant, folder_meant};

/// A file of the set: thousands of rules fit; anything larger is a mistake.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Files of the set: one per team and topic of a large company fit.
pub const FILES_MAX: usize = 256;

/// All files together; bounds the memory of a reload.
pub const SET_BYTES_MAX: u64 = 16 << 20;

/// Names in one folder that are looked at; a folder with more was not made for us.
const FOLDER_NAMES_MAX: usize = 10_000;

/// Why something of the set was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// The path inside the folder; `.` is the folder itself.
    pub path: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a file before anybody reads its contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The system refuses.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The folder of the whole set cannot be read; with its path as it was given.
    #[error("the folder {0} cannot be read: {1}")]
    FolderUnreadable(String, String),
    /// It is not UTF-8.
    #[error("is not valid UTF-8: byte {byte}, in line {line}, begins no character")]
    NotUtf8 {
        /// The number of the byte in the file, from 0.
        byte: usize,
        /// The line, from 1.
        line: usize,
    },
    /// It is larger than [`FILE_BYTES_MAX`].
    #[error("is larger than 1 MiB")]
    FileTooLarge,
    /// The set has more than [`FILES_MAX`] files.
    #[error("has more than 256 files of configuration")]
    TooManyFiles,
    /// The set is larger than [`SET_BYTES_MAX`].
    #[error("is more than 16 MiB together with the files before it")]
    SetTooLarge,
    /// Its name is near to this one of the set, but it is not read.
    #[error("is not read")]
    Unused(String),
    /// A folder inside a folder of the set.
    #[error("is not read: a folder of the set has no folders below it")]
    FolderBelow,
    /// A kind that is always a folder stands here as a file.
    #[error("is not read: it is a file, and the set has a folder of this name")]
    FileForFolder(FileKind),
}

/// The files of a configuration as texts. The same set gives the same configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSet {
    /// Text by path inside the folder, with `/`.
    pub files: BTreeMap<String, String>,
    /// What was not read, and why.
    pub problems: Vec<SourceProblem>,
}

impl SourceSet {
    /// A set from memory. Paths outside the set are ignored.
    pub fn from_files<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files = files
            .into_iter()
            .map(|(path, text)| (path.into(), text.into()))
            .filter(|(path, _)| FileKind::of(path).is_some())
            .collect();
        Self { files, problems: Vec::new() }
    }

    /// Reads the set of a folder. Symbolic links are followed. Whatever cannot be read is a problem
    /// of the set, not a failure.
    pub fn read(folder: &Path) -> Self {
        let mut set = Self::default();
        let mut bytes = 0;
        let names = match names(folder) {
            Ok(names) => names,
            Err(error) => {
                set.problem(".", ProblemKind::FolderUnreadable(folder.display().to_string(), reason(&error)));
                return set;
            }
        };
        for name in names {
            let path = folder.join(&name);
            if let Some(kind) = FileKind::of_folder(&name) {
                match fs::metadata(&path) {
                    Ok(found) if found.is_dir() => set.read_folder(&path, kind, &mut bytes),
                    Ok(_) => set.problem(&name, ProblemKind::FileForFolder(kind)),
                    Err(error) => set.problem(&name, ProblemKind::Unreadable(reason(&error))),
                }
            } else if FileKind::of(&name).is_some() {
                set.read_file(&path, name, &mut bytes);
            } else if path.is_dir() {
                if let Some(meant) = folder_meant(&name).filter(|_| holds_yaml(&path)) {
                    set.problem(&format!("{name}/"), ProblemKind::Unused(meant));
                }
            } else if let Some(meant) = file_meant(&name).filter(|_| path.is_file()) {
                set.problem(&name, ProblemKind::Unused(meant));
            }
        }
        set
    }

    fn read_folder(&mut self, folder: &Path, kind: FileKind, bytes: &mut u64) {
        let names = match names(folder) {
            Ok(names) => names,
            Err(error) => {
                self.problem(kind.stem(), ProblemKind::Unreadable(reason(&error)));
                return;
            }
        };
        for name in names {
            let relative = format!("{}/{name}", kind.stem());
            let path = folder.join(&name);
            if FileKind::of(&relative).is_some() {
                self.read_file(&path, relative, bytes);
            } else if path.is_dir() {
                self.problem(&relative, ProblemKind::FolderBelow);
            } else if name.ends_with(".yml") {
                let meant = format!("{}aml", relative.trim_end_matches("ml"));
                self.problem(&relative, ProblemKind::Unused(meant));
            }
        }
    }

    fn read_file(&mut self, path: &Path, relative: String, bytes: &mut u64) {
        if self.files.len() >= FILES_MAX {
            if !self.problems.iter().any(|problem| problem.kind == ProblemKind::TooManyFiles) {
                self.problem(".", ProblemKind::TooManyFiles);
            }
            return;
        }
        match read_capped(path, FILE_BYTES_MAX) {
            Err(error) => self.problem(&relative, ProblemKind::Unreadable(reason(&error))),
            Ok(None) => self.problem(&relative, ProblemKind::FileTooLarge),
            Ok(Some(content)) => {
                *bytes += content.len() as u64;
                if *bytes > SET_BYTES_MAX {
                    self.problem(&relative, ProblemKind::SetTooLarge);
                    return;
                }
                match String::from_utf8(content) {
                    Ok(text) => {
                        self.files.insert(relative, text);
                    }
                    Err(error) => {
                        let byte = error.utf8_error().valid_up_to();
                        let before = error.as_bytes().iter().take(byte);
                        let line = before.filter(|byte| **byte == b'\n').count() + 1;
                        self.problem(&relative, ProblemKind::NotUtf8 { byte, line });
                    }
                }
            }
        }
    }

    fn problem(&mut self, path: &str, kind: ProblemKind) {
        self.problems.push(SourceProblem { path: path.to_owned(), kind });
    }

    /// SHA-256 over paths, texts and problems: two sets with the same hash load alike.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        for (path, text) in &self.files {
            add(path);
            add(text);
        }
        for problem in &self.problems {
            add(&problem.path);
            add(&problem.kind.to_string());
        }
        hash.finalize().into()
    }

    /// The files of a kind, in the order of their paths.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| FileKind::of(path) == Some(kind))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// What the system says, in the words of somebody who looks at a folder.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        std::io::ErrorKind::InvalidInput => "it is not a file but a folder, a pipe or a device".to_owned(),
        kind => kind.to_string(),
    }
}

/// The names in a folder, sorted; hidden ones are left out (Kubernetes keeps its versions there).
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(FOLDER_NAMES_MAX) {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The contents of a regular file, or `None` when it is larger than `limit`.
fn read_capped(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    // Opening a pipe or a device could block forever.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let mut content = Vec::new();
    fs::File::open(path)?.take(limit + 1).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

/// Whether a folder has a file of YAML: other folders of these names are not about configuration.
fn holds_yaml(folder: &Path) -> bool {
    names(folder)
        .is_ok_and(|names| names.iter().any(|name| name.ends_with(".yaml") || name.ends_with(".yml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn files_and_folders_of_the_set_are_read() {
        let folder = folder(&[
            ("lines.yaml", b"a"),
            ("lines/north.yaml", b"b"),
            ("rules/vip.yaml", b"c"),
            ("rules/.hidden.yaml", b"x"),
            ("rules.yaml", b"x"),
            ("docker-compose.yaml", b"x"),
            ("src/lines.yaml", b"x"),
        ]);
        let set = SourceSet::read(folder.path());
        let paths: Vec<_> = set.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["lines.yaml", "lines/north.yaml", "rules/vip.yaml"]);
        assert_eq!(
            set.problems.len(),
            1,
            "only `rules.yaml` is near to a name of the set: {:?}",
            set.problems
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_changes_the_hash() {
        let large = vec![b'#'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1];
        let folder = folder(&[
            ("lines.yaml", &large),
            ("channels.yaml", b"a\xff"),
            ("line.yaml", b""),
            ("rules/a.yml", b""),
        ]);
        fs::create_dir(folder.path().join("templates.yaml")).unwrap();
        let set = SourceSet::read(folder.path());
        let words: Vec<_> = set.problems.iter().map(|one| format!("{} {}", one.path, one.kind)).collect();
        assert_eq!(
            words,
            [
                "channels.yaml is not valid UTF-8: byte 1, in line 1, begins no character",
                "line.yaml is not read",
                "lines.yaml is larger than 1 MiB",
                "rules/a.yml is not read",
                "templates.yaml cannot be read: it is not a file but a folder, a pipe or a device",
            ]
        );
        assert_ne!(set.hash(), SourceSet::default().hash());
    }

    #[test]
    fn folders_beside_the_set_are_noticed_when_they_hold_yaml() {
        let folder = folder(&[
            ("rule/a.yaml", b""),
            ("Lines/a.yml", b""),
            ("crm_mappings/a.yaml", b""),
            ("template/logo.png", b""),
            ("docs/a.yaml", b""),
            ("rules/below/a.yaml", b""),
            ("templates", b""),
        ]);
        std::os::unix::fs::symlink("channels", folder.path().join("channels")).unwrap();
        let set = SourceSet::read(folder.path());
        let found: Vec<_> = set.problems.iter().map(|one| (one.path.as_str(), &one.kind)).collect();
        let unused = |name: &str| ProblemKind::Unused(name.to_owned());
        let is_a_loop = "filesystem loop or indirection limit (e.g. symlink loop)".to_owned();
        assert_eq!(
            found,
            [
                ("Lines/", &unused("lines/")),
                ("channels", &ProblemKind::Unreadable(is_a_loop)),
                ("crm_mappings/", &unused("crm-mappings/")),
                ("rule/", &unused("rules/")),
                ("rules/below", &ProblemKind::FolderBelow),
                ("templates", &ProblemKind::FileForFolder(FileKind::Templates)),
            ]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let problems = SourceSet::read(Path::new("/no/such/folder")).problems;
        let words: Vec<_> = problems.iter().map(|one| one.kind.to_string()).collect();
        assert_eq!(words, ["the folder /no/such/folder cannot be read: it does not exist"]);
    }

    #[test]
    fn links_are_followed() {
        let folder = folder(&[("..data/lines.yaml", b"version: 1")]);
        std::os::unix::fs::symlink("..data/lines.yaml", folder.path().join("lines.yaml")).unwrap();
        assert_eq!(SourceSet::read(folder.path()).files.len(), 1);
    }

    #[test]
    fn the_hash_depends_on_where_a_text_stands() {
        let one = SourceSet::from_files([("lines.yaml", "ab"), ("rules/a.yaml", "c")]);
        let two = SourceSet::from_files([("lines.yaml", "a"), ("rules/a.yaml", "bc")]);
        assert_ne!(one.hash(), two.hash());
        assert_eq!(one.hash(), one.hash());
    }
}
