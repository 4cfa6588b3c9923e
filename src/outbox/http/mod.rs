//! The one outbound HTTP client, with its guard against server-side request forgery.
//!
//! What lives here: the client (`client`), the guard that decides which targets may be reached (`guard`, with the
//! table of special address blocks in `address`), the name resolver that drops refused addresses (`resolver`) and
//! the bounded connector (`connector`).
//! Who may call it: the outbox workers and whoever fetches something from outside. What it may call: libraries, and
//! the request and response of `channels`, which it carries.
//!
//! What does not speak HTTP asks the same guard by the resolver (`Addresses`).
//!
//! The invariant: no byte goes to an address that the guard has not allowed. Names are judged by the addresses to
//! which the connector really connects, so a name that changes between check and use gains nothing; addresses
//! written in the URL are judged before, because the connector does not resolve those. Redirects are answers like
//! any other and are never followed; no proxy is taken from the environment; answers are bounded in time and size.
//!
//! There is one policy per client. A URL written in YAML gets no exception: a private target is reached only when
//! `outbound.allow_private` names its block. Whoever fetches URLs that strangers chose (pictures, files) can hold a
//! second client made with [`GuardPolicy::public_only`], which knows no private block at all.

mod address;
mod client;
mod connector;
mod error;
mod guard;
mod resolver;

pub use client::{HttpClient, SetupError};
pub use error::{AnswerPart, Interruption, InvalidRequest, NotSentReason, Refusal, SendError};
pub use guard::GuardPolicy;
pub(super) use resolver::Addresses;

#[cfg(test)]
mod tests;
