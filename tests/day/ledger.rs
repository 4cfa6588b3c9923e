//! What somebody who only listens and counts knows of the day: events, offers, and who had how much in hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use switchboard::engine::Applied;
use switchboard::engine::live::Live;
use switchboard::model::config::Config;
use switchboard::model::event::{Event, EventKind};
use switchboard::model::id::{OfferId, OperatorId, TeamId};
use switchboard::model::operator::Presence;

use crate::world::World;

/// The most that a team had in hand at one time, in thousandths of a dialog.
#[derive(Debug, Clone, Default)]
pub(super) struct TeamPeak {
    pub(super) people: usize,
    pub(super) at_ms: u64,
    pub(super) load_milli: u32,
    /// How many were online then, and how much they might have.
    pub(super) online: usize,
    pub(super) room_milli: u32,
    pub(super) fullest: Option<Fullest>,
}

/// Who had most, compared with what they might have.
#[derive(Debug, Clone)]
pub(super) struct Fullest {
    pub(super) operator: OperatorId,
    pub(super) at_ms: u64,
    pub(super) load_milli: u32,
    pub(super) limit_milli: u32,
}

pub(super) struct Ledger {
    pub(super) events: Vec<Arc<Event>>,
    pub(super) teams: BTreeMap<TeamId, TeamPeak>,
    /// The live offers, with the time when they expire.
    offers: BTreeMap<OfferId, Option<u64>>,
    members: BTreeMap<OperatorId, TeamId>,
}

impl Ledger {
    pub(super) fn new(config: &Config) -> Self {
        let members: BTreeMap<OperatorId, TeamId> = config
            .operators
            .iter()
            .map(|(id, declared)| (id.clone(), declared.teams.first().unwrap().clone()))
            .collect();
        let mut teams: BTreeMap<TeamId, TeamPeak> = BTreeMap::new();
        for team in members.values() {
            teams.entry(team.clone()).or_default().people += 1;
        }
        Self { events: Vec::new(), teams, offers: BTreeMap::new(), members }
    }

    pub(super) fn follow(&mut self, world: &World, applied: &Applied) {
        // An input that came before tells nothing new.
        if applied.first_seq != world.state.position().seq {
            return;
        }
        applied.events.iter().for_each(|event| self.follow_offer(event));
        self.events.extend(applied.events.iter().cloned());
        if !applied.events.is_empty() {
            self.weigh(world);
        }
    }

    /// Each offer is made once, ends once, and expires not before its time.
    fn follow_offer(&mut self, event: &Event) {
        let offer = || event.data["offer"].as_str().unwrap().parse::<OfferId>().unwrap();
        match event.kind {
            EventKind::DialogOffered => {
                let until_ms = event.data["expires_at_ms"].as_u64();
                assert_eq!(self.offers.insert(offer(), until_ms), None, "I13: {} was made twice", offer());
            }
            EventKind::DialogOfferEnded => {
                let until_ms = self.offers.remove(&offer());
                let until_ms = until_ms.unwrap_or_else(|| panic!("I13: {} was not live", offer()));
                let is_early =
                    event.data["end"] == "expired" && until_ms.is_none_or(|until| event.at_ms < until);
                assert!(!is_early, "I14: {} expired before its time", offer());
            }
            _ => {}
        }
    }

    /// At the end of the day no offer is left.
    pub(super) fn check_ends(&self) {
        assert!(self.offers.is_empty(), "I13: offers that never ended: {:?}", self.offers);
    }

    /// Sums up what people have in hand, from the rows alone.
    fn weigh(&mut self, world: &World) {
        let Some(live) = world.state.live() else { return };
        let mut loads: BTreeMap<&OperatorId, u32> = BTreeMap::new();
        for row in world.state.dialogs().filter(|row| row.closed_at_ms.is_none()) {
            let weight = live.weight_milli(&row.line, &row.channel);
            let counts = live.line(&row.line).unwrap().routing.counts;
            let owner = row.owner.iter().filter(|_| row.state.is_owned() && row.counts(counts));
            for holder in owner.chain(row.offers.iter().map(|offer| &offer.operator)) {
                *loads.entry(holder).or_default() += weight;
            }
        }
        let at_ms = world.now_ms;
        let mut sums: BTreeMap<&TeamId, TeamPeak> = BTreeMap::new();
        let online = world.state.operators().filter(|status| status.presence == Presence::Online);
        for status in online {
            let Some(limit_milli) = limit_milli(live, &status.id) else { continue };
            let sum = sums.entry(&self.members[&status.id]).or_default();
            sum.online += 1;
            sum.room_milli += limit_milli;
        }
        for (operator, load_milli) in loads {
            let Some(limit_milli) = limit_milli(live, operator) else { continue };
            let team = &self.members[operator];
            sums.entry(team).or_default().load_milli += load_milli;
            let fullest = &mut self.teams.get_mut(team).unwrap().fullest;
            let is_fuller = fullest.as_ref().is_none_or(|before| {
                u64::from(load_milli) * u64::from(before.limit_milli)
                    > u64::from(before.load_milli) * u64::from(limit_milli)
            });
            if is_fuller {
                *fullest = Some(Fullest { operator: operator.clone(), at_ms, load_milli, limit_milli });
            }
        }
        for (team, sum) in sums {
            let peak = self.teams.get_mut(team).unwrap();
            if sum.load_milli > peak.load_milli {
                let (people, fullest) = (peak.people, peak.fullest.take());
                *peak = TeamPeak { people, at_ms, fullest, ..sum };
            }
        }
    }
}

/// What somebody may have at a time: their own limit, else the largest of the lines that their team serves.
fn limit_milli(live: &Live, operator: &OperatorId) -> Option<u32> {
    let declared = live.config.operators.get(operator)?;
    let lines = declared.teams.iter().flat_map(|team| &live.config.teams[team].lines);
    let of_lines = lines.filter_map(|line| live.line(line)?.routing.limit_milli).max();
    declared.capacity_milli.or(of_lines)
}
