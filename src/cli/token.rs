//! `switchboard token new`: a fresh API token, shown once, with the lines for operators.yaml.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::canonical::hex;

use super::complain;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token. It is printed once; the configuration gets its hash.
    New(New),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
pub(super) struct New {
    /// The token's name, for logs and audit.
    id: String,
    /// The operator whose token it is.
    #[arg(long, group = "whose")]
    operator: Option<String>,
    /// The role of an integration's token.
    #[arg(long, group = "whose")]
    role: Option<String>,
    /// The lines that it may touch; by default as far as the role reaches.
    #[arg(long = "line", value_name = "LINE")]
    lines: Vec<String>,
}

/// 256 bits: nobody guesses it, and a plain hash of it is safe to publish.
const RANDOM_BYTES: usize = 32;

#[derive(Serialize)]
struct Declaration<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lines: &'a [String],
    hash: String,
}

pub(super) fn run(token: &Token) -> ExitCode {
    let Token::New(new) = token;
    let mut random = [0; RANDOM_BYTES];
    if let Err(error) = getrandom::fill(&mut random) {
        complain(&error);
        return ExitCode::FAILURE;
    }
    let text = format!("swb_{}", hex(&random));
    let declaration = Declaration {
        id: &new.id,
        operator: new.operator.as_deref(),
        role: new.role.as_deref(),
        lines: &new.lines,
        hash: format!("sha256:{}", hex(&Sha256::digest(text.as_bytes()))),
    };
    let declared = serde_yaml::to_string(&BTreeMap::from([("tokens", [declaration])]));
    match declared {
        Ok(declared) => {
            println!("The token, shown this once:\n\n  {text}\n\nFor operators.yaml:\n\n{declared}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}
