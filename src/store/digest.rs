//! One digest over everything in a store, to compare a live store with a rebuilt one.

use sha2::{Digest, Sha256};

use super::error::{StoreError, hexadecimal};
use super::handle::Store;
use super::key_value::Order;
use super::keys::KeyRange;

/// SHA-256 over the lengths and bytes of all keys and values, in key order.
pub(super) fn digest(store: &Store) -> Result<String, StoreError> {
    let everything = KeyRange { start: Vec::new(), end: vec![u8::MAX] };
    let mut hash = Sha256::new();
    for pair in store.scan(everything, Order::Ascending) {
        let (key, value) = pair?;
        for part in [key, value] {
            // A length is at most 64 bits wide on every machine that Rust knows.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(&part);
        }
    }
    Ok(hexadecimal(&hash.finalize()))
}
