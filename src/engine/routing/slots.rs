//! The questions that are asked of every operator again and again: have they room for one more dialog of
//! this weight on this line? Each is a slot, and the roster keeps who says yes.

use std::collections::BTreeMap;

use crate::model::config::Config;
use crate::model::id::LineId;
use crate::model::line::RoutingPolicy;

/// A line and a weight, with what the line asks.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The line's number: its place in the order of ids.
    pub line: usize,
    /// In thousandths of a dialog.
    pub weight_milli: u32,
    /// Whether only who is online and on shift is asked.
    pub require_presence: bool,
    /// The line's limit per operator.
    pub limit_milli: Option<u32>,
    /// The most offers at a time for who came back.
    pub max_offers_on_return: Option<u32>,
}

/// All slots of a configuration.
#[derive(Debug, Default)]
pub struct Slots {
    slots: Vec<Slot>,
    by_line: BTreeMap<LineId, Vec<(u32, usize)>>,
    lines: BTreeMap<LineId, usize>,
}

impl Slots {
    /// The slots of a configuration: for each line what a dialog of each declared channel would weigh there.
    pub fn of_config(config: &Config) -> Self {
        let mut slots = Self::default();
        for (number, (id, line)) in config.lines.iter().enumerate() {
            let mut weights: Vec<u32> =
                config.channels.values().map(|channel| line.routing.weight_milli(channel.kind())).collect();
            weights.push(RoutingPolicy::WEIGHT_MILLI);
            weights.sort_unstable();
            weights.dedup();
            let of_line = weights.into_iter().map(|weight_milli| {
                slots.slots.push(Slot {
                    line: number,
                    weight_milli,
                    require_presence: line.routing.require_presence,
                    limit_milli: line.routing.limit_milli,
                    max_offers_on_return: line.routing.max_offers_on_return,
                });
                (weight_milli, slots.slots.len() - 1)
            });
            let of_line = of_line.collect();
            slots.by_line.insert(id.clone(), of_line);
            slots.lines.insert(id.clone(), number);
        }
        slots
    }

    /// All of them, in the order of their places.
    pub fn all(&self) -> &[Slot] {
        &self.slots
    }

    /// The place of a slot. A weight or a line that is not declared has none: a place beyond all others.
    pub fn of(&self, line: &LineId, weight_milli: u32) -> usize {
        self.by_line
            .get(line)
            .and_then(|weights| weights.iter().find(|(weight, _)| *weight == weight_milli))
            .map_or(usize::MAX, |(_, place)| *place)
    }

    /// The number of a line.
    pub fn line(&self, id: &LineId) -> Option<usize> {
        self.lines.get(id).copied()
    }

    /// The smallest number of offers on return that any line allows; `None`: no line limits it.
    pub fn least_on_return(&self) -> Option<u32> {
        self.slots.iter().filter_map(|slot| slot.max_offers_on_return).min()
    }
}
