//! A text that grows to a limit and no further: what a template writes into.

use std::io;

/// Takes so many bytes and no more.
#[derive(Debug)]
pub struct BoundedText {
    bytes: Vec<u8>,
    left: usize,
    is_full: bool,
}

impl BoundedText {
    /// An empty text that takes `bytes_max` bytes.
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), left: bytes_max, is_full: false }
    }

    /// How many bytes it still takes.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Whether a piece did not fit any more.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// The text.
    pub fn into_text(self) -> String {
        String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl io::Write for BoundedText {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(piece.len()) {
            Some(left) => {
                self.left = left;
                self.bytes.extend_from_slice(piece);
                Ok(piece.len())
            }
            None => {
                self.is_full = true;
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_piece_that_does_not_fit_is_refused_whole() {
        let mut text = BoundedText::new(5);
        assert!(text.write_all("жы".as_bytes()).is_ok());
        assert!(!text.is_full());
        assert!(text.write_all(b"ab").is_err());
        assert_eq!((text.left(), text.is_full()), (1, true));
        assert_eq!(text.into_text(), "жы");
    }
}
