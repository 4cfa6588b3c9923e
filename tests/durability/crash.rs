//! Crashes of a daemon in this process: writer, projection and claims on real files, with a clock that is set
//! by hand and without waiting for anything but answers.
//!
//! A crash is an image of the journal, taken while the daemon works: what a kill at that moment leaves behind.
//! The life goes on from the image, with the store of an earlier day or with none at all. (A store that is
//! being written cannot be copied as a whole; `kill` crashes the real program with everything it has.)

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use switchboard::node::data::open_data;
use switchboard::node::{Clock, Node, Submission};

use super::contents::Contents;
use super::day::Day;
use super::messenger::{Manner, Messenger};
use super::node::running;
use super::site::{Site, copy_folder};

/// Seeds of lives; each is a whole history, except for what is under way when a crash comes.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Crashes in a life.
const CRASHES: u64 = 4;
/// Steps between two crashes.
const STEPS: u64 = 25;
/// Messages that are under way when a crash comes.
const UNDER_WAY: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_acknowledged_before_a_crash_is_there_once_after_it() {
    for seed in SEEDS {
        live(seed).await;
    }
}

async fn live(seed: u64) {
    let messenger = Messenger::start(|call| match call.chat().parse::<u64>().unwrap_or(0) % 3 {
        0 => Manner::Unwell,
        _ => Manner::Accept,
    });
    let time = Arc::new(AtomicU64::new(1_790_000_000_000));
    let mut day = Day::new(Arc::clone(&time), seed);
    let mut site = Site::new(messenger.address());
    for _ in 0..CRASHES {
        let old_store = site.aside("store-of-old");
        if site.store().exists() {
            copy_folder(&site.store(), &old_store);
        }
        let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
        day.go_on(&node, STEPS).await;

        let after = Site::new(messenger.address());
        let unanswered = crash(&mut day, &node, &site, &after).await;
        node.stop().await.unwrap();
        if old_store.exists() && day.dice.below(2) == 0 {
            copy_folder(&old_store, &after.store());
        }
        let opened = open_data(&after.data(), &mut |_| {}).unwrap();
        assert_eq!(opened.state.violations(), [], "seed {seed}");
        drop(opened);
        site = after;

        // The messenger had no answer, so it comes again.
        let node = running(&site, Clock::by_hand(Arc::clone(&time))).await;
        for submission in unanswered {
            day.submit(&node, submission).await;
        }
        node.stop().await.unwrap();
        Contents::of(&site).assert_kept(&day.acknowledged);
    }
    let contents = Contents::of(&site);
    assert!(day.acknowledged.len() > 60, "seed {seed}: {} messages", day.acknowledged.len());
    assert!(contents.delivered().count() > 0, "seed {seed}: effects arrived");
}

/// Takes the image while inputs are under way; gives back those that had no answer before it.
async fn crash(day: &mut Day, node: &Node, site: &Site, after: &Site) -> Vec<Submission> {
    let mut waiting = Vec::new();
    for _ in 0..UNDER_WAY {
        let (id, submission) = day.new_message();
        let answer = node.shared().handle.enqueue(submission.clone()).unwrap();
        waiting.push((id, submission, answer));
    }
    // Some answers come before the image; those are promises.
    let promised = usize::try_from(day.dice.below(UNDER_WAY as u64)).unwrap();
    let mut unanswered = Vec::new();
    for (number, (id, submission, answer)) in waiting.into_iter().enumerate() {
        if number < promised {
            answer.await.unwrap().unwrap();
            day.acknowledged.insert(id);
        } else {
            unanswered.push(submission);
        }
    }
    image(site, after);
    unanswered
}

/// The witness first: what it vouches for is then in the segments that are copied after it.
fn image(site: &Site, after: &Site) {
    fs::create_dir_all(after.journal()).unwrap();
    fs::copy(site.journal().join("durable"), after.journal().join("durable")).unwrap();
    for segment in site.segments() {
        fs::copy(&segment, after.journal().join(segment.file_name().unwrap())).unwrap();
    }
}
