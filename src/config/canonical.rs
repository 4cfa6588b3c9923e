//! The bytes of a configuration that go into the journal, and the version that names them.

use sha2::{Digest as _, Sha256};

use crate::model::config::Config;
use crate::model::hexadecimal;

/// The canonical form of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// JSON with all maps in the order of their keys. Holds references to secrets, never values.
    pub bytes: Vec<u8>,
    /// `sha256:` and the hexadecimal SHA-256 of `bytes`.
    pub version: String,
}

/// The canonical form: equal configurations have equal bytes, whatever the files looked like.
///
/// # Errors
/// When the configuration cannot be written as JSON, which is a fault of ours.
pub fn canonical(config: &Config) -> Result<Canonical, serde_json::Error> {
    let bytes = serde_json::to_vec(config)?;
    let version = format!("sha256:{}", hexadecimal::encode(&Sha256::digest(&bytes)));
    Ok(Canonical { bytes, version })
}
