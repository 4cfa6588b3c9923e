//! The promises of [`Journal`], asked of every implementation.

use proptest::prelude::*;

use crate::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry};
use crate::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use crate::model::input::Input;

use super::encode::{DecodeError, SealError, decode};
use super::*;

/// A directory for one test: in memory where the system has such a place, since these tests sync
/// thousands of times and what a sync does is not what they ask.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The entry after `head` with a text.
pub(super) fn entry(head: &Head, text: &str) -> Entry {
    let seq = head.seq + 1;
    let message = InboundMessage {
        chat: ExternalChat::of("9007199254740993".to_owned()),
        user: ExternalUser { id: "u".to_owned(), ..ExternalUser::default() },
        id: format!("x{seq}"),
        text: text.to_owned(),
        attachments: Vec::new(),
        reply_to: None,
        source: None,
        unsupported: None,
        automatic: false,
        letter: None,
    };
    Entry {
        format: ENTRY_FORMAT,
        seq,
        epoch: 1,
        at_ms: 1_000 + seq,
        apply_version: APPLY_VERSION,
        prev_hash: head.hash,
        input_id: format!("tg:{seq}"),
        cause: Cause::Webhook("tg".into()),
        input: Input::Inbound(Inbound {
            channel: "tg".into(),
            external_at_ms: None,
            fact: Fact::Message(message),
        }),
    }
}

/// The group of entries with these texts after `head`.
pub(super) fn group<T: AsRef<str>>(mut head: Head, texts: &[T]) -> Vec<SealedEntry> {
    let sealed = texts.iter().map(|text| {
        let sealed = seal(&entry(&head, text.as_ref())).unwrap();
        head = sealed.position();
        sealed
    });
    sealed.collect()
}

/// Appends one group.
pub(super) fn append<T: AsRef<str>>(journal: &mut dyn Journal, texts: &[T]) {
    let head = journal.head();
    journal.append(head.seq, &group(head, texts)).unwrap();
}

/// The entries from `seq` as numbers and texts.
pub(super) fn texts(journal: &dyn Journal, seq: u64) -> Vec<(u64, String)> {
    let read = journal.read_from(seq).unwrap().map(|recorded| text(&recorded.unwrap()));
    read.collect()
}

/// One entry as number and text.
pub(super) fn text(recorded: &Recorded) -> (u64, String) {
    match &recorded.entry.input {
        Input::Inbound(Inbound { fact: Fact::Message(message), .. }) => {
            (recorded.entry.seq, message.text.clone())
        }
        other => panic!("not a message: {other:?}"),
    }
}

/// Runs one promise over both implementations.
fn each(promise: impl Fn(&mut dyn Journal)) {
    promise(&mut MemoryJournal::new());
    let directory = scratch();
    let (mut files, _) =
        FileJournal::open(directory.path(), Settings { segment_bytes: 900, spare: false }).unwrap();
    promise(&mut files);
}

#[test]
fn a_new_journal_is_empty() {
    each(|journal| {
        assert_eq!((journal.head(), journal.first_seq()), (Head::EMPTY, 1));
        assert_eq!(texts(journal, 0), []);
        assert_eq!(texts(journal, 1), []);
        assert!(matches!(journal.read_from(2).map(drop), Err(JournalError::Shorter { wanted: 2, head: 0 })));
        journal.verify_contains(0, EntryHash::ZERO).unwrap();
    });
}

#[test]
fn what_was_appended_is_read_from_any_place() {
    each(|journal| {
        append(journal, &["a", "b", "c"]);
        append(journal, &["ü \u{0} \u{10FFFF}"]);
        append(journal, &["e", "f"]);
        let all: Vec<_> =
            (1..).zip(["a", "b", "c", "ü \u{0} \u{10FFFF}", "e", "f"].map(String::from)).collect();
        for from in 1..=7 {
            assert_eq!(texts(journal, from), all[usize::try_from(from).unwrap() - 1..]);
        }
        assert_eq!((journal.head().seq, journal.head().at_ms, journal.head().epoch), (6, 1_006, 1));
        let last = journal.read_from(6).unwrap().next().unwrap().unwrap();
        assert_eq!(last.position(), journal.head());
    });
}

#[test]
fn an_append_behind_another_head_changes_nothing() {
    each(|journal| {
        append(journal, &["a", "b"]);
        let head = journal.head();
        let next = group(head, &["c"]);
        for expected in [0, 1, 3] {
            let refused = journal.append(expected, &next);
            assert!(matches!(refused, Err(JournalError::Conflict { head: 2, .. })));
            assert_eq!(refused.unwrap_err().kind(), JournalErrorKind::Retry);
        }
        journal.append(2, &[]).unwrap();
        assert_eq!(journal.head(), head);
        journal.append(2, &next).unwrap();
        assert_eq!(texts(journal, 3), [(3, "c".to_owned())]);
    });
}

#[test]
fn a_group_that_does_not_continue_history_changes_nothing() {
    each(|journal| {
        append(journal, &["a", "b"]);
        let head = journal.head();
        let mut gap = group(head, &["c", "d", "e"]);
        gap.remove(1);
        let foreign = group(Head { hash: EntryHash::of(b"another"), ..head }, &["c"]);
        let mut past = entry(&head, "c");
        past.at_ms = head.at_ms - 1;
        let mut deposed = entry(&head, "c");
        deposed.epoch = 0;
        let doubled = [group(head, &["c"]), group(head, &["c"])].concat();
        for (bad, what) in [
            (gap, "number is not the next one"),
            (foreign, "predecessor is another entry"),
            (vec![seal(&past).unwrap()], "time is before its predecessor's"),
            (vec![seal(&deposed).unwrap()], "epoch is below its predecessor's"),
            (doubled, "number is not the next one"),
        ] {
            match journal.append(2, &bad) {
                Err(JournalError::OutOfOrder { what: found, .. }) => assert_eq!(found, what),
                other => panic!("{what}: {other:?}"),
            }
            assert_eq!(journal.head(), head);
        }
        append(journal, &["c"]);
        assert_eq!(texts(journal, 1).len(), 3);
    });
}

#[test]
fn purge_keeps_the_entry_asked_for_and_the_head() {
    each(|journal| {
        for text in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            append(journal, &[text]);
        }
        let (all, head) = (texts(journal, 1), journal.head());
        assert_eq!(journal.purge(0).unwrap(), 1);
        let first = journal.purge(6).unwrap();
        assert!(first > 1 && first <= 6, "{first}");
        assert_eq!((first, head), (journal.first_seq(), journal.head()));
        assert_eq!(texts(journal, first), all[usize::try_from(first).unwrap() - 1..]);
        let gone = journal.read_from(first - 1).map(drop);
        assert!(matches!(gone, Err(JournalError::Purged { wanted, .. }) if wanted == first - 1));
        journal.purge(u64::MAX).unwrap();
        assert_eq!(journal.head(), head);
        append(journal, &["i"]);
        assert_eq!(texts(journal, 9), [(9, "i".to_owned())]);
    });
}

#[test]
fn a_store_learns_whether_this_journal_is_its_own() {
    each(|journal| {
        for text in ["a", "b", "c", "d", "e", "f"] {
            append(journal, &[text]);
        }
        let hashes: Vec<_> = journal.read_from(1).unwrap().map(|recorded| recorded.unwrap().hash).collect();
        for (seq, hash) in (1..).zip(&hashes) {
            journal.verify_contains(seq, *hash).unwrap();
            let other = journal.verify_contains(seq, EntryHash::of(b"other")).unwrap_err();
            assert!(matches!(other, JournalError::Differs { .. }));
            assert_eq!(other.kind(), JournalErrorKind::Corrupt);
        }
        let shorter = journal.verify_contains(7, hashes[5]).unwrap_err();
        assert!(matches!(shorter, JournalError::Shorter { wanted: 7, head: 6 }));
        let first = journal.purge(5).unwrap();
        let before = usize::try_from(first).unwrap() - 2;
        journal.verify_contains(first - 1, hashes[before]).unwrap();
        let purged = journal.verify_contains(first - 2, EntryHash::ZERO);
        assert!(matches!(purged, Ok(()) | Err(JournalError::Purged { .. })));
        assert_eq!(purged.is_ok(), first == 2);
    });
}

#[test]
fn what_could_not_be_read_back_is_not_sealed() {
    let mut later = entry(&Head::EMPTY, "a");
    later.format = ENTRY_FORMAT + 1;
    let refused = seal(&later).unwrap_err();
    assert!(matches!(refused, SealError::Unreadable { source: DecodeError::Format { found: 2 }, .. }));
    let large = "x".repeat(ENTRY_BYTES_MAX);
    assert!(matches!(seal(&entry(&Head::EMPTY, &large)), Err(SealError::TooLarge { seq: 1, .. })));
}

#[test]
fn an_entry_of_a_later_format_is_named_as_such_and_content_is_never_repeated() {
    let later = br#"{"format":2,"seq":1,"anything":"secret"}"#;
    assert_eq!(decode(later, &Head::EMPTY), Err(DecodeError::Format { found: 2 }));
    let sealed = seal(&entry(&Head::EMPTY, "a")).unwrap();
    let json = String::from_utf8(sealed.bytes().to_vec()).unwrap();
    let other = json.replace("\"seq\":1", "\"seq\":\"secret\"");
    let error = decode(other.as_bytes(), &Head::EMPTY).unwrap_err();
    assert!(matches!(error, DecodeError::Json { category: "shape", .. }));
    assert!(!error.to_string().contains("secret"));
    let unknown = json.replacen('{', "{\"more\":1,", 1);
    assert!(matches!(decode(unknown.as_bytes(), &Head::EMPTY), Err(DecodeError::Json { .. })));
    let behind = Head { seq: 1, hash: sealed.hash(), at_ms: 1_001, epoch: 1 };
    assert_eq!(decode(sealed.bytes(), &behind), Err(DecodeError::Seq { found: 1, due: 2 }));
    let beside = Head { hash: EntryHash::of(b"x"), ..Head::EMPTY };
    assert_eq!(decode(sealed.bytes(), &beside), Err(DecodeError::PrevHash { seq: 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, &Head::EMPTY).is_err());
    }

    #[test]
    fn files_and_memory_tell_the_same_history_through_any_rotation_reopening_and_purge(
        segment_bytes in 1u64..3_000,
        spare in proptest::bool::ANY,
        steps in prop::collection::vec((prop::collection::vec(".{0,80}", 0..5), 0u8..8), 1..14),
    ) {
        let directory = scratch();
        let settings = Settings { segment_bytes, spare };
        let (mut files, _) = FileJournal::open(directory.path(), settings).unwrap();
        let mut memory = MemoryJournal::new();
        for (group, then) in steps {
            append(&mut files, &group);
            append(&mut memory, &group);
            if then == 0 {
                let first = files.purge(files.head().seq / 2).unwrap();
                prop_assert!(first <= (files.head().seq / 2).max(1));
            } else if then < 4 {
                drop(files);
                let (reopened, recovery) = FileJournal::open(directory.path(), settings).unwrap();
                prop_assert_eq!(recovery.cut, None);
                files = reopened;
            }
            prop_assert_eq!(files.head(), memory.head());
            let first = files.first_seq();
            for from in [first, (first + files.head().seq) / 2, files.head().seq + 1] {
                prop_assert_eq!(texts(&files, from), texts(&memory, from));
            }
            let report = files.verify(&mut |_, _| ()).unwrap();
            prop_assert_eq!((report.head, report.first_seq), (memory.head(), first));
        }
    }
}
