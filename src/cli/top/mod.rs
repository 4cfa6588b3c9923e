//! `switchboard top`: lines, operators and waiting clients of the running daemon, live in the terminal.
//!
//! Lives here: the command; what is asked of the daemon ([`gather`]) and becomes a [`board`]; how the board is drawn
//! ([`draw`], by tables of [`tables`]); what the keys change ([`view`]); the terminal and the loop around it ([`screen`]), or one
//! frame as plain text ([`once`]). Calls the client of the command line.
//!
//! Invariant: however it ends, by a key, a signal, an error or a panic, the terminal is as it was before.

mod board;
mod draw;
mod gather;
mod once;
mod screen;
mod tables;
mod view;

use std::process::ExitCode;

use clap::Args;

use crate::node::Clock;

use super::client::{ClientError, Daemon};
use super::output::OutputError;
use super::{Arguments, wait_for};

#[derive(Debug, Args)]
pub(super) struct Top {
    #[command(flatten)]
    daemon: Daemon,
    /// Only these lines; may list several, separated by commas.
    #[arg(long = "line", value_name = "LINE", value_delimiter = ',')]
    lines: Vec<String>,
    /// Print one frame as plain text and end; for scripts.
    #[arg(long)]
    once: bool,
}

/// Why the board ended.
#[derive(Debug, thiserror::Error)]
enum TopError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "standard input and output must be a terminal; `switchboard top --once` prints one frame anywhere"
    )]
    NoTerminal,
    #[error("the terminal cannot be used: {0}")]
    Terminal(std::io::Error),
    #[error("the output cannot be written")]
    Output(#[from] OutputError),
}

pub(super) fn run(arguments: &Arguments, top: &Top) -> ExitCode {
    wait_for(async {
        let client = top.daemon.client(&arguments.config)?;
        client.check_lines(&top.lines).await?;
        let clock = Clock::system();
        if top.once {
            once::print(&client, &top.lines, &clock).await
        } else {
            screen::run(client, &top.lines, &clock).await
        }
    })
}
