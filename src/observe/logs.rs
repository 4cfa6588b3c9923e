//! Logs: one line per event, as text or as JSON, on the error stream.

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// Starts writing logs. `filter` is in the form of `tracing`'s directives, such as `info` or
/// `info,switchboard::node=debug`; what cannot be read of it is left out. Does nothing when logs are
/// written already.
pub fn start_logs(format: LogFormat, filter: &str) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    // Colours are off: what clients send must not reach a terminal as control sequences.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // An earlier start, by a test, stays.
    started.unwrap_or_default();
}
