//! What is derived from dialogs: queues, the work of operators, clients with open dialogs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::dialog::Dialog;
use crate::model::id::{ChannelId, ClientId, DialogId, LineId, OfferId, OperatorId};
use crate::model::line::RoutingPolicy;
use crate::model::timer::TimerKey;

use super::live::Live;
use super::routing::pool::Pool;
use super::routing::queue::{self, Audience, Place, Queue};
use super::state::State;

/// What an operator has in hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Work {
    /// The dialogs that they own.
    pub(super) active: BTreeSet<DialogId>,
    /// The dialogs that are offered to them.
    pub(super) offered: BTreeMap<DialogId, OfferId>,
    /// Both together, as far as they count, in thousandths of a dialog.
    pub(super) load_milli: u32,
    /// The same for each line.
    pub(super) by_line: BTreeMap<LineId, u32>,
}

/// Everything about an open dialog that something is derived from. Two forms of a dialog with equal
/// footprints leave the same traces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Footprint {
    dialog: DialogId,
    client: ClientId,
    line: LineId,
    channel: ChannelId,
    /// Its place among those that wait on its line.
    place: Option<Place>,
    /// When it gets a better place by itself.
    grows_at_ms: Option<u64>,
    /// For whom routing may offer it.
    audience: Option<Audience>,
    /// Whether everybody was asked as often as they may be.
    is_tired: bool,
    owner: Option<OperatorId>,
    /// Whether it counts against the limits of its owner.
    counts: bool,
    offers: Vec<(OperatorId, OfferId)>,
    kept_for: Option<OperatorId>,
    pub(super) alarms: Alarms,
}

/// When something happens to a dialog by itself because it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Alarms {
    pub(super) reservation_ms: Option<u64>,
    pub(super) overflow_ms: Option<u64>,
    pub(super) otherwise_ms: Option<u64>,
    /// A warning or a deadline of its clocks, waiting or not.
    pub(super) sla_ms: Option<u64>,
}

impl Alarms {
    /// The alarms of a dialog.
    pub(super) fn of(dialog: &Dialog, live: &Live) -> Self {
        live.line(&dialog.line)
            .filter(|_| dialog.state.is_waiting())
            .map_or_else(Self::default, |line| Self::of_waiting(dialog, &line.routing))
    }

    fn of_waiting(dialog: &Dialog, routing: &RoutingPolicy) -> Self {
        let since_ms = dialog.waits_since_ms();
        let next = usize::try_from(dialog.route.stage).ok().and_then(|stage| routing.overflow.get(stage));
        let last = routing.otherwise.as_ref().filter(|_| !dialog.route.otherwise_done);
        Self {
            reservation_ms: dialog.route.reserved.as_ref().map(|kept| kept.until_ms),
            overflow_ms: next.map(|stage| since_ms.saturating_add(stage.after_ms)),
            otherwise_ms: last.map(|last| since_ms.saturating_add(last.after_ms)),
            sla_ms: None,
        }
    }

    /// The timers that they are, each with its time.
    pub(super) fn timers(self, dialog: DialogId) -> [(TimerKey, Option<u64>); 4] {
        [
            (TimerKey::ReservationEnds { dialog }, self.reservation_ms),
            (TimerKey::Overflow { dialog }, self.overflow_ms),
            (TimerKey::Otherwise { dialog }, self.otherwise_ms),
            (TimerKey::Sla { dialog }, self.sla_ms),
        ]
    }
}

impl Footprint {
    /// The footprint of a dialog at an instant; a closed one leaves none.
    pub(super) fn of(dialog: &Dialog, live: &Live, at_ms: u64) -> Option<Self> {
        if dialog.closed_at_ms.is_some() {
            return None;
        }
        let line = live.line(&dialog.line);
        let routing = line.map(|line| &line.routing);
        let mut footprint = Self {
            dialog: dialog.id,
            client: dialog.client,
            line: dialog.line.clone(),
            channel: dialog.channel.clone(),
            place: None,
            grows_at_ms: None,
            audience: None,
            is_tired: false,
            // While the client rates the work, it is done.
            owner: dialog.owner.clone().filter(|_| dialog.state.is_owned()),
            counts: dialog.state.is_owned() && routing.is_none_or(|routing| dialog.counts(routing.counts)),
            offers: dialog.offers.iter().map(|offer| (offer.operator.clone(), offer.id)).collect(),
            kept_for: None,
            alarms: Alarms::default(),
        };
        if dialog.state.is_waiting() {
            let ageing = line.and_then(|line| line.ageing.as_ref());
            let max_rounds = routing.and_then(|routing| routing.max_rounds);
            footprint.place = Some(Place::of(dialog, ageing, at_ms));
            footprint.grows_at_ms =
                ageing.and_then(|ageing| queue::grows_at_ms(ageing, dialog.queued_at_ms, at_ms));
            footprint.audience = queue::may_be_offered(dialog, live).then(|| Audience::of(dialog, live));
            footprint.is_tired = max_rounds.is_some_and(|max| dialog.rounds >= max);
            footprint.kept_for = dialog.route.reserved.as_ref().map(|kept| kept.operator.clone());
            footprint.alarms =
                routing.map_or_else(Alarms::default, |routing| Alarms::of_waiting(dialog, routing));
        }
        footprint.alarms.sla_ms = dialog.sla.next_ms();
        Some(footprint)
    }

    /// The operators whose work it is part of.
    pub(super) fn holders(&self) -> impl Iterator<Item = &OperatorId> {
        self.owner.iter().chain(self.offers.iter().map(|(operator, _)| operator))
    }
}

impl State {
    /// Leaves the traces of a dialog.
    pub(super) fn derive(&mut self, footprint: Option<&Footprint>) {
        let Some(footprint) = footprint else { return };
        *self.open_by_client.entry(footprint.client).or_default() += 1;
        self.stand(footprint);
        let Footprint { dialog, line, .. } = footprint;
        if footprint.is_tired {
            self.tired.insert(*dialog);
        }
        if let Some(operator) = &footprint.kept_for {
            self.kept_for.entry(operator.clone()).or_default().insert(*dialog);
        }
        if footprint.owner.is_none() && footprint.offers.is_empty() {
            return;
        }
        let weight = self.weight_milli(footprint);
        if let Some(owner) = &footprint.owner {
            let work = self.work.entry(owner.clone()).or_default();
            work.active.insert(*dialog);
            work.add(line, if footprint.counts { weight } else { 0 });
        }
        for (operator, offer) in &footprint.offers {
            let work = self.work.entry(operator.clone()).or_default();
            work.offered.insert(*dialog, *offer);
            work.add(line, weight);
        }
    }

    /// Takes the traces of a dialog away.
    pub(super) fn underive(&mut self, footprint: Option<&Footprint>) {
        let Some(footprint) = footprint else { return };
        let Footprint { dialog, client, line, .. } = footprint;
        if let Some(count) = self.open_by_client.get_mut(client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.open_by_client.remove(client);
            }
        }
        self.step_out(footprint);
        if footprint.is_tired {
            self.tired.remove(dialog);
        }
        if let Some(operator) = &footprint.kept_for
            && let Some(kept) = self.kept_for.get_mut(operator)
        {
            kept.remove(dialog);
            if kept.is_empty() {
                self.kept_for.remove(operator);
            }
        }
        if footprint.owner.is_none() && footprint.offers.is_empty() {
            return;
        }
        let weight = self.weight_milli(footprint);
        if let Some(owner) = &footprint.owner {
            let counted = if footprint.counts { weight } else { 0 };
            self.unload(owner, line, counted, |work| {
                work.active.remove(dialog);
            });
        }
        for (operator, _) in &footprint.offers {
            self.unload(operator, line, weight, |work| {
                work.offered.remove(dialog);
            });
        }
    }

    /// Puts a waiting dialog into its places.
    fn stand(&mut self, footprint: &Footprint) {
        let Some(place) = footprint.place else { return };
        self.waiting.entry(footprint.line.clone()).or_default().insert(place);
        if let Some(at_ms) = footprint.grows_at_ms {
            self.growing.insert((at_ms, footprint.dialog));
        }
        if let Some(audience) = &footprint.audience {
            match self.queues.get_mut(audience) {
                Some(queue) => drop(queue.places.insert(place)),
                None => {
                    let pool = self.pool(audience);
                    self.queues.insert(audience.clone(), Queue { pool, places: BTreeSet::from([place]) });
                }
            }
        }
    }

    /// Takes a waiting dialog out of its places.
    fn step_out(&mut self, footprint: &Footprint) {
        let Some(place) = footprint.place else { return };
        if let Some(waiting) = self.waiting.get_mut(&footprint.line) {
            waiting.remove(&place);
            if waiting.is_empty() {
                self.waiting.remove(&footprint.line);
            }
        }
        if let Some(at_ms) = footprint.grows_at_ms {
            self.growing.remove(&(at_ms, footprint.dialog));
        }
        if let Some(audience) = &footprint.audience
            && let Some(queue) = self.queues.get_mut(audience)
        {
            queue.places.remove(&place);
            if queue.places.is_empty() {
                self.queues.remove(audience);
            }
        }
    }

    /// Time goes on to `now_ms`: dialogs whose score has grown get their better places. Nothing else is
    /// looked at.
    pub(super) fn grow_until(&mut self, now_ms: u64) {
        let before_ms = self.position.at_ms;
        while let Some((at_ms, dialog)) = self.growing.first().copied() {
            if at_ms > now_ms {
                break;
            }
            self.growing.pop_first();
            let (Some(live), Some(row)) = (self.live.clone(), self.dialogs.get(&dialog)) else { continue };
            let Some(ageing) = live.line(&row.line).and_then(|line| line.ageing.as_ref()) else { continue };
            let (before, after) =
                (Place::of(row, Some(ageing), before_ms), Place::of(row, Some(ageing), now_ms));
            if let Some(waiting) = self.waiting.get_mut(&row.line) {
                waiting.remove(&before);
                waiting.insert(after);
            }
            if queue::may_be_offered(row, &live)
                && let Some(queue) = self.queues.get_mut(&Audience::of(row, &live))
            {
                queue.places.remove(&before);
                queue.places.insert(after);
            }
            let next = queue::grows_at_ms(ageing, row.queued_at_ms, now_ms);
            self.growing.extend(next.map(|at_ms| (at_ms, dialog)));
        }
    }

    /// The people of an audience, computed once under a configuration.
    pub(super) fn pool(&mut self, audience: &Audience) -> Arc<Pool> {
        if let Some(known) = self.pools.get(audience) {
            return Arc::clone(known);
        }
        let live = self.live.clone().unwrap_or_else(|| Arc::new(Live::default()));
        let pool = Arc::new(Pool::of(audience, &live));
        self.pools.insert(audience.clone(), Arc::clone(&pool));
        pool
    }

    fn unload(&mut self, operator: &OperatorId, line: &LineId, weight: u32, take: impl FnOnce(&mut Work)) {
        if let Some(work) = self.work.get_mut(operator) {
            take(work);
            work.remove(line, weight);
            if work.active.is_empty() && work.offered.is_empty() {
                self.work.remove(operator);
            }
        }
    }

    fn weight_milli(&self, footprint: &Footprint) -> u32 {
        self.live.as_ref().map_or(RoutingPolicy::WEIGHT_MILLI, |live| {
            live.weight_milli(&footprint.line, &footprint.channel)
        })
    }
}

impl Work {
    fn add(&mut self, line: &LineId, weight: u32) {
        if weight == 0 {
            return;
        }
        self.load_milli = self.load_milli.saturating_add(weight);
        match self.by_line.get_mut(line) {
            Some(load) => *load = load.saturating_add(weight),
            None => {
                self.by_line.insert(line.clone(), weight);
            }
        }
    }

    fn remove(&mut self, line: &LineId, weight: u32) {
        self.load_milli = self.load_milli.saturating_sub(weight);
        if let Some(load) = self.by_line.get_mut(line) {
            *load = load.saturating_sub(weight);
            if *load == 0 {
                self.by_line.remove(line);
            }
        }
    }
}
