//! Opening: find the end of history, cut what was never finished, refuse what was damaged.
//!
//! The rule for the last segment. A group is written with one write and synced before anything is
//! written after it. So when a place is bad, its group may be unfinished only if no later group and
//! no seal stands anywhere behind it, and if the witness does not name it as durable. Then the
//! group is cut as a whole. In every other case the bytes were durable once: that is damage. Nothing but zeros
//! behind a whole group is what the file was prepared with.
//!
//! What cannot be told: a group at the very end that was synced, is not yet named by the witness
//! (whose own write was lost with the power) and was damaged later looks like an unfinished one.
//! The store's position is the third opinion: [`super::super::Journal::verify_contains`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::super::{Head, JournalError};
use super::append::{create_segment, sync_directory};
use super::format::{Seal, Witness, segment_first_seq, segment_name};
use super::segment::{Chain, FIRST_RECORD, SegmentReader, Step};
use super::spare::Spare;
use super::witness::{self, WitnessFile};
use super::{Active, CutTail, FileJournal, Recovery, Settings, WitnessFound};

/// The name of the lock file. It is empty and stays when the daemon ends.
const LOCK_NAME: &str = "lock";

/// How many bytes are written again at once.
const REWRITE_CHUNK_BYTES: usize = 1024 * 1024;

/// See [`FileJournal::open`].
pub(super) fn open(directory: &Path, settings: Settings) -> Result<(FileJournal, Recovery), JournalError> {
    make_directory(directory)?;
    let lock = lock(directory)?;
    let segments = list(directory)?;
    let (witness, mut found) = witness::read(directory)?;
    check_first(directory, &segments, witness.as_ref())?;
    if segments.is_empty() {
        found = WitnessFound::New;
    }

    let before = check_sealed(directory, &segments)?;
    let last = LastSegment::examine(directory, &segments, before, witness.as_ref())?;
    let recovery = Recovery { cut: last.cut(), witness: found };
    let (head, active, begins) = last.make_sound(directory)?;
    let mut segments = segments;
    if segments.last() != Some(&begins) {
        segments.push(begins);
    }
    let mut witness = WitnessFile::open(directory)?;
    witness.note_durably(&Witness { first_seq: segments.first().copied().unwrap_or(1), head })?;
    let spare = Spare::new(directory, settings.segment_bytes)?;
    sync_directory(directory)?;
    let directory = directory.to_owned();
    let journal = FileJournal {
        directory,
        settings,
        _lock: lock,
        segments,
        active,
        spare,
        witness,
        head,
        poisoned: false,
        buffer: Vec::new(),
    };
    Ok((journal, recovery))
}

/// Makes the directory, for the daemon's user alone: entries carry what clients write. Its name is
/// durable only once the directory above is synced.
fn make_directory(directory: &Path) -> Result<(), JournalError> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or_else(|| Path::new("."));
    make_directory(above)?;
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(JournalError::io("create", directory))?;
    sync_directory(above)
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(LOCK_NAME);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(JournalError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock", &path)(error)),
    }
}

/// The segments in order. Other files in the directory are not ours and not touched.
fn list(directory: &Path) -> Result<Vec<u64>, JournalError> {
    let mut segments = Vec::new();
    for file in std::fs::read_dir(directory).map_err(JournalError::io("list", directory))? {
        let file = file.map_err(JournalError::io("list", directory))?;
        segments.extend(file.file_name().to_str().and_then(segment_first_seq));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Checks that the oldest segment is there.
fn check_first(directory: &Path, segments: &[u64], witness: Option<&Witness>) -> Result<(), JournalError> {
    let Some(witness) = witness else { return Ok(()) };
    let first = segments.first().copied();
    if first.is_some_and(|first| first <= witness.first_seq) || (first.is_none() && witness.head.seq == 0) {
        return Ok(());
    }
    let path = directory.join(segment_name(witness.first_seq));
    Err(JournalError::damaged(&path, 0, "the file is missing"))
}

/// Checks that a segment's header fits its name and the position after the segment before.
pub(super) fn check_link(
    path: &Path,
    first_seq: u64,
    header: &Head,
    before: Option<&Head>,
) -> Result<(), JournalError> {
    let begins = header.seq.saturating_add(1);
    if begins != first_seq {
        let what = format!("the header belongs to the segment {}", segment_name(begins));
        return Err(JournalError::damaged(path, 0, what));
    }
    match before {
        Some(before) if before.seq != header.seq => {
            let what =
                format!("it begins with entry {begins}, but the segment before ends with {}", before.seq);
            Err(JournalError::damaged(path, 0, what))
        }
        Some(before) if before != header => {
            Err(JournalError::damaged(path, 0, "it does not continue the segment before it"))
        }
        None if header.seq == 0 && *header != Head::EMPTY => {
            Err(JournalError::damaged(path, 0, "the first segment names a predecessor"))
        }
        _ => Ok(()),
    }
}

/// Checks that a seal says what stands before it and is the last thing in its file.
pub(super) fn check_seal(chain: &Chain, seal: &Seal, offset: u64, length: u64) -> Result<(), String> {
    let end = offset.saturating_add(super::format::SEAL_LEN as u64);
    if !chain.is_whole() || seal.offset != offset || seal.head.seq != chain.head().seq {
        Err("the seal does not fit what stands before it".to_owned())
    } else if seal.head.hash != chain.head().hash {
        Err("the seal names another last entry".to_owned())
    } else if end != length {
        Err("there is something after the seal".to_owned())
    } else {
        Ok(())
    }
}

/// Checks the links of all segments but the last, by header and seal alone. Answers the position
/// before the last one; `None` when that is the only one.
fn check_sealed(directory: &Path, segments: &[u64]) -> Result<Option<Head>, JournalError> {
    let mut before = None;
    let Some((_, sealed)) = segments.split_last() else { return Ok(None) };
    for first_seq in sealed {
        let path = directory.join(segment_name(*first_seq));
        let mut reader = SegmentReader::open(&path, None)?;
        let header = reader.sound_header()?;
        check_link(&path, *first_seq, &header, before.as_ref())?;
        let length = reader.length();
        match reader.seal_at_end()? {
            Some(seal) if seal.head.seq > header.seq => before = Some(seal.head),
            Some(seal) => {
                return Err(JournalError::damaged(&path, seal.offset, "the seal belongs to another segment"));
            }
            None => {
                let what = "the segment ends early: it has no seal, although a later segment exists";
                return Err(JournalError::damaged(&path, length, what));
            }
        }
    }
    Ok(before)
}

/// What was found in the last segment. Nothing is changed on disk before all of it is known.
struct LastSegment {
    path: PathBuf,
    state: LastState,
    /// The position at the end of what is whole.
    head: Head,
    /// The length of what is whole, bytes.
    end: u64,
    /// The length of the file, bytes.
    length: u64,
    /// What stands at `end`, when there is more.
    torn: Option<&'static str>,
    /// From where on the witness does not vouch for the bytes.
    unconfirmed: u64,
}

enum LastState {
    /// There is no usable file; the next segment has to be made.
    Absent,
    /// It takes more entries.
    Open,
    /// It is full; the next segment has to be made.
    Sealed,
}

impl LastSegment {
    fn examine(
        directory: &Path,
        segments: &[u64],
        before: Option<Head>,
        witness: Option<&Witness>,
    ) -> Result<Self, JournalError> {
        let first_seq = segments.last().copied().unwrap_or(1);
        let path = directory.join(segment_name(first_seq));
        let last = if segments.is_empty() {
            Self::absent(path, Head::EMPTY, 0)
        } else {
            let mut reader = SegmentReader::open(&path, None)?;
            match reader.header()? {
                Some(header) => {
                    check_link(&path, first_seq, &header, before.as_ref())?;
                    Self::scan(reader, header, witness)?
                }
                None => {
                    // Entries go in only after the header is durable, so that a file of at most
                    // this length holds none; and it must be the one that is due.
                    let due = before.or((first_seq == 1).then_some(Head::EMPTY));
                    let due = due.filter(|due| due.seq.saturating_add(1) == first_seq);
                    match due {
                        Some(due) if reader.length() <= FIRST_RECORD => {
                            Self::absent(path, due, reader.length())
                        }
                        _ => {
                            let what = "the segment's header is incomplete or changed";
                            return Err(JournalError::damaged(&path, 0, what));
                        }
                    }
                }
            }
        };
        last.check_witness(witness)?;
        Ok(last)
    }

    fn absent(path: PathBuf, head: Head, length: u64) -> Self {
        let torn = (length > 0).then_some("an incomplete header");
        Self { path, state: LastState::Absent, head, end: 0, length, torn, unconfirmed: 0 }
    }

    /// Reads all records up to the end of what is whole.
    fn scan(
        mut reader: SegmentReader,
        header: Head,
        witness: Option<&Witness>,
    ) -> Result<Self, JournalError> {
        let mut chain = Chain::after(header);
        let mut last = Self {
            path: reader.path().to_owned(),
            state: LastState::Open,
            head: header,
            end: FIRST_RECORD,
            length: reader.length(),
            torn: None,
            unconfirmed: 0,
        };
        let confirmed = witness.map_or(0, |witness| witness.head.seq);
        loop {
            let offset = reader.offset();
            let damaged = |what: String| Err(JournalError::damaged(&last.path, offset, what));
            match reader.step()? {
                Step::Record(record) => {
                    if let Err(what) = chain.accept(&record, reader.json()) {
                        return damaged(what);
                    }
                    if witness.is_some_and(|w| w.head.seq == record.seq && w.head != chain.head()) {
                        return damaged(format!("entry {} is not the one that was durable", record.seq));
                    }
                    if chain.is_whole() {
                        (last.head, last.end) = (chain.head(), reader.offset());
                        if last.head.seq <= confirmed {
                            last.unconfirmed = last.end;
                        }
                    }
                }
                Step::Seal(seal) => {
                    if let Err(what) = check_seal(&chain, &seal, offset, last.length) {
                        return damaged(what);
                    }
                    (last.state, last.end) = (LastState::Sealed, last.length);
                    return Ok(last);
                }
                Step::End => {
                    last.torn = (!chain.is_whole()).then_some("an incomplete group");
                    return Ok(last);
                }
                // What was prepared for entries that have not come.
                Step::Bad(_) if chain.is_whole() && reader.is_empty_from_here()? => return Ok(last),
                Step::Bad(what) => {
                    return match reader.later_proof(last.head.seq.saturating_add(1))? {
                        None => {
                            last.torn = Some(what);
                            Ok(last)
                        }
                        Some(proof) => damaged(format!(
                            "{what}, and later bytes prove that it was durable (at byte {proof})"
                        )),
                    };
                }
            }
        }
    }

    /// Checks that nothing is lost that was durable.
    fn check_witness(&self, witness: Option<&Witness>) -> Result<(), JournalError> {
        match witness {
            Some(witness) if witness.head.seq > self.head.seq => {
                let what = format!(
                    "{}; the journal ends here with entry {}, but entry {} was durable",
                    self.torn.unwrap_or("nothing follows"),
                    self.head.seq,
                    witness.head.seq
                );
                Err(JournalError::damaged(&self.path, self.end, what))
            }
            Some(witness) if witness.head.seq == self.head.seq && witness.head != self.head => {
                let what = format!("entry {} is not the one that was durable", self.head.seq);
                Err(JournalError::damaged(&self.path, self.end, what))
            }
            _ => Ok(()),
        }
    }

    fn cut(&self) -> Option<CutTail> {
        let bytes = self.length.saturating_sub(self.end);
        self.torn.map(|what| CutTail { path: self.path.clone(), offset: self.end, bytes, what })
    }

    /// Cuts the tail and makes durable what is left. Answers the head, the segment to write to and
    /// its first entry.
    fn make_sound(self, directory: &Path) -> Result<(Head, Active, u64), JournalError> {
        let begins = self.head.seq.saturating_add(1);
        if matches!(self.state, LastState::Absent) {
            match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(JournalError::io("remove", &self.path)(error));
                }
                _ => {}
            }
            return Ok((self.head, create_segment(directory, &self.head)?, begins));
        }
        let path = &self.path;
        let file = OpenOptions::new().read(true).write(true).open(path);
        let mut file = file.map_err(JournalError::io("open", path))?;
        if self.end < self.length {
            file.set_len(self.end).map_err(JournalError::io("cut", path))?;
        }
        rewrite(&mut file, self.unconfirmed, self.end).map_err(JournalError::io("write to", path))?;
        file.sync_all().map_err(JournalError::io("sync", path))?;
        if matches!(self.state, LastState::Sealed) {
            return Ok((self.head, create_segment(directory, &self.head)?, begins));
        }
        let first_seq = path.file_name().and_then(|name| name.to_str()).and_then(segment_first_seq);
        let active = Active { file, path: self.path, length: self.end };
        Ok((self.head, active, first_seq.unwrap_or(begins)))
    }
}

/// Writes bytes again as they are and leaves the file at their end.
///
/// After a failed sync the system may hold bytes in memory that it will never write again but
/// still shows to readers, and a second sync then succeeds. Writing them once more makes it write
/// them. Only what the witness does not vouch for can be in that state.
fn rewrite(file: &mut File, from: u64, to: u64) -> std::io::Result<()> {
    let mut chunk = vec![0; REWRITE_CHUNK_BYTES];
    let mut at = from;
    while at < to {
        let size = usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX).min(REWRITE_CHUNK_BYTES);
        let (part, _) = chunk.split_at_mut_checked(size).unwrap_or_default();
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(part)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(part)?;
        at = at.saturating_add(size as u64);
    }
    file.seek(SeekFrom::Start(to)).map(|_| ())
}
