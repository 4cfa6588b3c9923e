//! E-mail: addresses, and the servers that take it.

use crate::config::diagnostic::{Code, Finding};
use crate::config::grammar::walk::Walk;
use crate::config::scalar::Unfit;
use crate::config::tree::Node;
use crate::model::mail::{SmtpSecurity, SmtpTarget, parts_of_address};

use super::addresses;

/// The longest name beside an address, in characters.
const NAME_MAX: usize = 128;

/// The address of a mailbox.
///
/// # Errors
/// When it is not one.
pub fn address(text: &str) -> Result<(), Unfit> {
    match parts_of_address(text) {
        Some(_) if text.is_ascii() => Ok(()),
        _ => Err(Unfit { expected: "a mail address such as `sales@shop.example`".to_owned() }),
    }
}

/// The name beside it.
///
/// # Errors
/// When it does not fit into a header.
pub fn name(text: &str) -> Result<(), Unfit> {
    if text.contains(char::is_control) || text.chars().count() > NAME_MAX {
        Err(Unfit { expected: format!("one line of at most {NAME_MAX} characters") })
    } else {
        Ok(())
    }
}

/// A server that takes mail.
pub fn server(walk: &mut Walk<'_>, node: &Node) {
    let Some(text) = walk.text(node) else { return };
    match SmtpTarget::parse(text) {
        Ok(target) => addresses::reached(walk, node, &target.host),
        Err(reason) => walk.push(
            Finding::new(Code::InvalidValue, node.span, "this is not the address of a mail server")
                .label(reason),
        ),
    }
}

/// Checks that a login is whole, and that no password goes over the wire as plain text.
pub fn login(walk: &mut Walk<'_>, channel: &Node) {
    let Some(smtp) = channel.get("smtp") else { return };
    let (name, password) = (smtp.get("username"), smtp.get("password"));
    match (name, password) {
        (Some(name), None) => walk.push(
            Finding::new(Code::InvalidValue, name.span, "`username` is of no use without `password`")
                .help("add `password: {env: SMTP_PASSWORD}`"),
        ),
        (None, Some(password)) => walk.push(
            Finding::new(Code::InvalidValue, password.span, "`password` is of no use without `username`")
                .help("add `username`"),
        ),
        (Some(_), Some(password)) => {
            let target = smtp.get("url").and_then(Node::text).and_then(|url| SmtpTarget::parse(url).ok());
            if target.is_some_and(|target| target.security == SmtpSecurity::Plain) {
                walk.push(
                    Finding::new(
                        Code::InvalidValue,
                        password.span,
                        "the password would go over the wire as plain text",
                    )
                    .help("write `smtps://` or `smtp://` in `url`, or leave out `username` and `password`"),
                );
            }
        }
        (None, None) => {}
    }
}
