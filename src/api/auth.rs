//! Who calls: from the `Authorization` header to a principal of the live configuration.
//!
//! Only hashes of tokens are known. A presented token is hashed and compared with all of them in
//! constant time, so the time of an answer says nothing about which token was nearly right.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::engine::live::Live;
use crate::model::command::Actor;
use crate::model::hexadecimal;
use crate::model::id::{LineId, OperatorId, RoleId, TokenId};
use crate::model::role::Token;

use super::problem::Problem;
use super::state::Api;

/// Longer tokens are refused unread: ours have about 50 characters.
const TOKEN_BYTES_MAX: usize = 512;

/// Who calls, with all that rights are decided by. Rights are in the `access` file.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub(super) live: Arc<Live>,
    pub(super) token: TokenId,
    pub(super) operator: Option<OperatorId>,
    pub(super) role: RoleId,
    /// The lines that the token is bound to; `None`: it is bound to none.
    pub(super) lines: Option<BTreeSet<LineId>>,
    /// The lines of the teams that the operator belongs to or leads.
    pub(super) team_lines: BTreeSet<LineId>,
    sha256: String,
    expires_at_ms: Option<u64>,
}

impl FromRequestParts<Api> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let live = api.shared.live.load_full();
        let now_ms = api.shared.handle.now_ms();
        let principal =
            Self::of_headers(&parts.headers, &live, now_ms).ok_or_else(Problem::unauthenticated)?;
        api.rates.take(&principal.token, &live.config.tokens, now_ms).map_err(Problem::too_often)?;
        Ok(principal)
    }
}

impl Principal {
    fn of_headers(headers: &HeaderMap, live: &Arc<Live>, now_ms: u64) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next()?;
        // Of two headers a proxy in front of us may have checked the other one.
        if values.next().is_some() || value.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (scheme, presented) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") || presented.is_empty() {
            return None;
        }
        let token = find(&live.config.tokens, presented)?;
        Self::of_token(live, token, now_ms)
    }

    fn of_token(live: &Arc<Live>, token: &Token, now_ms: u64) -> Option<Self> {
        if token.expires_at_ms.is_some_and(|expires_at_ms| now_ms >= expires_at_ms) {
            return None;
        }
        let role = match &token.operator {
            // A token of somebody who is no operator any more opens nothing.
            Some(operator) => &live.config.operators.get(operator)?.role,
            None => &token.role,
        };
        let team_lines = token.operator.as_ref().map(|operator| lines_of_teams(live, operator));
        Some(Self {
            live: Arc::clone(live),
            token: token.id.clone(),
            operator: token.operator.clone(),
            role: role.clone(),
            lines: token.lines.clone(),
            team_lines: team_lines.unwrap_or_default(),
            sha256: token.sha256.clone(),
            expires_at_ms: token.expires_at_ms,
        })
    }

    /// The same caller under the configuration that is live now; `None` when the token is gone or has
    /// expired. For streams, which outlive configurations.
    pub(super) fn renewed(&self, live: &Arc<Live>, now_ms: u64) -> Option<Self> {
        if Arc::ptr_eq(live, &self.live) {
            let has_expired = self.expires_at_ms.is_some_and(|expires_at_ms| now_ms >= expires_at_ms);
            return (!has_expired).then(|| self.clone());
        }
        let token = live.config.tokens.iter().find(|token| token.sha256 == self.sha256)?;
        Self::of_token(live, token, now_ms)
    }

    /// The token's name.
    pub(super) const fn token(&self) -> &TokenId {
        &self.token
    }

    /// The operator whose token it is.
    pub(super) const fn operator(&self) -> Option<&OperatorId> {
        self.operator.as_ref()
    }

    /// Who asks, as the journal keeps it.
    pub(super) fn actor(&self) -> Actor {
        match &self.operator {
            Some(operator) => Actor::Operator(operator.clone()),
            None => Actor::Integration(self.token.clone()),
        }
    }
}

/// The token with the hash of `presented`. Looks at all of them, whichever it is.
fn find<'a>(tokens: &'a [Token], presented: &str) -> Option<&'a Token> {
    let hash = hexadecimal::encode(&Sha256::digest(presented.as_bytes()));
    let mut found = None;
    for token in tokens {
        let declared = token.sha256.to_ascii_lowercase();
        // An empty or cut hash has another length and equals nothing.
        let same: Choice = declared.as_bytes().ct_eq(hash.as_bytes());
        if bool::from(same) {
            found = Some(token);
        }
    }
    found
}

fn lines_of_teams(live: &Live, operator: &OperatorId) -> BTreeSet<LineId> {
    let member_of = live.config.operators.get(operator).map(|declared| &declared.teams);
    live.config
        .teams
        .iter()
        .filter(|(id, team)| {
            team.supervisors.contains(operator) || member_of.is_some_and(|teams| teams.contains(*id))
        })
        .flat_map(|(_, team)| team.lines.iter().cloned())
        .collect()
}
