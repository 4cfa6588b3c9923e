//! Lines to the standard output of a command that may be cut off by whoever reads them.

use std::io::{self, ErrorKind, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A line could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// Whoever read has gone, as `head` does: the end, and no error.
    #[error("nobody reads any more")]
    Closed,
    /// The disk is full, for example.
    #[error("the output cannot be written: {0}")]
    Failed(io::Error),
}

/// Writes one line, at once.
pub(super) fn line(text: &str) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.write_all(b"\n"))
        .and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => OutputError::Closed,
        _ => OutputError::Failed(error),
    })
}

/// Whether whoever read has gone. For times when there is nothing to write.
pub(super) fn is_closed() -> bool {
    let output = io::stdout();
    let mut polled = [PollFd::new(&output, PollFlags::empty())];
    // An error of the question is none of the output.
    let asked = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    asked.is_ok_and(|ready| ready > 0)
        && polled.iter().any(|one| one.revents().intersects(PollFlags::ERR | PollFlags::NVAL))
}
