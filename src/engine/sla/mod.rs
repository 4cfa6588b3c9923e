//! What a line promises: clocks that start, stand still and stop, warnings and broken promises.
//!
//! After everything that happens to a dialog its clocks are compared with what the first matching policy of
//! its line asks for now. A clock keeps when it was started and what it has counted, never what is left: so
//! another priority or another configuration moves the deadline as if it had held from the start. A broken
//! promise stays broken.
//!
//! The next warning or deadline of a dialog is one timer, made from its row alone.

mod clock;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use crate::model::dialog::{Dialog, DialogState};
use crate::model::event::EventKind;
use crate::model::id::{CalendarId, DialogId};
use crate::model::line::Line;
use crate::model::sla::{SlaClock, SlaClocks, SlaPause, SlaPolicy, SlaState, SlaTarget};

use super::hours::Hours;
use super::live::Live;
use super::rules::facts;
use super::state::State;
use super::step::Step;

/// Brings the clocks of all dialogs that changed in this step in line with what is promised.
pub(super) fn settle(step: &mut Step<'_>) {
    if std::mem::take(&mut step.presence_changed) {
        step.clocks.extend(those_that_mind_presence(step.state, &step.live));
    }
    while let Some(dialog) = step.clocks.pop_first() {
        settle_dialog(step, dialog, Deadlines::OfWhatChanged);
    }
}

/// Computes all deadlines anew: another configuration is live.
pub(super) fn settle_all(step: &mut Step<'_>) {
    let open: Vec<DialogId> =
        step.state.dialogs().filter(|row| row.closed_at_ms.is_none()).map(|row| row.id).collect();
    for dialog in open {
        settle_dialog(step, dialog, Deadlines::All);
    }
}

/// Which deadlines are computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deadlines {
    OfWhatChanged,
    All,
}

/// The dialogs whose clocks stand still while nobody is there. Presence changes seldom, and only lines that
/// ask for this are looked through.
fn those_that_mind_presence(state: &State, live: &Live) -> Vec<DialogId> {
    let minds = |line: &Line| {
        line.sla.iter().any(|policy| policy.pause_when.contains(&SlaPause::OperatorUnavailable))
    };
    if !live.config.lines.values().any(minds) {
        return Vec::new();
    }
    state
        .dialogs()
        .filter(|row| row.closed_at_ms.is_none() && live.line(&row.line).is_some_and(minds))
        .map(|row| row.id)
        .collect()
}

fn settle_dialog(step: &mut Step<'_>, dialog: DialogId, deadlines: Deadlines) {
    let live = Arc::clone(&step.live);
    let Some(row) = step.dialog(dialog) else { return };
    let Some(line) = live.line(&row.line) else { return };
    if line.sla.is_empty() && row.sla.is_empty() {
        return;
    }
    let policy = policy_of(step, &live, row, line);
    let (mut clocks, mut told) = (BTreeMap::new(), Vec::new());
    for target in SlaTarget::ALL {
        let old = row.sla.0.get(&target);
        let promise = policy.and_then(|policy| Promise::of(policy, line, target, &live));
        let Some(new) = Turn { row, target, at_ms: step.at_ms, apply_version: step.apply_version, deadlines }
            .next(old, promise, step.state, &live)
        else {
            continue;
        };
        if new.breached_at_ms.is_some() && old.is_none_or(|old| old.breached_at_ms != new.breached_at_ms) {
            told.push((EventKind::SlaBreached, target));
        }
        clocks.insert(target, new);
    }
    let mut clocks = SlaClocks(clocks);
    // What another priority or configuration asks for may be over already.
    told.extend(pass(&mut clocks, step.at_ms));
    let deadline_ms = first_deadline_ms(&clocks);
    if row.sla != clocks || row.route.deadline_ms != deadline_ms {
        step.change_dialog(dialog, |row| {
            row.sla = clocks;
            row.route.deadline_ms = deadline_ms;
        });
        // That was the clocks' own change.
        step.clocks.remove(&dialog);
    }
    for (kind, target) in told {
        tell(step, dialog, kind, target);
    }
}

/// The first policy of a line that matches a dialog.
fn policy_of<'l>(step: &Step<'_>, live: &Live, row: &Dialog, line: &'l Line) -> Option<&'l SlaPolicy> {
    let policies = live.sla_of(&row.line)?;
    let asked = facts::document(step, EventKind::DialogUpdated, Some(row.id), None, policies.wanted());
    let place = policies.matching(&asked, &BTreeSet::new()).first().copied()?;
    line.sla.get(place)
}

/// What is promised of one target.
struct Promise<'l> {
    target_ms: u64,
    policy: &'l SlaPolicy,
    /// The hours in which the clock counts; `None`: always.
    hours: Option<&'l Hours>,
    calendar: Option<&'l CalendarId>,
}

impl<'l> Promise<'l> {
    fn of(policy: &'l SlaPolicy, line: &'l Line, target: SlaTarget, live: &'l Live) -> Option<Self> {
        let counts_in_hours =
            policy.clock == SlaClock::Working || policy.pause_when.contains(&SlaPause::OutsideHours);
        let calendar = line.calendar.as_ref().filter(|_| counts_in_hours);
        let hours = calendar.and_then(|id| live.hours(id));
        policy.targets_ms.get(&target).map(|target_ms| Self {
            target_ms: *target_ms,
            policy,
            hours,
            calendar,
        })
    }

    /// Whether a clock goes by this already.
    fn is_kept_by(&self, clock: &SlaState) -> bool {
        clock.target_ms == self.target_ms
            && clock.calendar.as_ref() == self.calendar
            && clock.warn_at_percent == self.policy.warn_at_percent
    }

    /// Whether the clock stands still for a dialog as it is now.
    fn stands_still(&self, row: &Dialog, target: SlaTarget, state: &State, live: &Live) -> bool {
        let has_client_the_turn = matches!(row.state, DialogState::WaitingClient | DialogState::Closing);
        let is_resolution = target == SlaTarget::Resolution;
        (has_client_the_turn && (is_resolution || self.policy.pause_when.contains(&SlaPause::WaitingClient)))
            || (is_resolution && row.life.paused.is_some())
            || (self.policy.pause_when.contains(&SlaPause::OperatorUnavailable)
                && !is_anybody_there(row, state, live))
    }

    fn due_at_ms(&self, since_ms: u64, counted_ms: u64) -> Option<u64> {
        clock::reached_at_ms(self.hours, since_ms, self.target_ms.saturating_sub(counted_ms))
    }

    fn warn_at_ms(&self, since_ms: u64, counted_ms: u64) -> Option<u64> {
        let wanted_ms = self.target_ms.saturating_mul(u64::from(self.policy.warn_at_percent)) / 100;
        clock::reached_at_ms(self.hours, since_ms, wanted_ms.saturating_sub(counted_ms))
    }
}

/// Whether the owner is there, or, without an owner, anybody of the line.
fn is_anybody_there(row: &Dialog, state: &State, live: &Live) -> bool {
    let is_there = |operator| state.seat_of(operator).is_some_and(|seat| seat.is_there(true));
    match &row.owner {
        Some(owner) => is_there(owner),
        None => live.members(&row.line, row.team.as_ref()).iter().any(is_there),
    }
}

/// What has become of what a target waits for.
enum Awaited {
    /// It is not awaited.
    Not,
    /// Since an instant.
    Since(u64),
    /// It has happened.
    Happened,
    /// It cannot happen any more.
    Void,
}

/// One clock at one instant.
struct Turn<'a> {
    row: &'a Dialog,
    target: SlaTarget,
    at_ms: u64,
    apply_version: u32,
    deadlines: Deadlines,
}

impl Turn<'_> {
    fn fate(&self, old: Option<&SlaState>) -> Awaited {
        let row = self.row;
        let closed = |open: Awaited| if row.closed_at_ms.is_some() { Awaited::Void } else { open };
        match self.target {
            SlaTarget::FirstResponse if row.first_response_at_ms.is_some() => Awaited::Happened,
            SlaTarget::FirstResponse => closed(Awaited::Since(row.opened_at_ms)),
            SlaTarget::FirstAccept => {
                let was_accepted =
                    row.accepted_at_ms.is_some() || old.is_some_and(|old| old.stopped_at_ms.is_some());
                if was_accepted { Awaited::Happened } else { closed(Awaited::Since(row.queued_at_ms)) }
            }
            // The first answer is a promise of its own.
            SlaTarget::NextResponse if row.first_response_at_ms.is_none() => Awaited::Not,
            SlaTarget::NextResponse if row.unread > 0 => closed(Awaited::Since(self.at_ms)),
            SlaTarget::NextResponse => Awaited::Happened,
            SlaTarget::Resolution if row.closed_at_ms.is_some() => Awaited::Happened,
            SlaTarget::Resolution => Awaited::Since(row.opened_at_ms),
        }
    }

    /// The clock as it is from now on; `None`: there is none.
    fn next(
        &self,
        old: Option<&SlaState>,
        promise: Option<Promise<'_>>,
        state: &State,
        live: &Live,
    ) -> Option<SlaState> {
        // Of what comes again, one that has stopped makes room for the next.
        let comes_again = self.target == SlaTarget::NextResponse;
        let running = old.filter(|old| old.stopped_at_ms.is_none());
        match self.fate(old) {
            Awaited::Not => old.cloned(),
            Awaited::Void => {
                let old = old.cloned()?;
                if old.stopped_at_ms.is_some() && self.apply_version >= 2 {
                    // What was kept before stays kept.
                    return Some(old);
                }
                let broken = Some(old).filter(|old| old.breached_at_ms.is_some())?;
                Some(SlaState { counting_since_ms: None, due_at_ms: None, warn_at_ms: None, ..broken })
            }
            Awaited::Happened => {
                running.map_or_else(|| old.cloned(), |clock| Some(self.stopped(clock, promise)))
            }
            Awaited::Since(_) if old.is_some() && running.is_none() && !comes_again => old.cloned(),
            Awaited::Since(since_ms) => {
                let Some(promise) = promise else {
                    // Nothing is promised any more; what was kept or broken stays.
                    if running.is_none() {
                        return old.cloned();
                    }
                    let broken = running.cloned().filter(|clock| clock.breached_at_ms.is_some())?;
                    return Some(SlaState {
                        counting_since_ms: None,
                        due_at_ms: None,
                        warn_at_ms: None,
                        ..broken
                    });
                };
                let (clock, begins_at_ms) = match running {
                    Some(clock) => (clock.clone(), self.at_ms),
                    None => (SlaState::started(since_ms), since_ms),
                };
                Some(self.running(clock, begins_at_ms, &promise, state, live))
            }
        }
    }

    /// A clock that goes on: it runs or stands still, and its deadline is where it is now. If it begins to run,
    /// it counts from `begins_at_ms`.
    fn running(
        &self,
        old: SlaState,
        begins_at_ms: u64,
        promise: &Promise<'_>,
        state: &State,
        live: &Live,
    ) -> SlaState {
        let stands_still = promise.stands_still(self.row, self.target, state, live);
        let is_as_before = self.deadlines == Deadlines::OfWhatChanged
            && promise.is_kept_by(&old)
            && old.counting_since_ms.is_none() == stands_still
            && (stands_still || old.due_at_ms.is_some());
        if is_as_before {
            return old;
        }
        let mut clock = SlaState {
            target_ms: promise.target_ms,
            calendar: promise.calendar.cloned(),
            warn_at_percent: promise.policy.warn_at_percent,
            ..old
        };
        if stands_still {
            if let Some(since_ms) = clock.counting_since_ms.take() {
                let counted_ms = clock::counted_ms(promise.hours, since_ms, self.at_ms);
                clock.counted_ms = clock.counted_ms.saturating_add(counted_ms);
            }
            (clock.due_at_ms, clock.warn_at_ms) = (None, None);
        } else {
            let since_ms = *clock.counting_since_ms.get_or_insert(begins_at_ms);
            clock.due_at_ms = promise.due_at_ms(since_ms, clock.counted_ms);
            clock.warn_at_ms = promise.warn_at_ms(since_ms, clock.counted_ms);
        }
        clock
    }

    /// A clock that stops now. What comes after the deadline is late, even when the clock's own entry is later.
    fn stopped(&self, old: &SlaState, promise: Option<Promise<'_>>) -> SlaState {
        let is_late = old.breached_at_ms.is_none() && old.due_at_ms.is_some_and(|due_ms| due_ms < self.at_ms);
        let hours = promise.and_then(|promise| promise.hours);
        let counted_ms =
            old.counting_since_ms.map_or(0, |since_ms| clock::counted_ms(hours, since_ms, self.at_ms));
        SlaState {
            counted_ms: old.counted_ms.saturating_add(counted_ms),
            counting_since_ms: None,
            due_at_ms: old.due_at_ms,
            warn_at_ms: None,
            breached_at_ms: if is_late { old.due_at_ms } else { old.breached_at_ms },
            stopped_at_ms: Some(self.at_ms),
            ..old.clone()
        }
    }
}

/// When a dialog should be answered or accepted at the latest: its place among dialogs of equal score.
fn first_deadline_ms(clocks: &SlaClocks) -> Option<u64> {
    [SlaTarget::FirstResponse, SlaTarget::NextResponse, SlaTarget::FirstAccept]
        .into_iter()
        .filter_map(|target| clocks.0.get(&target))
        .filter(|clock| clock.stopped_at_ms.is_none())
        .filter_map(|clock| clock.due_at_ms)
        .min()
}

/// A warning or a deadline of a dialog is due.
pub(super) fn due(step: &mut Step<'_>, dialog: DialogId) {
    let Some(row) = step.dialog(dialog).filter(|row| row.closed_at_ms.is_none()) else { return };
    let mut clocks = row.sla.clone();
    let told = pass(&mut clocks, step.at_ms);
    step.change_dialog(dialog, |row| row.sla = clocks);
    for (kind, target) in told {
        tell(step, dialog, kind, target);
    }
}

/// Marks the warnings and deadlines that are over. Returns what is news; of both at once only the worse is.
fn pass(clocks: &mut SlaClocks, at_ms: u64) -> Vec<(EventKind, SlaTarget)> {
    let is_over = |due_ms: Option<u64>| due_ms.is_some_and(|due_ms| due_ms <= at_ms);
    let mut told = Vec::new();
    for (target, clock) in clocks.0.iter_mut().filter(|(_, clock)| clock.stopped_at_ms.is_none()) {
        if !clock.warned && is_over(clock.warn_at_ms) {
            clock.warned = true;
            if !is_over(clock.due_at_ms) {
                told.push((EventKind::SlaWarning, *target));
            }
        }
        if clock.breached_at_ms.is_none() && is_over(clock.due_at_ms) {
            clock.breached_at_ms = clock.due_at_ms;
            told.push((EventKind::SlaBreached, *target));
        }
    }
    told
}

fn tell(step: &mut Step<'_>, dialog: DialogId, kind: EventKind, target: SlaTarget) {
    let Some(clock) = step.dialog(dialog).and_then(|row| row.sla.0.get(&target)) else { return };
    let data = json!({
        "target": target,
        "target_seconds": clock.target_ms / 1000,
        "started_at_ms": clock.started_at_ms,
        "due_at_ms": clock.due_at_ms,
    });
    step.emit(kind, dialog, None, data);
}
