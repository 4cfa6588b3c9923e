//! What the daemon says about itself: metrics here, logs through `tracing`.
//!
//! May be used by `node` and `cli`; `api` counts by way of `node`. Labels come from closed lists or from the
//! configuration, never from clients: a stranger cannot make the set of series grow.

mod logs;
mod metrics;

pub use logs::{LogFormat, start_logs};
pub use metrics::Metrics;
