//! Events are resumed without a gap.

use crate::engine::rows::WriteSet;
use crate::model::event::{Event, EventKind};
use crate::store::StoreError;
use crate::store::queries::events;

use super::on_each;
use super::samples::*;

/// Events of `entries` entries, of which each third has none and each fifth has three.
fn some_events(entries: u64) -> Vec<Event> {
    let count = |seq: u64| if seq.is_multiple_of(5) { 3 } else { u32::from(!seq.is_multiple_of(3)) };
    (1..=entries)
        .flat_map(|seq| (0..count(seq)).map(move |index| event(seq, index, EventKind::MessageSent, None)))
        .collect()
}

#[test]
fn a_reader_gets_everything_after_any_event_once_and_in_order() {
    on_each(|store| {
        assert_eq!(events::after(store, 0, 0, 10).unwrap(), []);
        let all = some_events(100);
        for part in all.chunks(7) {
            let seq = part.last().unwrap().seq;
            store.write(&WriteSet { events: shared(part.to_vec()), ..up_to(seq) }).unwrap();
        }
        assert_eq!(events::after(store, 0, 0, 1_000).unwrap(), all);
        for (place, event) in all.iter().enumerate() {
            let rest = events::after(store, event.seq, event.index, 1_000).unwrap();
            assert_eq!(rest, all[place + 1..]);
            assert_eq!(events::after(store, event.seq, event.index, 2).unwrap(), rest[..rest.len().min(2)]);
        }
        assert_eq!(events::after(store, 3, u32::MAX, 1).unwrap()[0].seq, 4);
        assert_eq!(events::after(store, u64::MAX, u32::MAX, 1).unwrap(), []);
    });
}

#[test]
fn an_entry_with_very_many_events_is_spread_over_pages() {
    on_each(|store| {
        let many: Vec<Event> =
            (0..3_000).map(|index| event(5, index, EventKind::DialogQueued, None)).collect();
        store.write(&WriteSet { events: shared(many.clone()), ..up_to(5) }).unwrap();
        assert_eq!(events::after(store, 5, 1_500, 1_000).unwrap(), many[1_501..2_501]);
        assert_eq!(events::after(store, 5, 2_998, 1_000).unwrap(), many[2_999..]);
    });
}

#[test]
fn an_event_that_does_not_follow_is_refused_and_so_is_every_later_write() {
    on_each(|store| {
        let set = WriteSet { events: shared([event(5, 1, EventKind::DialogQueued, None)]), ..up_to(5) };
        store.write(&set).unwrap();
        assert!(matches!(store.write(&set), Err(StoreError::OutOfOrder { stored: 5, given: 5 })));
        assert!(matches!(store.write(&up_to(6)), Err(StoreError::Stopped)));
        assert_eq!(store.position().unwrap().seq, 5);
    });
}

#[test]
fn a_write_set_from_before_the_position_is_refused() {
    on_each(|store| {
        store.write(&up_to(5)).unwrap();
        assert!(matches!(store.write(&up_to(4)), Err(StoreError::OutOfOrder { stored: 5, given: 4 })));
    });
}
