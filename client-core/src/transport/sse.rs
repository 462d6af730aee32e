//! Server-sent events, as much of the WHATWG format as the relay sends: `data` lines, comments, an empty line behind
//! each event. Bytes in, events out; a line and an event have a largest size.

use crate::transport::TransportError;

/// The largest event in bytes: the largest entry in base64, and the names around it.
const MAX_EVENT_BYTES: usize = 2 * 1024 * 1024;

/// Cuts a byte stream into events.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    /// Bytes of the line that has no end yet.
    line: Vec<u8>,
    /// The event's `data` lines so far, joined by line feeds.
    data: Option<String>,
    /// Events that are complete.
    ready: std::collections::VecDeque<String>,
}

impl EventReader {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] when a line or an event grows past its bound; the stream is of no use then.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            self.grow(head)?;
            let line = std::mem::take(&mut self.line);
            self.take_line(&line)?;
            rest = tail.get(1..).unwrap_or_default();
        }
        self.grow(rest)
    }

    /// The next whole event's data.
    pub(super) fn next(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.line.len() + bytes.len() > MAX_EVENT_BYTES {
            return Err(TransportError::TooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), TransportError> {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            self.ready.extend(self.data.take());
            return Ok(());
        }
        // Names, ids and comments carry nothing that the data does not.
        let Some(value) = line.strip_prefix("data:") else { return Ok(()) };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.data {
            Some(data) if data.len() + value.len() > MAX_EVENT_BYTES => return Err(TransportError::TooLarge),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test stops at the first surprise"
    )]

    use super::*;

    fn read(pieces: &[&str]) -> Vec<String> {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for piece in pieces {
            reader.push(piece.as_bytes()).expect("within bounds");
            events.extend(std::iter::from_fn(|| reader.next()));
        }
        events
    }

    #[test]
    fn events_come_out_whole_however_the_bytes_are_cut() {
        let stream = ": hello\n\nevent: mail\nid: mail.7\ndata: one\n\ndata:two\r\ndata: three\r\n\r\ndata: unfinished";
        let expected = ["one".to_owned(), "two\nthree".to_owned()];
        assert_eq!(read(&[stream]), expected);
        for cut in 1..stream.len() {
            assert_eq!(read(&[&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_and_an_event_without_end_are_refused() {
        let mut reader = EventReader::default();
        let piece = vec![b'x'; 1024 * 1024];
        assert!(reader.push(&piece).is_ok());
        assert!(reader.push(&piece).is_ok());
        assert_eq!(reader.push(b"x"), Err(TransportError::TooLarge));

        let mut reader = EventReader::default();
        let line = [b"data: ", &piece[..], b"\n"].concat();
        assert!(reader.push(&line).is_ok());
        assert!(reader.push(&line).is_ok());
        assert_eq!(reader.push(&line), Err(TransportError::TooLarge));
    }
}
