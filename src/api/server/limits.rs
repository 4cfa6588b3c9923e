//! The limits of the server, with the reason for each default.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::body::BodyLimits;

/// Each SSE reader and each visitor's widget holds one connection. With [`MAX_HEAD_BYTES`] this bounds the head
/// buffers at 128 MiB in the worst case.
const MAX_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// A head fits into one packet as a rule; ten seconds allow for bad mobile networks. The same time closes silent and
/// idle connections.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Browsers send about 20 headers and proxies add about 10.
const MAX_HEADERS: usize = 64;

/// Browsers with large cookies send up to 16 KiB.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// The largest file that the settings can allow. Each route that reads a body has its own, tighter limit; what no
/// route reads is not read at all.
const MAX_BODY_BYTES: usize = 100 * 1024 * 1024;

/// As long as the slowest upload may take.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(300);

/// A reader that takes nothing for so long is gone or hostile. The kernel's buffer has filled up before this starts.
const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Supervisors kill after 30 (Kubernetes) to 90 (systemd) seconds; the rest of the shutdown needs some of that.
const DRAIN_DEADLINE: Duration = Duration::from_secs(20);

/// The limits of one server.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// The most connections at the same time. Further ones are not accepted and wait in the kernel's queue: behind a
    /// proxy a short wait is better than a failed request, and the kernel bounds that queue too.
    pub max_connections: NonZeroUsize,
    /// The time for a whole request head, counted from the moment at which the connection is ready for it. It covers
    /// new connections that say nothing and idle ones between two requests.
    pub header_read_timeout: Duration,
    /// The most headers of a request; more are answered 431.
    pub max_headers: usize,
    /// The largest request head in bytes; a larger one is answered 431.
    pub max_head_bytes: usize,
    /// The outer bounds on every request body. Routes set tighter ones with [`BodyLimits::read`].
    pub body: BodyLimits,
    /// The longest time for which a client may take none of the bytes written to it.
    pub write_stall_timeout: Duration,
    /// The time that running requests get to finish after the shutdown began.
    pub drain_deadline: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_connections: MAX_CONNECTIONS,
            header_read_timeout: HEADER_READ_TIMEOUT,
            max_headers: MAX_HEADERS,
            max_head_bytes: MAX_HEAD_BYTES,
            body: BodyLimits { max_bytes: MAX_BODY_BYTES, timeout: BODY_READ_TIMEOUT },
            write_stall_timeout: WRITE_STALL_TIMEOUT,
            drain_deadline: DRAIN_DEADLINE,
        }
    }
}
