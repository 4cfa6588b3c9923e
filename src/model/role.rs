//! What people and integrations may do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{LineId, OperatorId, RoleId, TokenId};

/// A role as declared: a right that is not listed is not granted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Role {
    /// How far each right reaches.
    pub grants: BTreeMap<Right, Scope>,
}

/// Something that can be allowed. Written as `dialogs: {see: …}` or `reports: …` in operators.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Right {
    /// Read dialogs, their messages, timelines and explanations.
    #[serde(rename = "dialogs.see")]
    DialogsSee,
    /// Accept, decline, answer, write notes, change fields.
    #[serde(rename = "dialogs.reply")]
    DialogsReply,
    /// Close dialogs.
    #[serde(rename = "dialogs.close")]
    DialogsClose,
    /// Transfer dialogs and put them back into the queue.
    #[serde(rename = "dialogs.transfer")]
    DialogsTransfer,
    /// Take dialogs over from their owner.
    #[serde(rename = "dialogs.take_over")]
    DialogsTakeOver,
    /// Join dialogs of others: listen and write without owning them. Part of `take_over`.
    #[serde(rename = "dialogs.join")]
    DialogsJoin,
    /// Rate the work of operators. Part of `take_over`.
    #[serde(rename = "dialogs.rate")]
    DialogsRate,
    /// Everything that changes a dialog, for integrations.
    #[serde(rename = "dialogs.write")]
    DialogsWrite,
    /// Read clients.
    #[serde(rename = "clients.see")]
    ClientsSee,
    /// Follow the event stream.
    #[serde(rename = "events")]
    Events,
    /// Read reports, queues and operator loads.
    #[serde(rename = "reports")]
    Reports,
    /// Read deliveries and the configuration; reload it; set anybody's presence. Part of `all`.
    #[serde(rename = "administer")]
    Administer,
}

impl Right {
    /// All rights, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::DialogsSee,
        Self::DialogsReply,
        Self::DialogsClose,
        Self::DialogsTransfer,
        Self::DialogsTakeOver,
        Self::DialogsJoin,
        Self::DialogsRate,
        Self::DialogsWrite,
        Self::ClientsSee,
        Self::Events,
        Self::Reports,
        Self::Administer,
    ];
}

/// How far a right reaches. Each scope contains the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Dialogs that the operator owns or is offered.
    #[serde(rename = "own")]
    Own,
    /// Those, and the ones that wait on the lines that the operator serves.
    #[serde(rename = "own+queue")]
    OwnAndQueue,
    /// Those of the lines of the teams that the operator belongs to or leads.
    #[serde(rename = "team")]
    Team,
    /// Those of the token's lines.
    #[serde(rename = "line")]
    Line,
    /// All.
    #[serde(rename = "any")]
    Any,
}

/// An API token as declared: only its hash is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name, for logs and audit.
    pub id: TokenId,
    /// Hexadecimal SHA-256 of the token text.
    pub sha256: String,
    /// The operator whose token it is; otherwise it belongs to an integration.
    pub operator: Option<OperatorId>,
    /// What it may do. For an operator's token: the operator's role.
    pub role: RoleId,
    /// The lines that it may touch; `None`: as far as the role reaches.
    pub lines: Option<BTreeSet<LineId>>,
    /// Not valid from this time on.
    pub expires_at_ms: Option<u64>,
}
