//! What a page of a long queue costs: 50 of 10,000 dialogs that wait on one line, with ageing and deadlines.
//!
//! The first page, one from the middle and the last one are read again and again, each with the rows of its dialogs and
//! the last decision about each of them, as the API does. Run it with `cargo bench --bench queue`.
//!
//! `SWITCHBOARD_BENCH_WAITING` changes the size. The bench fails when the median of a page is above 5 ms.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use switchboard::engine::routing::queue::Place;
use switchboard::engine::rows::{Position, WriteSet};
use switchboard::model::decision::{
    Candidate, CandidateVerdict, Decision, OrderingKeys, Path, Routing, RoutingOutcome, Trigger, Verdict,
};
use switchboard::model::dialog::{Dialog, DialogState, Route};
use switchboard::model::id::{ChatId, ClientId, DialogId, LineId};
use switchboard::model::life::Life;
use switchboard::model::line::{Ageing, Strategy};
use switchboard::model::sla::SlaClocks;
use switchboard::store::Store;
use switchboard::store::queries::{Walk, decisions, queue};

/// The daemon's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAGE: usize = 50;
/// How often each page is read.
const ROUNDS: usize = 200;
/// Between two dialogs.
const ARRIVAL_MS: u64 = 360;
/// Dialogs of one write set, so that none is large.
const WRITE_SET: u64 = 500;
/// What a page may cost.
const GOAL: Duration = Duration::from_millis(5);

fn main() -> anyhow::Result<()> {
    let waiting: u64 = match std::env::var("SWITCHBOARD_BENCH_WAITING") {
        Ok(text) => text.parse().context("SWITCHBOARD_BENCH_WAITING is not a number")?,
        Err(_) => 10_000,
    };
    let store = filled(waiting)?;
    let now_ms = waiting * ARRIVAL_MS;
    let capped = Ageing { every_ms: 60_000, gain: 1, cap: Some(30) };
    let mut slow = Vec::new();
    for (name, ageing) in [
        ("no ageing", None),
        ("a step each minute", Some(Ageing { cap: None, ..capped })),
        ("a step each minute, at most 30", Some(capped)),
        ("all in one step", Some(Ageing { every_ms: u64::MAX, ..capped })),
    ] {
        println!("{waiting} waiting, {name}");
        let bench = Bench { store: &store, ageing, now_ms };
        let places = bench.places_before_pages()?;
        let last = places.len().saturating_sub(1);
        for (page, number) in [("first", 0), ("middle", last / 2), ("last", last)] {
            let after = places.get(number).copied().flatten();
            let median = bench.read(after, page)?;
            if median > GOAL {
                slow.push(format!("the {page} page with {name}"));
            }
        }
    }
    // A build for tests only shows that the bench still runs.
    if slow.is_empty() || cfg!(debug_assertions) {
        Ok(())
    } else {
        bail!("above {GOAL:?}: {}", slow.join(", "))
    }
}

struct Bench<'a> {
    store: &'a Store,
    ageing: Option<Ageing>,
    now_ms: u64,
}

impl Bench<'_> {
    fn page(&self, after: Option<Place>) -> anyhow::Result<queue::Queue> {
        Ok(queue::of_line(self.store, &line(), self.ageing.as_ref(), self.now_ms, after, PAGE)?)
    }

    /// Behind which place each page begins. The pages joined are everybody in order.
    fn places_before_pages(&self) -> anyhow::Result<Vec<Option<Place>>> {
        let (mut begins, mut places) = (vec![None], Vec::new());
        loop {
            let page = self.page(begins.last().copied().flatten())?;
            let of = |dialog| Place::of(dialog, self.ageing.as_ref(), self.now_ms);
            places.extend(page.dialogs.iter().map(of));
            match page.next {
                Some(next) => begins.push(Some(next)),
                None => {
                    ensure!(places.is_sorted() && places.len() == page.total, "the pages are not the queue");
                    return Ok(begins);
                }
            }
        }
    }

    fn read(&self, after: Option<Place>, name: &str) -> anyhow::Result<Duration> {
        let mut picked = Vec::with_capacity(ROUNDS);
        let mut whole = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let page = self.page(after)?;
            picked.push(begin.elapsed());
            for dialog in &page.dialogs {
                decisions::of_dialog(self.store, dialog.id, Walk::Backward(None), 1)?;
            }
            whole.push(begin.elapsed());
        }
        let (picked, whole) = (median(&mut picked), median(&mut whole));
        println!("  {name:6} page: {picked:>9.1?} for the dialogs, {whole:>9.1?} with the reasons");
        Ok(whole)
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn line() -> LineId {
    "sales".into()
}

/// A store with so many waiting dialogs, of five priorities, each with a decision about twenty operators.
fn filled(waiting: u64) -> anyhow::Result<Store> {
    let store = Store::temporary()?;
    let mut seq = 0;
    while seq < waiting {
        let seqs = seq + 1..=(seq + WRITE_SET).min(waiting);
        seq = *seqs.end();
        let position = Position { seq, ..Position::default() };
        let (dialogs, decisions) = (seqs.clone().map(dialog).collect(), seqs.map(decision).collect());
        store.write(&WriteSet { position, dialogs, decisions, ..WriteSet::default() })?;
    }
    store.flush()?;
    Ok(store)
}

fn dialog(seq: u64) -> Dialog {
    let queued_at_ms = seq * ARRIVAL_MS;
    // Mixed, and the same each time.
    let mixed = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let deadline_ms = (!mixed.is_multiple_of(3)).then(|| queued_at_ms + 60_000 * (1 + mixed % 90));
    Dialog {
        id: DialogId::new(seq, 0),
        line: line(),
        channel: "shop-telegram".into(),
        chat: ChatId::new(seq, 0),
        external_chat: seq.to_string(),
        client: ClientId::new(seq, 0),
        client_name: None,
        state: DialogState::Queued,
        owner: None,
        team: None,
        topic: None,
        priority: i32::try_from(mixed % 5).unwrap_or_default(),
        tags: BTreeSet::new(),
        custom: BTreeMap::new(),
        source: None,
        opened_at_ms: queued_at_ms,
        queued_at_ms,
        last_inbound_at_ms: queued_at_ms,
        accepted_at_ms: None,
        first_response_at_ms: None,
        closed_at_ms: None,
        close_reason: None,
        offers: Vec::new(),
        declined: BTreeMap::new(),
        rounds: 0,
        last_message: None,
        unread: 1,
        messages: 1,
        out_of_hours_told: false,
        life: Life::default(),
        updated_at_ms: queued_at_ms,
        version: seq,
        route: Route { deadline_ms, ..Route::default() },
        sla: SlaClocks::default(),
    }
}

fn decision(seq: u64) -> Decision {
    let candidates = (0..20u32).map(|place| Candidate {
        operator: format!("operator-{place}").as_str().into(),
        verdict: CandidateVerdict::Full,
        order: OrderingKeys {
            place,
            load_milli: 3_000,
            limit_milli: Some(3_000),
            line_load_milli: 3_000,
            line_limit_milli: None,
            last_offered_ms: seq,
        },
    });
    let routing = Routing {
        trigger: Trigger::Opened,
        line: line(),
        team: None,
        strategy: Strategy::LeastLoaded,
        candidates: candidates.collect(),
        candidates_omitted: 0,
        outcome: RoutingOutcome::Waits,
        path: Path::default(),
        rank: None,
        next: None,
    };
    let (at_ms, dialog) = (seq * ARRIVAL_MS, DialogId::new(seq, 0));
    Decision {
        seq,
        index: 0,
        at_ms,
        dialog,
        config: "sha256:0".to_owned(),
        verdict: Verdict::Routing(routing),
    }
}
