//! `switchboard channel setup` and `switchboard channel doctor`: registering a channel with its messenger, and
//! finding out why it does not work.
//!
//! Both read the configuration files and ask the messenger; no daemon has to run, though `doctor` looks whether the
//! public address leads to one. `examine` finds out, `report` prints. No secret is printed: what a messenger says is
//! searched for those that were read.

mod examine;
mod report;
mod secrets;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::load::load;
use crate::config::source::SourceSet;
use crate::model::channel::Channel as Declared;
use crate::model::config::Config;
use crate::outbox::Outside;

use examine::{Examination, Purpose};
use secrets::Lookup;

use super::{Arguments, Format};

#[derive(Debug, Subcommand)]
pub(super) enum Channel {
    /// Register the channel's webhook with its messenger, where that has an API for it.
    Setup(Setup),
    /// Examine the channel: secrets, token, webhook, public address. Changes nothing.
    Doctor(Doctor),
}

#[derive(Debug, Args)]
pub(super) struct Setup {
    /// The channel, as channels.yaml names it.
    name: String,
    /// Only say what would be asked of whom.
    #[arg(long)]
    dry_run: bool,
    /// How findings are printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The channel, as channels.yaml names it.
    name: String,
    /// How findings are printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Why nothing could be examined.
#[derive(Debug, thiserror::Error)]
enum ChannelError {
    #[error("the configuration has errors; `switchboard check` tells them")]
    Config,
    #[error("there is no channel `{wanted}` in channels.yaml; there is: {known}")]
    NoChannel { wanted: String, known: String },
    #[error("{0}")]
    Outside(String),
    #[error("the network cannot be used: {0}")]
    Machine(#[from] std::io::Error),
}

pub(super) fn run(arguments: &Arguments, wanted: &Channel) -> ExitCode {
    let (name, purpose, format) = match wanted {
        Channel::Setup(setup) => (&setup.name, Purpose::Setup { dry_run: setup.dry_run }, setup.format),
        Channel::Doctor(doctor) => (&doctor.name, Purpose::Doctor, doctor.format),
    };
    match examined(arguments, name, purpose) {
        Ok(examination) => {
            print!("{}", report::of(&examination, format));
            if examination.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            super::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn examined(arguments: &Arguments, name: &str, purpose: Purpose) -> Result<Examination, ChannelError> {
    let loaded = load(&SourceSet::read(&arguments.config));
    let config = loaded.config.ok_or(ChannelError::Config)?;
    let declared = declared(&config, name)?;
    let lookup = Lookup::new(&arguments.config, loaded.literals);
    let outside = Outside::open(&config, &lookup).map_err(ChannelError::Outside)?;
    // The secrets of the other channels are not this one's matter.
    lookup.forget_failures();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(examine::examine(name, declared, &outside, &lookup, purpose)))
}

fn declared<'a>(config: &'a Config, name: &str) -> Result<&'a Declared, ChannelError> {
    config.channels.get(name).ok_or_else(|| {
        let known: Vec<&str> = config.channels.keys().map(|id| id.as_str()).collect();
        ChannelError::NoChannel { wanted: name.to_owned(), known: known.join(", ") }
    })
}
