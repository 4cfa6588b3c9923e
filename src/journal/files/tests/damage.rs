//! Damage: every one is found, by opening or by reading, and no wrong entry comes out.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::journal::files::format::HEADER_LEN;

/// Applies a change to every file and place and answers the outcomes with their places.
fn outcomes(
    sample: &Sample,
    name: &str,
    places: impl Iterator<Item = usize>,
    change: impl Fn(&mut Vec<u8>, usize),
) -> Vec<(usize, Outcome)> {
    let directory = scratch();
    let changed = places.map(|place| {
        let mut image = sample.image.clone();
        change(image.get_mut(name).unwrap(), place);
        (place, outcome(sample, &image, directory.path()))
    });
    changed.collect()
}

/// Every seventh byte of a file: seven shares no factor with the size of any field, so that it meets each
/// byte of the fields in one record or another.
fn places(sample: &Sample, name: &str) -> impl Iterator<Item = usize> + use<> {
    (0..sample.image[name].len()).step_by(7)
}

#[test]
fn every_flipped_byte_of_every_segment_is_found() {
    let sample = sample();
    for name in sample.segments() {
        for (place, outcome) in
            outcomes(&sample, &name, 0..sample.image[&name].len(), |bytes, at| bytes[at] ^= 1 << (at % 8))
        {
            assert_eq!(outcome, Outcome::Refused, "{name} at {place}");
        }
    }
}

#[test]
fn without_the_witness_only_the_last_group_can_be_taken_for_unfinished() {
    let sample = sample().without_witness();
    let (last, begin) = (sample.last_segment(), sample.last_group_offset());
    for name in sample.segments() {
        for (place, outcome) in
            outcomes(&sample, &name, places(&sample, &name), |bytes, at| bytes[at] ^= 0xFF)
        {
            let expected =
                if name == last && place >= begin { Outcome::Reaches(8) } else { Outcome::Refused };
            assert_eq!(outcome, expected, "{name} at {place}");
        }
    }
}

#[test]
fn every_shortened_segment_is_found() {
    let sample = sample();
    for name in sample.segments() {
        for (length, outcome) in outcomes(&sample, &name, 0..sample.image[&name].len(), Vec::truncate) {
            assert_eq!(outcome, Outcome::Refused, "{name} at {length}");
        }
    }
}

#[test]
fn without_the_witness_a_shortened_last_segment_ends_with_a_whole_group() {
    let sample = sample().without_witness();
    let last = sample.last_segment();
    for name in sample.segments() {
        for (length, outcome) in outcomes(&sample, &name, 0..sample.image[&name].len(), Vec::truncate) {
            // `outcome` has checked that what is reached is the border of a group.
            assert_eq!(matches!(outcome, Outcome::Reaches(_)), name == last, "{name} at {length}");
        }
    }
}

#[test]
fn every_zeroed_stretch_is_found() {
    let sample = sample();
    for name in sample.segments() {
        for width in [32, 512] {
            let length = sample.image[&name].len();
            let end = |at: usize| (at + width).min(length);
            // The header of the first segment holds zeros already.
            let places = (0..length).step_by(32);
            let places = places.filter(|at| sample.image[&name][*at..end(*at)].iter().any(|byte| *byte != 0));
            for (place, outcome) in outcomes(&sample, &name, places, |bytes, at| bytes[at..end(at)].fill(0)) {
                assert_eq!(outcome, Outcome::Refused, "{name} at {place}");
            }
        }
    }
}

#[test]
fn a_damaged_witness_costs_nothing_but_a_report() {
    let sample = sample();
    let name = witness::WITNESS_NAME;
    for (_, outcome) in outcomes(&sample, name, 0..sample.image[name].len(), |bytes, at| bytes[at] ^= 1) {
        assert_eq!(outcome, Outcome::Reaches(11));
    }
    for (_, outcome) in outcomes(&sample, name, 0..sample.image[name].len(), Vec::truncate) {
        assert_eq!(outcome, Outcome::Reaches(11));
    }
    let directory = scratch();
    let mut image = sample.image;
    image.get_mut(name).unwrap()[0] ^= 1;
    lay_out(directory.path(), &image);
    assert_eq!(open(directory.path()).unwrap().1.witness, WitnessFound::Unreadable);
    image.remove(name);
    lay_out(directory.path(), &image);
    assert_eq!(open(directory.path()).unwrap().1.witness, WitnessFound::Missing);
}

#[test]
fn missing_swapped_old_and_foreign_segments_are_refused() {
    let sample = sample();
    let directory = scratch();
    let names = sample.segments();
    let refused = |what: &str, change: &dyn Fn(&mut Image)| {
        let mut image = sample.image.clone();
        change(&mut image);
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Refused, "{what}");
    };
    for name in &names {
        refused("a segment is missing", &|image| drop(image.remove(name)));
        refused("a segment is empty", &|image| drop(image.insert(name.clone(), Vec::new())));
        for other in names.iter().filter(|other| *other != name) {
            let content = sample.image[other].clone();
            refused("another segment's content", &|image| drop(image.insert(name.clone(), content.clone())));
        }
    }
    refused("all segments are missing", &|image| image.retain(|name, _| !name.ends_with(".journal")));
    refused("only the last is left", &|image| {
        image.retain(|name, _| !name.ends_with(".journal") || *name == names[2]);
    });
    refused("the last segment is an old copy", &|image| {
        image.insert(names[2].clone(), sample.before_last[&names[2]].clone());
    });
    refused("a sealed segment is a copy from before its seal", &|image| {
        let bytes = image.get_mut(&names[1]).unwrap();
        bytes.truncate(bytes.len() - crate::journal::files::format::SEAL_LEN);
    });

    // The same numbers, other texts: flawless in itself, but not this history.
    let foreign = scratch();
    let (mut journal, _) = open(foreign.path()).unwrap();
    for texts in [&["A", "B"][..], &["C"], &["D", "E", "F"], &["G"], &["H"], &["I", "J", "K"]] {
        append(&mut journal, texts);
    }
    drop(journal);
    let foreign = image(foreign.path());
    for name in &names {
        refused("a segment of another journal", &|image| {
            drop(image.insert(name.clone(), foreign[name].clone()))
        });
    }
}

#[test]
fn repeated_moved_and_removed_bytes_are_refused() {
    let sample = sample().without_witness();
    let name = sample.last_segment();
    let begin = sample.last_group_offset();
    let directory = scratch();
    let (start, tail) = sample.image[&name].split_at(begin);
    let header = &start[..HEADER_LEN];
    for (what, bytes) in [
        ("the last group twice", [start, tail, tail].concat()),
        ("the last group first", [header, tail, &start[HEADER_LEN..]].concat()),
        ("without the groups before", [header, tail].concat()),
        ("a byte more in the middle", [start, &[0], tail].concat()),
    ] {
        let mut image = sample.image.clone();
        image.insert(name.clone(), bytes);
        let expected = match what {
            // Nothing after it proves that the last group was ever synced.
            "a byte more in the middle" => Outcome::Reaches(8),
            _ => Outcome::Refused,
        };
        assert_eq!(outcome(&sample, &image, directory.path()), expected, "{what}");
    }
}

#[test]
fn damage_that_happens_while_the_journal_is_open_is_found_by_the_next_reader() {
    let sample = sample();
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (journal, _) = open(directory.path()).unwrap();
    let path = directory.path().join(sample.last_segment());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.pop();
    std::fs::write(&path, bytes).unwrap();
    let error = journal.read_from(9).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::Corrupt);
}

#[test]
fn a_refusal_names_the_file_the_byte_and_what_to_do() {
    let sample = sample();
    let directory = scratch();
    let mut image = sample.image.clone();
    let name = sample.last_segment();
    image.get_mut(&name).unwrap()[HEADER_LEN + 60] ^= 1;
    lay_out(directory.path(), &image);
    let error = open(directory.path()).unwrap_err().to_string();
    let error = error.replace(directory.path().to_str().unwrap(), "DIR");
    assert_eq!(
        error,
        format!(
            "DIR/{name} is damaged at byte 72: a record with a wrong checksum, and later bytes prove that it was \
             durable (at byte {}); nothing was changed; keep a copy of the directory and see docs/journal.md, \
             \"When it refuses\"",
            sample.last_group_offset()
        )
    );
}

#[test]
fn a_person_can_end_history_before_the_damage_in_the_documented_way() {
    let sample = sample();
    let directory = scratch();
    let names = sample.segments();
    for (name, border) in [(&names[0], 2), (&names[1], 6)] {
        let mut image = sample.image.clone();
        let length = sample.image[name].len();
        // In the JSON of the second to last record at the latest: behind it the seal stands.
        image.get_mut(name).unwrap()[length - 300] ^= 1;
        lay_out(directory.path(), &image);
        let (journal, _) = open(directory.path()).unwrap();
        let Err(JournalError::Damaged { path, offset, .. }) = journal.verify(&mut |_, _| ()) else {
            panic!("the damage is not found");
        };
        assert_eq!(path, directory.path().join(name));
        drop(journal);

        image.retain(|other, _| other <= name);
        image.get_mut(name).unwrap().truncate(usize::try_from(offset).unwrap());
        assert_eq!(outcome(&sample, &image, directory.path()), Outcome::Reaches(border), "{name}");
    }
}

#[test]
fn verification_reads_everything_and_tells_how_far_it_is() {
    let sample = sample();
    let directory = scratch();
    lay_out(directory.path(), &sample.image);
    let (journal, _) = open(directory.path()).unwrap();
    let mut calls = Vec::new();
    let report = journal.verify(&mut |done, total| calls.push((done, total))).unwrap();
    let bytes = sample.segments().iter().map(|name| sample.image[name].len() as u64).sum();
    let head = journal.head();
    assert_eq!(report, Report { segments: 3, entries: 11, bytes, first_seq: 1, head });
    assert_eq!(calls, [(bytes, bytes)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_mixture_of_damage_gives_a_refusal_or_whole_groups(
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), 0u8..5, any::<u8>()), 1..5),
        witness in any::<bool>(),
    ) {
        let mut sample = sample();
        if !witness {
            sample = sample.without_witness();
        }
        let names: Vec<_> = sample.image.keys().cloned().collect();
        let mut image = sample.image.clone();
        for (file, place, kind, byte) in changes {
            let bytes = image.get_mut(file.get(&names)).unwrap();
            let place = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.truncate(place),
                1 => bytes.insert(place, byte),
                2 => bytes.extend_from_within(place..),
                3 => drop(bytes.drain(place..(place + usize::from(byte)).min(bytes.len()))),
                _ => bytes.iter_mut().skip(place).take(1).for_each(|changed| *changed = byte),
            }
        }
        outcome(&sample, &image, scratch().path());
    }
}
