//! The relay's live stream, read as server-sent events. It is a hint that there is something, never the record: after
//! a break the caller reads its mail by cursor and opens the stream again from there.

use std::time::Duration;

use baken_schemas::FormatError;
use baken_schemas::api::LiveEvent;
use baken_schemas::cbor;
use bytes::BytesMut;
use data_encoding::BASE64;

use crate::relay_client::RelayError;

/// The relay sends something at least this often, if only a comment; a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(45);
/// The longest event in bytes: a directory in base64, and some framing.
const MAX_EVENT_BYTES: usize = 512 * 1024;

/// An open live stream.
#[derive(Debug)]
pub struct LiveStream {
    response: reqwest::Response,
    parser: EventParser,
}

impl LiveStream {
    pub(super) fn new(response: reqwest::Response) -> Self {
        Self { response, parser: EventParser::default() }
    }

    /// The next event. Cancelling it loses nothing.
    ///
    /// # Errors
    /// [`RelayError::Unreachable`] when the stream ended or fell silent, [`RelayError::Format`] for an event that is
    /// none.
    pub async fn next(&mut self) -> Result<LiveEvent, RelayError> {
        loop {
            if let Some(data) = self.parser.next()? {
                return decode(&data);
            }
            let chunk = tokio::time::timeout(SILENCE, self.response.chunk())
                .await
                .map_err(|_| RelayError::Unreachable)?
                .map_err(|_| RelayError::Unreachable)?
                .ok_or(RelayError::Unreachable)?;
            self.parser.push(&chunk);
        }
    }
}

fn decode(data: &str) -> Result<LiveEvent, RelayError> {
    let what = "a live event";
    let bytes = BASE64.decode(data.as_bytes()).map_err(|_| FormatError::Malformed { what })?;
    Ok(cbor::from_slice(&bytes, what)?)
}

/// Takes bytes, gives the data of whole events. Events without data (comments, keep-alives) are passed over.
#[derive(Debug, Default)]
struct EventParser {
    buffer: BytesMut,
    data: String,
}

impl EventParser {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Result<Option<String>, RelayError> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end + 1);
            let line = std::str::from_utf8(&line).map_err(|_| FormatError::Malformed { what: "a live event" })?;
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if !self.data.is_empty() {
                    return Ok(Some(std::mem::take(&mut self.data)));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            self.check_size()?;
        }
        self.check_size()?;
        Ok(None)
    }

    fn check_size(&self) -> Result<(), RelayError> {
        if self.buffer.len().max(self.data.len()) > MAX_EVENT_BYTES { Err(RelayError::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_the_bytes_arrive() {
        let stream = b": hello\n\nid: mail.1\nevent: mail\ndata: first\n\n\ndata:second\r\n\r\n";
        for size in 1..stream.len() {
            let mut parser = EventParser::default();
            let mut found = Vec::new();
            for chunk in stream.chunks(size) {
                parser.push(chunk);
                while let Some(data) = parser.next().unwrap() {
                    found.push(data);
                }
            }
            assert_eq!(found, ["first", "second"], "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_end_is_cut_off() {
        let mut parser = EventParser::default();
        parser.push(&vec![b'x'; MAX_EVENT_BYTES + 1]);
        assert_eq!(parser.next(), Err(RelayError::TooLarge));
    }
}
