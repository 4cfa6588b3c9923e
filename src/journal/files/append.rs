//! Writing: groups, the next segment, purge.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::super::encode::check_group;
use super::super::{ENTRY_BYTES_MAX, GROUP_BYTES_MAX, Head, JournalError, SealedEntry};
use super::format::{Seal, Witness, header_bytes, put_record, seal_bytes, segment_name};
use super::segment::FIRST_RECORD;
use super::{Active, FileJournal};

/// A buffer that a large group has made larger than this is given back, bytes.
const BUFFER_KEPT_BYTES: usize = 1024 * 1024;

/// The next segment is prepared once this one is filled to this part: a small installation that never gets
/// so far does not pay with its disk, and a busy one has it in time.
const SPARE_FROM: u64 = 8;

/// See [`super::super::Journal::append`].
pub(super) fn append(
    journal: &mut FileJournal,
    expected: u64,
    entries: &[SealedEntry],
) -> Result<(), JournalError> {
    if journal.poisoned {
        return Err(JournalError::Poisoned);
    }
    if expected != journal.head.seq {
        return Err(JournalError::Conflict { expected, head: journal.head.seq });
    }
    let head = check_group(journal.head, entries, GROUP_BYTES_MAX)?;
    if entries.is_empty() {
        return Ok(());
    }
    let mut buffer = std::mem::take(&mut journal.buffer);
    buffer.clear();
    encode_group(&mut buffer, entries)?;

    // From here on a failure leaves the files in an unknown state.
    let written = write_group(journal, &buffer, head);
    journal.poisoned = written.is_err();
    buffer.shrink_to(BUFFER_KEPT_BYTES);
    journal.buffer = buffer;
    written
}

fn encode_group(buffer: &mut Vec<u8>, entries: &[SealedEntry]) -> Result<(), JournalError> {
    let too_large = |bytes| JournalError::TooLarge { bytes, limit: ENTRY_BYTES_MAX };
    let mut remaining = u32::try_from(entries.len()).map_err(|_| too_large(entries.len()))?;
    for (index, entry) in (0u32..).zip(entries) {
        remaining = remaining.saturating_sub(1);
        let put = put_record(buffer, entry.seq(), index, remaining, entry.bytes());
        put.ok_or_else(|| too_large(entry.bytes().len()))?;
    }
    Ok(())
}

fn write_group(journal: &mut FileJournal, bytes: &[u8], head: Head) -> Result<(), JournalError> {
    let length = journal.active.length.saturating_add(bytes.len() as u64);
    if length > journal.settings.segment_bytes && journal.active.length > FIRST_RECORD {
        rotate(journal)?;
    } else if journal.settings.spare && length > journal.settings.segment_bytes / SPARE_FROM {
        journal.spare.prepare();
    }
    let active = &mut journal.active;
    // One write for the group, and no second one before it is synced: recovery relies on it.
    active.file.write_all(bytes).map_err(JournalError::io("write to", &active.path))?;
    active.file.sync_data().map_err(JournalError::io("sync", &active.path))?;
    active.length = active.length.saturating_add(bytes.len() as u64);
    let first_seq = journal.segments.first().copied().unwrap_or(1);
    journal.witness.note(&Witness { first_seq, head })?;
    journal.head = head;
    Ok(())
}

/// Seals the last segment and begins the next one.
fn rotate(journal: &mut FileJournal) -> Result<(), JournalError> {
    let active = &mut journal.active;
    // The zeros behind history first: a seal is the end of its file at any moment.
    active.file.set_len(active.length).map_err(JournalError::io("cut", &active.path))?;
    let seal = seal_bytes(&Seal { offset: active.length, head: journal.head });
    active.file.write_all(&seal).map_err(JournalError::io("write to", &active.path))?;
    active.file.sync_data().map_err(JournalError::io("sync", &active.path))?;
    journal.active = match journal.spare.take() {
        Some((file, spare)) => use_spare(file, &spare, &journal.directory, &journal.head)?,
        None => create_segment(&journal.directory, &journal.head)?,
    };
    journal.segments.push(journal.head.seq.saturating_add(1));
    Ok(())
}

/// Makes the segment after `before`, durable with its name before any entry goes into it.
pub(super) fn create_segment(directory: &Path, before: &Head) -> Result<Active, JournalError> {
    let path = directory.join(segment_name(before.seq.saturating_add(1)));
    let mut options = OpenOptions::new();
    let file = options.create_new(true).read(true).write(true).open(&path);
    let mut file = file.map_err(JournalError::io("create", &path))?;
    file.write_all(&header_bytes(before)).map_err(JournalError::io("write to", &path))?;
    file.sync_all().map_err(JournalError::io("sync", &path))?;
    sync_directory(directory)?;
    Ok(Active { file, path, length: FIRST_RECORD })
}

/// Makes the prepared file the segment after `before`. Its header is durable before it gets the name.
fn use_spare(mut file: File, spare: &Path, directory: &Path, before: &Head) -> Result<Active, JournalError> {
    let path = directory.join(segment_name(before.seq.saturating_add(1)));
    file.write_all(&header_bytes(before)).map_err(JournalError::io("write to", spare))?;
    file.sync_data().map_err(JournalError::io("sync", spare))?;
    std::fs::rename(spare, &path).map_err(JournalError::io("create", &path))?;
    sync_directory(directory)?;
    Ok(Active { file, path, length: FIRST_RECORD })
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), JournalError> {
    let opened = File::open(directory).map_err(JournalError::io("open", directory))?;
    opened.sync_all().map_err(JournalError::io("sync", directory))
}

/// See [`super::super::Journal::purge`]: drops the segments whose entries are all older.
pub(super) fn purge(journal: &mut FileJournal, before: u64) -> Result<u64, JournalError> {
    if journal.poisoned {
        return Err(JournalError::Poisoned);
    }
    // A segment is droppable when its successor begins at or before the limit.
    let old = journal.segments.iter().skip(1).take_while(|next| **next <= before).count();
    let Some(first_seq) = journal.segments.get(old).copied().filter(|_| old > 0) else {
        return Ok(journal.segments.first().copied().unwrap_or(1));
    };
    // The witness first: a crash in between leaves more than is needed, never less.
    journal.witness.note_durably(&Witness { first_seq, head: journal.head })?;
    // Oldest first, so that what is left has no gap at any moment.
    while journal.segments.first().is_some_and(|segment| *segment < first_seq) {
        let path: PathBuf = journal.segment_path(journal.segments.first().copied().unwrap_or(1));
        std::fs::remove_file(&path).map_err(JournalError::io("remove", &path))?;
        journal.segments.remove(0);
    }
    sync_directory(&journal.directory)?;
    Ok(first_seq)
}
