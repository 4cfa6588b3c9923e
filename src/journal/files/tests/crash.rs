//! What crashes and failing disks leave behind.

use super::*;
use crate::journal::files::format::{HEADER_LEN, SEAL_LEN, segment_name};

#[test]
fn two_daemons_cannot_open_one_journal() {
    let directory = scratch();
    let (journal, _) = open(directory.path()).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Locked { .. }));
    assert_eq!(refused.kind(), JournalErrorKind::Retry);
    drop(journal);
    open(directory.path()).unwrap();
}

#[test]
fn opening_reports_a_new_journal_and_a_known_one() {
    let directory = scratch();
    let nested = directory.path().join("data").join("journal");
    let (journal, recovery) = open(&nested).unwrap();
    assert_eq!(recovery, Recovery { cut: None, witness: WitnessFound::New });
    drop(journal);
    let (_, recovery) = open(&nested).unwrap();
    assert_eq!(recovery, Recovery { cut: None, witness: WitnessFound::Agrees });
}

#[test]
fn a_group_torn_anywhere_is_cut_as_a_whole_and_reported() {
    let sample = sample().with_lagging_witness();
    let directory = scratch();
    let (last, begin) = (sample.last_segment(), sample.last_group_offset());
    let whole = sample.image[&last].len();
    for length in (begin..whole).step_by(3) {
        let mut image = sample.image.clone();
        image.get_mut(&last).unwrap().truncate(length);
        lay_out(directory.path(), &image);
        let (_, recovery) = open(directory.path()).unwrap();
        let cut = recovery.cut.map(|cut| (cut.offset, cut.bytes));
        let expected = (length > begin).then_some((begin as u64, (length - begin) as u64));
        assert_eq!(cut, expected);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(8), "{length}");
    }
    assert_eq!(outcome(&sample, &sample.image, directory.path()), Outcome::Reaches(11));
}

#[test]
fn a_group_of_which_the_disk_kept_only_later_parts_is_cut() {
    let sample = sample().with_lagging_witness();
    let directory = scratch();
    let (last, begin) = (sample.last_segment(), sample.last_group_offset());
    let whole = sample.image[&last].len();
    for hole in (begin..whole).step_by(19) {
        for end in [hole + 1, hole + 64, whole] {
            let mut image = sample.image.clone();
            image.get_mut(&last).unwrap()[hole..end.min(whole)].fill(0);
            // A zero may have stood there before.
            let unchanged = image == sample.image;
            let reached = if unchanged { 11 } else { 8 };
            assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(reached), "{hole}");
        }
    }
}

#[test]
fn zeros_after_the_last_group_are_cut() {
    let sample = sample();
    let directory = scratch();
    let mut image = sample.image.clone();
    image.get_mut(&sample.last_segment()).unwrap().extend([0; 5_000]);
    assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(11));
}

#[test]
fn old_blocks_behind_an_unfinished_group_prove_nothing() {
    let sample = sample().with_lagging_witness();
    let directory = scratch();
    let last = sample.last_segment();
    let old = sample.image[&sample.segments()[1]].clone();
    let mut image = sample.image.clone();
    let bytes = image.get_mut(&last).unwrap();
    bytes.truncate(bytes.len() - 5);
    bytes.extend(old);
    assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(8));
}

#[cfg(unix)]
#[test]
fn a_new_directory_is_for_the_daemon_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = scratch();
    let path = directory.path().join("journal");
    drop(open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_crash_at_any_byte_of_a_rotation_loses_nothing() {
    let sample = sample();
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (mut journal, _) = open(directory.path()).unwrap();
    journal.settings.segment_bytes = 1;
    append(&mut journal, &["next"]);
    drop(journal);
    let rotated = image(directory.path());
    let (sealed, next) = (sample.last_segment(), "00000000000000000012.journal");
    let witness = sample.image[witness::WITNESS_NAME].clone();
    let unfinished = |sealed_length: usize, next_length: Option<usize>| {
        let mut image = rotated.clone();
        image.insert(witness::WITNESS_NAME.to_owned(), witness.clone());
        image.get_mut(&sealed).unwrap().truncate(sealed_length);
        match next_length {
            Some(length) => image.get_mut(next).unwrap().truncate(length),
            None => drop(image.remove(next)),
        }
        image
    };
    let full = rotated[&sealed].len();
    for sealed_length in full - SEAL_LEN..=full {
        let image = unfinished(sealed_length, None);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(11), "{sealed_length}");
    }
    for next_length in 0..=HEADER_LEN {
        let mut image = unfinished(full, Some(next_length));
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(11), "{next_length}");
        image.get_mut(next).unwrap().fill(0);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(11), "{next_length}");
    }
}

#[test]
fn the_first_segment_may_be_unfinished_too() {
    let directory = scratch();
    drop(open(directory.path()).unwrap());
    let image = image(directory.path());
    let name = segment_name(1);
    let sample = Sample { history: Vec::new(), borders: vec![0], ..sample() };
    for length in 0..=HEADER_LEN {
        let mut image = image.clone();
        image.get_mut(&name).unwrap().truncate(length);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(0));
        image.remove(witness::WITNESS_NAME);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(0));
    }
}

#[test]
fn a_purge_survives_a_crash_between_any_two_removals() {
    let sample = sample();
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (mut journal, _) = open(directory.path()).unwrap();
    let first = journal.purge(u64::MAX).unwrap();
    assert_eq!((first, journal.segments.len()), (journal.first_seq(), 1));
    drop(journal);
    let purged = image(directory.path());
    assert_eq!(outcome(&sample, &purged, directory.path()), Outcome::Reaches(11));
    let segments = sample.segments();
    for removed in 0..segments.len() - 1 {
        let mut image = purged.clone();
        for kept in &segments[removed..] {
            image.insert(kept.clone(), sample.image[kept].clone());
        }
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(11));
    }
}

/// The device that has no space, and the one that takes all but cannot sync.
#[cfg(target_os = "linux")]
#[test]
fn a_failed_write_or_sync_poisons_the_journal_until_it_is_opened_again() {
    for device in ["/dev/full", "/dev/null"] {
        let directory = scratch();
        let (mut journal, _) = open(directory.path()).unwrap();
        append(&mut journal, &["a"]);
        let head = journal.head();
        let sound = std::mem::replace(
            &mut journal.active.file,
            std::fs::OpenOptions::new().write(true).open(device).unwrap(),
        );
        let next = group(head, &["b"]);
        let error = journal.append(1, &next).unwrap_err();
        assert!(matches!(error, JournalError::Io { .. }), "{error}");
        assert_eq!(error.kind(), JournalErrorKind::Fatal);
        journal.active.file = sound;
        for _ in 0..2 {
            let error = journal.append(1, &next).unwrap_err();
            assert!(matches!(error, JournalError::Poisoned), "{error}");
            assert_eq!(error.kind(), JournalErrorKind::Fatal);
        }
        assert!(matches!(journal.purge(1), Err(JournalError::Poisoned)));
        assert_eq!((journal.head(), texts(&journal, 1)), (head, vec![(1, "a".to_owned())]));
        drop(journal);
        let (mut journal, _) = open(directory.path()).unwrap();
        assert_eq!(journal.head(), head);
        append(&mut journal, &["b"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_rotation_that_fails_poisons_the_journal() {
    let sample = sample();
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (mut journal, _) = open(directory.path()).unwrap();
    journal.settings.segment_bytes = 1;
    let next = directory.path().join(segment_name(12));
    std::fs::create_dir(&next).unwrap();
    let entries = group(journal.head(), &["l"]);
    assert!(matches!(journal.append(11, &entries), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(11, &entries), Err(JournalError::Poisoned)));
    drop(journal);
    std::fs::remove_dir(&next).unwrap();
    let (mut journal, recovery) = open(directory.path()).unwrap();
    assert_eq!((recovery.cut, journal.head().seq), (None, 11));
    journal.append(11, &entries).unwrap();
}

/// Room for the groups of [`prepared`].
const PREPARED: Settings = Settings { segment_bytes: 3_000, spare: true };

/// A journal whose last segment was prepared, with the place where its last group begins and ends.
fn prepared() -> (Sample, usize, usize) {
    let directory = scratch();
    let (mut journal, _) = FileJournal::open(directory.path(), PREPARED).unwrap();
    append(&mut journal, &["a", "b", "c"]);
    journal.spare.wait();
    let mut borders = vec![0, 3];
    while journal.segments.len() < 2 {
        append(&mut journal, &["b", "c"]);
        borders.push(journal.head().seq);
    }
    append(&mut journal, &["d"]);
    borders.push(journal.head().seq);
    let begin = usize::try_from(journal.active.length).unwrap();
    let before_last = image(directory.path());
    append(&mut journal, &["e", "f"]);
    borders.push(journal.head().seq);
    let end = usize::try_from(journal.active.length).unwrap();
    let history = texts(&journal, 1);
    drop(journal);
    (Sample { image: image(directory.path()), before_last, history, borders }, begin, end)
}

#[test]
fn a_prepared_segment_is_as_long_as_it_will_be_and_its_zeros_are_no_history() {
    let (sample, _, end) = prepared();
    let bytes = &sample.image[&sample.last_segment()];
    assert_eq!(bytes.len() as u64, PREPARED.segment_bytes);
    assert!(end < bytes.len() && bytes[end..].iter().all(|byte| *byte == 0));
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (journal, recovery) = open(directory.path()).unwrap();
    assert_eq!((recovery.cut, journal.head().seq), (None, sample.history.len() as u64));
    assert_eq!(texts(&journal, 1), sample.history);
    drop(journal);
    let last = sample.history.len() as u64;
    assert_eq!(outcome(&sample, &sample.image, directory.path()), Outcome::Reaches(last));
}

#[test]
fn a_group_torn_anywhere_in_a_prepared_segment_is_cut_as_a_whole() {
    let (sample, begin, end) = prepared();
    let sample = sample.with_lagging_witness();
    let directory = scratch();
    let last = sample.last_segment();
    let (before, whole) = (sample.history.len() as u64 - 2, sample.history.len() as u64);
    for from in (begin..end).step_by(7) {
        for to in [from + 1, from + 40, end] {
            let mut image = sample.image.clone();
            image.get_mut(&last).unwrap()[from..to.min(end)].fill(0);
            let expected = if image == sample.image { whole } else { before };
            assert_eq!(
                outcome(&sample, &image, directory.path()),
                Outcome::Reaches(expected),
                "{from}..{to}"
            );
        }
    }
}

#[test]
fn zeros_in_place_of_what_was_durable_are_damage() {
    let (sample, begin, end) = prepared();
    let directory = scratch();
    let mut image = sample.image.clone();
    image.get_mut(&sample.last_segment()).unwrap()[begin..end].fill(0);
    assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Refused);
}

#[test]
fn a_spare_that_a_crash_left_behind_is_not_used() {
    let sample = sample();
    let directory = scratch();
    let mut image = sample.image;
    image.insert(spare::SPARE_NAME.to_owned(), b"half".to_vec());
    lay_out(directory.path(), &image);
    let (journal, recovery) = open(directory.path()).unwrap();
    assert_eq!((recovery.cut, journal.head().seq), (None, 11));
    assert!(!directory.path().join(spare::SPARE_NAME).exists());
}

#[test]
fn a_rotation_before_the_spare_is_there_does_without() {
    let directory = scratch();
    let settings = Settings { spare: true, segment_bytes: 1 };
    let (mut journal, _) = FileJournal::open(directory.path(), settings).unwrap();
    std::fs::create_dir(directory.path().join(spare::SPARE_NAME)).unwrap();
    for text in ["a", "b", "c"] {
        append(&mut journal, &[text]);
        journal.spare.wait();
    }
    assert_eq!((journal.segments.len(), texts(&journal, 1).len()), (3, 3));
}
