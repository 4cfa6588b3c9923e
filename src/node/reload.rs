//! Loading the configuration files and making them live, all or nothing.
//!
//! Files with errors never replace what is live and never stop the daemon. The configuration becomes live
//! by an entry of the journal, so it has its place among everything else that happened. To what the files
//! say the entry adds which account each channel belongs to: a channel id never comes to stand for another.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::channels::ResolvedSecrets;
use crate::config::canonical::{Canonical, canonical};
use crate::config::secret::{Literals, ProcessEnvironment, resolve};
use crate::config::source::SourceSet;
use crate::config::{git, load, watch};
use crate::engine::live::Live;
use crate::model::config::Daemon;
use crate::model::entry::Cause;
use crate::model::input::{ConfigActivated, Input};
use crate::model::outcome::Outcome;
use crate::model::secret::SecretRef;
use crate::observe::Metrics;
use crate::outbox::Outside;

use super::handle::{Handle, Submission};
use super::status::{ActiveVersion, ConfigStatus, ReloadReport, ReloadResult};

/// How often a configuration without errors that could not be made live is tried again: open dialogs that
/// were in its way may be closed by then.
const TRY_AGAIN: Duration = Duration::from_secs(15);

/// Loads configurations, one at a time.
pub(super) struct Reloader {
    pub(super) folder: PathBuf,
    /// The settings that the daemon was started with.
    pub(super) started_with: Daemon,
    pub(super) handle: Handle,
    pub(super) live: Arc<ArcSwap<Live>>,
    pub(super) outside: Arc<ArcSwap<Outside>>,
    pub(super) status: Arc<ArcSwap<ConfigStatus>>,
    pub(super) metrics: Arc<Metrics>,
}

/// Secrets of one configuration, looked up when asked for.
pub(super) struct Lookup {
    pub(super) environment: ProcessEnvironment,
    pub(super) literals: Literals,
}

impl ResolvedSecrets for Lookup {
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>> {
        resolve(reference, &self.environment, &self.literals)
            .ok()
            .map(|secret| Zeroizing::new(secret.expose().to_owned()))
    }
}

impl Reloader {
    /// Reloads whenever the files change or somebody asks, until the daemon stops.
    pub(super) async fn run(
        self,
        mut asked: mpsc::Receiver<oneshot::Sender<ReloadReport>>,
        mut changed: mpsc::Receiver<watch::Changed>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(reply) = asked.recv() => {
                    let report = self.reload(self.read().await).await;
                    // Who asked may have gone away.
                    drop(reply.send(report));
                }
                Some(change) = changed.recv() => {
                    self.reload(change.set).await;
                }
                () = tokio::time::sleep(TRY_AGAIN), if self.is_held() => {
                    self.reload(self.read().await).await;
                }
                else => return,
            }
        }
    }

    /// Settings that a reload cannot change, with what to do.
    fn need_a_start(&self, now: &Daemon) -> Vec<(String, String)> {
        let before = &self.started_with;
        let metrics = |daemon: &Daemon| daemon.metrics_listen.clone().unwrap_or_else(|| "not set".to_owned());
        [
            ("listen", before.listen.clone(), now.listen.clone()),
            ("data_dir", before.data_dir.clone(), now.data_dir.clone()),
            ("metrics.listen", metrics(before), metrics(now)),
        ]
        .into_iter()
        .filter(|(_, before, now)| before != now)
        .map(|(name, before, _)| {
            (format!("setting {name}"), format!("still `{before}`: a change of it needs a new start"))
        })
        .collect()
    }

    /// Whether the last configuration had no errors and was not made live all the same.
    fn is_held(&self) -> bool {
        self.status
            .load()
            .last_attempt
            .as_ref()
            .is_some_and(|attempt| attempt.result == ReloadResult::Refused && attempt.version.is_some())
    }

    /// Reads the files when they rest; as they are when they never do.
    async fn read(&self) -> SourceSet {
        match watch::settled(&self.folder).await {
            Some(settled) => settled.set,
            None => SourceSet::read(&self.folder),
        }
    }

    /// Makes a set of files live if it has no errors.
    pub(super) async fn reload(&self, set: SourceSet) -> ReloadReport {
        let report = self.try_reload(set).await;
        self.metrics.reload(report.result.as_str());
        match report.result {
            ReloadResult::Activated => {
                tracing::info!(version = report.version, "The configuration is live.");
                for (what, reason) in &self.status.load().problems {
                    tracing::warn!(what, reason, "A part of the configuration does not work.");
                }
            }
            ReloadResult::Unchanged => tracing::debug!("The configuration has not changed."),
            ReloadResult::Refused => tracing::warn!(
                reason = report.reason,
                diagnostics = report.diagnostics.len(),
                "The configuration has errors and was not made live; run `switchboard check`.",
            ),
        }
        let mut status = ConfigStatus::clone(&self.status.load());
        status.last_attempt = Some(report.clone());
        self.status.store(Arc::new(status));
        report
    }

    async fn try_reload(&self, set: SourceSet) -> ReloadReport {
        let at_ms = self.handle.now_ms();
        let loaded = match tokio::task::spawn_blocking(move || load::load(&set)).await {
            Ok(loaded) => loaded,
            Err(_) => {
                return refused(
                    at_ms,
                    None,
                    Vec::new(),
                    "loading the files broke off; this is a mistake of ours",
                );
            }
        };
        // A diagnostic is plain data: it always has a JSON form.
        let diagnostics: Vec<_> =
            loaded.diagnostics.iter().map(|one| serde_json::to_value(one).unwrap_or_default()).collect();
        let Some(mut config) = loaded.config else {
            return refused(at_ms, None, diagnostics, "the files have errors");
        };
        config.accounts.clone_from(&self.live.load().config.accounts);
        let outside = Outside::open(&config, &self.lookup(loaded.literals));
        if let Ok(outside) = &outside {
            let found = outside.connections.accounts();
            config.accounts.extend(found.map(|(id, account)| (id.clone(), account.to_owned())));
        }
        let Canonical { bytes, version } = match canonical(&config) {
            Ok(canonical) => canonical,
            Err(error) => return refused(at_ms, None, diagnostics, &error.to_string()),
        };
        let outside = match outside {
            Ok(outside) => outside,
            Err(error) => return refused(at_ms, Some(version), diagnostics, &error),
        };
        if let Some((id, error)) = outside.connections.of_other_accounts().next() {
            return refused(at_ms, Some(version), diagnostics, &format!("channel {id}: {error}"));
        }
        let mut problems = outside.connections.problems();
        problems.extend(self.need_a_start(&config.daemon));
        let live = match Live::compile(config, version.clone()) {
            Ok(live) => live,
            Err(error) => return refused(at_ms, Some(version), diagnostics, &error.to_string()),
        };
        // Before the entry: an effect that the new configuration causes finds what it needs. What only the
        // old one has stays until the new one is live: it may be refused.
        let before = self.outside.load_full();
        self.outside.store(Arc::new(outside.with_connections_of(&before)));
        if self.live.load().version == version {
            self.outside.store(Arc::new(outside));
            self.set_problems(problems);
            return ReloadReport {
                at_ms,
                result: ReloadResult::Unchanged,
                version: Some(version),
                diagnostics,
                reason: None,
            };
        }
        let commit = git::commit(&self.folder);
        match self.activate(bytes, &version, commit.clone()).await {
            Ok(seq) => {
                self.live.store(Arc::new(live));
                self.outside.store(Arc::new(outside));
                let active = ActiveVersion { version: version.clone(), commit, seq, activated_at_ms: at_ms };
                self.status.store(Arc::new(ConfigStatus {
                    active: Some(active),
                    last_attempt: None,
                    problems,
                }));
                ReloadReport {
                    at_ms,
                    result: ReloadResult::Activated,
                    version: Some(version),
                    diagnostics,
                    reason: None,
                }
            }
            Err(reason) => {
                self.outside.store(before);
                refused(at_ms, Some(version), diagnostics, &reason)
            }
        }
    }

    fn lookup(&self, literals: Literals) -> Lookup {
        Lookup { environment: ProcessEnvironment::new(&self.folder), literals }
    }

    fn set_problems(&self, problems: Vec<(String, String)>) {
        let mut status = ConfigStatus::clone(&self.status.load());
        status.problems = problems;
        self.status.store(Arc::new(status));
    }

    async fn activate(
        &self,
        canonical: Vec<u8>,
        version: &str,
        commit: Option<String>,
    ) -> Result<u64, String> {
        let text = String::from_utf8(canonical).map_err(|error| error.to_string())?;
        let config = RawValue::from_string(text).map_err(|error| error.to_string())?;
        let activated = ConfigActivated { version: version.to_owned(), commit, config };
        let submission = Submission {
            input_id: format!("config/{version}"),
            cause: Cause::Reload,
            input: Input::ConfigActivated(activated),
        };
        let answer = self.handle.submit_patiently(submission).await.map_err(|error| error.to_string())?;
        match answer.outcome {
            Outcome::Applied(_) => Ok(answer.seq),
            Outcome::Rejected(rejection) => Err(rejection.to_string()),
        }
    }
}

fn refused(
    at_ms: u64,
    version: Option<String>,
    diagnostics: Vec<serde_json::Value>,
    reason: &str,
) -> ReloadReport {
    ReloadReport {
        at_ms,
        result: ReloadResult::Refused,
        version,
        diagnostics,
        reason: Some(reason.to_owned()),
    }
}
