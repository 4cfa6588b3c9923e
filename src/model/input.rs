//! Everything that can change the state of the daemon.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::command::Command;
use super::effect::Attempt;
use super::id::EffectId;
use super::inbound::Inbound;

/// What an entry carries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A configuration became the live one.
    ConfigActivated(ConfigActivated),
    /// A node opened the journal: what an earlier epoch left in flight is uncertain now.
    NodeStarted,
    /// Time passed: every timer due at the entry's time fires.
    Tick,
    /// A messenger told us something.
    Inbound(Inbound),
    /// A person or an integration wants something.
    Command(Command),
    /// A worker begins an attempt on an effect.
    EffectClaimed {
        /// Which effect.
        effect: EffectId,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// An attempt ended.
    EffectResult {
        /// Which effect.
        effect: EffectId,
        /// The attempt that was claimed.
        attempt: u32,
        /// How it ended.
        result: Attempt,
    },
}

/// A validated configuration in its canonical form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfigActivated {
    /// `sha256:` and the hex digest of the canonical bytes.
    pub version: String,
    /// The git commit that the files were at, where there is one.
    pub commit: Option<String>,
    /// The canonical JSON of [`super::config::Config`]. Secrets are references there, never values.
    pub config: Box<RawValue>,
}

impl PartialEq for Input {
    /// Inputs are equal when their journal form is: a raw configuration has no other equality.
    fn eq(&self, other: &Self) -> bool {
        match (serde_json::to_string(self), serde_json::to_string(other)) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            _ => false,
        }
    }
}
