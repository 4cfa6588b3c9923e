//! The bytes of the files, and nothing else: no file is opened here.
//!
//! Whole numbers are little-endian. Every structure has a CRC32 over all of it but the mark that
//! it begins with and the CRC itself. `docs/journal.md` shows the layout byte by byte.

use crc32fast::Hasher;

use crate::model::entry::EntryHash;

use super::super::{ENTRY_BYTES_MAX, Head};

/// The version of the file format.
pub(super) const FORMAT_VERSION: u32 = 1;

const SEGMENT_MAGIC: [u8; 8] = *b"SWBSEGMT";
const WITNESS_MAGIC: [u8; 8] = *b"SWBDURBL";

/// The first byte of a record or a seal. It occurs in no UTF-8 text, so no client can write
/// something into an entry that looks like the beginning of a record.
pub(super) const MARK_BYTE: u8 = 0xFF;
const RECORD_MARK: [u8; 4] = [MARK_BYTE, b'R', b'E', b'C'];
const SEAL_MARK: [u8; 4] = [MARK_BYTE, b'E', b'N', b'D'];

/// Bytes of a [`Head`].
const HEAD_LEN: usize = 56;
/// Bytes of a segment's header.
pub(super) const HEADER_LEN: usize = 8 + 4 + HEAD_LEN + 4;
/// Bytes before an entry's JSON.
pub(super) const RECORD_HEADER_LEN: usize = 4 + 4 + 4 + 4 + 4 + 8;
/// Bytes of the seal that ends a full segment.
pub(super) const SEAL_LEN: usize = 4 + 4 + 8 + HEAD_LEN;
/// Bytes of the witness file.
pub(super) const WITNESS_LEN: usize = 8 + 4 + 8 + HEAD_LEN + 4;

/// Takes the next `N` bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    take(bytes).map(u64::from_le_bytes)
}

fn take_head(bytes: &mut &[u8]) -> Option<Head> {
    Some(Head {
        seq: take_u64(bytes)?,
        at_ms: take_u64(bytes)?,
        epoch: take_u64(bytes)?,
        hash: EntryHash::from_bytes(take(bytes)?),
    })
}

fn put_head(bytes: &mut Vec<u8>, head: &Head) {
    bytes.extend_from_slice(&head.seq.to_le_bytes());
    bytes.extend_from_slice(&head.at_ms.to_le_bytes());
    bytes.extend_from_slice(&head.epoch.to_le_bytes());
    bytes.extend_from_slice(head.hash.as_bytes());
}

/// Splits off a CRC that stands at the end and compares it.
fn checked_end(bytes: &[u8]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    (u32::from_le_bytes(*crc) == crc32fast::hash(body)).then_some(body)
}

/// What a segment's first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// A header of our version: the position before the segment's first entry.
    Known(Head),
    /// A header of another version.
    Version(u32),
    /// No header.
    Bad,
}

/// The header of a segment that begins after `before`.
pub(super) fn header_bytes(before: &Head) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN);
    bytes.extend_from_slice(&SEGMENT_MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    put_head(&mut bytes, before);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Reads a segment's header.
pub(super) fn read_header(bytes: &[u8; HEADER_LEN]) -> Header {
    let read = || {
        let mut body = checked_end(bytes)?;
        if take(&mut body)? != SEGMENT_MAGIC {
            return None;
        }
        match take_u32(&mut body)? {
            FORMAT_VERSION => take_head(&mut body).map(Header::Known),
            other => Some(Header::Version(other)),
        }
    };
    read().unwrap_or(Header::Bad)
}

/// What stands before an entry's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHeader {
    crc: u32,
    /// Bytes of JSON that follow.
    pub(super) length: usize,
    /// Its place in its group, from 0.
    pub(super) index: u32,
    /// How many records of its group come after it.
    pub(super) remaining: u32,
    /// The entry's number.
    pub(super) seq: u64,
}

impl RecordHeader {
    /// The number of the first entry of the record's group.
    pub(super) const fn group(&self) -> u64 {
        self.seq.saturating_sub(self.index as u64)
    }

    /// Whether header and JSON are what was written.
    pub(super) fn matches(&self, json: &[u8]) -> bool {
        let Ok(length) = u32::try_from(self.length) else { return false };
        json.len() == self.length
            && record_crc(length, self.index, self.remaining, self.seq, json) == self.crc
    }
}

fn record_crc(length: u32, index: u32, remaining: u32, seq: u64, json: &[u8]) -> u32 {
    let mut crc = Hasher::new();
    crc.update(&length.to_le_bytes());
    crc.update(&index.to_le_bytes());
    crc.update(&remaining.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(json);
    crc.finalize()
}

/// Appends one record to a group's bytes. `None` when the JSON is over the limit.
pub(super) fn put_record(
    bytes: &mut Vec<u8>,
    seq: u64,
    index: u32,
    remaining: u32,
    json: &[u8],
) -> Option<()> {
    let length = u32::try_from(json.len()).ok().filter(|_| json.len() <= ENTRY_BYTES_MAX)?;
    bytes.extend_from_slice(&RECORD_MARK);
    bytes.extend_from_slice(&record_crc(length, index, remaining, seq, json).to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&index.to_le_bytes());
    bytes.extend_from_slice(&remaining.to_le_bytes());
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(json);
    Some(())
}

/// Reads what stands before an entry's JSON. The CRC is checked by [`RecordHeader::matches`].
pub(super) fn read_record_header(bytes: &[u8]) -> Option<RecordHeader> {
    let bytes = &mut &*bytes;
    if take(bytes)? != RECORD_MARK {
        return None;
    }
    let crc = take_u32(bytes)?;
    let length = usize::try_from(take_u32(bytes)?).ok().filter(|length| *length <= ENTRY_BYTES_MAX)?;
    Some(RecordHeader {
        crc,
        length,
        index: take_u32(bytes)?,
        remaining: take_u32(bytes)?,
        seq: take_u64(bytes)?,
    })
}

/// The end of a full segment. It lets the next segment be linked to this one without reading all
/// the records between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    /// Where the seal stands: the bytes of the segment before it.
    pub(super) offset: u64,
    /// The position after the segment's last entry.
    pub(super) head: Head,
}

/// The bytes of a seal.
pub(super) fn seal_bytes(seal: &Seal) -> Vec<u8> {
    let mut body = Vec::with_capacity(SEAL_LEN);
    body.extend_from_slice(&seal.offset.to_le_bytes());
    put_head(&mut body, &seal.head);
    let mut bytes = Vec::with_capacity(SEAL_LEN);
    bytes.extend_from_slice(&SEAL_MARK);
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// Reads a seal, with its CRC.
pub(super) fn read_seal(bytes: &[u8]) -> Option<Seal> {
    let (bytes, _) = bytes.split_first_chunk::<SEAL_LEN>()?;
    let bytes = &mut bytes.as_slice();
    if take(bytes)? != SEAL_MARK || take_u32(bytes)? != crc32fast::hash(bytes) {
        return None;
    }
    Some(Seal { offset: take_u64(bytes)?, head: take_head(bytes)? })
}

/// Whether bytes begin like a seal.
pub(super) fn is_seal(bytes: &[u8]) -> bool {
    bytes.starts_with(&SEAL_MARK)
}

/// What is known to have been durable once: a lower bound for what the segments must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Witness {
    /// The first entry of the oldest segment that must be there.
    pub(super) first_seq: u64,
    /// The last entry that a sync confirmed.
    pub(super) head: Head,
}

/// The bytes of the witness file. They lie within one disk sector.
pub(super) fn witness_bytes(witness: &Witness) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(WITNESS_LEN);
    bytes.extend_from_slice(&WITNESS_MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&witness.first_seq.to_le_bytes());
    put_head(&mut bytes, &witness.head);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Reads the witness file.
pub(super) fn read_witness(bytes: &[u8]) -> Option<Witness> {
    let mut body = checked_end(bytes)?;
    if body.len() != WITNESS_LEN - 4
        || take(&mut body)? != WITNESS_MAGIC
        || take_u32(&mut body)? != FORMAT_VERSION
    {
        return None;
    }
    Some(Witness { first_seq: take_u64(&mut body)?, head: take_head(&mut body)? })
}

/// The file name of the segment that begins with an entry: the number in 20 digits, so that names
/// sort like numbers.
pub(super) fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}.journal")
}

/// The first entry of the segment with this file name; `None` for any other file.
pub(super) fn segment_first_seq(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".journal")?;
    let first_seq = digits.parse().ok()?;
    (first_seq > 0 && segment_name(first_seq) == name).then_some(first_seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { seq: 7, hash: EntryHash::from_bytes([9; 32]), at_ms: 5, epoch: 3 };

    #[test]
    fn every_structure_reads_back_and_no_flipped_bit_goes_unseen() {
        let header: [u8; HEADER_LEN] = header_bytes(&HEAD).try_into().unwrap();
        assert_eq!(read_header(&header), Header::Known(HEAD));
        let seal = Seal { offset: 99, head: HEAD };
        let seal_written = seal_bytes(&seal);
        assert_eq!((read_seal(&seal_written), seal_written.len()), (Some(seal), SEAL_LEN));
        let witness = Witness { first_seq: 2, head: HEAD };
        let witness_written = witness_bytes(&witness);
        assert_eq!((read_witness(&witness_written), witness_written.len()), (Some(witness), WITNESS_LEN));
        let mut record = Vec::new();
        put_record(&mut record, 8, 1, 2, b"{}").unwrap();
        let read = read_record_header(&record).unwrap();
        assert!(read.matches(b"{}"));
        assert_eq!((read.seq, read.index, read.remaining, read.group()), (8, 1, 2, 7));

        for bit in 0..8 {
            for at in 0..HEADER_LEN {
                let mut changed = header;
                changed[at] ^= 1 << bit;
                assert_eq!(read_header(&changed), Header::Bad);
            }
            for at in 0..SEAL_LEN {
                let mut changed = seal_written.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(read_seal(&changed), None);
            }
            for at in 0..WITNESS_LEN {
                let mut changed = witness_written.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(read_witness(&changed), None);
            }
            for at in 0..record.len() {
                let mut changed = record.clone();
                changed[at] ^= 1 << bit;
                let json = &changed[RECORD_HEADER_LEN..];
                assert!(!read_record_header(&changed).is_some_and(|header| header.matches(json)));
            }
        }
    }

    #[test]
    fn a_segment_has_exactly_one_name() {
        assert_eq!(segment_name(1), "00000000000000000001.journal");
        assert_eq!(segment_first_seq("00000000000000000001.journal"), Some(1));
        for other in ["1.journal", "00000000000000000000.journal", "0000000000000000000+1.journal", "lock"] {
            assert_eq!(segment_first_seq(other), None, "{other}");
        }
    }

    #[test]
    fn a_header_of_another_version_is_named_as_such() {
        let mut bytes = header_bytes(&HEAD);
        bytes[8] = 2;
        let crc = crc32fast::hash(&bytes[..HEADER_LEN - 4]).to_le_bytes();
        bytes[HEADER_LEN - 4..].copy_from_slice(&crc);
        assert_eq!(read_header(&bytes.try_into().unwrap()), Header::Version(2));
    }
}
