//! The command line: one file per command.
//!
//! May call every room; nothing calls it but `main`. Only this room prints. Exit codes: 0 fine ·
//! 1 errors · 2 wrong usage · 78 refused to start. `inject-email` has those that mail servers read.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the room that talks to a terminal")]

mod channel;
mod check;
mod client;
mod explain;
mod graph;
mod inject_email;
mod output;
mod progress;
mod rebuild;
mod replay;
mod serve;
mod tail;
mod terminal_text;
mod token;
mod top;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// In a command's help its own options come first.
const EVERY_COMMAND: &str = "Options of every command";

/// A headless open-lines daemon.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, about)]
struct Arguments {
    /// The folder of the configuration.
    #[arg(long, global = true, help_heading = EVERY_COMMAND, value_name = "DIR", default_value = ".")]
    config: PathBuf,
    /// The folder of journal and store; by default as `switchboard.yaml` says.
    #[arg(long, global = true, help_heading = EVERY_COMMAND, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How log lines look.
    #[arg(long, global = true, help_heading = EVERY_COMMAND, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Which log lines are written, as `tracing` directives.
    #[arg(long, global = true, help_heading = EVERY_COMMAND, value_name = "FILTER", default_value = "info")]
    log: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon (the default).
    Serve,
    /// Check the configuration and print everything that is wrong with it.
    Check(check::Check),
    /// Set channels up with their messengers, and find out what is wrong with them.
    #[command(subcommand)]
    Channel(channel::Channel),
    /// Make the store anew from the journal. The daemon must be stopped.
    Rebuild,
    /// Check the whole journal, apply it once more, and compare the store. The daemon must be stopped.
    Verify,
    /// Show why things happened as they did: who was considered, which rules matched, under which configuration.
    Explain(explain::Explain),
    /// Draw where messages go: channels, lines, topics, teams, rules.
    Graph(graph::Graph),
    /// Follow the events of the running daemon.
    Tail(tail::Tail),
    /// Watch lines, operators and waiting clients, live in the terminal.
    Top(top::Top),
    /// Hand a mail from the standard input to the running daemon, from the pipe of a mail server.
    InjectEmail(inject_email::InjectEmail),
    /// API tokens.
    #[command(subcommand)]
    Token(token::Token),
}

/// Refused to start: the configuration or the data cannot be used (`EX_CONFIG`).
const REFUSED: u8 = 78;

/// Reads the command line and runs the command.
pub fn run() -> ExitCode {
    crate::node::memory::prefer_small_pages();
    let arguments = Arguments::parse();
    match arguments.command {
        None | Some(Command::Serve) => serve::run(&arguments),
        Some(Command::Check(ref check)) => check::run(&arguments, check),
        Some(Command::Channel(ref channel)) => channel::run(&arguments, channel),
        Some(Command::Rebuild) => rebuild::run(&arguments),
        Some(Command::Verify) => verify::run(&arguments),
        Some(Command::Explain(ref explain)) => explain::run(&arguments, explain),
        Some(Command::Graph(ref graph)) => graph::run(&arguments, graph),
        Some(Command::Tail(ref tail)) => tail::run(&arguments, tail),
        Some(Command::Top(ref top)) => top::run(&arguments, top),
        Some(Command::InjectEmail(ref mail)) => inject_email::run(&arguments, mail),
        Some(Command::Token(ref token)) => token::run(&arguments, token),
    }
}

/// The forms of commands whose output is read by people or by programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Runs what waits for the network, on this thread.
fn wait_for<E: std::error::Error>(work: impl Future<Output = Result<(), E>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints an error with its causes.
fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

/// Refuses a data folder without a journal: opening would create one, and an empty one looks intact.
fn require_journal(data: &std::path::Path) -> Result<(), NoJournal> {
    let folder = crate::node::data::journal_folder(data);
    if folder.is_dir() { Ok(()) } else { Err(NoJournal(folder)) }
}

/// There is no journal in the data folder.
#[derive(Debug, thiserror::Error)]
#[error("there is no journal at {}; name the folder with --data, or the configuration's with --config", .0.display())]
struct NoJournal(PathBuf);

/// The folder of journal and store.
fn data_folder(arguments: &Arguments) -> PathBuf {
    arguments.data.clone().unwrap_or_else(|| {
        let set = crate::config::source::SourceSet::read(&arguments.config);
        crate::node::data::data_folder(&arguments.config, &set)
    })
}
