//! Plays a script: turns its lines into inputs.

use std::collections::BTreeMap;

use switchboard::engine::Applied;
use switchboard::model::command::{Action, Actor, Command, DialogChanges, ReplyContent, TransferTarget};
use switchboard::model::config::Config;
use switchboard::model::decision::Decision;
use switchboard::model::dialog::CloseReason;
use switchboard::model::effect::{Attempt, Refusal};
use switchboard::model::event::{Event, EventKind};
use switchboard::model::id::{DialogId, EffectId, OperatorId};
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Fate, Inbound, InboundMessage};
use switchboard::model::input::Input;
use switchboard::model::input_id;
use switchboard::model::operator::Presence;
use switchboard::model::role::Scope;

use super::words::Words;
use super::{configs, expect, told};
use crate::world::{World, activation, result};

/// 2026-03-02 00:00 UTC, a Monday: the day of the scripts.
pub(super) const MIDNIGHT_MS: u64 = 1_772_409_600_000;

/// Where a script failed.
pub(super) struct Failure {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) why: String,
}

/// A script on its way.
pub(super) struct Play {
    pub(super) world: World,
    config: Config,
    is_configured: bool,
    /// What the last line did.
    pub(super) last: Option<Applied>,
    /// Events since the last line that does something, those of timers included.
    pub(super) events: Vec<Event>,
    pub(super) decisions: Vec<Decision>,
    pub(super) dialogs: Vec<DialogId>,
    pub(super) effects: Vec<EffectId>,
    /// Effects that came into being since the last line that does something.
    pub(super) new_effects: Vec<EffectId>,
    attempts: BTreeMap<EffectId, u32>,
    counter: u64,
}

pub(super) fn play(script: &str) {
    let mut play = Play::new();
    for (text, line) in script.lines().zip(1..) {
        let text = text.trim();
        if let Err(why) = play.line(text) {
            std::panic::panic_any(Failure { line, text: text.to_owned(), why });
        }
    }
}

impl Play {
    pub(super) fn new() -> Self {
        Self {
            world: World::new(MIDNIGHT_MS),
            config: configs::shop(),
            is_configured: false,
            last: None,
            events: Vec::new(),
            decisions: Vec::new(),
            dialogs: Vec::new(),
            effects: Vec::new(),
            new_effects: Vec::new(),
            attempts: BTreeMap::new(),
            counter: 0,
        }
    }

    /// Plays one line. The error says why it did not go as it says, or which invariant broke.
    pub(super) fn line(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let mut words = Words::new(text);
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            if words.skip("given") {
                configs::set(&mut self.config, &mut words);
                return;
            }
            if !self.is_configured {
                self.is_configured = true;
                self.activate();
            }
            if words.skip("expect") {
                expect::expect(self, &mut words);
            } else {
                self.at(&words.word());
                self.act(&mut words);
            }
            words.end();
        }));
        played.map_err(|cause| {
            cause
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| cause.downcast_ref::<&str>().map(|why| (*why).to_owned()))
                .unwrap_or_default()
        })
    }

    fn activate(&mut self) {
        let input = activation(&self.config);
        self.take("reload", input);
    }

    /// Goes to a time: `10:00:05`, or `2/10:00:05` on the second day.
    fn at(&mut self, time: &str) {
        let target_ms = moment(time);
        assert!(target_ms >= self.world.now_ms, "{time} is earlier than the line before");
        self.events.clear();
        self.new_effects.clear();
        while let Some(due_ms) = self.world.state.next_due_ms().filter(|due_ms| *due_ms < target_ms) {
            self.world.now_ms = due_ms.max(self.world.now_ms);
            self.take("tick", Input::Tick);
        }
        self.world.now_ms = target_ms;
    }

    fn take(&mut self, input_id: &str, input: Input) {
        let applied = self.world.take(input_id, input);
        self.world.flush();
        let seq = self.world.state.position().seq;
        let made = self.world.archive.dialogs.keys().filter(|id| id.seq == seq);
        self.dialogs.extend(made.copied());
        let made: Vec<_> = self.world.archive.effects.keys().filter(|id| id.seq == seq).copied().collect();
        self.effects.extend(&made);
        self.new_effects.extend(&made);
        self.decisions.clone_from(&self.world.archive.decisions);
        self.events.extend(applied.events.iter().map(|event| event.as_ref().clone()));
        self.last = Some(applied);
    }

    pub(super) fn dialog(&self, name: &str) -> DialogId {
        let number: usize = name.trim_start_matches('d').parse().unwrap_or_else(|_| panic!("{name}?"));
        *self.dialogs.get(number - 1).unwrap_or_else(|| panic!("there is no dialog {name} yet"))
    }

    pub(super) fn effect(&self, name: &str) -> EffectId {
        let number: usize = name.trim_start_matches('e').parse().unwrap_or_else(|_| panic!("{name}?"));
        *self.effects.get(number - 1).unwrap_or_else(|| panic!("there is no effect {name} yet"))
    }

    fn act(&mut self, words: &mut Words) {
        match words.word().as_str() {
            "time" => {
                words.expect("passes");
                self.take("tick", Input::Tick);
            }
            "client" => self.client(words),
            "config" => {
                configs::set(&mut self.config, words);
                self.activate();
            }
            "node" => {
                words.expect("restarts");
                let applied = self.world.restart();
                self.world.flush();
                self.events.extend(applied.events.iter().map(|event| event.as_ref().clone()));
                self.last = Some(applied);
            }
            "worker" => {
                words.expect("claims");
                let effect = self.effect(&words.word());
                let attempt = self.world.archive.effects[&effect].attempts + 1;
                self.attempts.insert(effect, attempt);
                self.take("claim", Input::EffectClaimed { effect, attempt });
            }
            "admin" => {
                let action = match words.word().as_str() {
                    "retries" => Action::RetryDelivery { effect: self.effect(&words.word()) },
                    "cancels" => Action::CancelDelivery { effect: self.effect(&words.word()) },
                    verb => self.verb(verb, None, words),
                };
                self.command(None, action, words);
            }
            effect if effect.starts_with('e') && self.effects.len().to_string().len() >= effect.len() - 1 => {
                let effect = self.effect(effect);
                let attempt = self.attempts[&effect];
                self.outcome(effect, attempt, words);
            }
            operator => {
                let operator: OperatorId = operator.into();
                let verb = words.word();
                let action = self.verb(&verb, Some(&operator), words);
                self.command(Some(operator), action, words);
            }
        }
    }

    fn client(&mut self, words: &mut Words) {
        let name = words.word();
        let id = words.take_suffix("as");
        let channel = words.take_suffix("in").unwrap_or_else(|| "shop-telegram".to_owned());
        let chat = ExternalChat::of(name.clone());
        let phone = words.take_suffix("phone");
        let language = words.take_suffix("speaking");
        let until = words.take_suffix("until");
        let external_at_ms =
            words.take_suffix("dated").map(|seconds| seconds.parse::<u64>().unwrap() * 1_000);
        let user = ExternalUser {
            id: name.clone(),
            name: Some(name.clone()),
            phone,
            language,
            ..ExternalUser::default()
        };
        self.counter += 1;
        let number = self.counter;
        let (input_id, fact) = match words.word().as_str() {
            "writes" => {
                let automatic = words.skip("automatically");
                let id = id.unwrap_or_else(|| format!("message-{number}"));
                let input_id = input_id::message(&channel.as_str().into(), &name, &id);
                let text = words.word();
                let message = InboundMessage {
                    chat,
                    user,
                    id,
                    text,
                    attachments: Vec::new(),
                    reply_to: None,
                    source: None,
                    unsupported: None,
                    automatic,
                    letter: None,
                };
                (input_id, Fact::Message(message))
            }
            "edits" => {
                let message = words.word();
                words.expect("to");
                (format!("{channel}/edit/{number}"), Fact::Edited { chat, message, text: words.word() })
            }
            "presses" => {
                let data = words.word();
                let data = if words.skip("of") {
                    let dialog = self.dialog(&words.word());
                    let kind = if data.parse::<u8>().is_ok() { "rate" } else { "silence" };
                    format!("{kind}:{dialog}:{data}")
                } else {
                    data
                };
                let acknowledge = Some(format!("press-{number}"));
                let fact = Fact::Button { chat, user, data, title: None, message: None, acknowledge };
                (format!("{channel}/button/{number}"), fact)
            }
            "deletes" => {
                (format!("{channel}/deleted/{number}"), Fact::Deleted { chat, message: words.word() })
            }
            verb @ ("has" | "reads" | "misses") => {
                let effect = self.effect(&words.word());
                let fate = match verb {
                    "has" => Fate::Delivered,
                    "reads" => Fate::Read,
                    _ => {
                        let reason = words.word();
                        let refusal = match reason.as_str() {
                            "window_closed" => Some(Refusal::WindowClosed),
                            "blocked" => Some(Refusal::Blocked),
                            _ => None,
                        };
                        Fate::Failed { reason, refusal }
                    }
                };
                let message = format!("external-{effect}");
                (format!("{channel}/fate/{number}"), Fact::Fate { chat, message, fate })
            }
            verb @ ("blocks" | "allows") => {
                words.expect("us");
                let fact = Fact::Subscription { chat, user, allowed: verb == "allows" };
                (format!("{channel}/member/{number}"), fact)
            }
            other => {
                let told = told::Told { chat, user, id, until, number };
                let fact = told::fact(self, other, told, words);
                let fact = fact.unwrap_or_else(|| panic!("a client cannot {other}"));
                (format!("{channel}/update/{number}"), fact)
            }
        };
        let inbound = Inbound { channel: channel.as_str().into(), external_at_ms, fact };
        self.take(&input_id, Input::Inbound(inbound));
    }

    fn verb(&self, verb: &str, operator: Option<&OperatorId>, words: &mut Words) -> Action {
        let presence = |presence| Action::SetPresence { operator: operator.cloned().unwrap(), presence };
        match verb {
            "online" => return presence(Presence::Online),
            "away" => return presence(Presence::Away),
            "offline" => return presence(Presence::Offline),
            _ => {}
        }
        if verb == "writes" {
            let into_open = words.skip("on");
            words.expect("to");
            let name = words.word();
            let chat = self.world.archive.chats.values().find(|chat| chat.address.chat == name).unwrap().id;
            return Action::WriteFirst {
                chat,
                operator: operator.cloned().unwrap(),
                content: content(words),
                attachments: Vec::new(),
                into_open,
            };
        }
        if verb == "takes" {
            words.expect("over");
        }
        let dialog = self.dialog(&words.word());
        match verb {
            "accepts" => Action::Accept { dialog, operator: operator.cloned().unwrap() },
            "declines" => Action::Decline { dialog, operator: operator.cloned().unwrap() },
            "replies" => {
                Action::Reply { dialog, content: content(words), attachments: Vec::new(), reply_to: None }
            }
            "notes" => Action::AddNote { dialog, text: words.word() },
            "requeues" => Action::Requeue { dialog, reason: words.skip("because").then(|| words.word()) },
            "reopens" => Action::Reopen { dialog },
            "pauses" => {
                Action::Pause { dialog, until_ms: words.skip("until").then(|| moment(&words.word())) }
            }
            "resumes" => Action::Resume { dialog },
            "joins" => Action::Join { dialog, operator: operator.cloned().unwrap() },
            "leaves" => Action::Leave { dialog, operator: operator.cloned().unwrap() },
            "takes" => Action::TakeOver { dialog, operator: operator.cloned().unwrap() },
            "rates" => {
                let score = words.word().parse().unwrap();
                Action::RateWork { dialog, score, comment: words.skip("saying").then(|| words.word()) }
            }
            "closes" => {
                let reason = if words.skip("spam") {
                    CloseReason::Spam
                } else if words.skip("duplicate") {
                    CloseReason::Duplicate
                } else if words.skip("supervisor") {
                    CloseReason::Supervisor
                } else {
                    CloseReason::Operator
                };
                Action::Close { dialog, reason }
            }
            "transfers" => {
                words.expect("to");
                let to = match words.word().as_str() {
                    "team" => TransferTarget::Team(words.word().as_str().into()),
                    "line" => TransferTarget::Line(words.word().as_str().into()),
                    operator => TransferTarget::Operator(operator.into()),
                };
                let comment = words.skip("saying").then(|| words.word());
                Action::Transfer { dialog, to, comment }
            }
            "sets" => {
                let mut changes = DialogChanges::default();
                match words.word().as_str() {
                    "priority" => changes.priority = Some(words.word().parse().unwrap()),
                    "paused" => changes.paused = Some(words.word() == "true"),
                    "topic" => changes.topic = Some(Some(words.word().as_str().into())),
                    "tags" => changes.tags = Some(words.word().split(',').map(str::to_owned).collect()),
                    field => drop(changes.custom.insert(field.to_owned(), words.value())),
                }
                Action::Update { dialog, changes }
            }
            other => panic!("nobody can {other}"),
        }
    }

    fn command(&mut self, operator: Option<OperatorId>, action: Action, words: &mut Words) {
        self.counter += 1;
        let key = if words.skip("key") { words.word() } else { format!("key-{}", self.counter) };
        let scope =
            if words.skip("with") { serde_json::from_value(words.value()).unwrap() } else { Scope::Own };
        let lines = words.skip("within").then(|| words.word().split(',').map(|line| line.into()).collect());
        let expected_version = words.skip("version").then(|| words.word().parse().unwrap());
        let (actor, scope) = match operator {
            Some(operator) => (Actor::Operator(operator), scope),
            None => (Actor::Integration("admin".into()), Scope::Any),
        };
        self.take(&key, Input::Command(Command { actor, scope, lines, expected_version, action }));
    }

    fn outcome(&mut self, effect: EffectId, attempt: u32, words: &mut Words) {
        let how = match words.word().as_str() {
            "delivered" => Attempt::Delivered { external_id: Some(format!("external-{effect}")) },
            "fails" => {
                let after_ms = words.skip("asking").then(|| words.duration_ms());
                Attempt::Retry {
                    after_ms,
                    error: "503".into(),
                    parts_done: parts(words),
                    scope: Default::default(),
                }
            }
            "refused" => {
                let reason = if words.skip("blocked") {
                    Refusal::Blocked
                } else if words.skip("window_closed") {
                    Refusal::WindowClosed
                } else {
                    Refusal::Permanent
                };
                Attempt::Refused { reason, error: "403".into(), parts_done: parts(words) }
            }
            "uncertain" => Attempt::Ambiguous { error: "reset".into(), parts_done: parts(words) },
            other => panic!("an attempt does not end {other}"),
        };
        self.take("result", result(effect, attempt, how));
    }

    pub(super) fn has_event(&self, kind: EventKind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }
}

/// `"words"` or `template NAME`.
fn content(words: &mut Words) -> ReplyContent {
    if words.skip("template") {
        let template = words.word().as_str().into();
        ReplyContent::Template { template, vars: BTreeMap::new() }
    } else {
        ReplyContent::Text { text: words.word(), buttons: Vec::new() }
    }
}

/// How many parts arrived: `e1 fails after 2 parts`.
fn parts(words: &mut Words) -> u32 {
    if !words.skip("after") {
        return 0;
    }
    let count = words.word().parse().unwrap();
    assert!(words.skip("parts"), "after how many what?");
    count
}

/// The time that a script means.
pub(super) fn moment(time: &str) -> u64 {
    let (day, clock) = time.split_once('/').unwrap_or(("1", time));
    let day: u64 = day.parse().unwrap_or_else(|_| panic!("{time} is not a time"));
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    MIDNIGHT_MS + (day - 1) * 86_400_000 + (parts[0] * 3_600 + parts[1] * 60 + parts[2]) * 1_000
}
