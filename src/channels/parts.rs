//! The parts of a message: those in which it goes, and those that can be wrong.

use crate::model::message::Attachment;

/// One part of a message on its way: a request of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part<'a> {
    /// A piece of its text.
    Text {
        /// The piece.
        text: &'a str,
        /// Whether it is the last piece: buttons stand below it.
        is_last: bool,
    },
    /// A file.
    File {
        /// Its place among the message's files, from 0: that of its bytes in
        /// [`Progress::files`](super::Progress::files).
        index: usize,
        /// The file.
        file: &'a Attachment,
    },
}

/// The part of a message that a messenger does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagePart {
    /// The text.
    Text,
    /// The buttons as a whole.
    Buttons,
    /// The title of a button, counted from 0.
    ButtonTitle(usize),
    /// The data of a button, counted from 0.
    ButtonData(usize),
}
