//! `switchboard serve`: the daemon, until it is told to stop.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::server::{Served, ServerLimits};
use crate::api::{self, Metrics, Opening};
use crate::config::diagnostic::{self, Paint};
use crate::config::source::SourceSet;
use crate::journal::files::WitnessFound;
use crate::model::config::Daemon;
use crate::node::data::{self, StartEvent};
use crate::node::{Clock, Node, Options, Shared, StartError, Watch, WriterError, start};
use crate::observe;

use super::progress::ProgressLine;
use super::{Arguments, LogFormat, REFUSED, complain};

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the daemon cannot start")]
    Start(#[from] StartError),
    #[error(
        "`{address}` cannot be listened on: {source}; stop what uses it, or change `{setting}` in switchboard.yaml"
    )]
    Listen { setting: &'static str, address: String, source: std::io::Error },
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
    let set = SourceSet::read(&arguments.config);
    // Before the data is touched: a port in use is mostly another daemon, or a mistake in the file.
    let early = match data::settings(&set) {
        Some(settings) => Some(Servers::begin(&settings).await?),
        None => None,
    };
    let mut line = ProgressLine::new("entries applied");
    let node = start::start_with(options, set, &mut |event| match event {
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
    let servers = match early {
        Some(servers) => servers,
        // The file has errors, and an earlier configuration is live: it says where to listen.
        None => {
            let daemon = node.shared().live.load().config.daemon.clone();
            match Servers::begin(&daemon).await {
                Ok(servers) => servers,
                Err(error) => {
                    node.stop().await?;
                    return Err(error);
                }
            }
        }
    };
    servers.open(node.shared());
    announce(&node, &servers);
    let ended = node.ended();
    signals.wait_for_stop(&node, ended).await;
    node.shared().stopping.cancel();
    tracing::info!("Stopping: running requests and attempts are finished first.");
    let cut_off = servers.stop().await;
    if cut_off > 0 {
        tracing::warn!(cut_off, "Connections were cut off.");
    }
    node.stop().await?;
    Ok(())
}

/// The servers of the daemon: they listen before there is anything behind them.
struct Servers {
    api: Server,
    /// Metrics on a port of their own.
    metrics: Option<Server>,
    stop: CancellationToken,
}

struct Server {
    /// Where it listens. A port of 0 in the configuration became a real one.
    address: String,
    opening: Opening,
    task: JoinHandle<Served>,
}

impl Servers {
    /// Listens as the settings say; the first requests wait.
    async fn begin(settings: &Daemon) -> Result<Self, ServeError> {
        let stop = CancellationToken::new();
        // Both ports before either is served: what cannot be started is not begun.
        let api = listen("listen", &settings.listen).await?;
        let metrics = match &settings.metrics_listen {
            Some(address) => Some(listen("metrics.listen", address).await?),
            None => None,
        };
        let begin = |(listener, address)| Server::begin(listener, address, stop.clone());
        Ok(Self { api: begin(api), metrics: metrics.map(begin), stop: stop.clone() })
    }

    /// Answers for the daemon from now on.
    fn open(&self, shared: &Shared) {
        let metrics = if self.metrics.is_some() { Metrics::Apart } else { Metrics::WithTheApi };
        self.api.opening.open(api::router_with(shared.clone(), metrics));
        if let Some(server) = &self.metrics {
            server.opening.open(api::metrics_router(shared.clone()));
        }
    }

    /// Finishes running requests and ends. Returns how many connections had to be cut off.
    async fn stop(self) -> usize {
        self.stop.cancel();
        let mut cut_off: usize = 0;
        for server in [Some(self.api), self.metrics].into_iter().flatten() {
            cut_off = cut_off.saturating_add(server.task.await.map_or(0, |served| served.cut_off));
        }
        cut_off
    }
}

impl Server {
    fn begin(listener: TcpListener, address: String, stop: CancellationToken) -> Self {
        let opening = Opening::new();
        let serving = api::server::serve(listener, opening.serving(), ServerLimits::default(), stop);
        Self { address, opening, task: tokio::spawn(serving) }
    }
}

async fn listen(setting: &'static str, address: &str) -> Result<(TcpListener, String), ServeError> {
    let failed = |source| ServeError::Listen { setting, address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let real = listener.local_addr().map_or_else(|_| address.to_owned(), |address| address.to_string());
    Ok((listener, real))
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

fn announce(node: &Node, servers: &Servers) {
    let listen = &servers.api.address;
    let status = node.shared().config_status.load();
    let live = node.shared().live.load();
    let base = live.config.daemon.public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
    println!("Switchboard listens on http://{listen}");
    if let Some(server) = &servers.metrics {
        println!("  metrics on http://{}/metrics", server.address);
    }
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
