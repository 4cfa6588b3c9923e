//! What the written form of a row leaves out: fields that have the value which their absence means.

#![expect(clippy::trivially_copy_pass_by_ref, reason = "the signatures that serde asks for")]

/// Whether a count is nothing.
pub(super) const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Whether a time is none.
pub(super) const fn is_zero_ms(at_ms: &u64) -> bool {
    *at_ms == 0
}
