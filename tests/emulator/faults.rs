//! The faults that messengers are known for, at every kind.

use std::time::Duration;

use super::kinds::{Kind, Refusal};
use super::server::Fault;
use super::{Everybody, each, server};

fn answer(refusal: &Refusal) -> Fault {
    Fault::Answer { status: refusal.status, headers: refusal.headers, body: refusal.body.to_owned() }
}

/// What the messenger was asked to send for `text`, in any form.
fn attempts(everybody: &Everybody, kind: &Kind, text: &str) -> usize {
    let calls = everybody.emulator(kind).calls();
    calls.iter().filter_map(kind.sent).filter(|sent| sent.text == format!("You said: {text}")).count()
}

#[tokio::test]
async fn what_a_client_writes_comes_in_once_and_is_answered() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            // Messengers bring the same call again when they are in doubt.
            for _ in 0..3 {
                everybody.write(kind, 1, "Привет, {{ name }} & \"you\" + 100%").await;
            }
            everybody.write(kind, 2, "second").await;
            let text = "You said: Привет, {{ name }} & \"you\" + 100%";
            assert_eq!(everybody.emulator(kind).has(text).await, 1, "{}", kind.name);
            assert_eq!(everybody.emulator(kind).has("You said: second").await, 1, "{}", kind.name);
            let answer = everybody.answer(kind, "second", &["sent", "delivered", "read"]).await;
            let delivered = everybody.emulator(kind).delivered();
            let [first, second] = &delivered[..] else { panic!("{}: {delivered:?}", kind.name) };
            assert_eq!(first.text, text, "{}: the order is kept", kind.name);
            assert_eq!(answer["external_id"], second.id.as_str(), "{}", kind.name);
            let texts: Vec<_> =
                everybody.messages(kind).await.iter().map(|message| message["text"].clone()).collect();
            assert_eq!(texts.len(), 4, "{}: {texts:?}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_forged_call_is_refused_and_leaves_nothing() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            let mut forged = kind.message(1, "forged");
            forged.headers.clear();
            forged.body = forged.body.replace("emulated-webhook-secret", "another-webhook-secret");
            assert_eq!(server::post(everybody.daemon.base(), kind, &forged).await, 401, "{}", kind.name);
            let mut cut = kind.message(1, "cut");
            cut.body.truncate(cut.body.len() / 2);
            let status = server::post(everybody.daemon.base(), kind, &cut).await;
            assert!(status == 401 || status == 200, "{}: {status}", kind.name);
            everybody.write(kind, 2, "real").await;
            assert_eq!(everybody.emulator(kind).has("You said: real").await, 1, "{}", kind.name);
            assert_eq!(everybody.messages(kind).await.len(), 2, "{}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_messenger_that_says_too_fast_gets_the_text_later_and_once() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([answer(&kind.too_fast)]);
            everybody.write(kind, 1, "hello").await;
            assert_eq!(everybody.emulator(kind).has("You said: hello").await, 1, "{}", kind.name);
            everybody.answer(kind, "hello", &["sent"]).await;
            assert_eq!(attempts(everybody, kind, "hello"), 2, "{}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn errors_of_servers_and_proxies_lose_nothing() {
    let everybody = Everybody::start().await;
    let page = || "<html><body>502 Bad Gateway</body></html>".to_owned();
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([
                Fault::Drop,
                Fault::Answer { status: 502, headers: &[], body: page() },
                Fault::Answer { status: 503, headers: &[("retry-after", "1")], body: String::new() },
            ]);
            everybody.write(kind, 1, "hello").await;
            assert_eq!(everybody.emulator(kind).has("You said: hello").await, 1, "{}", kind.name);
            everybody.answer(kind, "hello", &["sent"]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_means_at_least_once_and_exactly_once_where_the_messenger_knows_the_key() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([Fault::AcceptThenDrop]);
            everybody.write(kind, 1, "hello").await;
            everybody.answer(kind, "hello", &["sent", "delivered"]).await;
            let delivered = everybody.emulator(kind).delivered();
            let expected = if delivered[0].key.is_some() { 1 } else { 2 };
            assert_eq!(delivered.len(), expected, "{}: {delivered:?}", kind.name);
            assert_eq!(attempts(everybody, kind, "hello"), 2, "{}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_who_blocked_us_is_written_to_no_more() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([answer(&kind.blocked)]);
            everybody.write(kind, 1, "hello").await;
            let failed = everybody.answer(kind, "hello", &["failed"]).await;
            assert!(
                failed["error"].as_str().is_some_and(|error| !error.is_empty()),
                "{}: {failed}",
                kind.name
            );
            assert_eq!(attempts(everybody, kind, "hello"), 1, "{}", kind.name);
            assert_eq!(everybody.emulator(kind).delivered(), [], "{}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_request_and_a_closed_window_fail_at_once_and_say_why() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([answer(&kind.wrong)]);
            everybody.write(kind, 1, "wrong").await;
            everybody.answer(kind, "wrong", &["failed"]).await;
            assert_eq!(attempts(everybody, kind, "wrong"), 1, "{}", kind.name);
            if let Some(window_closed) = &kind.window_closed {
                everybody.emulator(kind).fail_next([answer(window_closed)]);
                everybody.write(kind, 2, "late").await;
                everybody.answer(kind, "late", &["failed"]).await;
                assert_eq!(attempts(everybody, kind, "late"), 1, "{}", kind.name);
            }
            // The client is no one who blocked us: the next one arrives.
            everybody.write(kind, 3, "again").await;
            assert_eq!(everybody.emulator(kind).has("You said: again").await, 1, "{}", kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_token_holds_its_channel_and_no_other_and_is_never_shown() {
    let everybody = Everybody::start().await;
    let (held, others) = super::kinds::ALL.split_first().unwrap();
    everybody.emulator(held).fail_next([answer(&held.bad_token)]);
    everybody.write(held, 1, "held").await;
    for kind in others {
        everybody.emulator(kind).fail_next([Fault::Slow(Duration::from_millis(50))]);
        everybody.write(kind, 1, "goes").await;
    }
    for kind in others {
        assert_eq!(everybody.emulator(kind).has("You said: goes").await, 1, "{}", kind.name);
    }
    everybody.answer(held, "held", &["queued"]).await;
    assert_eq!(everybody.emulator(held).delivered(), []);
    let printed = everybody.daemon.printed();
    for (_, secret) in super::kinds::SECRETS {
        assert!(!printed.contains(secret), "the log shows a secret");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let everybody = Everybody::start().await;
    each(&everybody, |kind| {
        let everybody = &everybody;
        async move {
            everybody.emulator(kind).fail_next([Fault::Answer {
                status: 307,
                headers: &[("location", "http://127.0.0.1:1/elsewhere")],
                body: String::new(),
            }]);
            everybody.write(kind, 1, "hello").await;
            // Whether it is tried again later or not: nobody was asked elsewhere, and it is not shown as sent.
            everybody.answer(kind, "hello", &["queued", "failed"]).await;
            assert_eq!(everybody.emulator(kind).delivered(), [], "{}", kind.name);
        }
    })
    .await;
}
