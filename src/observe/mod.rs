//! What the daemon says about itself: metrics here, logs through `tracing`.
//!
//! May be used by every room above `engine`. Labels come from closed lists or from the configuration,
//! never from clients: a stranger cannot make the set of series grow.

mod logs;
mod metrics;

pub use logs::{LogFormat, start_logs};
pub use metrics::Metrics;
