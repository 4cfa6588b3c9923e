//! Reading across segments: streaming from an entry, and the verification of everything.

use super::super::{Entries, Head, Journal, JournalError, Recorded};
use super::segment::{Chain, SegmentReader, Step};
use super::{FileJournal, Report};

/// How many entries lie between two reports of progress.
const PROGRESS_EVERY_ENTRIES: u64 = 4096;

/// See [`super::super::Journal::read_from`].
pub(super) fn read_from(journal: &FileJournal, seq: u64) -> Result<Entries<'_>, JournalError> {
    let (seq, first, head) = (seq.max(1), journal.first_seq(), journal.head.seq);
    if seq < first {
        return Err(JournalError::Purged { wanted: seq, first });
    }
    if seq > head.saturating_add(1) {
        return Err(JournalError::Shorter { wanted: seq, head });
    }
    if seq > head {
        return Ok(Box::new(std::iter::empty()));
    }
    // The last segment that does not begin after the entry.
    let index = journal.segments.partition_point(|first| *first <= seq).saturating_sub(1);
    Ok(Box::new(Walk::new(journal, index, seq)))
}

/// See [`FileJournal::verify`].
pub(super) fn verify(
    journal: &FileJournal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, JournalError> {
    let mut bytes = 0u64;
    for first_seq in &journal.segments {
        let path = journal.segment_path(*first_seq);
        let metadata = std::fs::metadata(&path).map_err(JournalError::io("look at", &path))?;
        bytes = bytes.saturating_add(metadata.len());
    }
    let first_seq = journal.first_seq();
    let mut walk = Walk::new(journal, 0, first_seq);
    let mut entries = 0u64;
    let mut head = None;
    while let Some(recorded) = walk.next() {
        head = Some(recorded?.position());
        entries = entries.saturating_add(1);
        if entries.is_multiple_of(PROGRESS_EVERY_ENTRIES) {
            progress(walk.bytes_done(), bytes);
        }
    }
    progress(bytes, bytes);
    let segments = journal.segments.len() as u64;
    Ok(Report { segments, entries, bytes, first_seq, head: head.unwrap_or(journal.head) })
}

/// The way through the segments.
struct Walk<'a> {
    journal: &'a FileJournal,
    /// The index of the next segment to open.
    next_segment: usize,
    /// The first entry to hand out.
    from: u64,
    open: Option<(SegmentReader, Chain)>,
    /// The position after the last segment read, where one was.
    before: Option<Head>,
    bytes_before: u64,
    ended: bool,
}

impl<'a> Walk<'a> {
    const fn new(journal: &'a FileJournal, segment: usize, from: u64) -> Self {
        Self { journal, next_segment: segment, from, open: None, before: None, bytes_before: 0, ended: false }
    }

    fn bytes_done(&self) -> u64 {
        self.bytes_before.saturating_add(self.open.as_ref().map_or(0, |(reader, _)| reader.offset()))
    }

    /// The next entry that is asked for; `None` at the end of the journal.
    fn advance(&mut self) -> Result<Option<Recorded>, JournalError> {
        loop {
            let is_last = self.is_last();
            let Some((reader, chain)) = self.open.as_mut() else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            let offset = reader.offset();
            let damaged = |reader: &SegmentReader, what: String| {
                Err(JournalError::damaged(reader.path(), offset, what))
            };
            match reader.step()? {
                Step::Record(header) if header.seq < self.from => {
                    let hashed = header.seq.saturating_add(1) == self.from;
                    if let Err(what) = chain.pass(&header, reader.json(), hashed) {
                        return damaged(reader, what);
                    }
                }
                Step::Record(header) => {
                    return match chain.accept(&header, reader.json()) {
                        Ok(recorded) => Ok(Some(recorded)),
                        Err(what) => damaged(reader, what),
                    };
                }
                Step::Seal(seal) => {
                    if let Err(what) = super::recover::check_seal(chain, &seal, offset, reader.length()) {
                        return damaged(reader, what);
                    }
                    self.leave();
                }
                Step::End if is_last && chain.is_whole() && chain.head() == self.journal.head => {
                    self.leave();
                }
                Step::End => return damaged(reader, "the segment ends early".to_owned()),
                Step::Bad(what) => return damaged(reader, what.to_owned()),
            }
        }
    }

    /// Opens the next segment and checks that it continues the one before.
    fn open_next(&mut self) -> Result<bool, JournalError> {
        let Some(first_seq) = self.journal.segments.get(self.next_segment) else { return Ok(false) };
        self.next_segment = self.next_segment.saturating_add(1);
        let path = self.journal.segment_path(*first_seq);
        let length = self.is_last().then_some(self.journal.active.length);
        let mut reader = SegmentReader::open(&path, length)?;
        let before = reader.sound_header()?;
        super::recover::check_link(&path, *first_seq, &before, self.before.as_ref())?;
        self.open = Some((reader, Chain::after(before)));
        Ok(true)
    }

    fn leave(&mut self) {
        if let Some((reader, chain)) = self.open.take() {
            self.bytes_before = self.bytes_before.saturating_add(reader.length());
            self.before = Some(chain.head());
        }
    }

    /// Whether the open segment is the last one.
    fn is_last(&self) -> bool {
        self.next_segment >= self.journal.segments.len()
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Recorded, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
