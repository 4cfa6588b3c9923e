//! The bounds on a request body: bytes and time.
//!
//! The server wraps every body in its outer bounds, so no extractor can read without them; a route that wants tighter
//! ones reads with [`BodyLimits::read`]. The caller turns [`BodyError`] into its answer: 413 for `TooLarge`, 408 for
//! `TooSlow`, 400 for `Broken` (which the client will rarely see, because its connection broke).

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

/// The bounds on one request body.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The largest body in bytes.
    pub max_bytes: usize,
    /// The time for the whole body, counted from the first attempt to read it.
    pub timeout: Duration,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than allowed, by its announcement or in fact. Answer 413.
    #[error("the request body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The bound in bytes.
        max_bytes: usize,
    },
    /// It did not arrive in time. Answer 408.
    #[error("the request body did not arrive within {timeout:?}")]
    TooSlow {
        /// The time allowed.
        timeout: Duration,
    },
    /// The connection ended or the framing is wrong. Answer 400.
    #[error("the request body is incomplete or wrongly framed")]
    Broken,
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl BodyLimits {
    /// Reads a whole body within these bounds (and within the server's own, where those are tighter).
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn read(self, body: Body) -> Result<Bytes, BodyError> {
        LimitedBody::new(body, self).collect().await.map(|collected| collected.to_bytes())
    }
}

impl BodyError {
    /// Finds the body error in an extractor's error, if that is what ended it.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut current = Some(error);
        while let Some(error) = current {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            current = error.source();
        }
        None
    }
}

/// A body that ends with an error where its bounds are crossed.
pub struct LimitedBody<B> {
    inner: B,
    limits: BodyLimits,
    seen_bytes: usize,
    clock: Option<Pin<Box<Sleep>>>,
}

impl<B> LimitedBody<B> {
    /// Puts bounds around a body.
    pub fn new(inner: B, limits: BodyLimits) -> Self {
        Self { inner, limits, seen_bytes: 0, clock: None }
    }
}

impl<B> HttpBody for LimitedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let BodyLimits { max_bytes, timeout } = this.limits;
        let too_large = Poll::Ready(Some(Err(BodyError::TooLarge { max_bytes })));
        if this.clock.is_none() {
            // An announced length over the bound is refused before anything is read, and before hyper invites the
            // body with "100 Continue".
            if usize::try_from(this.inner.size_hint().lower()).map_or(true, |announced| announced > max_bytes)
            {
                return too_large;
            }
        }
        let clock = this.clock.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if clock.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(BodyError::TooSlow { timeout })));
        }
        match ready!(Pin::new(&mut this.inner).poll_frame(context)) {
            Some(Ok(frame)) => {
                let arrived = frame.data_ref().map_or(0, Bytes::len);
                this.seen_bytes = this.seen_bytes.saturating_add(arrived);
                if this.seen_bytes > max_bytes { too_large } else { Poll::Ready(Some(Ok(frame))) }
            }
            Some(Err(error)) => {
                let error: BoxError = error.into();
                Poll::Ready(Some(Err(BodyError::find(error.as_ref()).unwrap_or(BodyError::Broken))))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    const WIDE: BodyLimits = BodyLimits { max_bytes: 1000, timeout: Duration::from_secs(60) };

    fn streamed(parts: &'static [&'static str]) -> Body {
        let frames =
            parts.iter().map(|part| Ok::<_, BodyError>(Frame::data(Bytes::from_static(part.as_bytes()))));
        Body::new(StreamBody::new(futures_util::stream::iter(frames)))
    }

    #[tokio::test]
    async fn a_body_up_to_the_bound_is_read_whole() {
        let limits = BodyLimits { max_bytes: 6, ..WIDE };
        assert_eq!(limits.read(streamed(&["abc", "def"])).await.unwrap(), "abcdef");
        assert_eq!(limits.read(Body::from("abcdef")).await.unwrap(), "abcdef");
        assert_eq!(limits.read(Body::empty()).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_too_large() {
        let limits = BodyLimits { max_bytes: 5, ..WIDE };
        for body in [streamed(&["abc", "def"]), Body::from("abcdef")] {
            assert_eq!(limits.read(body).await.unwrap_err(), BodyError::TooLarge { max_bytes: 5 });
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_too_slow() {
        let limits = BodyLimits { timeout: Duration::from_millis(10), ..WIDE };
        let never = futures_util::stream::pending::<Result<Frame<Bytes>, BodyError>>();
        let error = limits.read(Body::new(StreamBody::new(never))).await.unwrap_err();
        assert_eq!(error, BodyError::TooSlow { timeout: limits.timeout });
    }

    #[tokio::test]
    async fn the_error_of_the_outer_bound_is_found_through_the_inner_one() {
        let outer = BodyLimits { max_bytes: 2, ..WIDE };
        let body = Body::new(LimitedBody::new(streamed(&["abc"]), outer));
        assert_eq!(WIDE.read(body).await.unwrap_err(), BodyError::TooLarge { max_bytes: 2 });
    }

    #[tokio::test]
    async fn a_broken_stream_is_broken() {
        let broken = futures_util::stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("reset"))]);
        assert_eq!(WIDE.read(Body::new(StreamBody::new(broken))).await.unwrap_err(), BodyError::Broken);
    }
}
