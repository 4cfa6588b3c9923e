//! The files under crash and damage: what an unfinished write leaves is cut, whatever else changed
//! is refused, and nothing wrong is ever handed out.

mod crash;
mod damage;

use std::collections::BTreeMap;
use std::path::Path;

use super::super::contract::{append, group, scratch, text, texts};
use super::*;
use crate::journal::{JournalErrorKind, Recorded};

/// The files of a journal by name.
type Image = BTreeMap<String, Vec<u8>>;

/// Small enough that a few entries fill a segment.
const SETTINGS: Settings = Settings { segment_bytes: 1_600, spare: false };

fn open(directory: &Path) -> Result<(FileJournal, Recovery), JournalError> {
    FileJournal::open(directory, SETTINGS)
}

/// Copies a journal's files out of a directory.
fn image(directory: &Path) -> Image {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// Makes the directory hold exactly these files.
fn lay_out(directory: &Path, image: &Image) {
    for file in std::fs::read_dir(directory).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    for (name, bytes) in image {
        std::fs::write(directory.join(name), bytes).unwrap();
    }
}

/// A journal of several segments, closed, with what is in it.
struct Sample {
    image: Image,
    /// The image as it was before the last group.
    before_last: Image,
    history: Vec<(u64, String)>,
    /// The numbers at which a group ends, 0 among them.
    borders: Vec<u64>,
}

/// Groups of one to three entries, the last of three, in three segments.
fn sample() -> Sample {
    let directory = scratch();
    let (mut journal, _) = open(directory.path()).unwrap();
    let mut borders = vec![0];
    let mut before_last = Image::new();
    for texts in [&["a", "b"][..], &["c"], &["d", "e", "f"], &["g"], &["h"], &["i", "j", "k"]] {
        before_last = image(directory.path());
        append(&mut journal, texts);
        borders.push(journal.head().seq);
    }
    let history = texts(&journal, 1);
    assert_eq!(journal.segments.len(), 3);
    drop(journal);
    Sample { image: image(directory.path()), before_last, history, borders }
}

impl Sample {
    fn segments(&self) -> Vec<String> {
        self.image.keys().filter(|name| name.ends_with(".journal")).cloned().collect()
    }

    fn last_segment(&self) -> String {
        self.segments().pop().unwrap()
    }

    /// Where the last group begins in the last segment.
    fn last_group_offset(&self) -> usize {
        self.before_last[&self.last_segment()].len()
    }

    fn without_witness(mut self) -> Self {
        self.image.remove(witness::WITNESS_NAME).unwrap();
        self
    }

    /// The images as after a power loss that took the witness's last write.
    fn with_lagging_witness(mut self) -> Self {
        let older = self.before_last[witness::WITNESS_NAME].clone();
        self.image.insert(witness::WITNESS_NAME.to_owned(), older);
        self
    }
}

/// What came of opening and fully reading changed files.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Opening or reading named damage.
    Refused,
    /// The entries up to this number, all of them right, and the journal takes more.
    Reaches(u64),
}

/// Opens and reads changed files. Fails on a wrong entry, on half a group, on an untyped refusal.
fn outcome(sample: &Sample, image: &Image, directory: &Path) -> Outcome {
    lay_out(directory, image);
    let mut journal = match open(directory) {
        Ok((journal, _)) => journal,
        Err(error) => {
            assert_eq!(error.kind(), JournalErrorKind::Corrupt, "{error}");
            assert_eq!(&changed_files(directory, image), &[] as &[String], "a refusal changes nothing");
            return Outcome::Refused;
        }
    };
    let mut reached = 0;
    let read = |journal: &FileJournal, reached: &mut u64| {
        for recorded in journal.read_from(journal.first_seq())? {
            let recorded: Recorded = recorded?;
            let at = usize::try_from(recorded.entry.seq).unwrap() - 1;
            assert_eq!(text(&recorded), sample.history[at], "a wrong entry was handed out");
            *reached = recorded.entry.seq;
        }
        Ok::<_, JournalError>(())
    };
    let read = read(&journal, &mut reached);
    let verified = journal.verify(&mut |_, _| ());
    assert_eq!(read.is_ok(), verified.is_ok(), "reading and verifying agree");
    if let Err(error) = read {
        assert_eq!(error.kind(), JournalErrorKind::Corrupt, "{error}");
        return Outcome::Refused;
    }
    assert_eq!(reached, journal.head().seq);
    assert!(sample.borders.contains(&reached), "half a group: {reached}");
    append(&mut journal, &["more"]);
    let head = journal.head();
    drop(journal);
    assert_eq!(open(directory).unwrap().0.head(), head);
    Outcome::Reaches(reached)
}

fn changed_files(directory: &Path, before: &Image) -> Vec<String> {
    let now = image(directory);
    let names = now
        .iter()
        .filter(|(name, bytes)| name.as_str() != "lock" && before.get(name.as_str()) != Some(*bytes));
    names.map(|(name, _)| name.clone()).collect()
}
