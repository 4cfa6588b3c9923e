//! How often one token may ask.
//!
//! Each token has a bucket of requests that fills up at a steady rate (as GCRA: one number per token, the
//! time at which its bucket will be full again). A program that has run wild is told to wait; the others
//! notice nothing of it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::model::id::TokenId;
use crate::model::role::Token;

/// One request of a token per this time, in ms, in the long run. A console of an operator asks a few times
/// a second and an import some hundred times; what asks more is a loop that nobody meant.
const INTERVAL_MS: u64 = 1;

/// Requests at once: a console that opens after a night, or a thousand event streams that come back.
const BURST: u64 = 2_000;

/// The buckets of all tokens.
#[derive(Debug)]
pub(super) struct Rates {
    /// When each bucket will be full, in ms. Only tokens that were declared when they asked are here.
    full_at_ms: Mutex<BTreeMap<TokenId, u64>>,
    interval_ms: u64,
    burst: u64,
}

impl Rates {
    pub(super) const fn new() -> Self {
        Self::with_bounds(INTERVAL_MS, BURST)
    }

    const fn with_bounds(interval_ms: u64, burst: u64) -> Self {
        Self { full_at_ms: Mutex::new(BTreeMap::new()), interval_ms, burst }
    }

    /// Takes one request out of a token's bucket. `declared` are all tokens of now.
    ///
    /// # Errors
    /// In how many ms there is a request in it again.
    pub(super) fn take(&self, token: &TokenId, declared: &[Token], now_ms: u64) -> Result<(), u64> {
        let capacity_ms = self.interval_ms.saturating_mul(self.burst);
        let mut buckets = self.full_at_ms.lock();
        let full_at_ms = match buckets.get(token) {
            // A clock that was set back must not lock anybody out: a bucket is at worst empty.
            Some(full_at_ms) => (*full_at_ms).clamp(now_ms, now_ms.saturating_add(capacity_ms)),
            None => {
                // More buckets than tokens: some are of tokens that are gone.
                if buckets.len() >= declared.len() {
                    buckets.retain(|known, _| declared.iter().any(|token| token.id == *known));
                }
                now_ms
            }
        };
        let after_ms = full_at_ms.saturating_add(self.interval_ms);
        let latest_ms = now_ms.saturating_add(capacity_ms);
        let is_empty = after_ms > latest_ms;
        let kept_ms = if is_empty { full_at_ms } else { after_ms };
        match buckets.get_mut(token) {
            Some(bucket) => *bucket = kept_ms,
            None => drop(buckets.insert(token.clone(), kept_ms)),
        }
        if is_empty { Err(after_ms.saturating_sub(latest_ms)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::RoleId;

    fn declared(names: &[&str]) -> Vec<Token> {
        let token = |name: &&str| Token {
            id: TokenId::from(*name),
            sha256: String::new(),
            role: RoleId::from("admin"),
            operator: None,
            lines: None,
            expires_at_ms: None,
        };
        names.iter().map(token).collect()
    }

    #[test]
    fn a_token_may_ask_in_a_burst_and_then_at_its_rate() {
        let rates = Rates::with_bounds(100, 3);
        let (tokens, anna) = (declared(&["anna", "crm"]), TokenId::from("anna"));
        for _ in 0..3 {
            assert_eq!(rates.take(&anna, &tokens, 5_000), Ok(()));
        }
        assert_eq!(rates.take(&anna, &tokens, 5_000), Err(100));
        assert_eq!(rates.take(&anna, &tokens, 5_040), Err(60));
        // Others have buckets of their own.
        assert_eq!(rates.take(&TokenId::from("crm"), &tokens, 5_040), Ok(()));
        assert_eq!(rates.take(&anna, &tokens, 5_100), Ok(()));
        assert_eq!(rates.take(&anna, &tokens, 5_100), Err(100));
        // After a pause the burst is there again, and no more than that.
        for _ in 0..3 {
            assert_eq!(rates.take(&anna, &tokens, 90_000), Ok(()));
        }
        assert!(rates.take(&anna, &tokens, 90_000).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let rates = Rates::with_bounds(100, 3);
        let (tokens, anna) = (declared(&["anna"]), TokenId::from("anna"));
        assert_eq!(rates.take(&anna, &tokens, 1_000_000), Ok(()));
        assert_eq!(rates.take(&anna, &tokens, 0), Err(100));
        assert_eq!(rates.take(&anna, &tokens, 100), Ok(()));
    }

    #[test]
    fn tokens_that_are_gone_are_forgotten() {
        let rates = Rates::with_bounds(100, 3);
        for number in 0..50_u64 {
            let name = format!("token-{number}");
            let tokens = declared(&[&name, "anna"]);
            assert_eq!(rates.take(&TokenId::from(name.as_str()), &tokens, 0), Ok(()));
            assert_eq!(rates.take(&TokenId::from("anna"), &tokens, number * 1_000), Ok(()));
        }
        assert!(rates.full_at_ms.lock().len() <= 3);
    }
}
