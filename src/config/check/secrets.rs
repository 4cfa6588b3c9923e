//! Secrets: typed references, and plain text where one belongs. No message quotes what it found.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::Walk;
use crate::config::scalar;
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
                walk.push(
                    Finding::new(Code::InvalidValue, node.head(), "this is not a reference to a secret")
                        .help(HELP),
                );
            }
        },
    }
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
