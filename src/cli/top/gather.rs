//! The questions to the daemon that make a board.

use crate::cli::client::request::{LINES_MAX, in_query};
use crate::cli::client::{Client, ClientError};

use super::board::{Board, Line, Operator, Waiting, WaitingDialog};

/// More operators than any company has.
const OPERATORS_MAX: usize = 20_000;
/// More rows than a screen has; who wants all asks the API.
const WAITING_MAX: usize = 100;

/// Asks for everything at once.
///
/// # Errors
/// When the daemon does not answer, or the token may not see lines.
pub(super) async fn board(
    client: &Client,
    shown: &[String],
    selected: Option<&str>,
) -> Result<Board, ClientError> {
    let (lines, operators, waiting) = futures_util::future::try_join3(
        client.list("/v1/lines", LINES_MAX),
        client.list("/v1/operators", OPERATORS_MAX),
        waiting(client, shown, selected),
    )
    .await?;
    let mut lines: Vec<Line> = lines.items.iter().filter_map(Line::read).collect();
    lines.retain(|line| shown.is_empty() || shown.contains(&line.id));
    let mut operators: Vec<Operator> = operators.items.iter().filter_map(Operator::read).collect();
    if !shown.is_empty() {
        operators.retain(|operator| lines.iter().any(|line| line.operators.contains(&operator.id)));
    }
    operators.sort_by(|a, b| (a.presence, &a.id).cmp(&(b.presence, &b.id)));
    Ok(Board { lines, operators, waiting })
}

/// Who waits: on the selected line in the order of its queue, with the reasons; otherwise the longest first.
async fn waiting(client: &Client, shown: &[String], selected: Option<&str>) -> Result<Waiting, ClientError> {
    let found = match selected {
        Some(line) => client.list(&format!("/v1/lines/{}/queue", in_query(line)), WAITING_MAX).await,
        None => {
            let filter = if shown.is_empty() {
                String::new()
            } else {
                format!("&line={}", in_query(&shown.join(",")))
            };
            client.list(&format!("/v1/dialogs?sort=waiting{filter}"), WAITING_MAX).await
        }
    };
    match found {
        Ok(found) => {
            let read = if selected.is_some() { WaitingDialog::read_queued } else { WaitingDialog::read };
            Ok(Waiting { dialogs: found.items.iter().filter_map(read).collect(), hidden: None })
        }
        Err(ClientError::RightMissing { .. }) => {
            Ok(Waiting { dialogs: Vec::new(), hidden: Some("this token may not see dialogs".to_owned()) })
        }
        // The line is gone since it was selected.
        Err(error) if selected.is_some() && error.is_not_found() => Ok(Waiting::default()),
        Err(error) => Err(error),
    }
}
