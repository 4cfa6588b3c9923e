//! What is surely not in the store, answered from memory.
//!
//! Each new message asks first whether it came before, and nearly always it did not. sled would answer
//! that by a walk through its tree, and it lets no reader in while a batch is applied: so without this
//! filter the writer would wait for the store. A Bloom filter of a fixed size answers "surely not" or
//! "perhaps"; only then sled is asked. When it has filled up over the years it says "perhaps" more
//! often: that costs time and is never wrong.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// 2^26 bits, 8 MiB: "perhaps" by mistake in one of 200 questions at five million keys, in one of four at
/// twenty.
const BITS_LOG2: u32 = 26;
/// The bits are made in pieces of 4 KiB when a key first touches them, so a small store has a small filter.
const WORDS_PER_PIECE: usize = 512;
const PIECES: usize = (1 << (BITS_LOG2 - 6)) / WORDS_PER_PIECE;
/// Bits per key.
const PROBES: usize = 4;

/// The keys that may be in the store.
#[derive(Debug)]
pub(super) struct Absence {
    pieces: Vec<OnceLock<Vec<AtomicU64>>>,
    /// Keyed with chance: outsiders, who choose parts of keys, cannot steer it into collisions at will.
    hash: RandomState,
    /// Whether every key of the store has been added.
    complete: AtomicBool,
}

impl Absence {
    /// Knows nothing yet: everything may be there.
    pub(super) fn new() -> Self {
        Self {
            pieces: (0..PIECES).map(|_| OnceLock::new()).collect(),
            hash: RandomState::new(),
            complete: AtomicBool::new(false),
        }
    }

    /// Adds a key. Before the key is written, so that nobody is told that it is not there.
    pub(super) fn add(&self, key: &[u8]) {
        for Place { piece, word, bit } in self.places(key) {
            if let Some(piece) = self.pieces.get(piece) {
                let words = piece.get_or_init(|| (0..WORDS_PER_PIECE).map(|_| AtomicU64::new(0)).collect());
                if let Some(word) = words.get(word) {
                    word.fetch_or(bit, Ordering::Release);
                }
            }
        }
    }

    /// All keys that were in the store when it was opened have been added.
    pub(super) fn complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// Whether a key is surely not in the store.
    pub(super) fn is_absent(&self, key: &[u8]) -> bool {
        self.complete.load(Ordering::Acquire) && self.places(key).into_iter().any(|place| !self.is_set(place))
    }

    fn is_set(&self, Place { piece, word, bit }: Place) -> bool {
        let words = self.pieces.get(piece).and_then(OnceLock::get);
        words.and_then(|words| words.get(word)).is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
    }

    /// The places of all probes: two halves of one hash make them.
    fn places(&self, key: &[u8]) -> [Place; PROBES] {
        let hash = self.hash.hash_one(key);
        let (mut number, step) = (hash, hash.rotate_left(32) | 1);
        [(); PROBES].map(|()| {
            let bit = usize::try_from(number >> (64 - BITS_LOG2)).unwrap_or(0);
            number = number.wrapping_add(step);
            let word = bit / 64;
            Place { piece: word / WORDS_PER_PIECE, word: word % WORDS_PER_PIECE, bit: 1 << (bit % 64) }
        })
    }
}

/// Where one bit is.
#[derive(Debug, Clone, Copy)]
struct Place {
    piece: usize,
    word: usize,
    /// The bit in the word, as a mask.
    bit: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_absent_before_all_keys_are_known() {
        let absence = Absence::new();
        assert!(!absence.is_absent(b"key"));
        absence.complete();
        assert!(absence.is_absent(b"key"));
    }

    #[test]
    fn a_key_that_was_added_is_never_absent() {
        let absence = Absence::new();
        absence.complete();
        for number in 0..10_000u32 {
            absence.add(&number.to_le_bytes());
        }
        assert!((0..10_000u32).all(|number| !absence.is_absent(&number.to_le_bytes())));
        let mistaken = (10_000..20_000u32).filter(|number| !absence.is_absent(&number.to_le_bytes())).count();
        assert!(mistaken < 10, "{mistaken} of 10,000 absent keys are taken for present");
    }
}
