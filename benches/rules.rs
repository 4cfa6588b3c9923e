//! What 10,000 rules cost: per message against 10 rules, to load and check, and to compile and swap them.
//!
//! The rules are those of a real company, many times: words in what clients write, single or several, with or
//! without case, by expression; buttons, tags, fields and lines. The figure per message is the whole application
//! of an entry by the engine, without journal and store. Run it with `cargo bench --bench rules`.
//!
//! `SWITCHBOARD_BENCH_RULES` and `SWITCHBOARD_BENCH_MESSAGES` change the size. The bench fails when a message
//! costs more than 1.3 times as much as with 10 rules, or when compiling and swapping takes more than a second.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::engine::rows::{Archive, ArchiveError};
use switchboard::engine::{State, apply, fetch};
use switchboard::model::chat::{Chat, ChatAddress};
use switchboard::model::client::{Client, Identity};
use switchboard::model::dialog::Dialog;
use switchboard::model::effect::Effect;
use switchboard::model::entry::{APPLY_VERSION, Cause, ENTRY_FORMAT, Entry, EntryHash};
use switchboard::model::id::{ChatId, ClientId, DialogId, EffectId, MessageId};
use switchboard::model::inbound::{ExternalChat, ExternalUser, Fact, Inbound, InboundMessage};
use switchboard::model::input::{ConfigActivated, Input};
use switchboard::model::message::Message;
use switchboard::model::outcome::{KnownInput, Outcome};

/// The daemon's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The set that the large one is compared with.
const FEW: usize = 10;
const CLIENTS: usize = 200;
const RULES_PER_FILE: usize = 2_000;
/// How many messages share one measurement: the clock itself would be seen otherwise.
const BATCH: usize = 50;
const RATIO_MAX: f64 = 1.3;
const SWAP_MAX: Duration = Duration::from_secs(1);

fn main() -> anyhow::Result<()> {
    let rules = setting("SWITCHBOARD_BENCH_RULES", 10_000)?;
    let messages = setting("SWITCHBOARD_BENCH_MESSAGES", 20_000)?;
    let (mut few, mut many) = (Bench::new(FEW)?, Bench::new(rules)?);
    println!(
        "{rules} rules: loaded and checked in {:.0} ms, compiled and swapped in {:.0} ms",
        milliseconds(many.loaded),
        milliseconds(many.swapped)
    );
    // In turns, so that both see the same machine.
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for _ in 0..messages.div_ceil(BATCH) {
        with_few.push(few.batch()?);
        with_many.push(many.batch()?);
    }
    let (with_few, with_many) = (median(with_few), median(with_many));
    let ratio = with_many.as_secs_f64() / with_few.as_secs_f64();
    println!(
        "a message: {:.2} µs with {FEW} rules, {:.2} µs with {rules}: {ratio:.2} times",
        per_message(with_few),
        per_message(with_many)
    );
    // A build for tests only shows that the bench still runs.
    let is_fine = ratio <= RATIO_MAX && many.swapped <= SWAP_MAX;
    if is_fine || cfg!(debug_assertions) { Ok(()) } else { bail!("above the goal") }
}

fn setting(name: &str, default: usize) -> anyhow::Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is not a number")),
        Err(_) => Ok(default),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn per_message(batch: Duration) -> f64 {
    batch.as_secs_f64() * 1e6 / BATCH as f64
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

struct Bench {
    state: State,
    seq: u64,
    at_ms: u64,
    counter: usize,
    loaded: Duration,
    swapped: Duration,
}

impl Bench {
    fn new(rules: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        write_config(folder.path(), rules)?;
        let begin = Instant::now();
        let loaded = load(&SourceSet::read(folder.path()));
        let Some(config) = loaded.config else { bail!("{:?}", loaded.diagnostics.first()) };
        let config = serde_json::value::RawValue::from_string(serde_json::to_string(&config)?)?;
        let mut bench = Self {
            state: State::default(),
            seq: 0,
            at_ms: 1_772_429_400_000,
            counter: 0,
            loaded: begin.elapsed(),
            swapped: Duration::ZERO,
        };
        let begin = Instant::now();
        bench.take(Input::ConfigActivated(ConfigActivated {
            version: "sha256:bench".to_owned(),
            commit: None,
            config,
        }))?;
        bench.swapped = begin.elapsed();
        Ok(bench)
    }

    fn take(&mut self, input: Input) -> anyhow::Result<()> {
        self.seq += 1;
        let entry = Entry {
            format: ENTRY_FORMAT,
            seq: self.seq,
            epoch: 1,
            at_ms: self.at_ms,
            apply_version: APPLY_VERSION,
            prev_hash: self.state.position().hash,
            input_id: format!("input-{}", self.seq),
            cause: Cause::Start,
            input,
        };
        fetch(&mut self.state, &Nothing, &entry)?;
        match apply(&mut self.state, &entry, EntryHash::ZERO).outcome {
            Outcome::Applied(_) => Ok(()),
            Outcome::Rejected(rejection) => bail!("{rejection}"),
        }
    }

    /// The time that so many messages take.
    fn batch(&mut self) -> anyhow::Result<Duration> {
        let messages: Vec<Input> = (0..BATCH).map(|_| self.message()).collect();
        let begin = Instant::now();
        for message in messages {
            self.take(message)?;
        }
        let took = begin.elapsed();
        let (number, _) = self.state.hand_over();
        self.state.stored(number);
        Ok(took)
    }

    fn message(&mut self) -> Input {
        self.counter += 1;
        self.at_ms += 20;
        let id = format!("client-{}", self.counter % CLIENTS);
        // A few hundred letters; in one of a hundred there is a word that a rule looks for.
        let mut text =
            "Good morning, the parcel that I ordered on Tuesday has not come yet, although you promised. "
                .repeat(4);
        if self.counter.is_multiple_of(100) {
            text.push_str(&format!("About subject-{}-x.", self.counter % 1_000));
        }
        let message = InboundMessage {
            chat: ExternalChat::of(id.clone()),
            user: ExternalUser { id, ..ExternalUser::default() },
            id: format!("message-{}", self.counter),
            text,
            attachments: Vec::new(),
            reply_to: None,
            source: None,
            unsupported: None,
            automatic: false,
            letter: None,
        };
        Input::Inbound(Inbound {
            channel: "bench".into(),
            external_at_ms: None,
            fact: Fact::Message(message),
        })
    }
}

fn write_config(folder: &std::path::Path, rules: usize) -> anyhow::Result<()> {
    std::fs::write(
        folder.join("channels.yaml"),
        "version: 1\nchannels:\n  bench: {kind: telegram, line: sales, token: {env: T}, webhook_secret: {env: S}}\n",
    )?;
    std::fs::write(
        folder.join("lines.yaml"),
        "version: 1\nlines:\n  sales: {name: Sales, routing: {strategy: least_loaded, operators: [anna]}}\n",
    )?;
    std::fs::write(folder.join("operators.yaml"), "version: 1\noperators:\n  anna: {name: Anna}\n")?;
    std::fs::create_dir(folder.join("rules"))?;
    // No file of the configuration is larger than 1 MiB.
    for file in 0..rules.div_ceil(RULES_PER_FILE) {
        let first = file * RULES_PER_FILE;
        let text = rules_of(first..rules.min(first + RULES_PER_FILE))?;
        std::fs::write(folder.join(format!("rules/bench-{file:02}.yaml")), text)?;
    }
    Ok(())
}

fn rules_of(numbers: std::ops::Range<usize>) -> anyhow::Result<String> {
    let mut text = "version: 1\nrules:\n".to_owned();
    for number in numbers {
        let when = match number % 10 {
            0..=2 => format!("{{path: message.text, contains: \"subject-{number}-x\"}}"),
            3..=5 => format!(
                "{{path: message.text, contains_any: [\"refund for {number}!\", \"возврат {number}!\"], ignore_case: true}}"
            ),
            6 => format!("{{path: message.button, eq: button-{number}}}"),
            7 => format!("{{path: client.tags, has: tag-{number}}}"),
            8 => format!("{{path: message.text, matches: 'invoice-{number} [0-9]+'}}"),
            _ => format!(
                "{{all: [{{path: dialog.line, eq: sales}}, {{path: message.text, contains: \"word-{number}-y\"}}, {{not: {{path: dialog.tags, has: done}}}}]}}"
            ),
        };
        writeln!(
            text,
            "  - id: rule-{number}\n    on: {{event: message.received}}\n    when: {when}\n    do: [{{add_tags: [seen-{number}]}}]"
        )?;
    }
    Ok(text)
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
    fn chat(&self, _: ChatId) -> Result<Option<Chat>, ArchiveError> {
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
