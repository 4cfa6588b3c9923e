//! From a folder of files to a running daemon, and back to a stopped one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attachments::Keeper;
use crate::config;
use crate::config::diagnostic::Diagnostic;
use crate::config::load::{Loaded, load};
use crate::config::secret::ProcessEnvironment;
use crate::config::source::SourceSet;
use crate::model::config::Daemon;
use crate::model::entry::Cause;
use crate::model::input::Input;
use crate::observe::Metrics;
use crate::outbox::{Files, Outside};
use crate::store::{Store, queries};

use super::answers;
use super::clock::Clock;
use super::courier;
use super::data::{DataError, Opened, StartEvent, data_folder, has_data, open_data, settings};
use super::handle::{EVENT_GROUPS_MAX, Handle, Message, QUEUE_MAX, Submission, SubmitError};
use super::housekeeping::keep_house;
use super::journal_time::JournalTime;
use super::projection::Projection;
use super::reload::{Lookup, Reloader};
use super::shared::{RELOADS_MAX, Shared};
use super::status::{ActiveVersion, ConfigStatus, ReloadResult};
use super::writer::{Writer, WriterError};

/// Claimed effects on their way to their tasks.
const CLAIMED_MAX: usize = 256;
/// How long attempts may still run when the daemon stops: a little longer than one request may take.
const DRAIN_MAX: Duration = Duration::from_secs(35);

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the configuration.
    pub folder: PathBuf,
    /// The folder of the data; `None`: as the configuration says.
    pub data: Option<PathBuf>,
    /// Whether files that change are loaded by themselves.
    pub watch: Watch,
    /// The clock.
    pub clock: Clock,
}

/// Whether files that change are loaded by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// They are.
    Files,
    /// Only when somebody asks.
    Nothing,
}

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no configuration without errors, neither in the files nor from before.
    #[error("the configuration has errors, and there is no earlier one to go on with")]
    NoConfig(Vec<Diagnostic>),
    /// The configuration has no errors but cannot be made live.
    #[error("the configuration cannot be made live: {0}")]
    NotActivated(String),
    /// The data cannot be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The writer ended while the daemon started.
    #[error("the daemon cannot take inputs in: {0}")]
    Submit(#[from] SubmitError),
    /// Something of the machine.
    #[error("{what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// What the machine says.
        source: std::io::Error,
    },
}

/// A running daemon, without its HTTP servers.
pub struct Node {
    shared: Shared,
    writer: JoinHandle<Result<(), WriterError>>,
    ended: CancellationToken,
    background: CancellationToken,
    tasks: TaskTracker,
    /// Ends when the writer claims nothing more and every claimed effect has its task.
    courier: tokio::task::JoinHandle<()>,
    attempts: TaskTracker,
}

/// Starts the daemon: opens the data, makes the configuration live and begins to work.
///
/// # Errors
/// When the data cannot be opened, or there is no configuration to work with.
pub async fn start(options: Options, tell: &mut dyn FnMut(StartEvent<'_>)) -> Result<Node, StartError> {
    let set = SourceSet::read(&options.folder);
    start_with(options, set, tell).await
}

/// Starts the daemon with files that were read already.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    options: Options,
    set: SourceSet,
    tell: &mut dyn FnMut(StartEvent<'_>),
) -> Result<Node, StartError> {
    let data = match &options.data {
        Some(data) => data.clone(),
        None => data_folder(&options.folder, &set),
    };
    let loaded = load(&set);
    // Opening makes the folders: a mistaken path must not leave any behind.
    if loaded.config.is_none() && !has_data(&data) {
        return Err(StartError::NoConfig(loaded.diagnostics));
    }
    let opened = open_data(&data, tell)?;
    if loaded.config.is_none() && opened.state.live().is_none() {
        return Err(StartError::NoConfig(loaded.diagnostics));
    }
    let files = Arc::new(Files::new(Keeper::new(&data)));
    start_opened(options, opened, files, set, loaded).await
}

async fn start_opened(
    options: Options,
    opened: Opened,
    files: Arc<Files>,
    set: SourceSet,
    loaded: Loaded,
) -> Result<Node, StartError> {
    let Options { folder, watch, clock, .. } = options;
    if let Err(error) = files.keeper().begin() {
        tracing::warn!(%error, "Unfinished files of an earlier start could not be removed.");
    }
    let metrics = Arc::new(Metrics::default());
    let live = opened.state.live().cloned().unwrap_or_default();
    let lookup = Lookup { environment: ProcessEnvironment::new(&folder), literals: loaded.literals };
    let outside = Outside::open(&live.config, &lookup).map_err(StartError::NotActivated)?;
    let status = ConfigStatus {
        active: active_version(&opened.store)?,
        last_attempt: None,
        problems: outside.connections.problems(),
    };
    let outside = Arc::new(ArcSwap::from_pointee(outside));
    let ended = CancellationToken::new();
    let Started { handle, writer, claimed } =
        start_writer(opened, clock, Arc::clone(&metrics), ended.clone())?;
    let (tasks, attempts) = (TaskTracker::new(), TaskTracker::new());
    let courier = tasks.spawn(courier::run(
        claimed,
        Arc::clone(&outside),
        Arc::clone(&files),
        handle.clone(),
        attempts.clone(),
        Arc::clone(&metrics),
    ));
    let (reloads, asked) = mpsc::channel(RELOADS_MAX);
    let shared = Shared {
        handle,
        live: Arc::new(ArcSwap::new(Arc::clone(&live))),
        outside,
        files,
        config_status: Arc::new(ArcSwap::from_pointee(status)),
        metrics,
        stopping: CancellationToken::new(),
        reloads,
    };
    let background = CancellationToken::new();
    let node = Node { shared, writer, ended, background, tasks, courier, attempts };
    node.begin().await?;
    // As the servers are started: by the file where it can be read, by what is live where it cannot.
    let begun_with = settings(&set).unwrap_or_else(|| live.config.daemon.clone());
    let reloader = node.reloader(folder.clone(), begun_with);
    let known = set.hash();
    let report = reloader.reload(set).await;
    if report.result == ReloadResult::Refused && node.shared.config_status.load().active.is_none() {
        let reason = report.reason.unwrap_or_default();
        node.stop().await.map_err(|error| StartError::NotActivated(error.to_string()))?;
        return Err(StartError::NotActivated(reason));
    }
    let changed = match watch {
        Watch::Files => node.watch(folder, known),
        Watch::Nothing => mpsc::channel(1).1,
    };
    node.tasks.spawn(reloader.run(asked, changed, node.background.clone()));
    node.tasks.spawn(keep_house(node.shared.clone(), node.background.clone()));
    Ok(node)
}

struct Started {
    handle: Handle,
    writer: JoinHandle<Result<(), WriterError>>,
    claimed: mpsc::Receiver<super::claims::Claimed>,
}

fn start_writer(
    opened: Opened,
    clock: Clock,
    metrics: Arc<Metrics>,
    ended: CancellationToken,
) -> Result<Started, StartError> {
    let machine = |source| StartError::Machine { what: "a thread cannot be started".to_owned(), source };
    let Opened { journal, store, state } = opened;
    let (sender, incoming) = sync_channel(QUEUE_MAX);
    let seq = state.position().seq;
    let applied_seq = Arc::new(AtomicU64::new(seq));
    let (stored, stored_seq) = watch::channel(seq);
    let (events, _) = broadcast::channel(EVENT_GROUPS_MAX);
    let (claims, claimed) = mpsc::channel(CLAIMED_MAX);
    let projection =
        Projection::start(store.clone(), state.hand_overs(), stored, sender.clone()).map_err(machine)?;
    let head_at_ms = journal.head().at_ms;
    let writer = Writer {
        epoch: journal.head().epoch.saturating_add(1),
        journal,
        state,
        store: store.clone(),
        projection,
        time: JournalTime::after(head_at_ms, clock.clone()),
        incoming,
        applied_seq: Arc::clone(&applied_seq),
        events: events.clone(),
        answers: answers::start(),
        given: Vec::new(),
        claimed: Some(claims),
        metrics,
    };
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || {
            // However it ends, those who wait for its end learn of it.
            let _ended = ended.drop_guard();
            writer.run()
        })
        .map_err(machine)?;
    let handle = Handle { writer: sender, store, applied_seq, stored_seq, events, clock };
    Ok(Started { handle, writer, claimed })
}

fn active_version(store: &Store) -> Result<Option<ActiveVersion>, DataError> {
    Ok(queries::configs::newest(store)?.map(|active| ActiveVersion {
        version: active.version,
        commit: active.commit,
        seq: active.seq,
        activated_at_ms: active.at_ms,
    }))
}

impl Node {
    /// What the API works with.
    pub const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Completes when the writer has ended: by [`Node::stop`], or because journal or store failed.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Says that a new epoch begins: what the last one left in flight is uncertain.
    async fn begin(&self) -> Result<(), StartError> {
        let submission =
            Submission { input_id: "start".to_owned(), cause: Cause::Start, input: Input::NodeStarted };
        self.shared.handle.submit(submission).await?;
        Ok(())
    }

    fn reloader(&self, folder: PathBuf, started_with: Daemon) -> Reloader {
        Reloader {
            folder,
            started_with,
            handle: self.shared.handle.clone(),
            live: Arc::clone(&self.shared.live),
            outside: Arc::clone(&self.shared.outside),
            status: Arc::clone(&self.shared.config_status),
            metrics: Arc::clone(&self.shared.metrics),
        }
    }

    fn watch(&self, folder: PathBuf, known: [u8; 32]) -> mpsc::Receiver<config::watch::Changed> {
        let (changes, changed) = mpsc::channel(1);
        self.tasks.spawn(config::watch::watch(folder, known, changes, |complaint| {
            tracing::warn!(complaint, "The configuration's folder.");
        }));
        changed
    }

    /// Stops: begins no more attempts, waits for the running ones, brings the store up to date.
    /// HTTP servers must have stopped before.
    ///
    /// # Errors
    /// Why the writer ended, when it failed.
    pub async fn stop(self) -> Result<(), WriterError> {
        let Self { shared, writer, ended: has_ended, background, tasks, courier, attempts } = self;
        background.cancel();
        tell_writer(&shared.handle, || Message::Drain).await;
        // Every attempt that was claimed has begun when the courier ends: none is left behind uncertain.
        let drained = async {
            // How the courier ended changes nothing: its tasks are counted.
            drop(courier.await);
            attempts.close();
            attempts.wait().await;
        };
        tokio::select! {
            () = drained => {}
            // Nobody takes results any more: there is nothing to wait for.
            () = has_ended.cancelled() => {}
            () = tokio::time::sleep(DRAIN_MAX) => {
                tracing::warn!("Attempts still run; their outcome will be uncertain.");
            }
        }
        tell_writer(&shared.handle, || Message::Stop).await;
        let ended = tokio::task::spawn_blocking(move || writer.join()).await;
        tasks.close();
        tasks.wait().await;
        match ended {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) | Err(_) => Err(WriterError::Broken),
        }
    }
}

/// Tells the writer something that must not be lost because its queue is full.
async fn tell_writer(handle: &Handle, message: impl Fn() -> Message) {
    loop {
        match handle.writer.try_send(message()) {
            Ok(()) | Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return,
            Err(std::sync::mpsc::TrySendError::Full(_)) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
