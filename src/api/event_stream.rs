//! One reader of events: from the store what came before, then live, without a gap or a duplicate.
//!
//! The subscription exists before the store is read, and what it brings that was read already is
//! dropped. A reader that falls behind the live events is served from the store again; one that takes
//! nothing at all is dropped. Either way it can resume after the last id it has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::model::dialog::Dialog;
use crate::model::event::Event;
use crate::model::id::DialogId;
use crate::store::queries::{dialogs, events};

use super::access::EVENTS;
use super::auth::Principal;
use super::event_shape::EventShape;
use super::events::{EventFilter, Place};
use super::state::Api;

/// Chunks on their way to the connection. With [`CHUNK_BYTES`] this bounds what a slow reader holds.
pub(super) const CHUNKS_MAX: usize = 4;

/// A chunk is handed on when it has grown to this size.
const CHUNK_BYTES: usize = 64 * 1024;

/// Events read from the store, or gathered from the live ones, at a time.
const EVENTS_AT_A_TIME: usize = 500;

/// Proxies close connections that say nothing for 30 to 60 seconds.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// How often the token is looked up again: one that was removed ends its streams within five seconds.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A reader that takes nothing for so long is dropped.
const STALL_MAX: Duration = Duration::from_secs(10);

/// The stream of one reader.
pub(super) struct EventStream {
    pub(super) api: Api,
    pub(super) principal: Principal,
    pub(super) filter: EventFilter,
    pub(super) place: Place,
    pub(super) live: broadcast::Receiver<Arc<[Arc<Event>]>>,
    pub(super) out: mpsc::Sender<Bytes>,
}

/// The stream is over: the reader has gone or stalled, its token is gone, or the daemon stops.
struct Over;

/// Whether an event may be seen.
enum Sight {
    Yes,
    No,
    /// It depends on the dialog as it is now.
    Ask(DialogId),
}

impl EventStream {
    /// Serves the reader until the end.
    pub(super) async fn run(mut self) {
        // However it ends, the reader sees the same: a closed stream that can be resumed.
        let Err(Over) = self.serve().await;
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Over> {
        // With the place: a stream that breaks before its first event is resumed without a gap too.
        self.send(format!("retry: 2000\nid: {}\n: connected\n\n", self.place).into()).await?;
        loop {
            self.catch_up().await?;
            self.follow().await?;
        }
    }

    /// Sends what the store has. Afterwards whatever is missing comes live.
    async fn catch_up(&mut self) -> Result<(), Over> {
        loop {
            let Place { seq, index } = self.place;
            let found = self
                .api
                .read(move |store| events::after(store, seq, index, EVENTS_AT_A_TIME))
                .await
                .map_err(|_| Over)?;
            let is_last = found.len() < EVENTS_AT_A_TIME;
            self.deliver(found.into_iter().map(Arc::new).collect()).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Sends live events until the reader has fallen behind.
    async fn follow(&mut self) -> Result<(), Over> {
        let mut heartbeat = interval(HEARTBEAT_EVERY);
        let mut check = interval(CHECK_EVERY);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            let stopping = self.api.shared.stopping.clone();
            tokio::select! {
                () = stopping.cancelled() => return Err(Over),
                () = self.out.closed() => return Err(Over),
                _ = check.tick() => self.renew()?,
                _ = heartbeat.tick() => self.send(format!("id: {}\n: still here\n\n", self.place).into()).await?,
                received = self.live.recv() => match received {
                    Ok(group) => {
                        let (found, has_fallen_behind) = self.gather(&group);
                        self.deliver(found).await?;
                        if has_fallen_behind {
                            return Ok(());
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Ok(()),
                    Err(RecvError::Closed) => return Err(Over),
                },
            }
        }
    }

    /// A group and those that wait behind it; whether some behind those are lost to this reader.
    fn gather(&mut self, first: &[Arc<Event>]) -> (Vec<Arc<Event>>, bool) {
        let mut found = first.to_vec();
        while found.len() < EVENTS_AT_A_TIME {
            match self.live.try_recv() {
                Ok(group) => found.extend_from_slice(&group),
                Err(TryRecvError::Lagged(_)) => return (found, true),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        found.retain(|event| Place::of(event) > self.place);
        (found, false)
    }

    /// Sends those of the events that are wanted and may be seen.
    async fn deliver(&mut self, found: Vec<Arc<Event>>) -> Result<(), Over> {
        self.renew()?;
        let Some(last) = found.last().map(|event| Place::of(event)) else { return Ok(()) };
        let wanted: Vec<(Arc<Event>, Sight)> = found
            .into_iter()
            .filter(|event| self.filter.admits(event) && Place::of(event) > self.place)
            .map(|event| {
                let sight = self.sight(&event);
                (event, sight)
            })
            .collect();
        let asked: BTreeSet<DialogId> = wanted
            .iter()
            .filter_map(|(_, sight)| match sight {
                Sight::Ask(dialog) => Some(*dialog),
                Sight::Yes | Sight::No => None,
            })
            .collect();
        let rows = self.rows(asked).await?;
        let scope = self.principal.scope(EVENTS);
        let mut chunk = String::new();
        for (event, sight) in wanted {
            let is_seen = match sight {
                Sight::Yes => true,
                Sight::No => false,
                Sight::Ask(dialog) => scope
                    .zip(rows.get(&dialog))
                    .is_some_and(|(scope, row)| self.principal.reaches(scope, row)),
            };
            if is_seen {
                write_event(&mut chunk, &event);
                if chunk.len() >= CHUNK_BYTES {
                    self.send(std::mem::take(&mut chunk).into()).await?;
                }
            }
        }
        if !chunk.is_empty() {
            self.send(chunk.into()).await?;
        }
        self.place = self.place.max(last);
        Ok(())
    }

    /// The dialogs as they are now: whose they are and whether they wait changes with time.
    async fn rows(&self, asked: BTreeSet<DialogId>) -> Result<BTreeMap<DialogId, Dialog>, Over> {
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let read = self.api.read(move |store| {
            let mut rows = BTreeMap::new();
            for id in asked {
                if let Some(row) = dialogs::get(store, id)? {
                    rows.insert(id, row);
                }
            }
            Ok(rows)
        });
        read.await.map_err(|_| Over)
    }

    fn sight(&self, event: &Event) -> Sight {
        let principal = &self.principal;
        // The lines of a token are a bound for everything, also for what is about the operator.
        if event.line.as_ref().is_some_and(|line| !principal.is_within_lines(line)) {
            return Sight::No;
        }
        if concerns(event, principal) {
            return Sight::Yes;
        }
        let Some(dialog) = event.dialog else {
            return if principal.hears_of(event.line.as_ref()) { Sight::Yes } else { Sight::No };
        };
        let Some(scope) = principal.scope(EVENTS) else { return Sight::No };
        match &event.line {
            Some(line) if principal.reaches_line(scope, line) => Sight::Yes,
            // Nobody's own and nobody's queue: the line was the only way.
            Some(_) if principal.operator().is_none() => Sight::No,
            _ => Sight::Ask(dialog),
        }
    }

    /// Goes on with the rights that the token has now, while somebody reads.
    fn renew(&mut self) -> Result<(), Over> {
        if self.out.is_closed() || self.api.shared.stopping.is_cancelled() {
            return Err(Over);
        }
        let live = self.api.shared.live.load();
        let now_ms = self.api.shared.handle.now_ms();
        let renewed = self.principal.renewed(&live, now_ms).ok_or(Over)?;
        renewed.scope(EVENTS).ok_or(Over)?;
        self.principal = renewed;
        Ok(())
    }

    async fn send(&self, chunk: Bytes) -> Result<(), Over> {
        tokio::select! {
            () = self.api.shared.stopping.cancelled() => Err(Over),
            sent = timeout(STALL_MAX, self.out.send(chunk)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(Over),
            },
        }
    }
}

/// Whether an event says something about the operator themselves: that they are offered a dialog, or
/// have lost it. Such an event is theirs even when the dialog is not any more.
fn concerns(event: &Event, principal: &Principal) -> bool {
    let Some(operator) = principal.operator() else { return false };
    let is_named = |member| event.data.get(member).and_then(Value::as_str) == Some(operator.as_str());
    is_named("operator") || (event.dialog.is_some() && is_named("from"))
}

fn write_event(chunk: &mut String, event: &Event) {
    // An event is plain data: it always has a JSON form, on one line.
    let data = serde_json::to_string(&EventShape::from(event)).unwrap_or_default();
    let (seq, index, kind) = (event.seq, event.index, event.kind.as_str());
    // Writing to a `String` cannot fail.
    write!(chunk, "id: {seq}.{index}\nevent: {kind}\ndata: {data}\n\n").unwrap_or_default();
}
