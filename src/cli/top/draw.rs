//! The picture: a board as somebody looks at it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line as TextLine, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, TableState};

use crate::cli::terminal_text::Tone;
use crate::config::diagnostic::Paint;

use super::board::{Board, Presence};
use super::tables::{self, style};
use super::view::{KEYS, View};

/// From this width on the two lower tables stand side by side.
const WIDE_COLUMNS: u16 = 150;

/// Smaller than this nothing can be read.
const COLUMNS_MIN: u16 = 40;
/// The same for the height.
const ROWS_MIN: u16 = 10;

/// What is drawn.
pub(super) struct Picture<'a> {
    pub(super) board: &'a Board,
    pub(super) view: &'a View,
    /// Where the daemon is.
    pub(super) base: &'a str,
    /// How the connection is, and how it is to be shown.
    pub(super) connection: (&'a str, Tone),
    /// The time of day at the one who looks.
    pub(super) clock: &'a str,
    /// The daemon's time, in ms.
    pub(super) now_ms: u64,
    pub(super) paint: Paint,
}

impl Picture<'_> {
    /// Draws it over the whole frame.
    pub(super) fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
            frame.render_widget(Paragraph::new("This window is too small."), area);
            return;
        }
        let lines_rows = rows(self.board.lines.len()).saturating_add(3);
        let [title, sums, lines, rest, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            // All lines where they fit; with many of them, a part that scrolls with the selection.
            Constraint::Max(lines_rows.min(area.height.saturating_sub(4) / 3).max(4)),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(area);
        self.title(frame, title);
        self.sums(frame, sums);
        let mut selected = TableState::default().with_selected(self.view.row(self.board));
        frame.render_stateful_widget(
            tables::lines(self.board, self.paint).block(self.block("lines".to_owned())),
            lines,
            &mut selected,
        );
        let halves = [Constraint::Fill(1), Constraint::Fill(1)];
        let [waiting, operators] = if area.width >= WIDE_COLUMNS {
            Layout::horizontal(halves).spacing(2).areas(rest)
        } else {
            Layout::vertical(halves).areas(rest)
        };
        self.waiting(frame, waiting);
        self.operators(frame, operators);
        let hint = "q ends   Tab ↓ ↑ select a line   r asks now   ? help";
        frame.render_widget(TextLine::styled(hint, style(Tone::Quiet, self.paint)), keys);
        if self.view.is_help {
            self.help(frame, area);
        }
    }

    fn title(&self, frame: &mut Frame<'_>, area: Rect) {
        let (connection, tone) = self.connection;
        let right = format!("{connection}  {}", self.clock);
        let width = u16::try_from(Span::raw(&right).width()).unwrap_or(u16::MAX);
        let [left, right_area] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).spacing(1).areas(area);
        let name = Span::styled("Switchboard", style(Tone::Heading, self.paint));
        frame.render_widget(TextLine::from(vec![name, Span::raw(format!("  {}", self.base))]), left);
        frame.render_widget(TextLine::styled(right, style(tone, self.paint)), right_area);
    }

    fn sums(&self, frame: &mut Frame<'_>, area: Rect) {
        let sum = self.board.sum();
        let are = |presence: Presence| {
            self.board.operators.iter().filter(|operator| operator.presence == presence).count()
        };
        let text = format!(
            "{} waiting, {} of them offered; {} with an operator; {} online, {} away, {} offline",
            sum.waiting,
            sum.offered,
            sum.active,
            are(Presence::Online),
            are(Presence::Away),
            are(Presence::Offline),
        );
        frame.render_widget(TextLine::raw(text), area);
    }

    fn waiting(&self, frame: &mut Frame<'_>, area: Rect) {
        let selected = self.selected();
        let dialogs = self.board.waiting_on(selected);
        let title = match selected {
            Some(line) => format!("queue of {line}"),
            None => "waiting longest".to_owned(),
        };
        let block = self.block(titled(&title, dialogs.len(), area));
        let note = self.board.waiting.hidden.as_deref();
        match note.or_else(|| dialogs.is_empty().then_some("nobody waits")) {
            Some(note) => {
                let note = TextLine::styled(note.to_owned(), style(Tone::Quiet, self.paint));
                frame.render_widget(Paragraph::new(note).block(block), area);
            }
            None => {
                let table = tables::waiting(&dialogs, selected.is_some(), self.now_ms, self.paint);
                frame.render_widget(table.block(block), area);
            }
        }
    }

    fn operators(&self, frame: &mut Frame<'_>, area: Rect) {
        let operators = self.board.operators_of(self.selected());
        let block = self.block(titled("operators", operators.len(), area));
        frame.render_widget(tables::operators(&operators, self.now_ms, self.paint).block(block), area);
    }

    fn help(&self, frame: &mut Frame<'_>, area: Rect) {
        let lines: Vec<TextLine<'_>> =
            KEYS.iter().map(|(keys, does)| TextLine::raw(format!(" {keys:<15}{does} "))).collect();
        let (width, height) = (40, rows(KEYS.len()).saturating_add(2));
        let middle = area.centered(Constraint::Length(width), Constraint::Length(height));
        frame.render_widget(Clear, middle);
        let block = Block::bordered().title(" keys ");
        frame.render_widget(Paragraph::new(lines).block(block), middle);
    }

    /// The selected line, while there is one of that name.
    fn selected(&self) -> Option<&str> {
        let row = self.view.row(self.board).checked_sub(1)?;
        self.board.lines.get(row).map(|line| line.id.as_str())
    }

    fn block(&self, title: String) -> Block<'static> {
        Block::new()
            .borders(Borders::TOP)
            .border_style(style(Tone::Quiet, self.paint))
            .title(Span::styled(format!(" {title} "), style(Tone::Heading, self.paint)))
    }
}

/// A title that says how many rows there are, where the area has not room for all.
fn titled(title: &str, count: usize, area: Rect) -> String {
    // One row is the title's, one the heading's.
    let shown = usize::from(area.height.saturating_sub(2));
    if count > shown { format!("{title} ({shown} of {count})") } else { title.to_owned() }
}

/// A count of rows as heights are counted.
pub(super) fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
