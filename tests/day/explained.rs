//! Each decision of the day, judged by what its record says: whoever reads the record must come to the same
//! choice, and what it says of people must have been so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchboard::model::config::Config;
use switchboard::model::decision::{
    Candidate, CandidateVerdict, Decision, Return, Routing, RoutingOutcome, Trigger, Verdict,
};
use switchboard::model::event::{Event, EventKind};
use switchboard::model::id::{DialogId, OfferId, OperatorId};
use switchboard::model::line::Strategy;

use super::Day;

/// What was known of people before an entry.
#[derive(Default)]
struct Known {
    online: BTreeSet<OperatorId>,
    offered_ms: BTreeMap<OperatorId, u64>,
    /// Offers that ended without being accepted: dialog, operator, how.
    missed: BTreeSet<(DialogId, OperatorId, String)>,
}

impl Known {
    fn learn(&mut self, event: &Event) {
        let operator = || OperatorId::from(event.data["operator"].as_str().unwrap());
        match event.kind {
            EventKind::OperatorPresence => {
                self.online.remove(&operator());
                if event.data["to"] == "online" {
                    self.online.insert(operator());
                }
            }
            EventKind::DialogOffered => {
                self.offered_ms.insert(operator(), event.at_ms);
            }
            EventKind::DialogOfferEnded => {
                let end = event.data["end"].as_str().unwrap().to_owned();
                self.missed.insert((event.dialog.unwrap(), operator(), end));
            }
            _ => {}
        }
    }
}

/// Fails when a decision is another one than its record says, or when somebody has a dialog without a record.
pub(super) fn check(day: &Day) {
    let mut by_entry: BTreeMap<u64, Vec<&Decision>> = BTreeMap::new();
    let mut makers: BTreeMap<OfferId, &Decision> = BTreeMap::new();
    for decision in &day.world.archive.decisions {
        by_entry.entry(decision.seq).or_default().push(decision);
        for (offer, _) in offers_of(decision) {
            assert!(makers.insert(offer, decision).is_none(), "{offer} is explained twice");
        }
    }
    let configs: BTreeMap<&str, Config> = day
        .world
        .archive
        .configs
        .iter()
        .map(|active| (active.version.as_str(), serde_json::from_str(&active.canonical).unwrap()))
        .collect();
    let mut known = Known::default();
    let mut accepted = 0;
    for events in day.ledger.events.chunk_by(|a, b| a.seq == b.seq) {
        let decisions = by_entry.remove(&events[0].seq).unwrap_or_default();
        for decision in &decisions {
            if let Verdict::Routing(routing) = &decision.verdict {
                let channel = &day.world.archive.dialogs[&decision.dialog].channel;
                let config = &configs[decision.config.as_str()];
                let weight =
                    config.lines[&routing.line].routing.weight_milli(config.channels[channel].kind());
                check_people(&known, events, decision, routing, config, weight);
                check_order(decision, routing);
            }
        }
        for event in events {
            accepted += usize::from(event.kind == EventKind::DialogAccepted);
            check_owner(event, &decisions, &makers);
            known.learn(event);
        }
    }
    assert!(accepted > 300, "only {accepted} dialogs were accepted");
    for trigger in [Trigger::OwnerRemoved, Trigger::OwnerOnLeave, Trigger::Overflowed, Trigger::Expired] {
        let is_it = |decision: &Decision| matches!(&decision.verdict, Verdict::Routing(routing) if routing.trigger == trigger);
        assert!(day.world.archive.decisions.iter().any(is_it), "nothing was decided because of {trigger:?}");
    }
}

fn offers_of(decision: &Decision) -> Vec<(OfferId, &OperatorId)> {
    match &decision.verdict {
        Verdict::Routing(Routing { outcome: RoutingOutcome::Offered { offers, .. }, .. }) => {
            offers.iter().map(|made| (made.offer, &made.operator)).collect()
        }
        Verdict::Transfer(transfer) => vec![(transfer.offer, &transfer.operator)],
        _ => Vec::new(),
    }
}

/// Who became an owner has a record that says why.
fn check_owner(event: &Event, decisions: &[&Decision], makers: &BTreeMap<OfferId, &Decision>) {
    let about = format!("entry {}: {:?} of {:?}", event.seq, event.kind, event.dialog);
    let same = || decisions.iter().filter(|decision| Some(decision.dialog) == event.dialog);
    match event.kind {
        EventKind::DialogAccepted => {
            let operator: OperatorId = event.data["operator"].as_str().unwrap().into();
            let Some(offer) = event.data["offer"].as_str() else {
                let took = |decision: &&&Decision| matches!(&decision.verdict, Verdict::TakeOver(took) if took.operator == operator);
                assert!(same().any(|decision| took(&decision)), "{about} is not explained");
                return;
            };
            let decision =
                makers.get(&offer.parse().unwrap()).unwrap_or_else(|| panic!("{about} is not explained"));
            assert_eq!(Some(decision.dialog), event.dialog, "{about}");
            let made = offers_of(decision);
            assert!(made.iter().any(|(made, to)| made.to_string() == *offer && **to == operator), "{about}");
        }
        EventKind::DialogReturned | EventKind::DialogReopened if !event.data["owner"].is_null() => {
            let owner: OperatorId = event.data["owner"].as_str().unwrap().into();
            let could = |decision: &&&Decision| match &decision.verdict {
                Verdict::Return(Return { operator, verdict, .. }) => {
                    *operator == Some(owner.clone()) && *verdict == Some(CandidateVerdict::Eligible)
                }
                _ => false,
            };
            assert!(same().any(|decision| could(&decision)), "{about} is not explained");
        }
        EventKind::DialogQueued if event.data["reason"] == "owner_removed" => {
            let says_so = |decision: &&&Decision| matches!(&decision.verdict, Verdict::Routing(routing) if routing.trigger == Trigger::OwnerRemoved);
            assert!(same().any(|decision| says_so(&decision)), "{about} is not explained");
        }
        _ => {}
    }
}

/// What the record says of each candidate was so before the entry, by the configuration that was live. What the entry
/// itself changed is left out.
fn check_people(
    known: &Known,
    events: &[Arc<Event>],
    decision: &Decision,
    routing: &Routing,
    config: &Config,
    weight: u32,
) {
    let changes = |operator: &OperatorId, kind| {
        events.iter().any(|event| event.kind == kind && event.data["operator"] == operator.as_str())
    };
    let line_limit = config.lines[&routing.line].routing.limit_milli;
    for Candidate { operator, verdict, order } in &routing.candidates {
        let about =
            format!("entry {}: {operator} for {}: {verdict:?}, {order:?}", decision.seq, decision.dialog);
        let own_limit = config.operators[operator].capacity_milli;
        assert_eq!(
            (order.limit_milli, order.line_limit_milli),
            (own_limit.or(line_limit), line_limit),
            "{about}"
        );
        let fits = |load: u32, limit: Option<u32>| limit.is_none_or(|limit| load + weight <= limit);
        let has_room =
            fits(order.load_milli, own_limit) && fits(order.line_load_milli, order.line_limit_milli);
        if !changes(operator, EventKind::OperatorPresence) {
            let is_online = known.online.contains(operator);
            assert!(*verdict != CandidateVerdict::Eligible || is_online, "{about}, and was away");
            assert!(*verdict != CandidateVerdict::Offline || !is_online, "{about}, and was there");
        }
        if !changes(operator, EventKind::DialogOffered) {
            let offered_ms = known.offered_ms.get(operator).copied().unwrap_or(0);
            assert_eq!(order.last_offered_ms, offered_ms, "{about}");
        }
        let missed = |end: &str| {
            let here = |event: &Arc<Event>| {
                event.kind == EventKind::DialogOfferEnded
                    && event.dialog == Some(decision.dialog)
                    && event.data["operator"] == operator.as_str()
                    && event.data["end"] == end
            };
            let key = (decision.dialog, operator.clone(), end.to_owned());
            known.missed.contains(&key) || events.iter().any(here)
        };
        match verdict {
            CandidateVerdict::Eligible => assert!(has_room, "{about}, and had no room"),
            CandidateVerdict::Full => assert!(!has_room, "{about}, and had room"),
            CandidateVerdict::Expired => assert!(missed("expired"), "{about}, and never let it expire"),
            CandidateVerdict::Declined => assert!(missed("declined"), "{about}, and never declined"),
            _ => {}
        }
    }
}

/// What was promised less at noon is promised to those who wait already, and is not demanded of the morning.
pub(super) fn check_promises(day: &Day) {
    let noon_ms = day.date.at(0, "12:00");
    let broken = day.ledger.events.iter().filter(|event| {
        event.kind == EventKind::SlaBreached
            && event.line == Some("sales".into())
            && event.data["target"] == "first_response"
    });
    let (before, after): (Vec<&Arc<Event>>, Vec<_>) = broken.partition(|event| event.at_ms < noon_ms);
    let are_of = |events: &[&Arc<Event>], seconds: u64| {
        // Those of a high priority have two minutes, all day long.
        events
            .iter()
            .filter(|event| event.data["target_seconds"] != 120)
            .all(|event| event.data["target_seconds"] == seconds)
    };
    assert!(!before.is_empty() && are_of(&before, 300), "{before:?}");
    assert!(!after.is_empty() && are_of(&after, 180), "{after:?}");
}

/// Those who could come first and in the order of the keys, and the first of them wins.
fn check_order(decision: &Decision, routing: &Routing) {
    let about = format!("entry {} about {}: {routing:?}", decision.seq, decision.dialog);
    let eligible: Vec<&Candidate> = routing
        .candidates
        .iter()
        .take_while(|candidate| candidate.verdict == CandidateVerdict::Eligible)
        .collect();
    let all = routing.candidates.iter().filter(|candidate| candidate.verdict == CandidateVerdict::Eligible);
    assert_eq!(all.count(), eligible.len(), "{about}");
    let in_order = eligible.is_sorted_by(|a, b| match routing.strategy {
        Strategy::InOrder | Strategy::Broadcast => a.order.place < b.order.place,
        Strategy::RoundRobin => a.order.last_offered_ms <= b.order.last_offered_ms,
        Strategy::LeastLoaded => {
            let key = |candidate: &Candidate| {
                let limit = u64::from(candidate.order.limit_milli.unwrap_or(1_000_000));
                // Loads and limits are small: a millionth tells all shares apart.
                (u64::from(candidate.order.load_milli) * 1_000_000 / limit, candidate.order.last_offered_ms)
            };
            key(a) <= key(b)
        }
    });
    assert!(in_order, "I17: {about}");
    let won: Vec<&OperatorId> = offers_of(decision).into_iter().map(|(_, operator)| operator).collect();
    let expected: Vec<&OperatorId> = match routing.strategy {
        Strategy::Broadcast => eligible.iter().map(|candidate| &candidate.operator).collect(),
        _ => eligible.iter().take(1).map(|candidate| &candidate.operator).collect(),
    };
    assert_eq!(won, expected, "I17: {about}");
}
