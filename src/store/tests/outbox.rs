//! Lists of deliveries.

use crate::engine::rows::WriteSet;
use crate::model::effect::{Effect, EffectState};
use crate::model::id::DialogId;
use crate::store::Store;
use crate::store::queries::deliveries::{self, DeliveryFilter, DeliveryState};

use super::on_each;
use super::samples::*;

fn all_pages(store: &Store, filter: &DeliveryFilter, limit: usize) -> Vec<Effect> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = deliveries::list(store, filter, cursor.as_deref(), limit).unwrap();
        found.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

#[test]
fn deliveries_are_listed_newest_first_by_state_dialog_channel_and_line() {
    on_each(|store| {
        let state = |seq: u64| match seq % 3 {
            0 => EffectState::Pending,
            1 => EffectState::Dead,
            _ => EffectState::Waiting { until_ms: seq },
        };
        let mut rows: Vec<Effect> = (1..=20).map(|seq| effect(seq, seq % 4, EffectState::Pending)).collect();
        store.write(&WriteSet { effects: rows.clone(), ..up_to(20) }).unwrap();
        for row in &mut rows {
            row.state = state(row.id.seq);
            if row.id.seq == 7 {
                row.line = "support".into();
            }
        }
        store.write(&WriteSet { effects: rows.clone(), ..up_to(21) }).unwrap();
        let mut filters = vec![DeliveryFilter::default()];
        for state in DeliveryState::ALL {
            filters.push(DeliveryFilter { state: Some(state), ..DeliveryFilter::default() });
            filters.push(DeliveryFilter {
                state: Some(state),
                dialog: Some(DialogId::new(3, 0)),
                ..DeliveryFilter::default()
            });
        }
        for line in ["sales", "support"] {
            filters.push(DeliveryFilter { lines: Some([line.into()].into()), ..DeliveryFilter::default() });
        }
        filters.push(DeliveryFilter { lines: Some([].into()), ..DeliveryFilter::default() });
        for channel in ["shop-telegram", "other"] {
            filters.push(DeliveryFilter { channel: Some(channel.into()), ..DeliveryFilter::default() });
        }
        for filter in filters {
            let expected: Vec<Effect> =
                rows.iter().rev().filter(|row| filter.matches(row)).cloned().collect();
            for limit in [1, 3, 50] {
                assert_eq!(all_pages(store, &filter, limit), expected, "{filter:?}");
            }
        }
    });
}
