//! Secrets: typed references, and plain text where one belongs. No message quotes what it found.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::Walk;
use crate::config::scalar;
use crate::config::suggest::nearest;
use crate::config::tree::{Kind, Node};

const HELP: &str = "write `{env: NAME}` for an environment variable or `{file: /path}` for a file";

/// Checks a reference to a secret.
pub fn secret(walk: &mut Walk<'_>, node: &Node) {
    match &node.kind {
        Kind::Scalar { .. } if node.is_null() || node.text() == Some("") => {
            walk.push(
                Finding::new(Code::WrongType, node.head(), "expected a reference to a secret, found nothing")
                    .help(HELP),
            );
        }
        Kind::Scalar { text, .. } if is_substitution(text) => {
            mask(walk, node);
            walk.push(
                Finding::new(
                    Code::InvalidValue,
                    node.key.unwrap_or(node.span),
                    "variables are not put into texts, so this would be the secret itself",
                )
                .help("write `{env: NAME}`"),
            );
        }
        Kind::Scalar { .. } => {
            walk.masks.push(node.span);
            walk.push(
                Finding::new(
                    Code::LiteralSecret,
                    node.key.unwrap_or(node.span),
                    "a secret stands here in plain text",
                )
                .label("everybody who can read this file has it")
                .help(HELP),
            );
        }
        Kind::Sequence(_) => {
            mask(walk, node);
            walk.push(
                Finding::new(Code::WrongType, node.head(), "expected a reference to a secret, found a list")
                    .help(HELP),
            );
        }
        Kind::Mapping(entries) => match entries.as_slice() {
            [one] if one.key.text == "env" && one.value.text().is_some_and(scalar::is_variable) => {}
            [one] if one.key.text == "file" && one.value.text().is_some_and(is_path) => {}
            _ => {
                mask(walk, node);
                malformed(walk, node);
            }
        },
    }
}

/// Says what is wrong with a mapping that is no reference, without showing any value of it.
fn malformed(walk: &mut Walk<'_>, node: &Node) {
    let [entry] = node.entries() else {
        walk.push(
            Finding::new(
                Code::KeyChoice,
                node.head(),
                "a reference to a secret has exactly one of `env`, `file`",
            )
            .help(HELP),
        );
        return;
    };
    let (code, message, help) = match entry.key.text.as_str() {
        "env" => (
            Code::InvalidValue,
            "this is not the name of an environment variable".to_owned(),
            "a name has letters, digits and `_` only, without `$`: `{env: TELEGRAM_TOKEN}`".to_owned(),
        ),
        "file" => (
            Code::InvalidValue,
            "this is not the path of a file".to_owned(),
            "write a whole path, `{file: /run/secrets/token}`, or `{file: ./token}` for a file beside the configuration"
                .to_owned(),
        ),
        other => {
            let near = nearest(other, KEYS).filter(|_| other.len() <= LONGEST_TYPO);
            // A key that is no slip of the finger may be the secret itself.
            let found = if near.is_some() { format!("unknown key `{other}`") } else { "unknown key".to_owned() };
            if near.is_none() {
                walk.masks.push(entry.key.span);
            }
            (
                Code::UnknownKey,
                format!("{found} in a reference to a secret"),
                near.map_or_else(|| HELP.to_owned(), |near| format!("did you mean `{near}`?")),
            )
        }
    };
    walk.push(Finding::new(code, entry.key.span, message).help(help));
}

/// The keys of a reference.
const KEYS: [&str; 2] = ["env", "file"];

/// The longest word that one of [`KEYS`] becomes by a slip.
const LONGEST_TYPO: usize = 6;

/// `${NAME}`: what other tools replace by an environment variable. No secret looks so by chance.
fn is_substitution(text: &str) -> bool {
    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(scalar::is_variable)
}

/// A path, not something else that somebody put there.
fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains('\n') && text.len() <= 4096
}

/// Hides everything below a node.
fn mask(walk: &mut Walk<'_>, node: &Node) {
    match &node.kind {
        Kind::Scalar { .. } => walk.masks.push(node.span),
        Kind::Sequence(items) => items.iter().for_each(|item| mask(walk, item)),
        Kind::Mapping(entries) => entries.iter().for_each(|entry| mask(walk, &entry.value)),
    }
}
