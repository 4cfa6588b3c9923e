//! `switchboard serve`: the daemon, until it is told to stop.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::api::{self, server::ServerLimits};
use crate::config::diagnostic::{self, Paint};
use crate::journal::files::WitnessFound;
use crate::node::start::StartEvent;
use crate::node::{Clock, Node, Options, StartError, Watch, WriterError, start};
use crate::observe;

use super::progress::ProgressLine;
use super::{Arguments, LogFormat, REFUSED, complain};

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the daemon cannot start")]
    Start(#[from] StartError),
    #[error("`{address}` cannot be listened on: {source}; change `listen` in switchboard.yaml")]
    Listen { address: String, source: std::io::Error },
    #[error("signals cannot be taken: {0}")]
    Signals(std::io::Error),
    #[error("the daemon cannot go on")]
    Writer(#[from] WriterError),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let format = match arguments.log_format {
        LogFormat::Text => observe::LogFormat::Text,
        LogFormat::Json => observe::LogFormat::Json,
    };
    observe::start_logs(format, &arguments.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::Start(StartError::NoConfig(diagnostics))) => {
            eprint!("{}", diagnostic::text(&diagnostics, Paint::Plain));
            eprintln!("error: {}", StartError::NoConfig(Vec::new()));
            ExitCode::from(REFUSED)
        }
        Err(error @ (ServeError::Start(_) | ServeError::Listen { .. } | ServeError::Signals(_))) => {
            complain(&error);
            ExitCode::from(REFUSED)
        }
        Err(error @ ServeError::Writer(_)) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), ServeError> {
    let options = Options {
        folder: arguments.config.clone(),
        data: arguments.data.clone(),
        watch: Watch::Files,
        clock: Clock::system(),
    };
    // Before there is anything to lose: a signal that comes while the daemon starts is kept until then.
    let mut signals = Signals::take().map_err(ServeError::Signals)?;
    let mut line = ProgressLine::new("entries applied");
    let node = start::start(options, &mut |event| match event {
        StartEvent::JournalOpened(recovery) => {
            if let Some(cut) = &recovery.cut {
                tracing::warn!(?cut, "A write that was never confirmed was cut off the journal.");
            }
            if matches!(recovery.witness, WitnessFound::Missing | WitnessFound::Unreadable) {
                tracing::warn!(
                    witness = ?recovery.witness,
                    "The file `durable` of the journal could not say what must be there; it was made anew."
                );
            }
        }
        StartEvent::Recovering(progress) => line.show(progress.applied, progress.total),
    })
    .await?;
    line.finish();
    let listen = node.shared().live.load().config.daemon.listen.clone();
    let listener = match TcpListener::bind(&listen).await {
        Ok(listener) => listener,
        Err(source) => {
            node.stop().await?;
            return Err(ServeError::Listen { address: listen, source });
        }
    };
    // A port of 0 in the configuration becomes a real one only here.
    let address = listener.local_addr().map_or_else(|_| listen.clone(), |address| address.to_string());
    announce(&node, &address);
    let stop = node.shared().stopping.clone();
    let router = api::router(node.shared().clone());
    let server = tokio::spawn(api::server::serve(listener, router, ServerLimits::default(), stop.clone()));
    let ended = node.ended();
    signals.wait_for_stop(&node, ended).await;
    stop.cancel();
    tracing::info!("Stopping: running requests and attempts are finished first.");
    if let Ok(served) = server.await
        && served.cut_off > 0
    {
        tracing::warn!(cut_off = served.cut_off, "Connections were cut off.");
    }
    node.stop().await?;
    Ok(())
}

/// The signals that the daemon obeys.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on signals wait here instead of ending the process.
    fn take() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Completes when the daemon is to stop. SIGHUP reloads meanwhile.
    async fn wait_for_stop(&mut self, node: &Node, ended: CancellationToken) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // The reason comes from `stop`.
                () = ended.cancelled() => return,
                _ = self.hang_up.recv() => match node.shared().reload().await {
                    Ok(report) => tracing::info!(result = report.result.as_str(), "Reloaded on SIGHUP."),
                    Err(_) => return,
                },
            }
        }
    }
}

fn announce(node: &Node, listen: &str) {
    let status = node.shared().config_status.load();
    let live = node.shared().live.load();
    let base = live.config.daemon.public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
    println!("Switchboard listens on http://{listen}");
    for channel in live.config.channels.keys() {
        println!("  {base}/webhooks/{channel}");
    }
    for (what, reason) in &status.problems {
        println!("warning: the {what} is not connected: {reason}");
    }
    if let Some(attempt) = &status.last_attempt
        && let Some(reason) = &attempt.reason
    {
        println!("warning: an earlier configuration is live, because {reason}; run `switchboard check`");
    }
}
