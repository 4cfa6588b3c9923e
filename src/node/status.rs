//! How the configuration is: what is live, what the last attempt came to, what is not connected.

use serde_json::Value;

/// The state of the configuration, for `GET /v1/config` and `/readyz`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigStatus {
    /// The live version; `None` before the first.
    pub active: Option<ActiveVersion>,
    /// The last attempt to load the files.
    pub last_attempt: Option<ReloadReport>,
    /// Channels and endpoints that are declared but not connected, with the reasons.
    pub problems: Vec<(String, String)>,
}

/// A configuration version that is or was live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveVersion {
    /// `sha256:` and the digest of the canonical bytes.
    pub version: String,
    /// The git commit that the files were at, where there is one.
    pub commit: Option<String>,
    /// The entry that made it live.
    pub seq: u64,
    /// When.
    pub activated_at_ms: u64,
}

/// What an attempt to load the files came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReloadReport {
    /// When it was made.
    pub at_ms: u64,
    /// How it ended.
    pub result: ReloadResult,
    /// The version that the files have; `None` when they have errors.
    pub version: Option<String>,
    /// Errors and warnings, in the form of `switchboard check --format json`.
    pub diagnostics: Vec<Value>,
    /// Why a configuration without errors was not made live.
    pub reason: Option<String>,
}

/// How an attempt to load the files ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadResult {
    /// The files are live now.
    Activated,
    /// The files say what is live already.
    Unchanged,
    /// The files have errors, or what they say cannot be made live; what was live stays.
    Refused,
}

impl ReloadResult {
    /// The word used in the API and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}
