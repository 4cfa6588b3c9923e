//! Tables of plain text.

use unicode_width::UnicodeWidthStr as _;

use crate::cli::terminal_text::{Tone, padded, toned};
use crate::config::diagnostic::Paint;

/// A row: its cells, and how it is coloured as a whole.
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) tone: Tone,
}

/// The lines of a table, each with `indent` before it. Columns are as wide as their widest cell.
pub(super) fn lines(head: &[String], rows: &[Row], indent: &str, paint: Paint) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.width());
            cells.chain([name.width()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String], tone: Tone| {
        let cells: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        format!("{indent}{}\n", toned(cells.join("  ").trim_end(), tone, paint))
    };
    let rows = rows.iter().map(|row| line(&row.cells, row.tone));
    std::iter::once(line(head, Tone::Quiet)).chain(rows).collect()
}
