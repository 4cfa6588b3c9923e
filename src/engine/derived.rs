//! What is derived from dialogs: queues, the work of operators, clients with open dialogs.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::dialog::Dialog;
use crate::model::id::{ChannelId, ClientId, DialogId, LineId, OfferId, OperatorId};

use super::routing::queue::{Audience, Place};
use super::state::State;

/// What an operator has in hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Work {
    /// The dialogs that they own.
    pub(super) active: BTreeSet<DialogId>,
    /// The dialogs that are offered to them.
    pub(super) offered: BTreeMap<DialogId, OfferId>,
    /// Both together, in thousandths of a dialog.
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
    queue: Option<(Audience, Place)>,
    owner: Option<OperatorId>,
    offers: Vec<(OperatorId, OfferId)>,
}

impl Footprint {
    /// The footprint of a dialog; a closed one leaves none.
    pub(super) fn of(dialog: &Dialog) -> Option<Self> {
        if dialog.closed_at_ms.is_some() {
            return None;
        }
        Some(Self {
            dialog: dialog.id,
            client: dialog.client,
            line: dialog.line.clone(),
            channel: dialog.channel.clone(),
            queue: dialog.state.is_waiting().then(|| (Audience::of(dialog), Place::of(dialog))),
            owner: dialog.owner.clone(),
            offers: dialog.offers.iter().map(|offer| (offer.operator.clone(), offer.id)).collect(),
        })
    }
}

impl State {
    /// Leaves the traces of a dialog.
    pub(super) fn derive(&mut self, footprint: Option<Footprint>) {
        let Some(footprint) = footprint else { return };
        let weight = self.weight_milli(&footprint);
        let Footprint { dialog, client, line, queue, owner, offers, .. } = footprint;
        *self.open_by_client.entry(client).or_default() += 1;
        if let Some((audience, place)) = queue {
            self.queues.entry(audience).or_default().insert(place);
        }
        if let Some(owner) = owner {
            let work = self.work.entry(owner).or_default();
            work.active.insert(dialog);
            work.add(&line, weight);
        }
        for (operator, offer) in offers {
            let work = self.work.entry(operator).or_default();
            work.offered.insert(dialog, offer);
            work.add(&line, weight);
        }
    }

    /// Takes the traces of a dialog away.
    pub(super) fn underive(&mut self, footprint: Option<Footprint>) {
        let Some(footprint) = footprint else { return };
        let weight = self.weight_milli(&footprint);
        let Footprint { dialog, client, line, queue, owner, offers, .. } = footprint;
        if let Some(count) = self.open_by_client.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.open_by_client.remove(&client);
            }
        }
        if let Some((audience, place)) = queue
            && let Some(waiting) = self.queues.get_mut(&audience)
        {
            waiting.remove(&place);
            if waiting.is_empty() {
                self.queues.remove(&audience);
            }
        }
        if let Some(owner) = owner {
            self.unload(&owner, &line, weight, |work| {
                work.active.remove(&dialog);
            });
        }
        for (operator, _) in offers {
            self.unload(&operator, &line, weight, |work| {
                work.offered.remove(&dialog);
            });
        }
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
        self.live.as_ref().map_or(crate::model::line::RoutingPolicy::WEIGHT_MILLI, |live| {
            live.weight_milli(&footprint.line, &footprint.channel)
        })
    }
}

impl Work {
    fn add(&mut self, line: &LineId, weight: u32) {
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
