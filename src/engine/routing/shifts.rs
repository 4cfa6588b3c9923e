//! Shifts and vacations: when calendars let operators work.
//!
//! What holds is a matter of the borders that were passed, and each border is a timer: between two of them
//! nothing changes, however late the clock's entry comes. So every machine sees the same, before and after a
//! restart.

use serde_json::json;

use crate::engine::live::Live;
use crate::engine::offers;
use crate::engine::state::State;
use crate::engine::step::Step;
use crate::engine::transfer;
use crate::model::decision::Trigger;
use crate::model::event::EventKind;
use crate::model::id::{DialogId, OperatorId};
use crate::model::offer::OfferEnd;
use crate::model::operator::Operator;
use crate::model::timer::TimerKey;

/// What calendar and vacation say of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duty {
    /// They may work.
    #[default]
    OnShift,
    /// Their shift is over, or has not begun.
    OffShift,
    /// They are on vacation, or work here no more.
    OnLeave,
}

impl Duty {
    /// The word for events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnShift => "on_shift",
            Self::OffShift => "off_shift",
            Self::OnLeave => "on_leave",
        }
    }
}

/// What calendar and vacation say at an instant.
pub fn duty_at(live: &Live, operator: &Operator, at_ms: u64) -> Duty {
    if operator.inactive || live.is_on_vacation(operator, at_ms) {
        return Duty::OnLeave;
    }
    match operator.calendar.as_ref().and_then(|calendar| live.hours(calendar)) {
        Some(hours) if !hours.is_open(at_ms) => Duty::OffShift,
        _ => Duty::OnShift,
    }
}

impl State {
    /// What calendar and vacation say of an operator, as of the last border that was passed.
    pub(in crate::engine) fn duty(&self, live: &Live, operator: &OperatorId) -> Duty {
        let Some(declared) = live.config.operators.get(operator) else { return Duty::OnShift };
        let border = self.timers.due_of(&TimerKey::ShiftBorder { operator: operator.clone() });
        // Up to the next border nothing changes: just before it holds what holds now.
        let at_ms = border.map_or(self.position.at_ms, |due_ms| due_ms.saturating_sub(1));
        duty_at(live, declared, at_ms)
    }

    /// Sets the timers of the next borders of everybody, as the live configuration says.
    pub(in crate::engine) fn set_borders(&mut self) {
        let Some(live) = self.live.clone() else { return };
        let at_ms = self.position.at_ms;
        for key in self.timers.borders() {
            if let TimerKey::ShiftBorder { operator } = &key
                && !live.config.operators.contains_key(operator)
            {
                self.timers.cancel(&key);
            }
        }
        for (operator, declared) in &live.config.operators {
            let key = TimerKey::ShiftBorder { operator: operator.clone() };
            match live.next_border_ms(declared, at_ms) {
                Some(due_ms) => self.timers.keep(key, due_ms),
                None => self.timers.cancel(&key),
            }
        }
    }
}

/// A border was passed: work is given or taken accordingly.
pub(in crate::engine) fn pass_border(step: &mut Step<'_>, operator: &OperatorId) {
    let live = std::sync::Arc::clone(&step.live);
    let Some(declared) = live.config.operators.get(operator) else { return };
    let before = step.state.seat_of(operator).map_or(Duty::OnShift, |seat| seat.duty);
    if let Some(due_ms) = live.next_border_ms(declared, step.at_ms) {
        step.state.timers.keep(TimerKey::ShiftBorder { operator: operator.clone() }, due_ms);
    }
    step.state.seat_on_duty(operator);
    let after = step.state.seat_of(operator).map_or(Duty::OnShift, |seat| seat.duty);
    if before == after {
        return;
    }
    step.presence_changed = true;
    let data = json!({"operator": operator, "from": before.as_str(), "to": after.as_str()});
    step.emit_general(EventKind::OperatorShift, None, data);
    match after {
        Duty::OnShift => {}
        Duty::OffShift => withdraw(step, operator, OfferEnd::OffShift, Trigger::ShiftChanged),
        Duty::OnLeave => leave(step, operator),
    }
    step.route_for(operator);
}

/// An operator is gone for days or for good: offers end, and what they own goes back to its queue.
pub(in crate::engine) fn leave(step: &mut Step<'_>, operator: &OperatorId) {
    withdraw(step, operator, OfferEnd::OnLeave, Trigger::OperatorGone);
    let owned: Vec<DialogId> =
        step.state.work.get(operator).map(|work| work.active.iter().copied().collect()).unwrap_or_default();
    for dialog in owned {
        let requeued = transfer::requeue(step, dialog, OfferEnd::OnLeave, Trigger::OwnerOnLeave, None);
        debug_assert!(requeued.is_ok(), "an owned dialog can be put back");
    }
}

/// Offers of lines that want presence end when the operator is not there any more, and nothing is kept for
/// them. Who is on leave has no offers at all.
pub(in crate::engine) fn withdraw(
    step: &mut Step<'_>,
    operator: &OperatorId,
    end: OfferEnd,
    trigger: Trigger,
) {
    let offered: Vec<_> = step
        .state
        .work
        .get(operator)
        .map(|work| work.offered.iter().map(|(dialog, offer)| (*dialog, *offer)).collect())
        .unwrap_or_default();
    for (dialog, offer) in offered {
        if end == OfferEnd::OnLeave || wants_presence(step, dialog) {
            offers::end(step, dialog, offer, end);
            step.decide(dialog, trigger);
        }
    }
    let kept: Vec<DialogId> = step
        .state
        .kept_for
        .get(operator)
        .map(|dialogs| dialogs.iter().copied().collect())
        .unwrap_or_default();
    for dialog in kept {
        if end == OfferEnd::OnLeave || wants_presence(step, dialog) {
            step.change_dialog(dialog, |row| row.route.reserved = None);
            step.decide(dialog, Trigger::ReservationEnded);
        }
    }
}

fn wants_presence(step: &Step<'_>, dialog: DialogId) -> bool {
    step.dialog(dialog)
        .and_then(|row| step.live.line(&row.line))
        .is_none_or(|line| line.routing.require_presence)
}
