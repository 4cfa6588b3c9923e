//! Operators: when they come and go, how they take what is offered, how they work on it, and what leads do.

use std::sync::Arc;

use switchboard::model::command::{Action, ReplyContent, TransferTarget};
use switchboard::model::dialog::{CloseReason, DialogState};
use switchboard::model::id::{DialogId, OperatorId};
use switchboard::model::operator::Presence;
use switchboard::model::role::Scope;

use super::Day;
use super::agenda::Deed;

/// Who works the night through; the others of the team come in the morning after it.
const NIGHT: [&str; 4] = ["marta", "noel", "oscar", "petra"];
/// Who comes the next morning too, holiday or not.
const NEXT_MORNING: [&str; 6] = ["bruno", "dario", "nils", "rosa", "adele", "igor"];

/// A stay at work: when somebody comes, makes a break and goes.
struct Stay {
    day: i64,
    from: &'static str,
    pause: &'static str,
    last_day: i64,
    to: &'static str,
}

impl Day {
    pub(super) fn plan_operators(&mut self) {
        let config = self.files.config();
        for (id, declared) in &config.operators {
            let stay = |day, from, pause, last_day, to| Stay { day, from, pause, last_day, to };
            let (day, next) = (0, 1);
            let mut stays = match declared.calendar.as_ref().unwrap().as_str() {
                "early_shift" => vec![stay(day, "06:55", "11:00", day, "15:25")],
                "late_shift" => vec![stay(day, "11:25", "15:40", day, "19:55")],
                "reserve_shift" => vec![stay(day, "08:55", "13:00", day, "18:55")],
                _ if NIGHT.contains(&id.as_str()) => vec![stay(day, "19:25", "23:30", next, "07:25")],
                _ => vec![stay(next, "07:10", "12:00", next, "19:00")],
            };
            if NEXT_MORNING.contains(&id.as_str()) {
                stays.push(stay(next, "07:00", "11:00", next, "15:25"));
            }
            for stay in stays {
                self.plan_stay(id, &stay);
            }
        }
        let leads = config.teams.values().flat_map(|team| &team.supervisors);
        for (lead, minute) in leads.zip((5..).step_by(7)) {
            for hour in 8..22 {
                let at_ms = self.date.at(0, &format!("{hour:02}:{minute:02}"));
                self.agenda.add(at_ms, Deed::Inspects { lead: lead.clone() });
            }
        }
    }

    fn plan_stay(&mut self, operator: &OperatorId, stay: &Stay) {
        const MINUTE_MS: u64 = 60_000;
        let comes_ms = self.date.at(stay.day, stay.from) + self.random.below(20 * MINUTE_MS);
        let break_ms = self.date.at(stay.day, stay.pause) + self.random.below(75 * MINUTE_MS);
        let back_ms = break_ms + (25 + self.random.below(15)) * MINUTE_MS;
        let goes_ms = self.date.at(stay.last_day, stay.to) + self.random.below(4 * MINUTE_MS);
        for (at_ms, presence) in [
            (comes_ms, Presence::Online),
            (break_ms, Presence::Away),
            (back_ms, Presence::Online),
            // Nothing new before going home.
            (goes_ms - 10 * MINUTE_MS, Presence::Away),
            (goes_ms, Presence::Offline),
        ] {
            self.agenda.add(at_ms, Deed::Turns { operator: operator.clone(), presence });
        }
        self.agenda.add(goes_ms - MINUTE_MS, Deed::HandsOver { operator: operator.clone() });
    }

    pub(super) fn operator_turns(&mut self, operator: &OperatorId, presence: Presence) {
        if self.absent.contains(operator) {
            return;
        }
        let action = Action::SetPresence { operator: operator.clone(), presence };
        self.command(operator, Scope::Own, action);
    }

    /// The dialogs that somebody works on.
    pub(super) fn owned_by(&self, operator: &OperatorId) -> Vec<DialogId> {
        let owned = self.world.state.dialogs().filter(|row| row.state.is_owned());
        owned.filter(|row| row.owner.as_ref() == Some(operator)).map(|row| row.id).collect()
    }

    /// What is not done goes back into the queue.
    pub(super) fn operator_hands_over(&mut self, operator: &OperatorId) {
        for dialog in self.owned_by(operator) {
            let reason = Some("end of shift".to_owned());
            self.command(operator, Scope::Own, Action::Requeue { dialog, reason });
        }
    }

    /// An operator sees an offer: most take it, some do not want it, some do not look.
    pub(super) fn operator_is_asked(&mut self, dialog: DialogId, operator: &OperatorId) {
        let operator = operator.clone();
        match self.random.below(100) {
            0..84 => {
                let at_ms = self.in_seconds(4, 40);
                self.agenda.add(at_ms, Deed::Accepts { dialog, operator });
            }
            84..91 => {
                let at_ms = self.in_seconds(4, 25);
                self.agenda.add(at_ms, Deed::Declines { dialog, operator });
            }
            _ => {}
        }
    }

    /// An operator took a dialog.
    pub(super) fn owner_begins(&mut self, dialog: DialogId) {
        let is_for_others =
            self.cases.get_mut(&dialog).is_some_and(|case| std::mem::take(&mut case.is_for_others));
        let deed = if is_for_others { Deed::Transfers { dialog } } else { Deed::Replies { dialog } };
        let at_ms = self.in_seconds(20, 150);
        self.agenda.add(at_ms, deed);
    }

    /// The client wrote, or is back.
    pub(super) fn owner_goes_on(&mut self, dialog: DialogId) {
        if self.row(dialog).is_some_and(|row| row.state.is_owned()) {
            let at_ms = self.in_seconds(60, 700);
            self.agenda.add(at_ms, Deed::Replies { dialog });
        }
    }

    /// The owner, if it is their turn; who is at lunch does it later.
    fn whose_turn(&mut self, dialog: DialogId, deed: Deed) -> Option<OperatorId> {
        let owner = self.row(dialog).filter(|row| row.state.is_owned())?.owner.clone()?;
        if self.presence(&owner) == Presence::Online {
            return Some(owner);
        }
        let at_ms = self.in_seconds(180, 300);
        self.agenda.add(at_ms, deed);
        None
    }

    pub(super) fn owner_replies(&mut self, dialog: DialogId) {
        let Some(owner) = self.whose_turn(dialog, Deed::Replies { dialog }) else { return };
        if self.row(dialog).is_some_and(|row| row.state == DialogState::WaitingClient) {
            return;
        }
        let content = ReplyContent::Text { text: "This is how it is.".into(), buttons: Vec::new() };
        self.command(
            &owner,
            Scope::Own,
            Action::Reply { dialog, content, attachments: Vec::new(), reply_to: None },
        );
        if self.cases.get_mut(&dialog).is_some_and(|case| std::mem::take(&mut case.is_paused)) {
            let until_ms = Some(self.in_seconds(1_200, 3_600));
            self.command(&owner, Scope::Own, Action::Pause { dialog, until_ms });
        }
    }

    pub(super) fn owner_closes(&mut self, dialog: DialogId) {
        let Some(owner) = self.whose_turn(dialog, Deed::Closes { dialog }) else { return };
        if self.row(dialog).is_some_and(|row| row.state != DialogState::WaitingClient) {
            return self.owner_replies(dialog);
        }
        let reason = if self.random.chance(3) { CloseReason::Spam } else { CloseReason::Operator };
        self.command(&owner, Scope::Own, Action::Close { dialog, reason });
    }

    /// Somebody else knows better: a colleague, another team, another line.
    pub(super) fn owner_transfers(&mut self, dialog: DialogId) {
        let Some(owner) = self.whose_turn(dialog, Deed::Transfers { dialog }) else { return };
        let line = self.row(dialog).unwrap().line.clone();
        let live = Arc::clone(self.world.state.live().unwrap());
        let is_there = |other: &&OperatorId| **other != owner && self.presence(other) == Presence::Online;
        let colleagues: Vec<OperatorId> =
            live.members(&line, None).iter().filter(is_there).cloned().collect();
        let reserve = live.config.team_members(&"reserve".into()).filter(is_there).count();
        let to = match self.random.below(3) {
            0 if reserve > 0 => TransferTarget::Team("reserve".into()),
            1 if reserve > 0 => TransferTarget::Line((*self.random.pick(&["support", "billing"])).into()),
            _ => match self.random.pick_of(colleagues.into_iter()) {
                Some(colleague) => TransferTarget::Operator(colleague),
                None => return self.owner_replies(dialog),
            },
        };
        self.command(&owner, Scope::Own, Action::Transfer { dialog, to, comment: Some("Please".into()) });
        // Whatever came of it, somebody goes on with it.
        self.owner_goes_on(dialog);
    }

    /// A lead joins where a client has waited for an answer for long, takes it over a minute later, and rates the
    /// work on something that is done.
    pub(super) fn lead_inspects(&mut self, lead: &OperatorId) {
        const TOO_LONG_MS: u64 = 6 * 60_000;
        if self.presence(lead) != Presence::Online {
            return;
        }
        let live = Arc::clone(self.world.state.live().unwrap());
        let (now_ms, led) = (self.world.now_ms, live.config.operators[lead].teams.clone());
        let lines = led.iter().flat_map(|team| live.config.teams[team].lines.clone());
        let lines: Vec<_> = lines.collect();
        let late = self.world.state.dialogs().find(|row| {
            row.state == DialogState::WaitingOperator
                && lines.contains(&row.line)
                && row.owner.as_ref() != Some(lead)
                && now_ms.saturating_sub(row.last_inbound_at_ms) > TOO_LONG_MS
        });
        if let Some(dialog) = late.map(|row| row.id) {
            self.command(lead, Scope::Any, Action::Join { dialog, operator: lead.clone() });
            let at_ms = self.in_seconds(50, 70);
            self.agenda.add(at_ms, Deed::TakesOver { dialog, lead: lead.clone() });
        }
        let closed = self.world.archive.dialogs.values().rev();
        let closed = closed.filter(|row| row.closed_at_ms.is_some() && lines.contains(&row.line)).take(10);
        if let Some(dialog) = self.random.pick_of(closed.map(|row| row.id)) {
            let (score, comment) = (3 + u8::try_from(self.random.below(3)).unwrap(), None);
            self.command(lead, Scope::Any, Action::RateWork { dialog, score, comment });
        }
    }
}
