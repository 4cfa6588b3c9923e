//! What a routing decision costs: 1,000 operators, 10,000 dialogs that wait.
//!
//! Five lines with topics, skills, languages, overflow and ageing; everybody has as much as they may have. Then
//! the day goes on: operators close dialogs and get the next ones, decline and accept them, clients come.
//! Each figure is the whole application of an entry by the engine (events, timers and the record of the
//! decision included), without journal and store. Run it with `cargo bench --bench routing`.
//!
//! `SWITCHBOARD_BENCH_OPERATORS` and `SWITCHBOARD_BENCH_WAITING` change the size. The bench fails when the
//! median of a kind is above 50 µs.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use switchboard::engine::rows::{Archive, ArchiveError};
use switchboard::engine::{State, apply, fetch};
use switchboard::model::channel::{Channel, ChannelKind, ChannelSettings};
use switchboard::model::chat::ChatAddress;
use switchboard::model::client::{Client, Identity};
use switchboard::model::command::{Action, Actor, Command};
use switchboard::model::config::Config;
use switchboard::model::dialog::{CloseReason, Dialog, DialogState};
use switchboard::model::effect::Effect;
use switchboard::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry, EntryHash};
use switchboard::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId, OperatorId};
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::{ConfigActivated, Input};
use switchboard::model::line::{Ageing, Line, Member, OverflowStage, RoutingPolicy, Strategy, Texts, Topic};
use switchboard::model::message::Message;
use switchboard::model::operator::{Operator, Presence, Team};
use switchboard::model::outcome::{KnownInput, Outcome};
use switchboard::model::role::Scope;
use switchboard::model::rule::{Condition, Test};

/// The daemon's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINES: usize = 5;
const TEAMS: usize = 20;
const LANGUAGES: [&str; 3] = ["en", "ru", "de"];
const SKILLS: [&str; 4] = ["billing", "delivery", "returns", "contracts"];
/// Dialogs at a time for each operator.
const LIMIT_MILLI: u32 = 3_000;
/// How often each kind is measured, at most: not more often than dialogs wait.
const ROUNDS: usize = 2_000;
/// Between two dialogs before the measurement, and between two rounds of it: a busy company.
const ARRIVAL_MS: u64 = 360;
const ROUND_MS: u64 = 50;
/// What a decision may cost.
const GOAL: Duration = Duration::from_micros(50);

fn main() -> anyhow::Result<()> {
    let operators = setting("SWITCHBOARD_BENCH_OPERATORS", 1_000)?;
    let waiting = setting("SWITCHBOARD_BENCH_WAITING", 10_000)?;
    let mut slow = Vec::new();
    for strategy in [Strategy::InOrder, Strategy::RoundRobin, Strategy::LeastLoaded] {
        let mut bench = Bench::new(strategy, operators, waiting)?;
        println!("{strategy:?}: {operators} operators, {} waiting", bench.waiting());
        bench.run(&mut slow)?;
    }
    // A build for tests only shows that the bench still runs.
    if slow.is_empty() || cfg!(debug_assertions) {
        Ok(())
    } else {
        bail!("above {GOAL:?}: {}", slow.join(", "))
    }
}

fn setting(name: &str, default: usize) -> anyhow::Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is not a number")),
        Err(_) => Ok(default),
    }
}

/// A company in the middle of a day.
struct Bench {
    state: State,
    seq: u64,
    at_ms: u64,
    counter: u64,
    operators: usize,
    timings: BTreeMap<&'static str, Vec<Duration>>,
}

impl Bench {
    fn new(strategy: Strategy, operators: usize, waiting: usize) -> anyhow::Result<Self> {
        let mut bench = Self {
            state: State::default(),
            seq: 0,
            at_ms: 1_772_429_400_000,
            counter: 0,
            operators,
            timings: BTreeMap::new(),
        };
        let config = serde_json::to_string(&config(strategy, operators))?;
        bench.take(Input::ConfigActivated(ConfigActivated {
            version: "sha256:bench".to_owned(),
            commit: None,
            config: serde_json::value::RawValue::from_string(config)?,
        }))?;
        for number in 0..operators {
            let operator = name(number);
            let action = Action::SetPresence { operator: operator.clone(), presence: Presence::Online };
            bench.command(&operator, action)?;
        }
        let mut written = 0;
        while bench.waiting() < waiting {
            // They come over an hour, and so do the steps by which their priorities grow.
            bench.at_ms += ARRIVAL_MS;
            bench.client_writes()?;
            written += 1;
            if written % 64 != 0 {
                continue;
            }
            // Whatever is offered is accepted, until everybody is full.
            for (dialog, operator) in bench.offers() {
                bench.command(&operator, Action::Accept { dialog, operator: operator.clone() })?;
            }
        }
        Ok(bench)
    }

    fn run(&mut self, slow: &mut Vec<String>) -> anyhow::Result<()> {
        for round in 0..ROUNDS.min(self.waiting()) {
            self.at_ms += ROUND_MS;
            let took = self.timed(Self::client_writes)?;
            self.note("a client writes, nobody is free", took);
            let Some((dialog, owner)) = self.owned(round) else { bail!("nobody owns a dialog") };
            let close = Action::Close { dialog, reason: CloseReason::Operator };
            let took = self.timed(|bench| bench.command(&owner, close))?;
            self.note("a freed slot pulls the next dialog", took);
            for (dialog, operator) in self.offers() {
                let decline = Action::Decline { dialog, operator: operator.clone() };
                let took = self.timed(|bench| bench.try_command(&operator, decline).map(drop))?;
                self.note("an offer is declined", took);
            }
            for (dialog, operator) in self.offers() {
                let accept = Action::Accept { dialog, operator: operator.clone() };
                let took = self.timed(|bench| bench.command(&operator, accept))?;
                self.note("an offer is accepted", took);
            }
            let operator = name(round % self.operators);
            for presence in [Presence::Away, Presence::Online] {
                let change = Action::SetPresence { operator: operator.clone(), presence };
                let took = self.timed(|bench| bench.command(&operator, change))?;
                self.note("presence changes", took);
            }
            self.flush();
        }
        for (kind, mut timings) in std::mem::take(&mut self.timings) {
            timings.sort_unstable();
            let at = |share: usize| timings.get(timings.len() * share / 1_000).copied().unwrap_or_default();
            let (median, high) = (at(500), at(990));
            println!("  {kind:<36} median {median:>10.1?}  99 % {high:>10.1?}  n {}", timings.len());
            if median > GOAL {
                slow.push(format!("{kind} ({median:.1?})"));
            }
        }
        Ok(())
    }

    fn timed(&mut self, act: impl FnOnce(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<Duration> {
        let began = Instant::now();
        act(self)?;
        Ok(began.elapsed())
    }

    fn note(&mut self, kind: &'static str, took: Duration) {
        self.timings.entry(kind).or_default().push(took);
    }

    fn take(&mut self, input: Input) -> anyhow::Result<Outcome> {
        self.seq += 1;
        let entry = Entry {
            format: ENTRY_FORMAT,
            seq: self.seq,
            epoch: 1,
            at_ms: self.at_ms,
            apply_version: APPLY_VERSION,
            prev_hash: EntryHash::default(),
            input_id: format!("bench/{}", self.seq),
            cause: Cause::Clock,
            input,
        };
        fetch(&mut self.state, &Nothing, &entry)?;
        Ok(apply(&mut self.state, &entry, EntryHash::default()).outcome)
    }

    fn try_command(&mut self, operator: &OperatorId, action: Action) -> anyhow::Result<Outcome> {
        let actor = Actor::Operator(operator.clone());
        self.take(Input::Command(Command {
            actor,
            scope: Scope::Own,
            lines: None,
            expected_version: None,
            action,
        }))
    }

    fn command(&mut self, operator: &OperatorId, action: Action) -> anyhow::Result<()> {
        match self.try_command(operator, action)? {
            Outcome::Applied(_) => Ok(()),
            Outcome::Rejected(rejection) => bail!("{operator}: {rejection}"),
        }
    }

    fn client_writes(&mut self) -> anyhow::Result<()> {
        self.counter += 1;
        let number = usize::try_from(self.counter)?;
        let id = format!("client-{number}");
        let language = LANGUAGES.get(number % 4).map(|language| (*language).to_owned());
        // Every second one says what it is about.
        let about = SKILLS.get(number % 8).copied().unwrap_or("something");
        let message = InboundMessage {
            chat: ExternalChat::of(id.clone()),
            user: ExternalUser { id, language, ..ExternalUser::default() },
            id: format!("message-{number}"),
            text: format!("I have a question about {about}"),
            attachments: Vec::new(),
            reply_to: None,
            source: None,
            unsupported: None,
            automatic: false,
            letter: None,
        };
        let channel = format!("channel-{}", number % LINES).as_str().into();
        let inbound = Inbound { channel, external_at_ms: None, fact: Fact::Message(message) };
        match self.take(Input::Inbound(inbound))? {
            Outcome::Applied(_) => Ok(()),
            Outcome::Rejected(rejection) => bail!("{rejection}"),
        }
    }

    fn flush(&mut self) {
        let (number, _) = self.state.hand_over();
        self.state.stored(number);
    }

    fn waiting(&self) -> usize {
        self.state.dialogs().filter(|dialog| dialog.state == DialogState::Queued).count()
    }

    fn offers(&self) -> Vec<(DialogId, OperatorId)> {
        self.state
            .dialogs()
            .filter(|dialog| dialog.state == DialogState::Offered)
            .flat_map(|dialog| dialog.offers.iter().map(|offer| (dialog.id, offer.operator.clone())))
            .collect()
    }

    fn owned(&self, round: usize) -> Option<(DialogId, OperatorId)> {
        let owned: Vec<&Dialog> = self
            .state
            .dialogs()
            .filter(|dialog| dialog.owner.is_some() && dialog.closed_at_ms.is_none())
            .collect();
        let dialog = owned.get(round * 31 % owned.len().max(1))?;
        Some((dialog.id, dialog.owner.clone()?))
    }
}

fn name(number: usize) -> OperatorId {
    format!("operator-{number:05}").as_str().into()
}

fn config(strategy: Strategy, operators: usize) -> Config {
    let mut config = Config::default();
    for team in 0..TEAMS {
        let team = format!("team-{team}").as_str().into();
        config.teams.insert(team, Team { lines: BTreeSet::new(), supervisors: BTreeSet::new() });
    }
    for number in 0..operators {
        let declared = Operator {
            name: format!("Operator {number}"),
            email: None,
            teams: BTreeSet::from([format!("team-{}", number % TEAMS).as_str().into()]),
            capacity_milli: Some(LIMIT_MILLI),
            role: "operator".into(),
            skills: SKILLS.iter().take(number % 5).map(|skill| (*skill).to_owned()).collect(),
            languages: LANGUAGES.iter().take(number % 4).map(|language| (*language).to_owned()).collect(),
            calendar: None,
            inactive: false,
            vacation: Vec::new(),
        };
        config.operators.insert(name(number), declared);
    }
    for line in 0..LINES {
        let id = format!("line-{line}");
        config.lines.insert(id.as_str().into(), self::line(line, strategy));
        let channel =
            Channel { line: id.as_str().into(), settings: ChannelSettings::Inactive(ChannelKind::Telegram) };
        config.channels.insert(format!("channel-{line}").as_str().into(), channel);
    }
    config
}

fn line(number: usize, strategy: Strategy) -> Line {
    // Each line is served by most teams: 800 of 1,000 operators.
    let members = (0..TEAMS)
        .filter(|team| team % LINES != number)
        .map(|team| Member::Team(format!("team-{team}").as_str().into()))
        .collect();
    let topics = SKILLS
        .iter()
        .map(|skill| Topic {
            topic: (*skill).into(),
            when: Condition::Test {
                path: "message.text".to_owned(),
                tests: vec![Test::Contains((*skill).to_owned())],
                ignore_case: true,
            },
            operators: Vec::new(),
            skills: BTreeSet::from([(*skill).to_owned()]),
            priority: None,
        })
        .collect();
    let stage = OverflowStage {
        after_ms: 86_400_000,
        add: Vec::new(),
        replace: Vec::new(),
        drop_skills: true,
        line: None,
    };
    Line {
        name: format!("Line {number}"),
        language: None,
        calendar: None,
        routing: RoutingPolicy {
            strategy,
            members,
            topics,
            overflow: vec![stage],
            max_offers_on_return: Some(RoutingPolicy::MAX_OFFERS_ON_RETURN),
            ..RoutingPolicy::default()
        },
        base_priority: 0,
        ageing: Some(Ageing { every_ms: 60_000, gain: 1, cap: Some(60) }),
        texts: Texts::default(),
        closing: None,
        reopen_window_ms: 0,
        silence: None,
        rating: None,
        operator_identity: None,
        sla: Vec::new(),
    }
}

/// No store: everything that is looked for was never there.
struct Nothing;

impl Archive for Nothing {
    fn known_input(&self, _: &str) -> Result<Option<KnownInput>, ArchiveError> {
        Ok(None)
    }
    fn dialog(&self, _: DialogId) -> Result<Option<Dialog>, ArchiveError> {
        Ok(None)
    }
    fn chat(&self, _: ChatId) -> Result<Option<switchboard::model::chat::Chat>, ArchiveError> {
        Ok(None)
    }
    fn chat_at(&self, _: &ChatAddress) -> Result<Option<ChatId>, ArchiveError> {
        Ok(None)
    }
    fn client(&self, _: ClientId) -> Result<Option<Client>, ArchiveError> {
        Ok(None)
    }
    fn client_of(&self, _: &Identity) -> Result<Option<ClientId>, ArchiveError> {
        Ok(None)
    }
    fn message(&self, _: DialogId, _: MessageId) -> Result<Option<Message>, ArchiveError> {
        Ok(None)
    }
    fn effect(&self, _: EffectId) -> Result<Option<Effect>, ArchiveError> {
        Ok(None)
    }
}
