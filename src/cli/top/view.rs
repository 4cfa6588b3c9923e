//! What somebody looks at, and how the keys change it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::board::Board;

/// What somebody looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// The selected line; `None`: all of them. By its id, since lines come and go.
    pub(super) selected: Option<String>,
    /// Whether the page of the keys is shown.
    pub(super) is_help: bool,
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The end.
    Quit,
    /// The same with newer numbers, or of another line.
    Refresh,
    /// Only the picture changes.
    Redraw,
    /// The key means nothing.
    Nothing,
}

/// The keys, for the page of help.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("Tab ↓ j", "next line"),
    ("Shift-Tab ↑ k", "the line before"),
    ("Home", "all lines"),
    ("r", "ask the daemon now"),
    ("?", "this help"),
    ("q Esc Ctrl-C", "the end"),
];

impl View {
    /// Obeys a key.
    pub(super) fn obey(&mut self, key: KeyEvent, board: &Board) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Nothing;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if is_control => Wish::Quit,
            KeyCode::Esc if self.is_help => {
                self.is_help = false;
                Wish::Redraw
            }
            KeyCode::Char('q') | KeyCode::Esc => Wish::Quit,
            KeyCode::Char('?' | 'h') => {
                self.is_help = !self.is_help;
                Wish::Redraw
            }
            KeyCode::Char('r') => Wish::Refresh,
            KeyCode::Tab | KeyCode::Down | KeyCode::Char('j') => self.step(board, Step::Forward),
            KeyCode::BackTab | KeyCode::Up | KeyCode::Char('k') => self.step(board, Step::Back),
            KeyCode::Home => self.select(None),
            _ => Wish::Nothing,
        }
    }

    /// The row of the table of lines; 0: all lines.
    pub(super) fn row(&self, board: &Board) -> usize {
        let place = self.selected.as_ref().and_then(|id| board.lines.iter().position(|line| line.id == *id));
        place.map_or(0, |place| place.saturating_add(1))
    }

    fn step(&mut self, board: &Board, step: Step) -> Wish {
        let rows = board.lines.len().saturating_add(1);
        let row = self.row(board);
        let next = match step {
            Step::Forward => row.saturating_add(1),
            Step::Back => row.checked_sub(1).unwrap_or(rows.saturating_sub(1)),
        };
        let line = next.checked_sub(1).and_then(|place| board.lines.get(place));
        self.select(line.map(|line| line.id.clone()))
    }

    fn select(&mut self, line: Option<String>) -> Wish {
        if self.selected == line {
            return Wish::Nothing;
        }
        self.selected = line;
        Wish::Refresh
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Forward,
    Back,
}

#[cfg(test)]
mod tests {
    use super::super::board::Line;
    use super::*;

    fn board() -> Board {
        let line = |id: &str| Line { id: id.to_owned(), ..Line::default() };
        Board { lines: vec![line("sales"), line("support")], ..Board::default() }
    }

    fn press(view: &mut View, code: KeyCode) -> Wish {
        view.obey(KeyEvent::new(code, KeyModifiers::NONE), &board())
    }

    #[test]
    fn the_selection_goes_round_over_all_lines() {
        let mut view = View::default();
        let mut seen = Vec::new();
        for code in
            [KeyCode::Tab, KeyCode::Down, KeyCode::Char('j'), KeyCode::Up, KeyCode::BackTab, KeyCode::Home]
        {
            assert_eq!(press(&mut view, code), Wish::Refresh, "{code:?}");
            seen.push(view.selected.clone().unwrap_or_default());
        }
        assert_eq!(seen, ["sales", "support", "", "support", "sales", ""]);
    }

    #[test]
    fn a_selected_line_that_is_gone_counts_as_all_lines() {
        let mut view = View { selected: Some("gone".to_owned()), is_help: false };
        assert_eq!(view.row(&board()), 0);
        press(&mut view, KeyCode::Tab);
        assert_eq!(view.selected.as_deref(), Some("sales"));
    }

    #[test]
    fn escape_leaves_the_help_first_and_then_the_board() {
        let mut view = View::default();
        assert_eq!(press(&mut view, KeyCode::Char('?')), Wish::Redraw);
        assert!(view.is_help);
        assert_eq!(press(&mut view, KeyCode::Esc), Wish::Redraw);
        assert_eq!(press(&mut view, KeyCode::Esc), Wish::Quit);
        assert_eq!(press(&mut view, KeyCode::Char('x')), Wish::Nothing);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.obey(control_c, &board()), Wish::Quit);
    }
}
