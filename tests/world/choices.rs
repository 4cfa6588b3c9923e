//! Routing decisions, judged once more by a plain reading of the strategies.

use switchboard::model::decision::{Candidate, CandidateVerdict, Decision, RoutingOutcome, Verdict};
use switchboard::model::id::OperatorId;
use switchboard::model::line::Strategy;

/// Each choice is the one that a plain reading of the strategies gives.
pub(crate) fn check(decisions: &[Decision]) {
    for decision in decisions {
        let Verdict::Routing(routing) = &decision.verdict else { continue };
        let eligible: Vec<&Candidate> = routing
            .candidates
            .iter()
            .filter(|candidate| candidate.verdict == CandidateVerdict::Eligible)
            .collect();
        let offered: Vec<&OperatorId> = match &routing.outcome {
            RoutingOutcome::Waits => Vec::new(),
            RoutingOutcome::Offered { offers, .. } => offers.iter().map(|offer| &offer.operator).collect(),
        };
        let about = format!("entry {} on {}", decision.seq, decision.dialog);
        assert_eq!(eligible.is_empty(), offered.is_empty(), "I12: {about} waits though somebody could");
        if routing.strategy == Strategy::Broadcast || offered.is_empty() {
            assert_eq!(offered.len(), eligible.len(), "{about}");
            continue;
        }
        assert_eq!(offered.len(), 1, "I8: {about} is offered to several");
        let winner = eligible.iter().find(|candidate| candidate.operator == *offered[0]).unwrap();
        let share = |candidate: &Candidate| {
            let limit = f64::from(candidate.order.limit_milli.unwrap_or(1_000_000));
            f64::from(candidate.order.load_milli) / limit
        };
        for other in &eligible {
            let (ours, theirs) = (&winner.order, &other.order);
            let is_right = match routing.strategy {
                Strategy::InOrder => ours.place <= theirs.place,
                Strategy::RoundRobin => ours.last_offered_ms <= theirs.last_offered_ms,
                Strategy::LeastLoaded => share(winner) <= share(other),
                Strategy::Broadcast => true,
            };
            assert!(is_right, "I17: {about}: {winner:?} before {other:?}");
        }
    }
}
