//! The form of Server-Sent Events: bytes in, events out.

use bytes::Bytes;

/// An event with all its data. The daemon's largest carries a raw message of a messenger, which is below a MiB.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// What a stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Said {
    /// An event; its id resumes the stream behind it.
    Event { id: String, data: String },
    /// Where the stream is, with no event: from here it can be resumed.
    At { id: String },
    /// A comment: the stream is alive.
    Alive,
}

/// An event is longer than anything that the daemon sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Reads a stream from its pieces, wherever they are cut.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    id: String,
    /// Whether an id came that no event has taken.
    has_new_id: bool,
    data: String,
}

impl Reader {
    /// What is complete after another piece.
    pub(super) fn take(&mut self, piece: &Bytes) -> Result<Vec<Said>, TooLong> {
        let mut said = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.len().saturating_add(self.data.len()) > EVENT_BYTES_MAX {
                return Err(TooLong);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                said.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])));
            }
        }
        Ok(said)
    }

    fn line(&mut self, line: &str) -> Option<Said> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let has_new_id = std::mem::take(&mut self.has_new_id);
            let id = self.id.clone();
            return match data.is_empty() {
                false => Some(Said::Event { id, data }),
                true => has_new_id.then_some(Said::At { id }),
            };
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(Said::Alive),
            "id" => {
                value.clone_into(&mut self.id);
                self.has_new_id = true;
            }
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // The type stands in the data too; how long to wait is our own matter.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 2000\nid: 16\n: connected\n\nid: 17.0\nevent: message.received\ndata: {\"text\":\"да\"}\n\n\
                          id: 17.1\r\ndata: one\r\ndata:two\r\n\r\n: still here\n\n";

    fn event(id: &str, data: &str) -> Said {
        Said::Event { id: id.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_the_same_wherever_the_pieces_are_cut() {
        let expected = vec![
            Said::Alive,
            Said::At { id: "16".to_owned() },
            event("17.0", "{\"text\":\"да\"}"),
            event("17.1", "one\ntwo"),
            Said::Alive,
        ];
        for length in 1..STREAM.len() {
            let mut reader = Reader::default();
            let said: Vec<Said> = STREAM
                .as_bytes()
                .chunks(length)
                .flat_map(|piece| reader.take(&Bytes::copy_from_slice(piece)).unwrap())
                .collect();
            assert_eq!(said, expected, "pieces of {length}");
        }
    }

    #[test]
    fn an_event_without_an_end_does_not_fill_the_memory() {
        let mut reader = Reader::default();
        let piece = Bytes::from(vec![b'x'; EVENT_BYTES_MAX]);
        assert_eq!(reader.take(&piece), Ok(Vec::new()));
        assert_eq!(reader.take(&piece), Err(TooLong));
    }
}
