//! The same input again: the same answer, however often the daemon was started in between.

use std::sync::Arc;

use switchboard::model::command::Action;
use switchboard::model::id::{DialogId, OperatorId};
use switchboard::model::input::Input;
use switchboard::model::operator::Presence;
use switchboard::model::outcome::{Outcome, Rejection};
use switchboard::node::Clock;

use super::contents::Contents;
use super::daemon::Daemon;
use super::node::{message, running, submit, wish};
use super::site::Site;
use super::wire::{Wire, telegram_update};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_its_first_answer_after_restarts_and_never_serves_two_wishes() {
    let site = Site::without_messenger();
    let anna = OperatorId::from("anna");
    let dialog = DialogId::new(1, 0);
    let inputs = [
        message(1, 1, "hello"),
        wish("anna", "k-1", Action::SetPresence { operator: anna.clone(), presence: Presence::Online }),
        // A refusal is an answer too.
        wish("anna", "k-2", Action::AddNote { dialog, text: "nobody's".to_owned() }),
    ];
    let mut first = Vec::new();
    for round in 0..3 {
        let node = running(&site, Clock::system()).await;
        for (at, input) in inputs.iter().enumerate() {
            let answer = submit(&node, input.clone()).await;
            assert_eq!(answer.repeated, round > 0);
            match first.get(at) {
                None => first.push((answer.seq, answer.outcome)),
                Some(known) => assert_eq!((answer.seq, &answer.outcome), (known.0, &known.1)),
            }
        }
        let other =
            wish("anna", "k-1", Action::SetPresence { operator: anna.clone(), presence: Presence::Away });
        assert_eq!(submit(&node, other).await.outcome, Outcome::Rejected(Rejection::KeyReused));
        node.stop().await.unwrap();
    }
    Contents::of(&site).assert_kept(&[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_equal_inputs_at_the_same_time_one_is_applied() {
    let site = Site::without_messenger();
    let node = running(&site, Clock::system()).await;
    let handle = Arc::new(node.shared().handle.clone());
    let waiting: Vec<_> = (0..200).map(|_| handle.enqueue(message(1, 1, "hello")).unwrap()).collect();
    let mut answers = Vec::new();
    for answer in waiting {
        answers.push(answer.await.unwrap().unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(
        answers.iter().all(|answer| (answer.seq, &answer.outcome) == (answers[0].seq, &answers[0].outcome))
    );
    drop(handle);
    node.stop().await.unwrap();
    Contents::of(&site).assert_kept(&[1]);
}

#[test]
fn an_update_that_comes_again_after_a_kill_is_acknowledged_and_changes_nothing() {
    let site = Site::without_messenger();
    for _ in 0..3 {
        let daemon = Daemon::start(&site);
        let mut wire = Wire::connect(daemon.address()).unwrap();
        for message in 1..=5 {
            let reply = wire.telegram(&telegram_update(7, message, "hello")).unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        daemon.kill();
    }
    assert!(Daemon::start(&site).stop().status.success());
    let contents = Contents::of(&site);
    contents.assert_kept(&[1, 2, 3, 4, 5]);
    assert_eq!(contents.dialogs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_refused_for_the_configuration_of_the_moment_is_taken_in_when_it_comes_again() {
    let site = Site::without_messenger();
    let node = running(&site, Clock::system()).await;
    let mut strange = message(1, 1, "hello");
    let Input::Inbound(inbound) = &mut strange.input else { panic!("a message") };
    inbound.channel = "shop-viber".into();
    let refused = submit(&node, strange.clone()).await;
    assert_eq!(refused.outcome, Outcome::Rejected(Rejection::UnknownChannel));

    let channels = std::fs::read_to_string(site.config().join("channels.yaml")).unwrap();
    let with_viber = channels.replace("shop-telegram:", "shop-viber:");
    std::fs::write(site.config().join("channels.yaml"), with_viber).unwrap();
    assert_eq!(node.shared().reload().await.unwrap().result.as_str(), "activated");
    let taken = submit(&node, strange).await;
    assert!(matches!(taken.outcome, Outcome::Applied(_)), "{taken:?}");
    node.stop().await.unwrap();
    Contents::of(&site).assert_kept(&[1]);
}
