//! `switchboard token new`: a fresh API token, shown once, with the lines for operators.yaml.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::load::load;
use crate::config::scalar;
use crate::config::source::SourceSet;
use crate::config::suggest::nearest;
use crate::model::config::Config;
use crate::model::hexadecimal;

use super::{Arguments, complain};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token. It is printed once; the configuration gets its hash.
    New(New),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
pub(super) struct New {
    /// The token's name, for logs and audit.
    #[arg(value_parser = id)]
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

/// An id as operators.yaml takes it.
fn id(text: &str) -> Result<String, String> {
    if scalar::is_id(text) {
        return Ok(text.to_owned());
    }
    let rule = "an id has small letters a-z, digits, `_` and `-`, and begins with a letter or digit";
    Err(match scalar::id_like(text) {
        Some(like) => format!("{rule}: `{like}`, for example"),
        None => rule.to_owned(),
    })
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

pub(super) fn run(arguments: &Arguments, token: &Token) -> ExitCode {
    let Token::New(new) = token;
    match declared(&arguments.config) {
        Ok(config) => {
            let mistakes = mistakes(new, &config);
            if !mistakes.is_empty() {
                for mistake in &mistakes {
                    complain(mistake);
                }
                return ExitCode::FAILURE;
            }
        }
        Err(unknown) => eprintln!("note: {unknown}"),
    }
    let mut random = [0; RANDOM_BYTES];
    if let Err(error) = getrandom::fill(&mut random) {
        complain(&error);
        return ExitCode::FAILURE;
    }
    let text = format!("swb_{}", hexadecimal::encode(&random));
    let declaration = Declaration {
        id: &new.id,
        operator: new.operator.as_deref(),
        role: new.role.as_deref(),
        lines: &new.lines,
        hash: format!("sha256:{}", hexadecimal::encode(&Sha256::digest(text.as_bytes()))),
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

/// Why the names of a token were not compared with a configuration.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(
        "there is no configuration in this folder, so the names were not checked; name its folder with --config"
    )]
    NoFiles,
    #[error("the configuration has errors, so the names were not checked; run `switchboard check`")]
    Errors,
}

/// Something that a token names and the configuration does not have, or has already.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Mistake {
    #[error("the configuration has no {what} `{name}`{}", hint(.nearest.as_deref()))]
    Unknown { what: &'static str, name: String, nearest: Option<String> },
    #[error("the configuration has a token `{0}` already; give this one another name")]
    Taken(String),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

fn declared(folder: &Path) -> Result<Config, Unknown> {
    let set = SourceSet::read(folder);
    if set.files.is_empty() {
        return Err(Unknown::NoFiles);
    }
    load(&set).config.ok_or(Unknown::Errors)
}

/// All that the daemon would not accept of a token, or that would open nothing.
fn mistakes(new: &New, config: &Config) -> Vec<Mistake> {
    fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Option<Mistake> {
        let known: Vec<&str> = known.collect();
        (!known.contains(&name)).then(|| Mistake::Unknown {
            what,
            name: name.to_owned(),
            nearest: nearest(name, known).map(str::to_owned),
        })
    }
    let is_taken = config.tokens.iter().any(|token| token.id.as_str() == new.id);
    let taken = is_taken.then(|| Mistake::Taken(new.id.clone()));
    let operators = || config.operators.keys().map(|id| id.as_str());
    let roles = || config.roles.keys().map(|id| id.as_str());
    let lines = || config.lines.keys().map(|id| id.as_str());
    let operator = new.operator.iter().filter_map(|name| unknown("operator", name, operators()));
    let role = new.role.iter().filter_map(|name| unknown("role", name, roles()));
    let line = new.lines.iter().filter_map(|name| unknown("line", name, lines()));
    taken.into_iter().chain(operator).chain(role).chain(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Config {
        declared(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn new(id: &str, operator: Option<&str>, role: Option<&str>, lines: &[&str]) -> New {
        New {
            id: id.to_owned(),
            operator: operator.map(str::to_owned),
            role: role.map(str::to_owned),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    fn told(new: &New) -> Vec<String> {
        mistakes(new, &example()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_token_of_what_is_declared_is_fine() {
        assert_eq!(told(&new("phone", Some("anna"), None, &["sales"])), [""; 0]);
        assert_eq!(told(&new("bridge", None, Some("integration"), &[])), [""; 0]);
    }

    #[test]
    fn everything_that_is_not_declared_is_told_with_what_was_meant() {
        assert_eq!(
            told(&new("phone", Some("ana"), None, &["sale", "sales"])),
            [
                "the configuration has no operator `ana`; did you mean `anna`?",
                "the configuration has no line `sale`; did you mean `sales`?"
            ]
        );
        assert_eq!(
            told(&new("bridge", None, Some("conductor"), &[])),
            ["the configuration has no role `conductor`"]
        );
    }

    #[test]
    fn a_name_that_a_token_has_already_is_told() {
        let taken = example().tokens.first().unwrap().id.to_string();
        assert_eq!(
            told(&new(&taken, Some("anna"), None, &[])),
            [format!("the configuration has a token `{taken}` already; give this one another name")]
        );
    }

    #[test]
    fn without_a_configuration_nothing_can_be_checked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(declared(folder.path()), Err(Unknown::NoFiles)));
        std::fs::write(folder.path().join("lines.yaml"), "version: 1\nlines: 7\n").unwrap();
        assert!(matches!(declared(folder.path()), Err(Unknown::Errors)));
    }
}
