//! Lists of dialogs show exactly what a walk over all rows would, page by page.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::engine::rows::WriteSet;
use crate::model::dialog::{Dialog, DialogState};
use crate::model::id::DialogId;
use crate::store::queries::dialogs::{self, DialogFilter, Sort};
use crate::store::queries::{lines, operators, queue};
use crate::store::{Store, StoreError};

use super::on_each;
use super::samples::*;

const LINES: [&str; 3] = ["sales", "sales-2", "support"];
const OPERATORS: [&str; 2] = ["anna", "boris"];
const SORTS: [Sort; 4] = [Sort::Opened, Sort::Updated, Sort::Waiting, Sort::Priority];

/// A change of one of a few dialogs.
#[derive(Debug, Clone)]
struct Change {
    dialog: u64,
    line: usize,
    state: usize,
    owner: Option<usize>,
    offers: Vec<usize>,
    priority: i32,
    queued: u64,
    tag: bool,
    same_set: bool,
}

fn change() -> impl Strategy<Value = Change> {
    (
        1..12u64,
        0..LINES.len(),
        0..DialogState::ALL.len(),
        option::of(0..OPERATORS.len()),
        vec(0..OPERATORS.len(), 0..3),
        -2..3i32,
        0..4u64,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(dialog, line, state, owner, offers, priority, queued, tag, same_set)| Change {
            dialog,
            line,
            state,
            owner,
            offers,
            priority,
            queued,
            tag,
            same_set,
        })
}

fn filter() -> impl Strategy<Value = DialogFilter> {
    (
        option::of(proptest::sample::subsequence(LINES.to_vec(), 0..=2)),
        option::of(proptest::sample::subsequence(DialogState::ALL.to_vec(), 0..=3)),
        option::of(0..OPERATORS.len()),
        option::of(1..4u64),
        any::<bool>(),
        option::of(-2..3i32),
        option::of(1..12u64),
        option::of(1..12u64),
    )
        .prop_map(|(lines, states, owner, client, tag, priority, from, to)| DialogFilter {
            lines: lines.map(|lines| lines.into_iter().map(Into::into).collect()),
            states: states.map(BTreeSet::from_iter),
            owner: owner.map(|owner| OPERATORS[owner].into()),
            client: client.map(|client| crate::model::id::ClientId::new(client, 0)),
            tag: tag.then(|| "vip".to_owned()),
            priority,
            opened_from_ms: from.map(at),
            opened_to_ms: to.map(at),
            ..DialogFilter::default()
        })
}

/// Writes the changes and returns the rows as they are at the end.
fn play(store: &Store, changes: &[Change]) -> BTreeMap<DialogId, Dialog> {
    let mut rows = BTreeMap::new();
    let mut set = WriteSet::default();
    for (number, change) in changes.iter().enumerate() {
        let seq = 100 + u64::try_from(number).unwrap();
        let mut row = dialog(change.dialog);
        row.client = crate::model::id::ClientId::new(change.dialog % 4, 0);
        row.chat = crate::model::id::ChatId::new(change.dialog % 4, 0);
        row.line = LINES[change.line].into();
        row.state = DialogState::ALL[change.state];
        row.owner = change.owner.map(|owner| OPERATORS[owner].into());
        row.offers = change.offers.iter().map(|operator| offer(seq, OPERATORS[*operator])).collect();
        row.priority = change.priority;
        row.queued_at_ms = at(change.queued);
        row.updated_at_ms = at(seq);
        row.tags = change.tag.then(|| "vip".to_owned()).into_iter().collect();
        rows.insert(row.id, row.clone());
        set.position = position(seq);
        set.dialogs.push(row);
        if !change.same_set {
            store.write(&std::mem::take(&mut set)).unwrap();
        }
    }
    if !set.dialogs.is_empty() {
        store.write(&set).unwrap();
    }
    rows
}

/// What a list should show, by looking at all rows.
fn expected(rows: &BTreeMap<DialogId, Dialog>, filter: &DialogFilter, sort: Sort) -> Vec<Dialog> {
    let mut found: Vec<Dialog> = rows.values().filter(|row| filter.matches(row)).cloned().collect();
    match sort {
        Sort::Opened => found.sort_by_key(|row| std::cmp::Reverse(row.id)),
        Sort::Updated => found.sort_by_key(|row| std::cmp::Reverse((row.updated_at_ms, row.id))),
        Sort::Waiting => {
            found.retain(|row| row.state.is_waiting());
            found.sort_by_key(|row| (row.queued_at_ms, row.id));
        }
        Sort::Priority => {
            found.retain(|row| row.state != DialogState::Closed);
            found.sort_by_key(|row| (std::cmp::Reverse(row.priority), row.queued_at_ms, row.id));
        }
    }
    found
}

/// All pages of a list, one after another.
fn all_pages(store: &Store, filter: &DialogFilter, sort: Sort, limit: usize) -> Vec<Dialog> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = dialogs::list(store, filter, sort, cursor.as_deref(), limit).unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_list_equals_a_walk_over_all_rows(
        changes in vec(change(), 1..40),
        filters in vec(filter(), 1..6),
        limit in 1..5usize,
    ) {
        let store = Store::in_memory().unwrap();
        let rows = play(&store, &changes);
        for filter in &filters {
            for sort in SORTS {
                let found = all_pages(&store, filter, sort, limit);
                prop_assert_eq!(found, expected(&rows, filter, sort), "{:?} by {:?}", filter, sort);
            }
        }
        let open: Vec<Dialog> =
            rows.values().filter(|row| row.state != DialogState::Closed).cloned().collect();
        for operator in OPERATORS {
            let load = operators::load(&store, &operator.into()).unwrap();
            let of = |check: &dyn Fn(&Dialog) -> bool| {
                open.iter().filter(|row| check(row)).map(|row| row.id).collect::<Vec<_>>()
            };
            prop_assert_eq!(load.owned, of(&|row| row.owner == Some(operator.into())));
            prop_assert_eq!(load.offered, of(&|row| row.offers.iter().any(|o| o.operator == operator.into())));
        }
        for line in LINES {
            let queue = queue::of_line(&store, &line.into(), None, 0, None, 50).unwrap();
            let mut waiting: Vec<Dialog> =
                open.iter().filter(|row| row.line == line.into() && row.state.is_waiting()).cloned().collect();
            waiting.sort_by_key(|row| (std::cmp::Reverse(row.priority), row.queued_at_ms, row.id));
            prop_assert_eq!(queue.total, waiting.len());
            prop_assert_eq!(queue.dialogs, &waiting[..]);
            let counts = lines::counts(&store, &line.into()).unwrap();
            let in_states = |states: &[DialogState]| {
                open.iter().filter(|row| row.line == line.into() && states.contains(&row.state)).count()
            };
            prop_assert_eq!(counts.waiting, waiting.len());
            prop_assert_eq!(counts.offered, in_states(&[DialogState::Offered]));
            let active = [DialogState::Accepted, DialogState::WaitingClient, DialogState::WaitingOperator];
            prop_assert_eq!(counts.active, in_states(&active));
            prop_assert_eq!(counts.waiting_since_ms, waiting.iter().map(|row| row.queued_at_ms).min());
        }
    }
}

#[test]
fn both_kinds_of_store_list_alike() {
    let changes: Vec<Change> = (1..40usize)
        .map(|n| Change {
            dialog: u64::try_from(n % 11).unwrap() + 1,
            line: n % 3,
            state: n % 7,
            owner: n.is_multiple_of(2).then_some(n % 2),
            offers: Vec::new(),
            priority: i32::try_from(n % 3).unwrap(),
            queued: u64::try_from(n % 5).unwrap(),
            tag: n.is_multiple_of(3),
            same_set: n.is_multiple_of(4),
        })
        .collect();
    on_each(|store| {
        let rows = play(store, &changes);
        for sort in SORTS {
            for limit in [1, 3, 100] {
                let filter = DialogFilter::default();
                assert_eq!(all_pages(store, &filter, sort, limit), expected(&rows, &filter, sort));
            }
        }
    });
}

#[test]
fn a_page_goes_on_where_the_last_one_ended_though_new_dialogs_came() {
    on_each(|store| {
        store.write(&WriteSet { dialogs: (1..=4).map(dialog).collect(), ..up_to(4) }).unwrap();
        let filter = DialogFilter::default();
        let first = dialogs::list(store, &filter, Sort::Opened, None, 2).unwrap();
        store.write(&WriteSet { dialogs: vec![dialog(5)], ..up_to(5) }).unwrap();
        let second = dialogs::list(store, &filter, Sort::Opened, first.next_cursor.as_deref(), 2).unwrap();
        let ids: Vec<u64> = first.items.iter().chain(&second.items).map(|row| row.id.seq).collect();
        assert_eq!(ids, [4, 3, 2, 1]);
        assert_eq!(second.next_cursor, None);
    });
}

#[test]
fn a_page_looks_at_a_bounded_number_of_rows_and_the_next_goes_on() {
    let store = Store::in_memory().unwrap();
    let rows: Vec<Dialog> = (1..=25_000).map(dialog).collect();
    store.write(&WriteSet { dialogs: rows, ..up_to(25_000) }).unwrap();
    let filter = DialogFilter { tag: Some("none has it".to_owned()), ..DialogFilter::default() };
    let mut cursor: Option<String> = None;
    let mut pages = 0;
    loop {
        let page = dialogs::list(&store, &filter, Sort::Opened, cursor.as_deref(), 10).unwrap();
        assert_eq!(page.items, []);
        pages += 1;
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, 3);
}

#[test]
fn a_cursor_of_another_order_or_of_no_list_is_refused() {
    on_each(|store| {
        store.write(&WriteSet { dialogs: vec![dialog(1), dialog(2)], ..up_to(2) }).unwrap();
        let filter = DialogFilter::default();
        let page = dialogs::list(store, &filter, Sort::Opened, None, 1).unwrap();
        let cursor = page.next_cursor.unwrap();
        for wrong in [cursor.as_str(), "", "!", "AAAA", "é", &"A".repeat(100_000)] {
            let refused = dialogs::list(store, &filter, Sort::Updated, Some(wrong), 1);
            assert!(matches!(refused, Err(StoreError::Cursor)), "{wrong:.20} must be refused");
        }
    });
}

#[test]
fn rights_beyond_the_filter_are_checked_on_each_dialog() {
    on_each(|store| {
        store.write(&WriteSet { dialogs: (1..=5).map(dialog).collect(), ..up_to(5) }).unwrap();
        let filter = DialogFilter::default();
        let page =
            dialogs::list_where(store, &filter, Sort::Opened, None, 10, &|row| row.id.seq % 2 == 1).unwrap();
        assert_eq!(page.items.iter().map(|row| row.id.seq).collect::<Vec<_>>(), [5, 3, 1]);
    });
}
