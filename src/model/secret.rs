//! Where a secret is to be found. The value itself is never part of the model.

use serde::{Deserialize, Serialize};

/// A typed reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The contents of this file, without a trailing line break.
    File(String),
    /// It was written into the configuration in plain text (a warning). Only its SHA-256 is kept, so
    /// that a change of it is a change of the configuration.
    Literal {
        /// Hexadecimal SHA-256 of the value.
        sha256: String,
    },
}
