//! How every operator is right now, dense: what routing asks of all of them at once.
//!
//! A seat repeats what rows and configuration say of one operator; a slot's set holds those who could take
//! one more dialog of its kind. Both are brought up to date whenever the rows behind them change, so that a
//! decision compares sets instead of asking a thousand operators.

use crate::engine::live::Live;
use crate::engine::state::State;
use crate::model::id::OperatorId;
use crate::model::operator::Presence;

use super::bits::Bits;
use super::shifts::Duty;
use super::slots::Slot;

/// All seats, and who has room for what.
#[derive(Debug, Default)]
pub struct Roster {
    seats: Vec<Seat>,
    free: Vec<Bits>,
    nobody: Bits,
}

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seat {
    /// Whether they take work.
    pub is_online: bool,
    /// What calendar and vacation say.
    pub duty: Duty,
    /// What they have in hand, in thousandths of a dialog.
    pub load_milli: u32,
    /// Their own limit.
    pub limit_milli: Option<u32>,
    /// What they have in hand by line number.
    pub by_line: Vec<u32>,
    /// How many offers they have that were waiting already when they came.
    pub backlog: u32,
    /// When work was last offered to them, and by which entry.
    pub last_offered: (u64, u64),
}

impl Seat {
    /// Whether a line may ask them at all.
    pub const fn is_there(&self, require_presence: bool) -> bool {
        match self.duty {
            Duty::OnLeave => false,
            Duty::OffShift => !require_presence,
            Duty::OnShift => !require_presence || self.is_online,
        }
    }

    /// What they have in hand on a line.
    pub fn on_line(&self, line: usize) -> u32 {
        self.by_line.get(line).copied().unwrap_or(0)
    }

    /// Whether they have room for one more.
    pub fn has_room(&self, slot: &Slot) -> bool {
        let fits = |load: u32, limit: Option<u32>| {
            limit.is_none_or(|limit| load.saturating_add(slot.weight_milli) <= limit)
        };
        fits(self.load_milli, self.limit_milli) && fits(self.on_line(slot.line), slot.limit_milli)
    }

    /// Whether they came back a short time ago and have enough to choose from.
    pub fn is_returning(&self, slot: &Slot) -> bool {
        slot.max_offers_on_return.is_some_and(|max| self.backlog >= max)
    }

    fn is_free(&self, slot: &Slot) -> bool {
        self.is_there(slot.require_presence) && self.has_room(slot) && !self.is_returning(slot)
    }
}

impl Roster {
    /// The seat of a number.
    pub fn seat(&self, number: u32) -> Option<&Seat> {
        self.seats.get(usize::try_from(number).ok()?)
    }

    /// Who could take one more dialog of a slot's kind.
    pub fn free(&self, slot: usize) -> &Bits {
        self.free.get(slot).unwrap_or(&self.nobody)
    }

    fn put(&mut self, number: u32, seat: Seat, live: &Live) {
        for (slot, free) in live.slots.all().iter().zip(&mut self.free) {
            free.set(number, seat.is_free(slot));
        }
        if let Some(place) = usize::try_from(number).ok().and_then(|number| self.seats.get_mut(number)) {
            *place = seat;
        }
    }
}

impl State {
    /// Seats everybody anew: the configuration is another one, or the state was just loaded.
    pub(in crate::engine) fn seat_all(&mut self) {
        let Some(live) = self.live.clone() else { return };
        let nobody = live.people.nobody();
        self.roster = Roster {
            seats: vec![Seat::default(); live.people.ids().len()],
            free: vec![nobody.clone(); live.slots.all().len()],
            nobody,
        };
        for operator in live.people.ids() {
            self.seat_on_duty(operator);
        }
    }

    /// Brings the seat of an operator up to date, with what calendar and vacation say.
    pub(in crate::engine) fn seat_on_duty(&mut self, operator: &OperatorId) {
        let duty = self.live.as_ref().map_or(Duty::OnShift, |live| self.duty(live, operator));
        self.seat_as(operator, duty);
    }

    /// Brings the seat of an operator up to date.
    pub(in crate::engine) fn seat(&mut self, operator: &OperatorId) {
        let duty = self.seat_of(operator).map_or(Duty::OnShift, |seat| seat.duty);
        self.seat_as(operator, duty);
    }

    /// The seat of an operator; `None`: not declared.
    pub(in crate::engine) fn seat_of(&self, operator: &OperatorId) -> Option<&Seat> {
        self.roster.seat(self.live.as_ref()?.people.number(operator)?)
    }

    fn seat_as(&mut self, operator: &OperatorId, duty: Duty) {
        let Some(live) = self.live.clone() else { return };
        let (Some(number), Some(declared)) =
            (live.people.number(operator), live.config.operators.get(operator))
        else {
            return;
        };
        let (status, work) = (self.operators.get(operator), self.work.get(operator));
        let mut by_line = vec![0; live.config.lines.len()];
        for (line, load) in work.into_iter().flat_map(|work| &work.by_line) {
            if let Some(place) = live.slots.line(line).and_then(|line| by_line.get_mut(line)) {
                *place = *load;
            }
        }
        let is_online = status.is_some_and(|status| status.presence == Presence::Online);
        let since_ms = status.map_or(0, |status| status.since_ms);
        // Counting is only worth while where it could reach what a line allows.
        let backlog = match (live.slots.least_on_return(), work) {
            (Some(least), Some(work))
                if is_online && work.offered.len() >= usize::try_from(least).unwrap_or(0) =>
            {
                let waited = |dialog| self.dialogs.get(dialog).is_some_and(|row| row.queued_at_ms < since_ms);
                work.offered.keys().filter(|dialog| waited(*dialog)).count()
            }
            _ => 0,
        };
        let seat = Seat {
            is_online,
            duty,
            load_milli: work.map_or(0, |work| work.load_milli),
            limit_milli: declared.capacity_milli,
            by_line,
            backlog: u32::try_from(backlog).unwrap_or(u32::MAX),
            last_offered: status.map_or((0, 0), |status| (status.last_offered_ms, status.last_offered_seq)),
        };
        self.roster.put(number, seat, &live);
    }
}
