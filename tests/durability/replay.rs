//! The store is a function of the journal: however it came about, wherever it is made, it is the same.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use switchboard::node::Clock;
use switchboard::node::data::open_data;

use super::contents::Contents;
use super::daemon::{digest_in, run, run_abroad};
use super::day::Day;
use super::messenger::{Manner, Messenger};
use super::node::running;
use super::site::{Site, copy_folder};

/// Steps in each half of the day.
const STEPS: u64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_the_same_grown_rebuilt_abroad_and_caught_up_from_half_way() {
    let messenger = Messenger::start(|call| match call.chat().parse::<u64>().unwrap_or(0) % 4 {
        0 => Manner::Blocked,
        1 => Manner::Unwell,
        _ => Manner::Accept,
    });
    let site = Site::new(messenger.address());
    let time = Arc::new(AtomicU64::new(1_790_000_000_000));
    let mut day = Day::new(Arc::clone(&time), 7);

    let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
    day.go_on(&node, STEPS).await;
    node.stop().await.unwrap();
    let half_way = site.aside("store-half-way");
    copy_folder(&site.store(), &half_way);
    let at_half = Contents::of(&site);

    let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
    day.go_on(&node, STEPS).await;
    node.stop().await.unwrap();
    let grown = Contents::of(&site);
    assert!(at_half.head + STEPS / 2 < grown.head && grown.dialogs.len() > 8, "the day was busy");
    assert!(grown.delivered().count() > 3, "effects arrived");
    assert!(grown.effects.iter().any(|effect| effect.state.as_str() == "failed"), "effects failed");
    assert!(grown.effects.iter().any(|effect| effect.attempts > 1), "effects were tried again");

    assert_eq!(digest_in(&run(&site, "rebuild")), grown.digest, "rebuilt here");
    assert_eq!(
        digest_in(&run_abroad(&site, "rebuild")),
        grown.digest,
        "rebuilt in another zone and language"
    );
    assert_eq!(digest_in(&run(&site, "verify")), grown.digest, "as `verify` sees it");

    copy_folder(&half_way, &site.store());
    site.let_go();
    drop(open_data(&site.data(), &mut |_| {}).unwrap());
    let caught_up = Contents::of(&site);
    assert_eq!(caught_up.stored, grown.head);
    assert_eq!(caught_up.digest, grown.digest, "caught up from half way");
}
