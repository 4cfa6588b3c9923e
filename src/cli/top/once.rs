//! One frame as plain text, for scripts.

use chrono::{Local, TimeZone as _};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::text::Span;

use crate::cli::client::Client;
use crate::cli::output::{self, OutputError};
use crate::cli::terminal_text::Tone;
use crate::config::diagnostic::Paint;
use crate::node::Clock;

use super::TopError;
use super::board::Board;
use super::draw::{Picture, rows};
use super::gather;
use super::view::View;

/// Wide enough for every column, narrow enough for a mail.
const COLUMNS: u16 = 120;
/// A frame with more rows is cut: the numbers at its top are what scripts want.
const ROWS_MAX: u16 = 500;

pub(super) async fn print(client: &Client, shown: &[String], clock: &Clock) -> Result<(), TopError> {
    // One line is looked at as if it were selected: with the reasons of those who wait.
    let selected = match shown {
        [line] => Some(line.clone()),
        _ => None,
    };
    let board = gather::board(client, shown, selected.as_deref()).await?;
    let view = View { selected, is_help: false };
    let picture = Picture {
        board: &board,
        view: &view,
        base: client.base(),
        connection: ("", Tone::Usual),
        clock: &wall_clock(clock.now_ms()),
        now_ms: client.daemon_time_ms(clock),
        paint: Paint::Plain,
    };
    match output::line(text(&picture, COLUMNS, height(&board)).trim_end()) {
        Err(OutputError::Closed) => Ok(()),
        written => written.map_err(TopError::Output),
    }
}

/// The time of day at the one who looks.
pub(super) fn wall_clock(now_ms: u64) -> String {
    let time = i64::try_from(now_ms).ok().and_then(|ms| Local.timestamp_millis_opt(ms).single());
    time.map_or_else(String::new, |time| time.format("%H:%M:%S").to_string())
}

/// Rows in which everything has room: the lines take a third, and each of the other tables a half of the rest.
fn height(board: &Board) -> u16 {
    let lines = rows(board.lines.len()).saturating_add(3).saturating_mul(3).saturating_add(4);
    let largest = rows(board.waiting.dialogs.len().max(board.operators.len())).saturating_add(2);
    let tables = largest.saturating_mul(2).saturating_add(rows(board.lines.len())).saturating_add(6);
    lines.max(tables).clamp(12, ROWS_MAX)
}

/// The picture as text, without the rows of the keys and without empty rows.
pub(super) fn text(picture: &Picture<'_>, columns: u16, rows: u16) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
    let Ok(frame) = terminal.draw(|frame| picture.draw(frame));
    let lines = lines(frame.buffer);
    let kept = lines.iter().rev().skip(1).rev().filter(|line| !line.is_empty());
    kept.map(|line| format!("{line}\n")).collect()
}

/// The rows of a buffer. A wide character takes two cells, of which the second is empty.
pub(super) fn lines(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width).max(1);
    buffer
        .content()
        .chunks(width)
        .map(|cells| {
            let (mut line, mut covered) = (String::new(), 0usize);
            for cell in cells {
                if covered == 0 {
                    line.push_str(cell.symbol());
                }
                covered = covered.max(Span::raw(cell.symbol()).width()).saturating_sub(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}
