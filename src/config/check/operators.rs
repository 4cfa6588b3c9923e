//! Operators' addresses and API tokens.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::operators::TOKEN;
use crate::config::grammar::shape::{Field, Shape};
use crate::config::grammar::walk::Walk;
use crate::config::link::Name;
use crate::config::scalar::Unfit;
use crate::config::tree::{Kind, Node};

/// Checks a token.
pub fn token(walk: &mut Walk<'_>, node: &Node) {
    walk.node(node, &Shape::Mapping(TOKEN));
    if matches!(node.kind, Kind::Mapping(_)) {
        walk.exactly_one(
            node,
            &[
                Field::optional("operator", Shape::Reference(Name::Operator)),
                Field::optional("role", Shape::Reference(Name::Role)),
            ],
        );
    }
}

/// Checks the hash of a token. What stands here instead may be the token itself: it is not shown.
pub fn hash(walk: &mut Walk<'_>, node: &Node) {
    if node.text().and_then(sha256).is_none() {
        if node.text().is_some() {
            walk.masks.push(node.span);
        }
        walk.push(
            Finding::new(Code::TokenHash, node.head(), "this is not the hash of a token")
                .label("expected \"sha256:\" and 64 hexadecimal digits")
                .help("`switchboard token new` prints a token and the line for this file"),
        );
    }
}

/// The hexadecimal digits of a hash, in lower case.
pub fn sha256(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:")?;
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| digits.to_ascii_lowercase())
}

/// An e-mail address that can be written into a header.
///
/// # Errors
/// When it is not one.
pub fn email(text: &str) -> Result<(), Unfit> {
    let valid = text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    }) && text.matches('@').count() == 1
        && text.len() <= 254
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"'));
    if valid { Ok(()) } else { Err(Unfit { expected: "an address such as `anna@example.com`".to_owned() }) }
}
