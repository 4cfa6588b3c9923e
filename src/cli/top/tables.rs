//! The tables of the board.

use ratatui::layout::{Alignment, Constraint};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Text;
use ratatui::widgets::{Cell, Row, Table};

use crate::cli::terminal_text::{Tone, duration};
use crate::config::diagnostic::Paint;

use super::board::{Board, Line, Operator, Presence, WaitingDialog};

/// Who waits longer than this is shown as waiting too long, where no deadline says better: most people have gone by then.
const LONG_WAIT_SECONDS: u64 = 300;

/// The style of a tone.
pub(super) fn style(tone: Tone, paint: Paint) -> Style {
    let colour = |colour: Color| match paint {
        Paint::Coloured => Style::new().fg(colour),
        Paint::Plain => Style::new(),
    };
    match tone {
        Tone::Usual => Style::new(),
        Tone::Quiet => Style::new().add_modifier(Modifier::DIM),
        Tone::Heading => Style::new().add_modifier(Modifier::BOLD),
        Tone::Good => colour(Color::Green),
        Tone::Bad => colour(Color::Red),
        Tone::Waiting => colour(Color::Yellow),
    }
}

/// The lines, all of them together first.
pub(super) fn lines(board: &Board, paint: Paint) -> Table<'static> {
    let has_service_level = board.lines.iter().any(|line| line.service_level.is_some());
    let mut columns = vec![
        left("line", Constraint::Length(14)),
        left("name", Constraint::Fill(1)),
        left("hours", Constraint::Length(6)),
    ];
    columns.extend(["waiting", "offered", "active"].map(|name| right(name, Constraint::Length(7))));
    columns.push(right("longest", Constraint::Length(8)));
    columns.push(right("online", Constraint::Length(7)));
    if has_service_level {
        columns.push(left("SLA", Constraint::Length(10)));
    }
    let row = |line: &Line, members: &[&Operator], is_sum: bool| {
        let online = members.iter().filter(|operator| operator.presence == Presence::Online).count();
        let wait = line.longest_wait_seconds;
        let id = if is_sum { "all lines" } else { &line.id };
        let mut cells = vec![
            plain(id),
            plain(&line.name),
            toned(
                if line.is_open { "open" } else { "closed" },
                if line.is_open { Tone::Usual } else { Tone::Quiet },
                paint,
            ),
            count(line.waiting, if line.waiting == 0 { Tone::Quiet } else { Tone::Waiting }, paint),
            count(line.offered, if line.offered == 0 { Tone::Quiet } else { Tone::Usual }, paint),
            count(line.active, if line.active == 0 { Tone::Quiet } else { Tone::Usual }, paint),
            number(&wait.map_or_else(|| "-".to_owned(), duration), wait_tone(wait.unwrap_or(0), None), paint),
            number(
                &format!("{online}/{}", members.len()),
                if online == 0 && line.waiting > 0 { Tone::Bad } else { Tone::Usual },
                paint,
            ),
        ];
        if has_service_level {
            cells.push(plain(line.service_level.as_deref().unwrap_or("-")));
        }
        Row::new(cells)
    };
    let sum = row(&board.sum(), &board.operators_of(None), true);
    let each = board.lines.iter().map(|line| row(line, &board.operators_of(Some(&line.id)), false));
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    table(columns, std::iter::once(sum).chain(each).collect(), paint).row_highlight_style(reversed)
}

/// Those who wait. `now_ms` is the daemon's.
pub(super) fn waiting(
    dialogs: &[&WaitingDialog],
    is_one_line: bool,
    now_ms: u64,
    paint: Paint,
) -> Table<'static> {
    let has_deadlines = dialogs.iter().any(|dialog| dialog.deadline_ms.is_some());
    let mut columns = vec![
        right("waits", Constraint::Length(8)),
        left("dialog", Constraint::Length(9)),
        left("client", Constraint::Fill(3)),
    ];
    if !is_one_line {
        columns.push(left("line", Constraint::Length(12)));
    }
    columns.push(left("topic", Constraint::Fill(2)));
    columns.push(right("priority", Constraint::Length(8)));
    if has_deadlines {
        columns.push(right("SLA in", Constraint::Length(9)));
    }
    columns.push(left(if is_one_line { "why" } else { "offered to" }, Constraint::Fill(3)));
    let rows = dialogs.iter().map(|dialog| {
        let waits = now_ms.saturating_sub(dialog.queued_at_ms) / 1000;
        let left_ms = dialog.deadline_ms.map(|deadline_ms| i128::from(deadline_ms) - i128::from(now_ms));
        let mut cells = vec![
            number(&duration(waits), wait_tone(waits, left_ms), paint),
            plain(&dialog.id),
            plain(&dialog.client),
        ];
        if !is_one_line {
            cells.push(plain(&dialog.line));
        }
        cells.push(plain(dialog.topic.as_deref().unwrap_or("-")));
        cells.push(number(&dialog.priority.to_string(), Tone::Usual, paint));
        if has_deadlines {
            let text = left_ms.map_or_else(|| "-".to_owned(), time_left);
            cells.push(number(&text, wait_tone(0, left_ms), paint));
        }
        let offered_to = dialog.offered_to.join(", ");
        cells.push(match (&dialog.why, offered_to.as_str()) {
            (Some(why), _) => toned(why, Tone::Waiting, paint),
            (None, "") => toned("-", Tone::Quiet, paint),
            (None, names) if is_one_line => plain(&format!("offered to {names}")),
            (None, names) => plain(names),
        });
        Row::new(cells)
    });
    table(columns, rows.collect(), paint)
}

/// The operators.
pub(super) fn operators(operators: &[&Operator], now_ms: u64, paint: Paint) -> Table<'static> {
    let columns = vec![
        left("operator", Constraint::Length(14)),
        left("name", Constraint::Fill(1)),
        left("is", Constraint::Length(7)),
        right("since", Constraint::Length(8)),
        right("load", Constraint::Length(9)),
        left("", Constraint::Length(10)),
        right("dialogs", Constraint::Length(7)),
        right("offers", Constraint::Length(6)),
    ];
    let rows = operators.iter().map(|operator| {
        let limit = operator.capacity.map_or_else(|| "∞".to_owned(), |capacity| capacity.to_string());
        let since = operator.since_ms.map(|since_ms| now_ms.saturating_sub(since_ms) / 1000);
        let is_full = operator.capacity.is_some_and(|capacity| operator.load >= capacity);
        let tone = match operator.presence {
            Presence::Online => Tone::Good,
            Presence::Away => Tone::Waiting,
            Presence::Offline => Tone::Quiet,
        };
        Row::new(vec![
            plain(&operator.id),
            plain(&operator.name),
            toned(operator.presence.as_str(), tone, paint),
            number(&since.map_or_else(|| "-".to_owned(), duration), Tone::Quiet, paint),
            number(
                &format!("{}/{limit}", operator.load),
                if is_full { Tone::Bad } else { Tone::Usual },
                paint,
            ),
            toned(
                &bar(operator.load, operator.capacity),
                if is_full { Tone::Bad } else { Tone::Good },
                paint,
            ),
            count(operator.dialogs, Tone::Usual, paint),
            count(operator.offers, if operator.offers == 0 { Tone::Quiet } else { Tone::Waiting }, paint),
        ])
    });
    table(columns, rows.collect(), paint)
}

/// How full somebody is, in ten steps; nothing where nothing limits it.
fn bar(load: f64, capacity: Option<f64>) -> String {
    const STEPS: u8 = 10;
    let Some(capacity) = capacity.filter(|capacity| *capacity > 0.0) else { return String::new() };
    let full = (1..=STEPS).filter(|step| load * f64::from(STEPS) >= capacity * f64::from(*step)).count();
    let empty = usize::from(STEPS).saturating_sub(full);
    format!("{}{}", "█".repeat(full), "░".repeat(empty))
}

/// How much of a deadline is left.
fn time_left(left_ms: i128) -> String {
    let seconds = u64::try_from(left_ms.unsigned_abs() / 1000).unwrap_or(u64::MAX);
    if left_ms < 0 { format!("-{}", duration(seconds)) } else { duration(seconds) }
}

fn wait_tone(waits_seconds: u64, left_ms: Option<i128>) -> Tone {
    match left_ms {
        Some(left_ms) if left_ms < 0 => Tone::Bad,
        Some(_) => Tone::Usual,
        None if waits_seconds >= LONG_WAIT_SECONDS => Tone::Bad,
        None => Tone::Usual,
    }
}

/// A column: its heading, on which side its text is, its width.
struct Column {
    name: &'static str,
    alignment: Alignment,
    width: Constraint,
}

const fn left(name: &'static str, width: Constraint) -> Column {
    Column { name, alignment: Alignment::Left, width }
}

const fn right(name: &'static str, width: Constraint) -> Column {
    Column { name, alignment: Alignment::Right, width }
}

fn table(columns: Vec<Column>, rows: Vec<Row<'static>>, paint: Paint) -> Table<'static> {
    let widths: Vec<Constraint> = columns.iter().map(|column| column.width).collect();
    let heads = columns.into_iter().map(|column| Text::from(column.name).alignment(column.alignment));
    let head = Row::new(heads.collect::<Vec<_>>()).style(style(Tone::Quiet, paint));
    Table::new(rows, widths).header(head).column_spacing(1)
}

fn plain(text: &str) -> Cell<'static> {
    Cell::from(text.to_owned())
}

fn toned(text: &str, tone: Tone, paint: Paint) -> Cell<'static> {
    plain(text).style(style(tone, paint))
}

fn number(text: &str, tone: Tone, paint: Paint) -> Cell<'static> {
    Cell::from(Text::from(text.to_owned()).alignment(Alignment::Right)).style(style(tone, paint))
}

fn count(value: u64, tone: Tone, paint: Paint) -> Cell<'static> {
    number(&value.to_string(), tone, paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_when_nothing_more_fits() {
        assert_eq!(bar(0.0, Some(5.0)), "░░░░░░░░░░");
        assert_eq!(bar(2.5, Some(5.0)), "█████░░░░░");
        assert_eq!(bar(4.9, Some(5.0)), "█████████░");
        assert_eq!(bar(7.0, Some(5.0)), "██████████");
        assert_eq!((bar(7.0, None), bar(1.0, Some(0.0))), (String::new(), String::new()));
    }

    #[test]
    fn a_deadline_that_has_passed_has_a_minus() {
        assert_eq!((time_left(61_000), time_left(-61_000)), ("1m 01s".to_owned(), "-1m 01s".to_owned()));
    }
}
