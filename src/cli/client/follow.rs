//! A stream of events that is taken up again where it broke off.

use std::collections::VecDeque;
use std::time::Duration;

use http::header::HeaderName;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::error::ClientError;
use super::request::{Client, reason};
use super::server_events::{Reader, Said};

/// The daemon says something at least every 15 seconds: a stream that is silent for three times as long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The head of the answer comes at once.
const BEGIN_WITHIN: Duration = Duration::from_secs(20);
/// The first wait before a connection is tried again; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// A daemon that comes back is noticed within this time.
const WAIT_MAX: Duration = Duration::from_secs(15);

/// What following comes to.
#[derive(Debug)]
pub(in crate::cli) enum Followed {
    /// The stream is there, or there again.
    Connected,
    /// An event, as JSON.
    Event(String),
    /// Nothing happened; the stream is alive.
    Alive,
    /// The stream broke. It is tried again after the wait, by the next call.
    Broken { error: ClientError, wait: Duration },
}

/// Follows the events at one path.
pub(in crate::cli) struct Follower {
    client: Client,
    path: String,
    last_id: Option<String>,
    stream: Option<Stream>,
    /// Whether a failed attempt is followed by another one.
    is_patient: bool,
    /// How long to wait before the next attempt, and how long before the one after that.
    waits: Option<Duration>,
    next_wait: Duration,
}

struct Stream {
    body: Incoming,
    reader: Reader,
    said: VecDeque<Said>,
}

impl Follower {
    /// Follows `path`, which may have a query. Nothing is asked yet.
    pub(in crate::cli) fn new(client: Client, path: String) -> Self {
        Self {
            client,
            path,
            last_id: None,
            stream: None,
            is_patient: false,
            waits: None,
            next_wait: WAIT_FIRST,
        }
    }

    /// The same, patient from the first attempt on.
    #[must_use]
    pub(in crate::cli) fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }

    /// The next thing. Dropping the future loses nothing that was not returned yet, but for an attempt to connect.
    ///
    /// # Errors
    /// What trying again does not change: the token is refused, a right is missing, the filter is wrong. Unless it
    /// is patient, the very first attempt fails with whatever it meets: who has just typed the address wants to know.
    pub(in crate::cli) async fn next(&mut self) -> Result<Followed, ClientError> {
        let Some(stream) = &mut self.stream else { return self.connect().await };
        match stream.next(&self.client).await {
            Ok(Said::Event { id, data }) => {
                self.next_wait = WAIT_FIRST;
                if !id.is_empty() {
                    self.last_id = Some(id);
                }
                Ok(Followed::Event(data))
            }
            Ok(Said::At { id }) => {
                self.last_id = Some(id);
                Ok(Followed::Alive)
            }
            Ok(Said::Alive) => {
                self.next_wait = WAIT_FIRST;
                Ok(Followed::Alive)
            }
            Err(error) => {
                self.stream = None;
                Ok(self.broken(error))
            }
        }
    }

    async fn connect(&mut self) -> Result<Followed, ClientError> {
        if let Some(wait) = self.waits {
            tokio::time::sleep(wait).await;
            self.waits = None;
        }
        match self.attempt().await {
            Ok(stream) => {
                self.stream = Some(stream);
                self.is_patient = true;
                Ok(Followed::Connected)
            }
            Err(error) if self.is_patient && error.may_pass() => Ok(self.broken(error)),
            Err(error) => Err(error),
        }
    }

    async fn attempt(&self) -> Result<Stream, ClientError> {
        let resume = self.last_id.as_deref().map(|id| (HeaderName::from_static("last-event-id"), id));
        let headers: Vec<_> = resume.into_iter().collect();
        let opening = self.client.open(&self.path, &headers);
        let response = tokio::time::timeout(BEGIN_WITHIN, opening)
            .await
            .map_err(|_| self.client.broken("the stream did not begin in time".to_owned()))??;
        Ok(Stream { body: response.into_body(), reader: Reader::default(), said: VecDeque::new() })
    }

    fn broken(&mut self, error: ClientError) -> Followed {
        let wait = self.next_wait;
        self.waits = Some(wait);
        self.next_wait = wait.saturating_mul(2).min(WAIT_MAX);
        Followed::Broken { error, wait }
    }
}

impl Stream {
    async fn next(&mut self, client: &Client) -> Result<Said, ClientError> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(said);
            }
            let frame = tokio::time::timeout(SILENCE_MAX, self.body.frame())
                .await
                .map_err(|_| client.broken(format!("it was silent for {} seconds", SILENCE_MAX.as_secs())))?;
            let frame = match frame {
                None => return Err(client.broken("it ended the stream".to_owned())),
                Some(Err(error)) => return Err(client.broken(reason(&error))),
                Some(Ok(frame)) => frame,
            };
            if let Ok(piece) = frame.into_data() {
                let said = self.reader.take(&piece);
                self.said.extend(said.map_err(|_| client.broken("an event is too long".to_owned()))?);
            }
        }
    }
}
