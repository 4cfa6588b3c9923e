//! Handing answers to those who wait for them.
//!
//! The writer's thread is none of the runtime's: each waiter that it wakes itself costs it a call of the
//! system. So it gives the answers of a whole group to one task, which wakes the waiters from within.

use tokio::sync::{mpsc, oneshot};

use super::handle::{Answer, SubmitError};

/// Somebody who waits, and what they are told.
pub(super) type Given = (oneshot::Sender<Result<Answer, SubmitError>>, Result<Answer, SubmitError>);

/// Groups whose answers may wait for the task. The writer waits when there are more: a runtime that does not
/// come to hand out answers is not to be given more work.
const GROUPS_MAX: usize = 64;

/// Starts the task. It ends when the writer drops its end, after the last answer.
pub(super) fn start() -> mpsc::Sender<Vec<Given>> {
    let (answers, mut given) = mpsc::channel::<Vec<Given>>(GROUPS_MAX);
    tokio::spawn(async move {
        while let Some(group) = given.recv().await {
            for (waiter, answer) in group {
                // Who asked has gone away: the input is taken in all the same.
                drop(waiter.send(answer));
            }
        }
    });
    answers
}
