//! `switchboard tail`: the events of the running daemon, one line each, until told to stop.
//!
//! Lives here: the command, and an event as a line for people ([`event_line`]), which `explain` uses too. Calls the
//! client of the command line.

pub(super) mod event_line;

use std::process::ExitCode;
use std::time::Duration;

use chrono::Local;
use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::client::request::in_query;
use super::client::{Client, ClientError, Daemon, Followed, Follower};
use super::output::{self, OutputError};
use super::terminal_text::paint_of;
use super::{Arguments, Format, wait_for};

/// A shell whose pipe has ended feels no delay, and a look costs a call of the system.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    daemon: Daemon,
    /// Only events of these lines; may list several, separated by commas.
    #[arg(long = "line", value_name = "LINE", value_delimiter = ',')]
    lines: Vec<String>,
    /// Only these kinds of events, such as `dialog.opened`; may list several, separated by commas.
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    events: Vec<String>,
    /// Only events of these dialogs; may list several, separated by commas.
    #[arg(long = "dialog", value_name = "DIALOG", value_delimiter = ',')]
    dialogs: Vec<String>,
    /// Begin after this event, such as `17.0`, or after the `seq` of a write; by default the stream begins now.
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    /// How events are printed: for people in local time, or one JSON object in each line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Why following ended.
#[derive(Debug, thiserror::Error)]
enum TailError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Output(OutputError),
    #[error("signals cannot be taken: {0}")]
    Signals(std::io::Error),
}

/// What ended it.
enum Ended {
    /// The reader of the output has gone.
    Closed,
}

pub(super) fn run(arguments: &Arguments, tail: &Tail) -> ExitCode {
    wait_for(async {
        let client = tail.daemon.client(&arguments.config)?;
        client.check_lines(&tail.lines).await?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(TailError::Signals)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(TailError::Signals)?;
        tokio::select! {
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            () = output_closed() => Ok(()),
            ended = follow(client, tail) => ended.map(|Ended::Closed| ()),
        }
    })
}

/// Waits until nobody reads the output any more: `head` goes when it has its lines, and the next event may be far.
async fn output_closed() {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        if output::is_closed() {
            return;
        }
    }
}

async fn follow(client: Client, tail: &Tail) -> Result<Ended, TailError> {
    let mut follower = Follower::new(client, path(tail));
    let paint = paint_of(&std::io::stdout());
    let mut is_broken = false;
    loop {
        let written = match follower.next().await? {
            Followed::Event(event) => output::line(&match tail.format {
                Format::Json => event,
                // What is no JSON is shown as it came: something else than a daemon may stand between.
                Format::Text => serde_json::from_str::<Value>(&event)
                    .map_or(event, |event| event_line::of(&event, &Local, paint)),
            }),
            Followed::Connected => {
                if std::mem::take(&mut is_broken) {
                    eprintln!("The stream goes on; nothing is missing.");
                }
                Ok(())
            }
            Followed::Alive => Ok(()),
            Followed::Broken { error, wait } => {
                // Once, and not at each attempt of a night.
                if !std::mem::replace(&mut is_broken, true) {
                    eprintln!("The stream broke: {error}. Trying again in {} ms.", wait.as_millis());
                }
                Ok(())
            }
        };
        match written {
            Ok(()) => {}
            Err(OutputError::Closed) => return Ok(Ended::Closed),
            Err(error) => return Err(TailError::Output(error)),
        }
    }
}

/// The path of the stream, with its filters.
fn path(tail: &Tail) -> String {
    let after: Vec<String> = tail.after.iter().cloned().collect();
    let filters =
        [("line", &tail.lines), ("type", &tail.events), ("dialog", &tail.dialogs), ("after", &after)];
    let filters: Vec<String> = filters
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name}={}", in_query(&values.join(","))))
        .collect();
    format!("/v1/events?{}", filters.join("&"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        tail: Tail,
    }

    #[test]
    fn filters_go_to_the_daemon_as_it_knows_them() {
        let path_of = |words: &str| {
            path(&Line::parse_from(std::iter::once("tail").chain(words.split_whitespace())).tail)
        };
        assert_eq!(path_of(""), "/v1/events?");
        assert_eq!(
            path_of("--line sales,support --line vip --event dialog.opened --dialog d-3 --after 17.0"),
            "/v1/events?line=sales,support,vip&type=dialog.opened&dialog=d-3&after=17.0"
        );
    }
}
