//! What must be true of a whole history at its end.

use switchboard::model::decision::{Candidate, CandidateVerdict, RoutingOutcome, Verdict};
use switchboard::model::id::OperatorId;
use switchboard::model::line::Strategy;

use super::company::Company;

impl Company {
    /// Each choice is the one that a plain reading of the strategies gives.
    fn check_choices(&self) {
        for decision in &self.world.archive.decisions {
            let Verdict::Routing(routing) = &decision.verdict else { continue };
            let eligible: Vec<&Candidate> = routing
                .candidates
                .iter()
                .filter(|candidate| candidate.verdict == CandidateVerdict::Eligible)
                .collect();
            let offered: Vec<&OperatorId> = match &routing.outcome {
                RoutingOutcome::Waits => Vec::new(),
                RoutingOutcome::Offered { offers, .. } => {
                    offers.iter().map(|offer| &offer.operator).collect()
                }
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

    /// What must be true of the whole history at its end.
    pub(super) fn check_history(&self) {
        self.check_choices();
        let archive = &self.world.archive;
        let open: Vec<_> =
            archive.effects.values().filter(|effect| !effect.state.is_terminal()).map(|row| row.id).collect();
        assert!(open.is_empty(), "I20: {open:?} never ended");
        let unended: Vec<_> = self.offers.iter().filter(|(_, end)| end.is_none()).collect();
        assert!(unended.is_empty(), "I13: {unended:?} never ended");
        for (input_id, external) in &self.accepted {
            let channel = input_id.split('/').next().unwrap();
            let found: Vec<_> = archive
                .messages
                .values()
                .filter(|row| row.external_id.as_ref() == Some(external))
                .filter(|row| archive.dialogs[&row.dialog].channel.as_str() == channel)
                .filter(|row| row.status == switchboard::model::message::MessageStatus::Received)
                .collect();
            assert_eq!(found.len(), 1, "I2: {input_id} is in {} dialogs", found.len());
        }
        for (dialog, row) in &archive.dialogs {
            let messages = archive.messages.keys().filter(|(of, _)| of == dialog).count();
            assert_eq!(usize::try_from(row.messages).unwrap(), messages, "I31: messages of {dialog}");
        }
        assert_eq!(self.world.state.dialogs().count(), 0, "closed dialogs stay in memory");
        assert_eq!(self.world.state.effects().count(), 0, "finished effects stay in memory");
        assert_eq!(self.world.state.chats().count(), 0, "chats without a dialog stay in memory");
        assert_eq!(self.world.state.clients().count(), 0, "clients without a dialog stay in memory");
    }
}
