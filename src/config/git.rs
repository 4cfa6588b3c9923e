//! The git commit of a folder, read from the files of git itself. Only a note for people: whatever
//! is unusual about the repository gives `None`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Files of git that are read here are small; `packed-refs` of a large repository is the largest.
const BYTES_MAX: u64 = 16 << 20;

/// How far up the repository is looked for.
const PARENTS_MAX: usize = 32;

/// References that point to references; git itself follows five.
const LINKS_MAX: usize = 5;

/// The commit that is checked out where `folder` is, in hexadecimal.
pub fn commit(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    let repository = folder.ancestors().take(PARENTS_MAX).find_map(git_folder)?;
    // A worktree keeps its HEAD apart and its branches in the common folder.
    let common = read(&repository.join("commondir"))
        .map_or_else(|| repository.clone(), |path| repository.join(path.trim()));
    let mut name = "HEAD".to_owned();
    for _ in 0..LINKS_MAX {
        let text = read(&repository.join(&name)).or_else(|| read(&common.join(&name)));
        match text {
            Some(text) => match text.trim().strip_prefix("ref:") {
                Some(next) => name = safe(next.trim())?.to_owned(),
                None => return hash(text.trim()),
            },
            None => return packed(&common, &name),
        }
    }
    None
}

/// The git folder of a checkout: `.git`, or where the file `.git` points.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(".git");
    if path.is_dir() {
        return Some(path);
    }
    let target = read(&path)?;
    let target = folder.join(target.trim().strip_prefix("gitdir:")?.trim());
    target.is_dir().then_some(target)
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let text = read(&common.join("packed-refs"))?;
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, reference)| *reference == name)
        .and_then(|(id, _)| hash(id))
}

/// A reference name that stays inside the git folder.
fn safe(name: &str) -> Option<&str> {
    (name.starts_with("refs/") && !name.split('/').any(|part| part == "..")).then_some(name)
}

fn hash(text: &str) -> Option<String> {
    (matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| text.to_owned())
}

fn read(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_branch_is_followed_to_its_commit() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), ".git/HEAD", "ref: refs/heads/main\n");
        write(root.path(), ".git/refs/heads/main", &format!("{ID}\n"));
        fs::create_dir(root.path().join("config")).unwrap();
        assert_eq!(commit(&root.path().join("config")), Some(ID.to_owned()));
    }

    #[test]
    fn packed_references_and_detached_heads_are_read() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), ".git/HEAD", "ref: refs/heads/main\n");
        write(root.path(), ".git/packed-refs", &format!("# pack-refs with: peeled\n{ID} refs/heads/main\n"));
        assert_eq!(commit(root.path()), Some(ID.to_owned()));
        write(root.path(), ".git/HEAD", ID);
        assert_eq!(commit(root.path()), Some(ID.to_owned()));
    }

    #[test]
    fn a_worktree_finds_its_branch_in_the_common_folder() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "main/.git/refs/heads/side", ID);
        write(root.path(), "main/.git/worktrees/side/HEAD", "ref: refs/heads/side\n");
        write(root.path(), "main/.git/worktrees/side/commondir", "../..\n");
        write(root.path(), "side/.git", "gitdir: ../main/.git/worktrees/side\n");
        assert_eq!(commit(&root.path().join("side")), Some(ID.to_owned()));
    }

    #[test]
    fn a_strange_repository_has_no_commit() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), ".git/HEAD", "ref: ../../etc/passwd\n");
        assert_eq!(commit(root.path()), None);
        write(root.path(), ".git/HEAD", "not a commit");
        assert_eq!(commit(root.path()), None);
    }
}
