//! The terminal while the board is on it, and the loop of keys, events and time.

use std::io::IsTerminal as _;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::client::request::in_query;
use crate::cli::client::{Client, ClientError, Followed, Follower};
use crate::cli::terminal_text::{Tone, paint_of};
use crate::config::diagnostic::Paint;
use crate::node::Clock;

use super::TopError;
use super::board::Board;
use super::draw::Picture;
use super::gather;
use super::once::wall_clock;
use super::view::{View, Wish};

/// Waits grow by the second.
const REDRAW_EVERY: Duration = Duration::from_secs(1);
/// However much happens, the daemon is not asked more often.
const ASK_AFTER_AT_LEAST: Duration = Duration::from_millis(500);
/// Nor does it spend more than a part of its time on one board: the pause is as many times longer than its last answer took.
const PAUSE_PER_ANSWER: u32 = 5;
/// What no event tells is noticed within this time: hours, for example, begin without one.
const ASK_AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// How the stream of events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Live,
    Broken,
    /// The token may not follow events.
    None,
}

/// What the stream has told, for the loop.
#[derive(Debug, Clone, Copy)]
struct Heard {
    link: Link,
    /// Grows with each event.
    events: u64,
}

/// Gives the terminal back when it goes.
struct Restored(DefaultTerminal);

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// A task that ends with its owner.
struct Task(tokio::task::JoinHandle<Result<(), ClientError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The board until somebody ends it.
pub(super) async fn run(client: Client, shown: &[String], clock: &Clock) -> Result<(), TopError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(TopError::NoTerminal);
    }
    // Before the screen is taken: what is wrong with the address or the token is told as for any command.
    let board = gather::board(&client, shown, None).await?;
    let (tell, heard) = watch::channel(Heard { link: Link::Live, events: 0 });
    let filter =
        if shown.is_empty() { String::new() } else { format!("?line={}", in_query(&shown.join(","))) };
    let follower = Follower::new(client.clone(), format!("/v1/events{filter}")).patient();
    let mut screen = Screen {
        client,
        shown: shown.to_vec(),
        clock: clock.clone(),
        paint: paint_of(&std::io::stdout()),
        board,
        view: View::default(),
        trouble: None,
        heard,
        stream: Some(Task(tokio::spawn(follow(follower, tell)))),
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(TopError::Terminal)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(TopError::Terminal)?;
    // It also makes a panic give the terminal back before it is told.
    let taken = ratatui::try_init().map_err(|error| {
        // Half of it may have worked.
        ratatui::restore();
        TopError::Terminal(error)
    });
    let mut terminal = Restored(taken?);
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
        ended = screen.live(&mut terminal.0) => ended,
    }
}

/// Follows the events and tells that something happened. What happened is asked of the API, which knows it better.
async fn follow(mut follower: Follower, tell: watch::Sender<Heard>) -> Result<(), ClientError> {
    loop {
        let link = match follower.next().await {
            Ok(Followed::Connected | Followed::Event(_)) => Link::Live,
            Ok(Followed::Alive) => continue,
            Ok(Followed::Broken { .. }) => Link::Broken,
            Err(ClientError::RightMissing { .. }) => {
                tell.send_modify(|heard| heard.link = Link::None);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        tell.send_modify(|heard| *heard = Heard { link, events: heard.events.wrapping_add(1) });
    }
}

/// A question that was asked and not answered yet.
type Question = BoxFuture<'static, Result<Board, ClientError>>;

/// The answer to the question; without one, never.
async fn answer(question: &mut Option<Question>) -> Result<Board, ClientError> {
    match question {
        Some(question) => question.await,
        None => std::future::pending().await,
    }
}

struct Screen {
    client: Client,
    shown: Vec<String>,
    clock: Clock,
    paint: Paint,
    board: Board,
    view: View,
    /// Why the last question was not answered; `None`: it was.
    trouble: Option<String>,
    heard: watch::Receiver<Heard>,
    /// `None`: it has ended, and the board asks by itself.
    stream: Option<Task>,
}

impl Screen {
    async fn live(&mut self, terminal: &mut DefaultTerminal) -> Result<(), TopError> {
        let mut keys = EventStream::new();
        let mut redraw = interval(REDRAW_EVERY);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut asked_at, mut answered_at, mut has_news) = (Instant::now(), Instant::now(), false);
        // Keys are obeyed while the daemon takes its time.
        let mut question: Option<Question> = None;
        loop {
            self.draw(terminal)?;
            let took = answered_at.saturating_duration_since(asked_at);
            let soon = ASK_AFTER_AT_LEAST.max(took.saturating_mul(PAUSE_PER_ANSWER)).min(ASK_AT_LEAST_EVERY);
            let next = answered_at + if has_news { soon } else { ASK_AT_LEAST_EVERY };
            tokio::select! {
                key = keys.next() => match key {
                    // The terminal is gone.
                    None => return Ok(()),
                    Some(Err(error)) => return Err(TopError::Terminal(error)),
                    Some(Ok(Event::Key(key))) => match self.view.obey(key, &self.board) {
                        Wish::Quit => return Ok(()),
                        Wish::Refresh => (question, asked_at) = (Some(self.question()), Instant::now()),
                        Wish::Redraw | Wish::Nothing => {}
                    },
                    // A new size is drawn like everything else.
                    Some(Ok(_)) => {}
                },
                _ = redraw.tick() => {}
                changed = self.heard.changed(), if self.stream.is_some() => match changed {
                    Ok(()) => has_news = true,
                    // The follower ended: by itself without a right to follow, or by something that stays.
                    Err(_) => self.end_of_stream().await?,
                },
                answer = answer(&mut question) => {
                    (question, answered_at) = (None, Instant::now());
                    self.take(answer)?;
                }
                () = tokio::time::sleep_until(next), if question.is_none() => {
                    has_news = false;
                    (question, asked_at) = (Some(self.question()), Instant::now());
                }
            }
        }
    }

    /// Asks for a new board.
    fn question(&self) -> Question {
        let (client, shown, selected) = (self.client.clone(), self.shown.clone(), self.view.selected.clone());
        async move { gather::board(&client, &shown, selected.as_deref()).await }.boxed()
    }

    /// Takes a new board. A daemon that does not answer now leaves the old one.
    fn take(&mut self, answer: Result<Board, ClientError>) -> Result<(), TopError> {
        match answer {
            Ok(board) => {
                self.board = board;
                self.trouble = None;
            }
            Err(error) if error.may_pass() => self.trouble = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn end_of_stream(&mut self) -> Result<(), TopError> {
        let Some(mut task) = self.stream.take() else { return Ok(()) };
        match (&mut task.0).await {
            Ok(ended) => ended.map_err(TopError::Client),
            // A panic of the follower was told already; the board goes on by asking.
            Err(_) => Ok(()),
        }
    }

    fn draw(&self, terminal: &mut DefaultTerminal) -> Result<(), TopError> {
        let link = self.heard.borrow().link;
        let connection = match (&self.trouble, link) {
            (Some(_), _) => ("the daemon does not answer", Tone::Bad),
            (None, Link::Live) => ("live", Tone::Good),
            (None, Link::Broken) => ("stream broken, asking", Tone::Waiting),
            (None, Link::None) => ("every 10 s", Tone::Usual),
        };
        let now_ms = self.clock.now_ms();
        let clock = wall_clock(now_ms);
        let picture = Picture {
            board: &self.board,
            view: &self.view,
            base: self.client.base(),
            connection,
            clock: &clock,
            now_ms: self.client.daemon_time_ms(&self.clock),
            paint: self.paint,
        };
        terminal.draw(|frame| picture.draw(frame)).map_err(TopError::Terminal)?;
        Ok(())
    }
}
