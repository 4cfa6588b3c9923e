//! Tests of the folder of attachments.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::attachments::{Link, LinkError};
use crate::model::id::MessageId;

const NOW_MS: u64 = 1_772_442_000_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn keeper() -> (tempfile::TempDir, Keeper) {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new(folder.path());
    (folder, keeper)
}

/// Where a content is to be.
fn place(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let digits = ContentHash::of(bytes).to_string();
    let (shard, rest) = digits.split_at(2);
    folder.path().join("attachments").join(shard).join(rest)
}

fn id(seq: u64) -> AttachmentId {
    AttachmentId { message: MessageId::new(seq, 0), index: 0 }
}

fn keep(keeper: &Keeper, seq: u64, bytes: &[u8], now_ms: u64) -> Kept {
    let content = keeper.put(bytes, now_ms).unwrap();
    let size = u64::try_from(bytes.len()).unwrap();
    let kept = Kept::new(content, "text/plain".to_owned(), Some("a.txt".to_owned()), size);
    keeper.note(id(seq), &kept, now_ms).unwrap();
    kept
}

#[test]
fn a_file_is_found_again_and_its_path_comes_from_its_hash() {
    let (folder, keeper) = keeper();
    assert_eq!(keeper.find(id(3)).unwrap(), None);
    let kept = keep(&keeper, 3, b"hello", NOW_MS);
    assert_eq!(keeper.find(id(3)).unwrap(), Some(kept.clone()));
    let path = place(&folder, b"hello");
    assert_eq!(fs::read(path).unwrap(), b"hello");
    let mut read = String::new();
    keeper.open(&kept).unwrap().unwrap().read_to_string(&mut read).unwrap();
    assert_eq!(read, "hello");
    // Nothing unfinished stays behind.
    assert_eq!(fs::read_dir(folder.path().join("attachments/tmp")).unwrap().count(), 0);
}

#[test]
fn what_is_lost_or_damaged_counts_as_not_there() {
    let (folder, keeper) = keeper();
    let kept = keep(&keeper, 3, b"hello", NOW_MS);
    let hash = kept.content().unwrap();
    let path = place(&folder, b"hello");
    fs::write(&path, b"hullo").unwrap();
    assert_eq!(keeper.read(&hash).unwrap(), None, "other bytes of the same length");
    assert_eq!(keeper.find(id(3)).unwrap(), None);
    keep(&keeper, 3, b"hello", NOW_MS);
    fs::write(&path, b"hel").unwrap();
    assert_eq!(keeper.find(id(3)).unwrap(), None, "cut off");
    keep(&keeper, 3, b"hello", NOW_MS);
    fs::remove_dir_all(folder.path().join("attachments")).unwrap();
    assert_eq!(keeper.find(id(3)).unwrap(), None);
    keep(&keeper, 3, b"hello", NOW_MS);
    assert_eq!(keeper.read(&hash).unwrap().as_deref(), Some(b"hello".as_slice()));
}

#[test]
fn what_is_old_goes_and_what_is_sent_again_is_young() {
    let (_folder, keeper) = keeper();
    keep(&keeper, 1, b"old", NOW_MS);
    keep(&keeper, 2, b"both", NOW_MS);
    keep(&keeper, 3, b"both", NOW_MS + 9 * DAY_MS);
    assert!(keeper.purge(7 * DAY_MS, NOW_MS + 6 * DAY_MS).unwrap() == 0);
    assert_eq!(keeper.purge(7 * DAY_MS, NOW_MS + 10 * DAY_MS).unwrap(), 3);
    assert_eq!(keeper.find(id(1)).unwrap(), None);
    assert_eq!(keeper.find(id(2)).unwrap(), None);
    assert!(keeper.find(id(3)).unwrap().is_some());
}

#[test]
fn an_upload_has_an_id_that_cannot_be_guessed_and_an_end() {
    let (folder, keeper) = keeper();
    let (_other_folder, other) = self::keeper();
    fs::create_dir_all(folder.path()).unwrap();
    let upload = |by: &str, keeper: &Keeper| {
        let content = keeper.put(b"x", NOW_MS).unwrap();
        let file = Kept::new(content, "text/plain".to_owned(), None, 1);
        keeper.note_upload(&Upload { by: by.to_owned(), file }, NOW_MS).unwrap()
    };
    let id = upload("anna", &keeper);
    assert_eq!(id, upload("anna", &keeper), "an upload can be repeated");
    assert_ne!(id, upload("boris", &keeper));
    assert_ne!(id, upload("anna", &other), "without the key nobody knows it");
    assert_eq!(UploadId::parse(id.as_str()), Some(id.clone()));
    assert_eq!(keeper.upload(&id).unwrap().unwrap().by, "anna");
    keeper.purge(365 * DAY_MS, NOW_MS + DAY_MS + 1).unwrap();
    assert_eq!(keeper.upload(&id).unwrap(), None);
    for wrong in
        ["", "u-", "u-../../etc/passwd", "u-00", &"u-0".repeat(33), "U-00000000000000000000000000000000"]
    {
        assert_eq!(UploadId::parse(wrong), None, "{wrong}");
    }
    let mode = fs::metadata(folder.path().join("files.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_link_is_what_was_signed_until_it_ends() {
    let (folder, keeper) = keeper();
    let link = Link {
        content: ContentHash::of(b"x"),
        media_type: "image/png".to_owned(),
        name: "ключ.png".to_owned(),
    };
    let token = keeper.sign(&link, NOW_MS + 1_000).unwrap();
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{token}");
    assert_eq!(keeper.open_link(&token, NOW_MS), Ok(link));
    assert_eq!(keeper.open_link(&token, NOW_MS + 1_000), Err(LinkError::Over));
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(keeper.open_link(&forged, NOW_MS).is_err(), "{at}");
    }
    for wrong in ["", "AAAA", "%", &"A".repeat(10_000)] {
        assert_eq!(keeper.open_link(wrong, NOW_MS), Err(LinkError::NotOurs));
    }
    // Another key, another daemon.
    fs::remove_file(folder.path().join("files.key")).unwrap();
    assert_eq!(keeper.open_link(&token, NOW_MS), Err(LinkError::NotOurs));
}
