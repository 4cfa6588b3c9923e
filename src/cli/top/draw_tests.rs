//! The picture in windows of several sizes.

use crate::cli::terminal_text::Tone;
use crate::config::diagnostic::Paint;

use super::super::board::{Board, Line, Operator, Presence, Waiting, WaitingDialog};
use super::super::once::lines;
use super::super::view::View;
use super::Picture;

/// A Monday, 9:00 UTC.
const NOW_MS: u64 = 1_772_442_000_000;

fn board() -> Board {
    let line = |id: &str, name: &str, waiting: u64, operators: &[&str]| Line {
        id: id.to_owned(),
        name: name.to_owned(),
        is_open: id != "night",
        waiting,
        offered: waiting / 2,
        active: waiting * 2,
        longest_wait_seconds: (waiting > 0).then_some(waiting * 100),
        operators: operators.iter().map(|id| (*id).to_owned()).collect(),
        service_level: None,
    };
    let operator = |id: &str, name: &str, presence: Presence, load: f64, capacity: Option<f64>| Operator {
        id: id.to_owned(),
        name: name.to_owned(),
        presence,
        load,
        capacity,
        dialogs: 2,
        offers: u64::from(presence == Presence::Online),
        since_ms: (presence != Presence::Offline).then_some(NOW_MS - 4_000_000),
    };
    let dialog = |id: &str, line: &str, client: &str, waits_seconds: u64| WaitingDialog {
        id: id.to_owned(),
        line: line.to_owned(),
        client: client.to_owned(),
        topic: (id == "d-3").then(|| "refund".to_owned()),
        priority: i64::from(id == "d-3") * 20,
        queued_at_ms: NOW_MS - waits_seconds * 1000,
        offered_to: if id == "d-9" { vec!["anna".to_owned()] } else { Vec::new() },
        why: None,
        deadline_ms: None,
    };
    Board {
        lines: vec![
            line("night", "Ночная смена", 0, &[]),
            line("sales", "Отдел продаж", 4, &["anna", "boris"]),
            line("support", "Поддержка", 1, &["boris", "vera"]),
        ],
        operators: vec![
            operator("anna", "Анна Петрова", Presence::Online, 5.0, Some(6.0)),
            operator("boris", "Борис Ильин", Presence::Away, 4.0, Some(4.0)),
            operator("vera", "Вера Соколова", Presence::Offline, 0.5, None),
        ],
        waiting: Waiting {
            dialogs: vec![
                dialog("d-3", "sales", "Мария", 400),
                dialog("d-7", "support", "山田 太郎 (山田商事株式会社 営業第一部)", 100),
                dialog("d-9", "sales", "Ivan", 42),
            ],
            hidden: None,
        },
    }
}

fn drawn(board: &Board, view: &View, columns: u16, rows: u16) -> String {
    let picture = Picture {
        board,
        view,
        base: "http://127.0.0.1:8080",
        connection: ("live", Tone::Good),
        clock: "12:00:00",
        now_ms: NOW_MS,
        paint: Paint::Coloured,
    };
    let Ok(mut terminal) = ratatui::Terminal::new(ratatui::backend::TestBackend::new(columns, rows));
    let Ok(frame) = terminal.draw(|frame| picture.draw(frame));
    lines(frame.buffer).join("\n")
}

#[test]
fn everything_has_its_place_in_a_window_of_80_by_24() {
    insta::assert_snapshot!(drawn(&board(), &View::default(), 80, 24));
}

#[test]
fn a_wide_window_has_the_tables_side_by_side() {
    insta::assert_snapshot!(drawn(&board(), &View::default(), 160, 20));
}

#[test]
fn a_selected_line_shows_its_queue_with_reasons_and_its_operators() {
    let mut board = board();
    board.waiting.dialogs.retain(|dialog| dialog.line == "sales");
    for dialog in &mut board.waiting.dialogs {
        dialog.why = dialog.offered_to.is_empty().then(|| "1 offline, 1 full".to_owned());
    }
    let view = View { selected: Some("sales".to_owned()), is_help: false };
    insta::assert_snapshot!(drawn(&board, &view, 80, 24));
}

#[test]
fn deadlines_and_service_levels_have_columns_where_the_daemon_tells_them() {
    let mut board = board();
    for (dialog, deadline_ms) in board.waiting.dialogs.iter_mut().zip([NOW_MS - 30_000, NOW_MS + 90_000]) {
        dialog.deadline_ms = Some(deadline_ms);
    }
    if let Some(line) = board.lines.last_mut() {
        line.service_level = Some("93%".to_owned());
    }
    insta::assert_snapshot!(drawn(&board, &View::default(), 100, 24));
}

#[test]
fn the_keys_are_explained_over_the_board() {
    let view = View { selected: None, is_help: true };
    insta::assert_snapshot!(drawn(&board(), &view, 80, 24));
}

#[test]
fn an_empty_board_says_that_nobody_waits() {
    let mut empty = Board::default();
    assert!(drawn(&empty, &View::default(), 80, 24).contains("nobody waits"));
    empty.waiting.hidden = Some("this token may not see dialogs".to_owned());
    assert!(drawn(&empty, &View::default(), 80, 24).contains("this token may not see dialogs"));
}

#[test]
fn a_large_company_scrolls_with_the_selection_and_tells_what_is_left_out() {
    let mut board = board();
    let line = board.lines.first().cloned().unwrap_or_default();
    board.lines = (0..50).map(|number| Line { id: format!("line-{number:02}"), ..line.clone() }).collect();
    let operator = board.operators.first().cloned().unwrap();
    board.operators =
        (0..50).map(|number| Operator { id: format!("op-{number}"), ..operator.clone() }).collect();
    assert!(!drawn(&board, &View::default(), 80, 24).contains("line-42"));
    let view = View { selected: Some("line-42".to_owned()), is_help: false };
    assert!(drawn(&board, &view, 80, 24).contains("line-42"));
    assert!(drawn(&board, &View::default(), 80, 24).contains("of 50)"));
}

#[test]
fn no_window_is_too_small_or_too_large_to_draw() {
    for columns in [1, 2, 39, 40, 80, 300] {
        for rows in [1, 2, 9, 10, 24, 100] {
            drawn(&board(), &View { selected: None, is_help: true }, columns, rows);
        }
    }
}
