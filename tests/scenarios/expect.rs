//! What scripts can expect.

use switchboard::model::decision::{ActionTrace, OverflowChange, RoutingOutcome, Verdict};
use switchboard::model::dialog::Dialog;
use switchboard::model::effect::{Effect, EffectAction};
use switchboard::model::event::EventKind;
use switchboard::model::outcome::{Outcome, Rejection};
use switchboard::model::sla::SlaTarget;
use switchboard::model::timer::TimerKey;

use super::play::{Play, moment};
use super::words::Words;

pub(super) fn expect(play: &Play, words: &mut Words) {
    match words.word().as_str() {
        "done" => {
            let outcome = &play.last.as_ref().unwrap().outcome;
            assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        }
        "refused" => refused(play, words),
        "repeated" => {
            let last = play.last.as_ref().unwrap();
            assert!(last.first_seq < play.world.state.position().seq, "it was new");
        }
        "nothing" => match words.word().as_str() {
            "sent" => assert!(sent(play).is_empty(), "sent: {:?}", sent(play)),
            "happened" => assert!(play.events.is_empty(), "{:?}", play.events),
            _ => {
                let ready = play.world.state.ready_effects();
                assert!(ready.is_empty(), "{ready:?}");
            }
        },
        "sent" => {
            words.expect("to");
            let wanted = (words.word(), words.word().replace("\\n", "\n"));
            assert!(sent(play).contains(&wanted), "sent: {:?}", sent(play));
            if words.skip("with") {
                let found: Vec<_> = new_effects(play)
                    .filter_map(|effect| match &effect.action {
                        EffectAction::Send(outgoing) if outgoing.text == wanted.1 => Some(&outgoing.buttons),
                        _ => None,
                    })
                    .flatten()
                    .map(|button| button.title.clone())
                    .collect();
                assert_eq!(found, words.rest());
            }
        }
        "timer" => {
            let kind = words.word();
            let dialog = play.dialog(&words.word());
            let due_ms = play.world.archive.timers.iter().find_map(|(key, due_ms)| match key {
                TimerKey::Life { dialog: of, kind: found }
                    if *of == dialog && serde_json::to_value(found).unwrap() == kind.as_str() =>
                {
                    Some(*due_ms)
                }
                _ => None,
            });
            if words.skip("none") {
                assert_eq!(due_ms, None);
            } else {
                assert_eq!(due_ms, Some(moment(&words.word())));
            }
        }
        "return" => returned(play, words),
        "done_by" => {
            let timer = words.word();
            let done = words.word();
            let found = play.decisions.iter().rev().find_map(|decision| match &decision.verdict {
                Verdict::Timer(verdict) if serde_json::to_value(verdict.timer).unwrap() == timer.as_str() => {
                    Some(verdict.done)
                }
                _ => None,
            });
            assert_eq!(serde_json::to_value(found).unwrap(), done.as_str());
        }
        "notified" => {
            let wanted = (words.word(), words.word());
            let found: Vec<_> = new_effects(play)
                .filter_map(|effect| match &effect.action {
                    EffectAction::Notify(notification) => Some((
                        notification.endpoint.to_string(),
                        notification.data["text"].as_str().unwrap_or_default().to_owned(),
                    )),
                    _ => None,
                })
                .collect();
            assert!(found.contains(&wanted), "notified: {found:?}");
        }
        "acknowledged" => {
            let is_press = |effect: &Effect| matches!(effect.action, EffectAction::AcknowledgeButton { .. });
            assert_eq!(new_effects(play).filter(|effect| is_press(effect)).count(), 1);
        }
        "ready" => {
            let effect = play.effect(&words.word());
            let ready = play.world.state.ready_effects();
            let found = ready.iter().find(|ready| ready.effect == effect);
            let found = found.unwrap_or_else(|| panic!("ready: {ready:?}"));
            if words.skip("attempt") {
                assert_eq!(found.attempt.to_string(), words.word());
            }
        }
        "event" => {
            let name = words.word();
            assert!(play.has_event(kind(&name)), "events: {:?}", kinds(play));
        }
        "no" => {
            words.expect("event");
            let name = words.word();
            assert!(!play.has_event(kind(&name)), "events: {:?}", kinds(play));
        }
        "explain" => explain(play, words),
        "overflow" => overflow(play, words),
        "abandoned" => {
            let found = play.decisions.iter().rev().find_map(|decision| match &decision.verdict {
                Verdict::Abandoned(abandoned) => Some(abandoned),
                _ => None,
            });
            let found = found.expect("nobody abandoned anything");
            assert_eq!(found.since_ms, moment(&words.word()));
            let owner = words.skip("by").then(|| words.word());
            assert_eq!(found.owner.as_ref().map(ToString::to_string), owner);
        }
        "because" => {
            let wanted = words.word();
            let found: Vec<_> = play.events.iter().map(|event| event.data.to_string()).collect();
            assert!(found.iter().any(|data| data.contains(&format!("\"{wanted}\""))), "{found:?}");
        }
        "operator" => {
            let name = words.word();
            let status =
                &play.world.archive.operators[&switchboard::model::id::OperatorId::from(name.as_str())];
            assert_eq!(serde_json::to_value(status.presence).unwrap(), words.word().as_str());
        }
        "rule" => rule(play, words),
        "message" => message(play, words),
        "client" => {
            let name = words.word();
            let chat = play.world.archive.chats.values().find(|chat| chat.address.chat == name).unwrap();
            if words.skip("came") {
                words.expect("by");
                let client = &play.world.archive.clients[&chat.client];
                assert_eq!(client.source.as_deref(), Some(words.word().as_str()));
            } else if words.skip("is") {
                let client = &play.world.archive.clients[&chat.client];
                let known: Vec<&str> = client.identities.iter().map(|known| known.user.as_str()).collect();
                assert_eq!(known, words.rest());
            } else if words.skip("phones") {
                let client = &play.world.archive.clients[&chat.client];
                assert_eq!(client.phones.len().to_string(), words.word());
            } else {
                assert_eq!(chat.allowed, words.word() == "allowed");
            }
        }
        name if name.starts_with('d') => dialog(&play.world.archive.dialogs[&play.dialog(name)], words),
        name if name.starts_with('e') => effect(play, name, words),
        other => panic!("nobody knows how to expect {other}"),
    }
}

fn kind(name: &str) -> EventKind {
    EventKind::ALL.iter().copied().find(|kind| kind.as_str() == name).unwrap_or_else(|| panic!("{name}?"))
}

fn kinds(play: &Play) -> Vec<&'static str> {
    play.events.iter().map(|event| event.kind.as_str()).collect()
}

fn new_effects(play: &Play) -> impl Iterator<Item = &Effect> {
    play.new_effects.iter().map(|id| &play.world.archive.effects[id])
}

fn sent(play: &Play) -> Vec<(String, String)> {
    new_effects(play)
        .filter_map(|effect| match &effect.action {
            EffectAction::Send(outgoing) => Some((outgoing.chat.clone(), outgoing.text.clone())),
            _ => None,
        })
        .collect()
}

fn refused(play: &Play, words: &mut Words) {
    let outcome = &play.last.as_ref().unwrap().outcome;
    let Outcome::Rejected(rejection) = outcome else { panic!("it was done: {outcome:?}") };
    assert_eq!(rejection.code(), words.word());
    if words.skip("owner") {
        let owner = match rejection {
            Rejection::NotOffered { owner } | Rejection::NotOwner { owner } => owner.as_ref(),
            _ => None,
        };
        assert_eq!(owner.map(ToString::to_string), Some(words.word()));
    }
    if words.skip("saying") {
        let part = words.word();
        assert!(rejection.to_string().contains(&part), "{rejection}");
    }
}

fn dialog(row: &Dialog, words: &mut Words) {
    match words.word().as_str() {
        "offered" => {
            words.expect("to");
            let by_hand = words.take_suffix("by").is_some();
            let until = words.take_suffix("until");
            let operators: Vec<String> = row.offers.iter().map(|offer| offer.operator.to_string()).collect();
            assert_eq!(operators, words.rest(), "in the state {}", row.state.as_str());
            assert!(row.offers.iter().all(|offer| offer.by_hand == by_hand), "{:?}", row.offers);
            if let Some(until) = until {
                assert_eq!(row.offers[0].expires_at_ms, Some(moment(&until)));
            }
        }
        "owned" => {
            words.expect("by");
            assert_eq!(row.owner.as_ref().map(ToString::to_string), Some(words.word()), "{row:?}");
        }
        "closed" => {
            let reason = serde_json::to_value(row.close_reason).unwrap();
            assert_eq!(reason, words.word().as_str(), "{row:?}");
        }
        "priority" => assert_eq!(row.priority.to_string(), words.word()),
        "topic" => assert_eq!(row.topic.as_ref().unwrap().as_str(), words.word()),
        "tags" => {
            assert_eq!(row.tags.iter().cloned().collect::<Vec<_>>().join(","), words.word());
        }
        "line" => assert_eq!(row.line.as_str(), words.word()),
        "team" => assert_eq!(row.team.as_ref().unwrap().as_str(), words.word()),
        "sla" => {
            let target: SlaTarget = serde_json::from_value(words.word().into()).unwrap();
            if words.skip("none") {
                assert_eq!(row.sla.0.get(&target), None);
                return;
            }
            let clock = row.sla.0.get(&target).unwrap_or_else(|| panic!("{:?}", row.sla));
            assert_eq!(clock.word(), words.word(), "{clock:?}");
            if words.skip("due") {
                assert_eq!(clock.due_at_ms, Some(moment(&words.word())), "{clock:?}");
            }
        }
        "missed" => assert_eq!(serde_json::to_value(row.missed()).unwrap(), words.value()),
        "window" => {
            let is_closed = words.word() == "closed";
            assert_eq!(row.life.window_closed_at_ms.is_some(), is_closed, "{row:?}");
        }
        "stage" => assert_eq!(row.route.stage.to_string(), words.word()),
        "kept" => {
            words.expect("for");
            let kept = row.route.reserved.as_ref().map(|kept| kept.operator.to_string());
            assert_eq!(kept, Some(words.word()));
        }
        "since" => assert_eq!(row.queued_at_ms, moment(&words.word())),
        "answered" => assert_eq!(row.first_response_at_ms, Some(moment(&words.word()))),
        "reopened" => assert_eq!(row.life.reopened.to_string(), words.word()),
        "paused" => assert!(row.life.paused.is_some(), "{row:?}"),
        "running" => assert!(row.life.paused.is_none(), "{row:?}"),
        "asked" => assert!(row.life.rating.is_some(), "{row:?}"),
        "unasked" => assert!(row.life.rating.is_none(), "{row:?}"),
        "unrated" => {
            let vote = row.life.rating.as_ref().and_then(|asked| asked.vote.as_ref());
            assert_eq!(vote, None);
        }
        "rated" => {
            let asked = row.life.rating.as_ref().unwrap();
            assert_eq!(asked.vote.as_ref().unwrap().score.to_string(), words.word());
            if words.skip("for") {
                assert_eq!(asked.operator.as_ref().unwrap().as_str(), words.word());
            }
        }
        "reviewed" => {
            assert_eq!(row.life.supervisor_rating.as_ref().unwrap().score.to_string(), words.word());
        }
        "joined" => {
            words.expect("by");
            let joined: Vec<String> = row.life.joined.iter().map(ToString::to_string).collect();
            assert_eq!(joined, words.rest());
        }
        "source" => assert_eq!(row.source.as_deref().unwrap_or("none"), words.word()),
        "unowned" => assert_eq!(row.owner, None),
        "messages" => assert_eq!(row.messages.to_string(), words.word()),
        "unread" => assert_eq!(row.unread.to_string(), words.word()),
        "round" => assert_eq!(row.rounds.to_string(), words.word()),
        "last" => assert_eq!(row.last_message.as_ref().unwrap().text, words.word()),
        state => assert_eq!(row.state.as_str(), state, "{row:?}"),
    }
}

fn effect(play: &Play, name: &str, words: &mut Words) {
    let row = &play.world.archive.effects[&play.effect(name)];
    match words.word().as_str() {
        "attempts" => assert_eq!(row.attempts.to_string(), words.word()),
        "parts" => assert_eq!(row.parts_done.to_string(), words.word()),
        "error" => assert_eq!(row.last_error.as_deref(), Some(words.word().as_str())),
        state => assert_eq!(row.state.as_str(), state, "{row:?}"),
    }
    let due_ms = play
        .world
        .archive
        .timers
        .iter()
        .find(|(key, _)| serde_json::to_string(key).unwrap().contains(&format!("\"{}\"", row.id)));
    if words.skip("between") {
        let due_ms = *due_ms.unwrap().1;
        let (from, to) = (moment(&words.word()), moment(&words.word()));
        assert!((from..=to).contains(&due_ms), "{due_ms} is not between {from} and {to}");
    }
}

/// `explain d1: anna declined, boris eligible -> boris`, or `-> waits`. Candidates in their order.
fn explain(play: &Play, words: &mut Words) {
    let dialog = play.dialog(words.word().trim_end_matches(':'));
    let decision = play
        .decisions
        .iter()
        .rev()
        .filter(|decision| decision.dialog == dialog)
        .find_map(|decision| match &decision.verdict {
            Verdict::Routing(routing) => Some(routing),
            _ => None,
        })
        .expect("nothing was decided");
    let candidates: Vec<String> = decision
        .candidates
        .iter()
        .map(|candidate| {
            let verdict = serde_json::to_value(candidate.verdict).unwrap();
            format!("{} {}", candidate.operator, verdict.as_str().unwrap())
        })
        .collect();
    let outcome = match &decision.outcome {
        RoutingOutcome::Waits => "waits".to_owned(),
        RoutingOutcome::Offered { offers, .. } => {
            offers.iter().map(|offer| offer.operator.to_string()).collect::<Vec<_>>().join(" ")
        }
    };
    let trigger = serde_json::to_value(decision.trigger).unwrap();
    let found = format!("{}: {} -> {outcome}", trigger.as_str().unwrap(), candidates.join(", "));
    assert_eq!(found, words.rest().join(" "));
}

/// `return d1 to anna`, or `return d1 to anna offline` when the dialog is in the queue for that reason.
fn returned(play: &Play, words: &mut Words) {
    let dialog = play.dialog(&words.word());
    words.expect("to");
    let found = play.decisions.iter().rev().filter(|decision| decision.dialog == dialog);
    let found = found.map(|decision| &decision.verdict).find_map(|verdict| match verdict {
        Verdict::Return(back) => Some(back),
        _ => None,
    });
    let found = found.expect("nobody was looked at");
    let operator = found.operator.as_ref().map_or("nobody".to_owned(), ToString::to_string);
    assert_eq!(operator, words.word());
    let verdict = serde_json::to_value(found.verdict).unwrap();
    let wanted = words.rest();
    assert_eq!(verdict.as_str().unwrap_or("nobody"), wanted.first().map_or("eligible", String::as_str));
}

/// `overflow d1: moved returns`, `overflow d1: asks 3`, `overflow d1: stayed shop "why"`, or
/// `overflow d1: acted reply done, transfer "why not"`.
fn overflow(play: &Play, words: &mut Words) {
    let dialog = play.dialog(words.word().trim_end_matches(':'));
    let found = play
        .decisions
        .iter()
        .rev()
        .filter(|decision| decision.dialog == dialog)
        .find_map(|decision| match &decision.verdict {
            Verdict::Overflow(overflow) => Some(overflow),
            _ => None,
        })
        .expect("nothing overflowed");
    let found = match &found.change {
        OverflowChange::Asks { candidates } => format!("asks {candidates}"),
        OverflowChange::Moved { to } => format!("moved {to}"),
        OverflowChange::Stayed { to, reason } => format!("stayed {to} {reason}"),
        OverflowChange::Acted { actions } => format!("acted {}", traces(actions)),
    };
    assert_eq!(found, words.rest().join(" "));
}

fn traces(actions: &[ActionTrace]) -> String {
    let traces: Vec<String> = actions
        .iter()
        .map(|trace| format!("{} {}", trace.action, trace.refused.as_deref().unwrap_or("done")))
        .collect();
    traces.join(", ")
}

/// `rule NAME: add_tags done, transfer "why not"`, or `rule NAME did nothing`.
fn rule(play: &Play, words: &mut Words) {
    let name = words.word();
    let seq = play.world.state.position().seq;
    let found: Vec<_> = play
        .decisions
        .iter()
        .filter(|decision| decision.seq == seq)
        .filter_map(|decision| match &decision.verdict {
            Verdict::Rule(matched) if matched.rule.as_str() == name.trim_end_matches(':') => Some(matched),
            _ => None,
        })
        .collect();
    if words.skip("did") {
        words.expect("nothing");
        assert!(found.is_empty(), "{found:?}");
        return;
    }
    assert_eq!(found.len(), 1, "{name} matched {} times", found.len());
    if words.skip("chain") {
        assert_eq!(found[0].chain.to_string(), words.word());
        return;
    }
    assert_eq!(traces(&found[0].actions), words.rest().join(" "));
}

/// `message TEXT is STATUS|note|automatic` or `message TEXT was EARLIER, EARLIER`.
fn message(play: &Play, words: &mut Words) {
    let text = words.word();
    let found: Vec<_> = play.world.archive.messages.values().filter(|row| row.text == text).collect();
    assert_eq!(found.len(), 1, "{} messages say {text}", found.len());
    let row = found[0];
    if words.skip("was") {
        let earlier: Vec<&str> = row.revisions.iter().map(|revision| revision.text.as_str()).collect();
        assert_eq!(earlier, words.rest());
        return;
    }
    words.expect("is");
    match words.word().as_str() {
        "note" => assert!(row.note),
        "automatic" => assert!(row.automatic),
        "human" => assert!(!row.automatic),
        "elsewhere" => assert_eq!(row.author, switchboard::model::message::Author::Elsewhere),
        status => assert_eq!(serde_json::to_value(row.status).unwrap(), status),
    }
}
