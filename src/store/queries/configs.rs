//! Configurations that were live.

use crate::engine::rows::ActiveConfig;
use crate::store::StoreError;
use crate::store::handle::{Store, decode};
use crate::store::key_value::Order;
use crate::store::keys;
use crate::store::rows::ConfigRow;

use super::page::LIMIT_MAX;

/// A configuration, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSummary {
    /// The entry that made it live.
    pub seq: u64,
    /// When, in ms.
    pub at_ms: u64,
    /// `sha256:` and the digest of its canonical text.
    pub version: String,
    /// The git commit that the files were at, where there is one.
    pub commit: Option<String>,
}

/// The configurations that were live, newest first; at most `limit`.
pub fn history(store: &Store, limit: usize) -> Result<Vec<ConfigSummary>, StoreError> {
    store
        .scan(keys::configs(), Order::Descending)
        .take(limit.min(LIMIT_MAX))
        .map(|pair| {
            let (key, value) = pair?;
            let ConfigRow { seq, at_ms, version, commit, pieces: _ } = decode(&key, &value)?;
            Ok(ConfigSummary { seq, at_ms, version, commit })
        })
        .collect()
}

/// The live configuration; `None` on an empty store.
pub fn newest(store: &Store) -> Result<Option<ActiveConfig>, StoreError> {
    let newest = store.scan(keys::configs(), Order::Descending).in_bites_of(1).next().transpose()?;
    newest.map(|(key, value)| with_text(store, decode(&key, &value)?)).transpose()
}

/// The configuration of a version, as it was made live last; `None`: it never was.
pub fn of_version(store: &Store, version: &str) -> Result<Option<ActiveConfig>, StoreError> {
    for pair in store.scan(keys::configs(), Order::Descending).take(LIMIT_MAX) {
        let (key, value) = pair?;
        let row: ConfigRow = decode(&key, &value)?;
        if row.version == version {
            return with_text(store, row).map(Some);
        }
    }
    Ok(None)
}

fn with_text(store: &Store, row: ConfigRow) -> Result<ActiveConfig, StoreError> {
    let pieces: Vec<String> = store.rows(keys::config_pieces(row.seq))?;
    if u32::try_from(pieces.len()) != Ok(row.pieces) {
        return Err(StoreError::damaged(&keys::config(row.seq), "pieces of its text are missing"));
    }
    Ok(row.with_text(pieces.concat()))
}
