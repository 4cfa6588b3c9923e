//! Reading one segment file, record after record, in bounded memory.
//!
//! [`SegmentReader`] sees bytes and checksums; [`Chain`] sees history: numbers, hashes, groups.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use crate::model::entry::EntryHash;

use super::super::encode::decode;
use super::super::{Head, JournalError, Recorded};
use super::format::{
    FORMAT_VERSION, HEADER_LEN, Header, MARK_BYTE, RECORD_HEADER_LEN, RecordHeader, SEAL_LEN, Seal, is_seal,
    read_header, read_record_header, read_seal,
};

/// Bytes read from the file at once: large enough that a rebuild is bound by the processor.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// The header's length as a place in the file.
pub(super) const FIRST_RECORD: u64 = HEADER_LEN as u64;

/// What comes next in a segment.
#[derive(Debug)]
pub(super) enum Step {
    /// A record whose checksum holds; its JSON is in [`SegmentReader::json`].
    Record(RecordHeader),
    /// A seal whose checksum holds.
    Seal(Seal),
    /// The file ends here.
    End,
    /// Neither. The reader stands before it.
    Bad(&'static str),
}

/// Reads the records of one file from its beginning.
#[derive(Debug)]
pub(super) struct SegmentReader {
    file: BufReader<File>,
    path: PathBuf,
    offset: u64,
    length: u64,
    json: Vec<u8>,
}

impl SegmentReader {
    /// Opens a file; the reader stands at its first byte. Bytes at and after `length` do not exist
    /// for it; `None` reads all there are.
    pub(super) fn open(path: &Path, length: Option<u64>) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        let there = file.metadata().map_err(JournalError::io("look at", path))?.len();
        let length = match length {
            Some(length) if length > there => {
                return Err(JournalError::damaged(
                    path,
                    there,
                    format!("the file has shrunk, it had {length} bytes"),
                ));
            }
            Some(length) => length,
            None => there,
        };
        let file = BufReader::with_capacity(READ_BUFFER_BYTES, file);
        Ok(Self { file, path: path.to_owned(), offset: 0, length, json: Vec::new() })
    }

    /// The place of the next record, bytes from the start of the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The length of the file in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The JSON of the record that [`Self::step`] gave last.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Reads the header. `None` when there is none that is whole and unchanged.
    pub(super) fn header(&mut self) -> Result<Option<Head>, JournalError> {
        let mut bytes = [0; HEADER_LEN];
        if !self.fill(&mut bytes)? {
            return Ok(None);
        }
        self.offset = FIRST_RECORD;
        match read_header(&bytes) {
            Header::Known(before) => Ok(Some(before)),
            Header::Version(found) => {
                Err(JournalError::UnknownVersion { path: self.path.clone(), found, known: FORMAT_VERSION })
            }
            Header::Bad => Ok(None),
        }
    }

    /// Reads the header of a segment that must have one.
    pub(super) fn sound_header(&mut self) -> Result<Head, JournalError> {
        match self.header()? {
            Some(before) => Ok(before),
            None => {
                Err(JournalError::damaged(&self.path, 0, "the segment's header is incomplete or changed"))
            }
        }
    }

    /// Reads the seal at the very end of the file, without what lies before. `None` when there is
    /// none. The reader can only be dropped afterwards.
    pub(super) fn seal_at_end(mut self) -> Result<Option<Seal>, JournalError> {
        let Some(offset) = self.length.checked_sub(SEAL_LEN as u64).filter(|offset| *offset >= FIRST_RECORD)
        else {
            return Ok(None);
        };
        self.seek(offset)?;
        let mut bytes = [0; SEAL_LEN];
        self.fill(&mut bytes)?;
        Ok(read_seal(&bytes).filter(|seal| seal.offset == offset))
    }

    /// Reads the next record or seal. After `End` or `Bad` the reader does not move.
    pub(super) fn step(&mut self) -> Result<Step, JournalError> {
        let left = self.length.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Step::End);
        }
        let mut header = [0; RECORD_HEADER_LEN];
        if !self.fill(&mut header)? {
            return Ok(Step::Bad("an incomplete record"));
        }
        if is_seal(&header) {
            let mut bytes = [0; SEAL_LEN];
            let (start, rest) = bytes.split_at_mut(RECORD_HEADER_LEN);
            start.copy_from_slice(&header);
            if left < SEAL_LEN as u64 {
                return Ok(Step::Bad("an incomplete seal"));
            }
            self.read(rest)?;
            return Ok(match read_seal(&bytes) {
                Some(seal) => {
                    self.offset = self.offset.saturating_add(SEAL_LEN as u64);
                    Step::Seal(seal)
                }
                None => Step::Bad("a seal with a wrong checksum"),
            });
        }
        let Some(record) = read_record_header(&header) else {
            return Ok(Step::Bad("no record begins here"));
        };
        let size = (RECORD_HEADER_LEN as u64).saturating_add(record.length as u64);
        if size > left {
            return Ok(Step::Bad("a record that is longer than the file"));
        }
        self.json.resize(record.length, 0);
        let path = &self.path;
        self.file.read_exact(&mut self.json).map_err(JournalError::io("read", path))?;
        if !record.matches(&self.json) {
            return Ok(Step::Bad("a record with a wrong checksum"));
        }
        self.offset = self.offset.saturating_add(size);
        Ok(Step::Record(record))
    }

    /// Looks behind a bad place for proof that it was durable once: a whole record of a later
    /// group, or the segment's seal. Both are only written once everything before them is synced, whereas the
    /// disk may well keep later parts of one unfinished group and lose earlier ones. `torn` is the
    /// first entry of the group that the bad place belongs to. Answers where the proof stands.
    pub(super) fn later_proof(mut self, torn: u64) -> Result<Option<u64>, JournalError> {
        let mut at = self.offset.saturating_add(1);
        while at < self.length {
            self.seek(at)?;
            let skipped =
                self.file.skip_until(MARK_BYTE).map_err(JournalError::io("read", &self.path))? as u64;
            at = at.saturating_add(skipped.saturating_sub(1));
            self.seek(at)?;
            match self.step()? {
                Step::Record(record) if record.group() > torn => return Ok(Some(at)),
                Step::Seal(seal) if seal.offset == at && seal.head.seq >= torn => return Ok(Some(at)),
                // Of the same group; or older, from a block that the file system had used before.
                Step::Record(_) | Step::Seal(_) => at = self.offset,
                Step::Bad(_) | Step::End => at = at.saturating_add(1),
            }
        }
        Ok(None)
    }

    /// Whether there are only zeros from the reader's place on, up to the end of the file. The reader stays there.
    pub(super) fn is_empty_from_here(&mut self) -> Result<bool, JournalError> {
        let begin = self.offset;
        self.seek(begin)?;
        let mut left = self.length.saturating_sub(begin);
        while left > 0 {
            let read = self.file.fill_buf().map_err(JournalError::io("read", &self.path))?;
            let count = read.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if count == 0 || read.iter().take(count).any(|byte| *byte != 0) {
                break;
            }
            self.file.consume(count);
            left = left.saturating_sub(count as u64);
        }
        self.seek(begin)?;
        Ok(left == 0)
    }

    fn seek(&mut self, offset: u64) -> Result<(), JournalError> {
        // Relative, so that the buffer is kept for a short way.
        let position = self.file.stream_position().map_err(JournalError::io("read", &self.path))?;
        let way = i64::try_from(i128::from(offset) - i128::from(position)).unwrap_or(i64::MAX);
        self.file.seek_relative(way).map_err(JournalError::io("read", &self.path))?;
        self.offset = offset;
        Ok(())
    }

    /// Reads bytes if the file has that many left. Does not move [`Self::offset`].
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, JournalError> {
        if self.length.saturating_sub(self.offset) < bytes.len() as u64 {
            return Ok(false);
        }
        self.read(bytes).map(|()| true)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), JournalError> {
        self.file.read_exact(bytes).map_err(JournalError::io("read", &self.path))
    }
}

/// Follows history through records: each must be the true successor of the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    head: Head,
    /// The last record's place in its group and how many of the group are due.
    group: Option<(u32, u32)>,
}

impl Chain {
    /// Begins after an entry.
    pub(super) const fn after(head: Head) -> Self {
        Self { head, group: None }
    }

    /// The last entry.
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// Whether the last record ended its group.
    pub(super) const fn is_whole(&self) -> bool {
        self.group.is_none()
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// What is wrong with it. Its checksum holds, so it was never torn: this is always damage.
    pub(super) fn accept(&mut self, header: &RecordHeader, json: &[u8]) -> Result<Recorded, String> {
        self.follow(header)?;
        let recorded = decode(json, &self.head).map_err(|error| error.to_string())?;
        self.head = recorded.position();
        Ok(recorded)
    }

    /// Passes over a record that is not asked for; `json` is only hashed, and only if it is the
    /// predecessor of the first that is (`hashed`).
    pub(super) fn pass(&mut self, header: &RecordHeader, json: &[u8], hashed: bool) -> Result<(), String> {
        self.follow(header)?;
        self.head.seq = header.seq;
        if hashed {
            self.head.hash = EntryHash::of(json);
        }
        Ok(())
    }

    fn follow(&mut self, header: &RecordHeader) -> Result<(), String> {
        let due = self.head.seq.saturating_add(1);
        if header.seq != due {
            return Err(format!("the record of entry {} stands where entry {due} is due", header.seq));
        }
        let fits = match self.group {
            None => header.index == 0,
            Some((index, remaining)) => {
                index.checked_add(1) == Some(header.index)
                    && remaining.checked_sub(1) == Some(header.remaining)
            }
        };
        if !fits {
            return Err(format!("the record of entry {due} does not continue its group"));
        }
        self.group = (header.remaining > 0).then_some((header.index, header.remaining));
        Ok(())
    }
}
