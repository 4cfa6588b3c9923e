//! The whole configuration, linked and immutable: what the engine and the daemon work with.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::channel::Channel;
use super::id::{CalendarId, ChannelId, EndpointId, LineId, OperatorId, RoleId, TeamId, TemplateId};
use super::line::{Line, Member};
use super::operator::{Operator, Team};
use super::role::{Role, Token};
use super::rule::Rule;
use super::secret::SecretRef;
use super::template::Template;

/// Everything that the YAML files say, after all references were checked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Config {
    /// The daemon itself.
    pub daemon: Daemon,
    /// Working hours.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// Open lines.
    pub lines: BTreeMap<LineId, Line>,
    /// Channel bindings.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// The messenger's own number of the account that each channel id belongs to, as far as it is known; ids that
    /// are not declared any more are kept. No file says this: it is learnt when a channel is connected, and kept
    /// so that an id never comes to stand for another account. Not a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<ChannelId, String>,
    /// Operators.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// Teams.
    pub teams: BTreeMap<TeamId, Team>,
    /// Roles, including the built-in ones.
    pub roles: BTreeMap<RoleId, Role>,
    /// API tokens.
    pub tokens: Vec<Token>,
    /// Ready texts.
    pub templates: BTreeMap<TemplateId, Template>,
    /// Rules, in the order in which they act: priority, then file name and place.
    pub rules: Vec<Rule>,
}

/// The daemon's own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Daemon {
    /// Where the API listens.
    pub listen: String,
    /// Where metrics listen; `None`: on the port of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<String>,
    /// Where clients and messengers reach it, without a slash at the end; `None`: unknown.
    pub public_url: Option<String>,
    /// Where journal and store are; relative to the configuration folder.
    pub data_dir: String,
    /// Where notifications and events go.
    pub endpoints: BTreeMap<EndpointId, Endpoint>,
    /// Private networks that requests may go to, in CIDR form.
    pub allow_private: Vec<String>,
    /// Files of clients and operators.
    #[serde(default, skip_serializing_if = "Attachments::is_default")]
    pub attachments: Attachments,
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            listen: Self::LISTEN.to_owned(),
            metrics_listen: None,
            public_url: None,
            data_dir: Self::DATA_DIR.to_owned(),
            endpoints: BTreeMap::new(),
            allow_private: Vec::new(),
            attachments: Attachments::default(),
        }
    }
}

impl Daemon {
    /// Where the API listens when nothing is said.
    pub const LISTEN: &'static str = "127.0.0.1:8080";
    /// Where the data is when nothing is said.
    pub const DATA_DIR: &'static str = "./data";
}

/// What holds of files that clients and operators send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachments {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The media types that are taken: `image/png`, or `image/*` for a whole family; empty: all.
    pub types: Vec<String>,
    /// How long the content of a file is kept, in ms.
    pub retention_ms: u64,
}

impl Attachments {
    /// The largest file when nothing is said, in bytes: what most messengers take.
    pub const MAX_BYTES: u64 = 20 << 20;
    /// The largest limit that can be set, in bytes: a file passes through the memory on its way.
    pub const MAX_BYTES_MAX: u64 = 100 << 20;
    /// How long content is kept when nothing is said: a year.
    pub const RETENTION_MS: u64 = 365 * 24 * 60 * 60 * 1000;

    /// Whether nothing was said: then nothing is written, as before there was anything to say.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether files of a media type are taken. The type is what the sender calls it.
    pub fn takes(&self, media_type: &str) -> bool {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        self.types.is_empty()
            || self.types.iter().any(|taken| match taken.strip_suffix("/*") {
                Some(family) => {
                    essence.split_once('/').is_some_and(|(found, _)| found.eq_ignore_ascii_case(family))
                }
                None => essence.eq_ignore_ascii_case(taken),
            })
    }
}

impl Default for Attachments {
    fn default() -> Self {
        Self { max_bytes: Self::MAX_BYTES, types: Vec::new(), retention_ms: Self::RETENTION_MS }
    }
}

/// Where notifications go, signed in the form of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where to.
    pub url: String,
    /// The key of the signature.
    pub secret: SecretRef,
}

impl Config {
    /// The operators of a team, in the order of their ids.
    pub fn team_members<'a>(&'a self, team: &'a TeamId) -> impl Iterator<Item = &'a OperatorId> {
        self.operators.iter().filter(|(_, operator)| operator.teams.contains(team)).map(|(id, _)| id)
    }

    /// The operators that a list means, in its order, each once.
    pub fn members(&self, list: &[Member]) -> Vec<OperatorId> {
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        let mut add = |id: &OperatorId| {
            if seen.insert(id.clone()) {
                members.push(id.clone());
            }
        };
        for member in list {
            match member {
                Member::Operator(id) => add(id),
                Member::Team(team) => self.team_members(team).for_each(&mut add),
            }
        }
        members
    }
}
