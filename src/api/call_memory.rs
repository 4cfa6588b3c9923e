//! The memory that bodies of webhook calls may hold at the same time: of all channels, and of one.
//!
//! Bodies are read before they are proven, and they may come slowly. They are charged as their bytes
//! arrive, so that who only says that much will come holds nothing; and no channel gets more than its
//! share, so that whoever can write to one cannot stop the others.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use parking_lot::Mutex;

use axum::body::Body;

use super::problem::Problem;
use super::server::{BodyLimits, LimitedBody};

/// Bytes of all channels together. A call of a messenger has at most one MiB, a mail 25, and each is done within
/// milliseconds once it is complete.
const ALL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of one channel: no less than the largest call.
const CHANNEL_BYTES_MAX: usize = ALL_BYTES_MAX / 2;

/// The memory, shared by all calls.
#[derive(Debug)]
pub(super) struct CallMemory {
    taken: Mutex<Taken>,
    all_max: usize,
    channel_max: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only channels that hold something.
    by_channel: BTreeMap<String, usize>,
}

/// What one call holds; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Held<'a> {
    memory: &'a CallMemory,
    channel: &'a str,
    bytes: usize,
}

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum NotRead {
    /// There is no memory for it at present.
    Busy,
    /// It is itself not as it should be.
    Body(Problem),
}

impl CallMemory {
    pub(super) fn new() -> Self {
        Self::with_bounds(ALL_BYTES_MAX, CHANNEL_BYTES_MAX)
    }

    fn with_bounds(all_max: usize, channel_max: usize) -> Self {
        Self { taken: Mutex::default(), all_max, channel_max }
    }

    /// Begins to count for a call of a declared channel.
    pub(super) const fn hold<'a>(&'a self, channel: &'a str) -> Held<'a> {
        Held { memory: self, channel, bytes: 0 }
    }
}

impl Held<'_> {
    /// Reads a body to its end. It stays charged for as long as this lives.
    ///
    /// # Errors
    /// See [`NotRead`].
    pub(super) async fn read(&mut self, body: Body, limits: BodyLimits) -> Result<Bytes, NotRead> {
        let mut body = LimitedBody::new(body, limits);
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| NotRead::Body(error.into()))?;
            // Trailers say nothing to us.
            let Ok(data) = frame.into_data() else { continue };
            self.grow(data.len()).ok_or(NotRead::Busy)?;
            if first.is_empty() && whole.is_empty() {
                // Nearly every body comes at once: it is not copied.
                first = data;
                continue;
            }
            if whole.is_empty() {
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }

    /// Charges more bytes; `None`, and nothing charged, when there is no room for them.
    fn grow(&mut self, bytes: usize) -> Option<()> {
        let mut taken = self.memory.taken.lock();
        let all = taken.all.checked_add(bytes).filter(|all| *all <= self.memory.all_max)?;
        let before = taken.by_channel.get(self.channel).copied().unwrap_or(0);
        let own = before.checked_add(bytes).filter(|own| *own <= self.memory.channel_max)?;
        taken.all = all;
        match taken.by_channel.get_mut(self.channel) {
            Some(count) => *count = own,
            None => drop(taken.by_channel.insert(self.channel.to_owned(), own)),
        }
        self.bytes = self.bytes.saturating_add(bytes);
        Some(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut taken = self.memory.taken.lock();
        taken.all = taken.all.saturating_sub(self.bytes);
        match taken.by_channel.get_mut(self.channel) {
            Some(count) if *count > self.bytes => *count = count.saturating_sub(self.bytes),
            _ => drop(taken.by_channel.remove(self.channel)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;
    use futures_util::stream;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits { max_bytes: 100, timeout: Duration::from_secs(10) };

    #[test]
    fn one_channel_cannot_take_what_another_needs_and_all_together_have_a_bound() {
        let memory = CallMemory::with_bounds(100, 50);
        let mut shop = memory.hold("shop");
        assert!(shop.grow(30).is_some() && shop.grow(20).is_some());
        assert!(memory.hold("shop").grow(1).is_none());
        let mut help = memory.hold("help");
        assert!(help.grow(50).is_some());
        assert!(memory.hold("sms").grow(1).is_none());
        drop(shop);
        assert!(memory.hold("sms").grow(50).is_some());
        drop(help);
        assert_eq!(memory.taken.lock().all, 0);
        assert!(memory.taken.lock().by_channel.is_empty());
    }

    #[tokio::test]
    async fn a_body_that_was_only_announced_holds_nothing() {
        let memory = CallMemory::with_bounds(10, 10);
        let mut slow = memory.hold("shop");
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let reading = slow.read(silent, LIMITS);
        tokio::pin!(reading);
        assert!(futures_util::poll!(reading.as_mut()).is_pending());
        let read = memory.hold("shop").read(Body::from("0123456789"), LIMITS).await.unwrap();
        assert_eq!(read, "0123456789");
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together_and_stopped_where_the_memory_ends() {
        let memory = CallMemory::with_bounds(10, 10);
        let pieces = |texts: &'static [&'static str]| {
            Body::from_stream(stream::iter(texts).map(|text| Ok::<_, std::io::Error>(Bytes::from(*text))))
        };
        let read = memory.hold("shop").read(pieces(&["01", "23", "", "45"]), LIMITS).await.unwrap();
        assert_eq!(read, "012345");
        let read = memory.hold("shop").read(pieces(&["01234567", "89x"]), LIMITS).await;
        assert!(matches!(read, Err(NotRead::Busy)), "{read:?}");
        assert_eq!(memory.taken.lock().all, 0);
    }
}
