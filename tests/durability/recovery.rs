//! What a start makes of the files that it finds: it recovers without a loss, or it refuses and says why.

use std::fs::OpenOptions;
use std::io::Write as _;

use switchboard::journal::{self, FileJournal, Journal as _};
use switchboard::node::Clock;
use switchboard::node::data::{StartEvent, open_data};
use switchboard::store::{Settings, Store};

use super::contents::Contents;
use super::daemon::{Daemon, Ended, complaint, digest_in, run, run_beside};
use super::node::{done, message, running};
use super::site::{Site, copy_folder};

/// Refused to start.
const REFUSED: i32 = 78;
/// Messages in the history of each test.
const MESSAGES: u64 = 120;

/// A site with some history, stopped.
async fn with_history(from: u64) -> Site {
    let site = Site::without_messenger();
    add_history(&site, from).await;
    site
}

async fn add_history(site: &Site, from: u64) {
    let node = running(site, Clock::system()).await;
    for number in from..from + MESSAGES {
        done(&node, message(number % 10, number, "hello")).await;
    }
    node.stop().await.unwrap();
}

fn assert_refused(site: &Site, words: &[&str]) {
    site.let_go();
    let before = files_of_journal(site);
    let Ended { status, said } = Daemon::refused(site);
    assert_eq!(status.code(), Some(REFUSED), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert_eq!(files_of_journal(site), before, "a refusal changes nothing");
}

fn files_of_journal(site: &Site) -> Vec<Vec<u8>> {
    site.segments().iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_deleted_is_made_again_and_its_progress_is_told() {
    let site = with_history(0).await;
    let before = Contents::of(&site);
    std::fs::remove_dir_all(site.store()).unwrap();
    let mut progress = Vec::new();
    site.let_go();
    let opened = open_data(&site.data(), &mut |event| {
        if let StartEvent::Recovering(step) = event {
            progress.push((step.applied, step.total));
        }
    });
    drop(opened.unwrap());
    assert_eq!(progress.last(), Some(&(before.head, before.head)));
    let after = Contents::of(&site);
    assert_eq!(after.digest, before.digest);
    after.assert_kept(&(0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_ahead_of_the_journal_is_refused() {
    let site = with_history(0).await;
    let old_journal = site.aside("journal-yesterday");
    copy_folder(&site.journal(), &old_journal);
    add_history(&site, MESSAGES).await;
    copy_folder(&old_journal, &site.journal());
    assert_refused(&site, &["is not in the journal, which ends at", "restore the right one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_another_history_is_refused() {
    let (site, other) = (with_history(0).await, with_history(1_000).await);
    add_history(&other, 2_000).await;
    copy_folder(&other.journal(), &site.journal());
    assert_refused(&site, &["this journal has a different history", "restore the right one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_removed_is_refused_while_there_is_a_store() {
    let site = with_history(0).await;
    let kept = site.aside("journal-elsewhere");
    copy_folder(&site.journal(), &kept);
    std::fs::remove_dir_all(site.journal()).unwrap();
    site.let_go();
    let Ended { status, said } = Daemon::refused(&site);
    assert_eq!(status.code(), Some(REFUSED), "{said}");
    assert!(said.contains("is not in the journal, which ends at 0"), "{said}");
    copy_folder(&kept, &site.journal());
    Contents::of(&site).assert_kept(&(0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_cut_and_reported_and_nothing_acknowledged_is_lost() {
    let site = with_history(0).await;
    let last = site.segments().pop().unwrap();
    let whole = std::fs::read(&last).unwrap();
    // The beginning of a record, as a crash in the middle of a write leaves it.
    let begins = whole.windows(4).position(|bytes| bytes == b"\xffREC").unwrap();
    let mut file = OpenOptions::new().append(true).open(&last).unwrap();
    file.write_all(&whole[begins..begins + 100]).unwrap();
    drop(file);
    let ended = Daemon::start(&site).stop();
    assert!(ended.status.success(), "{}", ended.said);
    assert!(ended.said.contains("was cut off the journal"), "{}", ended.said);
    assert!(ended.said.contains(last.file_name().unwrap().to_str().unwrap()), "{}", ended.said);
    Contents::of(&site).assert_kept(&(0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_middle_is_refused_with_the_file_and_the_place() {
    let site = with_history(0).await;
    let last = site.segments().pop().unwrap();
    let whole = std::fs::read(&last).unwrap();
    let name = last.file_name().unwrap().to_str().unwrap().to_owned();
    let records: Vec<usize> =
        whole.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"\xffREC").map(|(at, _)| at).collect();
    let record = records[records.len() / 2];

    let mut flipped = whole.clone();
    flipped[record + 40] ^= 1;
    std::fs::write(&last, flipped).unwrap();
    assert_refused(&site, &[&name, &format!("is damaged at byte {record}:"), "docs/journal.md"]);
    // Not even the commands that look closer go over it, and the store that was there stays.
    let store = std::fs::metadata(site.store().join("db")).unwrap().modified().unwrap();
    for subcommand in ["verify", "rebuild"] {
        let output = run(&site, subcommand);
        assert!(!output.status.success());
        assert!(complaint(&output).contains("is damaged at byte"), "{}", complaint(&output));
    }
    assert_eq!(std::fs::metadata(site.store().join("db")).unwrap().modified().unwrap(), store);

    std::fs::write(&last, &whole[..record]).unwrap();
    assert_refused(&site, &[&name, &format!("is damaged at byte {record}:"), "was durable"]);

    std::fs::write(&last, &whole).unwrap();
    Contents::of(&site).assert_kept(&(0..MESSAGES).collect::<Vec<_>>());
}

/// The store's rows, to be tampered with.
fn rows(site: &Site) -> sled::Db {
    sled::Config::new().path(site.store()).cache_capacity(1024 * 1024).open().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_what_the_journal_leads_to_is_found() {
    let site = with_history(0).await;
    let right = Contents::of(&site).digest;
    assert_eq!(digest_in(&run(&site, "verify")), right);
    site.let_go();
    let database = rows(&site);
    let (key, kept) = database.pop_max().unwrap().unwrap();
    drop(database);
    let output = run(&site, "verify");
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains(&right), "{}", complaint(&output));
    assert!(complaint(&output).contains("run `switchboard rebuild`"), "{}", complaint(&output));

    let database = rows(&site);
    database.insert(&key, kept).unwrap();
    drop(database);
    assert_eq!(digest_in(&run(&site, "verify")), right);
    assert!(!site.store().with_extension("verifying").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_refuses_and_the_first_goes_on() {
    let site = with_history(0).await;
    let first = Daemon::start(&site);
    let second = Daemon::refused(&site);
    assert_eq!(second.status.code(), Some(REFUSED), "{}", second.said);
    assert!(second.said.contains("is locked: another switchboard has this journal open"), "{}", second.said);
    for subcommand in ["verify", "rebuild"] {
        let output = run_beside(&site, subcommand);
        assert!(!output.status.success());
        assert!(complaint(&output).contains("is locked"), "{}", complaint(&output));
    }
    assert!(first.stop().status.success());
    Contents::of(&site).assert_kept(&(0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_cannot_read_the_journal_leaves_the_store_alone() {
    let site = with_history(0).await;
    let before = Contents::of(&site);
    split_into_small_segments(&site);
    assert_eq!(Contents::of(&site).digest, before.digest);
    let segments = site.segments();
    assert!(segments.len() > 3);

    // What a rebuild that was killed has left is in nobody's way.
    copy_folder(&site.store(), &site.store().with_extension("rebuilding"));
    assert_eq!(digest_in(&run(&site, "rebuild")), before.digest);
    assert!(!site.store().with_extension("rebuilding").exists());

    let old = &segments[1];
    let mut bytes = std::fs::read(old).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(old, bytes).unwrap();
    for subcommand in ["verify", "rebuild"] {
        let output = run(&site, subcommand);
        assert!(!output.status.success());
        let name = old.file_name().unwrap().to_str().unwrap();
        assert!(complaint(&output).contains(name), "{}", complaint(&output));
    }
    site.let_go();
    let store = Store::open(&site.store(), Settings::default()).unwrap();
    assert_eq!(store.digest().unwrap(), before.digest, "the store is all that is left of the damaged part");
}

/// The same history in many segments.
fn split_into_small_segments(site: &Site) {
    site.let_go();
    let whole = site.aside("journal-whole");
    std::fs::rename(site.journal(), &whole).unwrap();
    let (from, _) = FileJournal::open(&whole, journal::Settings::default()).unwrap();
    let small = journal::Settings { segment_bytes: 8 * 1024, spare: true };
    let (mut to, _) = FileJournal::open(&site.journal(), small).unwrap();
    for recorded in from.read_from(1).unwrap() {
        let sealed = journal::seal(&recorded.unwrap().entry).unwrap();
        to.append(to.head().seq, &[sealed]).unwrap();
    }
    assert_eq!(to.head(), from.head());
}
