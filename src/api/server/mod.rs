//! The server loop: from a listening socket to an axum router, with every resource bounded.
//!
//! What lives here: the limits (`limits`), what is answered with (`serving`), the accept loop with graceful shutdown (`accept`), the life of one
//! connection (`connection`), the bounds on a request body (`body`) and on a stalled write (`stream`).
//! Who may call it: `node`, which owns the listener; routes read bodies with [`BodyLimits::read`].
//! What it may call: libraries only. It knows no route.
//!
//! The invariant: each connection holds at most one head buffer and one bounded body, and each of its phases ends
//! by itself: silence and slow heads by the head timeout, slow bodies by the body timeout, readers that do not read
//! by the stall timeout, all of them at shutdown by the drain deadline.
//!
//! HTTP/1.1 on a plain port: TLS and HTTP/2 belong to the proxy in front. `axum::serve` is not used because it sets
//! no timer, without which hyper's head timeout does nothing.

mod accept;
mod body;
mod connection;
mod limits;
mod serving;
mod stream;

pub use accept::{Served, serve};
pub use body::{BodyError, BodyLimits, LimitedBody};
pub use limits::ServerLimits;
pub use serving::Serving;

#[cfg(test)]
mod tests;
