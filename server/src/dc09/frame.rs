//! One frame of DC-09: its check, its length, its header. What its body says is [`super::message`]'s business.
//!
//! ```text
//! LF crc4 0LLL "id" seq4 [Rrcvr] Lline #account [ body CR
//!              ^-- check and length cover exactly this --^
//! ```
//!
//! Reading is strict where a slip would change the meaning (check, length, upper-case digits) and lenient where
//! equipment differs without harm (`R` missing, `L` before `R`, a bare `L`).

use crc::{CRC_16_ARC, Crc};

use super::crypt::KeyError;
use super::field::{Account, FieldError, MessageId, Prefix, Sequence};

/// The most bytes that check and length can cover: three hexadecimal digits.
pub const MAX_BODY_BYTES: usize = 0xfff;
/// The longest frame: LF, check, length, what they cover, CR.
pub const MAX_FRAME_BYTES: usize = 1 + CHECKED_FROM + MAX_BODY_BYTES + 1;

const CHECKED_FROM: usize = 8;
// Not CCITT, as several public implementations have it: seen on every frame of tests/vectors/dc09.json.
const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// Why bytes are no message, or a message no bytes. Carries nothing of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing between LF and CR: how some receivers say that a frame came in damaged.
    #[error("an empty frame: the other side could not read what it was sent")]
    Empty,
    /// No LF at the start or no CR at the end.
    #[error("not framed: a frame starts with LF and ends with CR")]
    NotFramed,
    /// Check or length are not what the bytes say.
    #[error("damaged frame: {what} does not fit its bytes")]
    Damaged {
        /// The field that does not fit.
        what: &'static str,
    },
    /// The check is right, but the header is not as the standard has it.
    #[error("malformed header: {what}")]
    Header {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A field of the header, or of what was to be sent.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The check is right, but data, elements and time do not follow one another as they must.
    #[error("malformed content: {what}")]
    Content {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Encrypted, and no key was given.
    #[error("the frame is encrypted: its key is needed")]
    NeedsKey,
    /// Deciphered to something that is no message to this account: the key is another, or the bytes were altered.
    #[error("the frame cannot be opened: another key, or altered bytes")]
    NotOpened,
    /// A cipher's text of an impossible length.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Too long to send.
    #[error("the message is {bytes} bytes long where a frame holds {MAX_BODY_BYTES}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl FrameError {
    /// Whether the bytes themselves are broken, so that the standard asks for no answer at all.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Empty | Self::NotFramed | Self::Damaged { .. })
    }
}

/// What stands before the `[`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub id: MessageId,
    /// Whether the body is enciphered.
    pub encrypted: bool,
    /// The sender's number of it.
    pub sequence: Sequence,
    /// Receiver number. `None` only on frames read from equipment that leaves it out; Baken always writes it.
    pub receiver: Option<Prefix>,
    /// Line number.
    pub line: Prefix,
    /// The account; `None` on a `NAK`, which answers a message whose sender could not be told.
    pub account: Option<Account>,
}

impl Header {
    fn write(&self) -> String {
        let star = if self.encrypted { "*" } else { "" };
        let receiver = self.receiver.as_ref().map(|receiver| format!("R{}", receiver.as_str())).unwrap_or_default();
        let account = self.account.as_ref().map_or_else(|| "A0".to_owned(), |account| format!("#{}", account.as_str()));
        format!("\"{star}{}\"{}{receiver}L{}{account}", self.id.as_str(), self.sequence, self.line.as_str())
    }

    fn read(text: &str) -> Result<Self, FrameError> {
        let wrong = |what| FrameError::Header { what };
        let quoted = text.strip_prefix('"').ok_or(wrong("no quotation mark before the message's name"))?;
        let (token, rest) = quoted.split_once('"').ok_or(wrong("no quotation mark after the message's name"))?;
        let (encrypted, token) = token.strip_prefix('*').map_or((false, token), |token| (true, token));
        let id = MessageId::read(token).ok_or(wrong("no message has such a name"))?;
        let (sequence, mut rest) = rest.split_at_checked(4).ok_or(wrong("the sequence number is cut off"))?;
        let sequence: Sequence = sequence.parse()?;
        let (mut receiver, mut line) = (None, None);
        // At most once each; a NAK of one receiver has them in the other order.
        for _ in 0..2 {
            let slot = match rest.as_bytes().first() {
                Some(b'R') if receiver.is_none() => &mut receiver,
                Some(b'L') if line.is_none() => &mut line,
                _ => break,
            };
            let tail = &rest[1..];
            // The NAK's "A0" is hexadecimal too: digits end where it starts.
            let end = tail.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(tail.len());
            let ends_in_a0 = id == MessageId::Nak && end == tail.len() && tail.ends_with("A0");
            let end = if ends_in_a0 { end - 2 } else { end };
            *slot = Some(tail[..end].parse::<Prefix>()?);
            rest = &tail[end..];
        }
        let line = line.ok_or(wrong("the line number (L) is missing"))?;
        let account = match rest.strip_prefix('#') {
            Some(account) => Some(account.parse()?),
            None if id == MessageId::Nak => None,
            None => return Err(wrong("the account (#) is missing")),
        };
        Ok(Self { id, encrypted, sequence, receiver, line, account })
    }
}

/// A frame whose check and header are right.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What stands before the `[`.
    pub header: Header,
    /// All after the `[`, as it came: plain content, or hexadecimal digits of the cipher's text.
    pub(super) body: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.header, self.body.len())
    }
}

impl Frame {
    /// Reads a frame from LF to CR, both included.
    ///
    /// # Errors
    /// [`FrameError`]; [`FrameError::is_damage`] tells line noise from a sender that does it wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let inner = bytes.strip_prefix(b"\n").and_then(|rest| rest.strip_suffix(b"\r")).ok_or(FrameError::NotFramed)?;
        if inner.is_empty() {
            return Err(FrameError::Empty);
        }
        let (preamble, checked) =
            inner.split_at_checked(CHECKED_FROM).ok_or(FrameError::Damaged { what: "its length" })?;
        let length = upper_hex(&preamble[4..]).ok_or(FrameError::Damaged { what: "its length" })?;
        if usize::from(length) != checked.len() || checked.len() > MAX_BODY_BYTES {
            return Err(FrameError::Damaged { what: "its length" });
        }
        if upper_hex(&preamble[..4]) != Some(CRC.checksum(checked)) {
            return Err(FrameError::Damaged { what: "its check" });
        }
        let open = checked
            .iter()
            .position(|&byte| byte == b'[')
            .ok_or(FrameError::Header { what: "no bracket after the header" })?;
        let header = std::str::from_utf8(&checked[..open])
            .map_err(|_| FrameError::Header { what: "it holds other signs than ASCII" })?;
        Ok(Self { header: Header::read(header)?, body: checked[open + 1..].to_vec() })
    }

    /// Writes the frame, from LF to CR.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn write(&self) -> Result<Vec<u8>, FrameError> {
        let mut checked = self.header.write().into_bytes();
        checked.push(b'[');
        checked.extend_from_slice(&self.body);
        if checked.len() > MAX_BODY_BYTES {
            return Err(FrameError::TooLong { bytes: checked.len() });
        }
        let mut bytes = format!("\n{:04X}0{:03X}", CRC.checksum(&checked), checked.len()).into_bytes();
        bytes.extend_from_slice(&checked);
        bytes.push(b'\r');
        Ok(bytes)
    }
}

/// Four upper-case hexadecimal digits.
fn upper_hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        Some(value << 4 | u16::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::{CRC, Frame, FrameError, Header};

    #[test]
    fn the_check_is_crc_16_arc() {
        assert_eq!(CRC.checksum(b"123456789"), 0xbb3d);
    }

    #[test]
    fn both_orders_of_a_nak_are_read() {
        for header in ["\"NAK\"0000R0L0A0", "\"NAK\"0000L0R0A0", "\"NAK\"0000R12L34A0", "\"NAK\"0000LRA0"] {
            let read = Header::read(header).unwrap();
            assert_eq!(read.account, None, "{header}");
            assert!(read.receiver.is_some(), "{header}");
        }
        assert_eq!(Header::read("\"NAK\"0000R12L34A0").unwrap().line.as_str(), "34");
    }

    #[test]
    fn a_header_of_the_standards_example_is_read_whole() {
        let header = Header::read("\"*SIA-DCS\"9876R579BDFL789ABC#12345A").unwrap();
        assert!(header.encrypted);
        assert_eq!(header.receiver.as_ref().unwrap().as_str(), "579BDF");
        assert_eq!(header.line.as_str(), "789ABC");
        assert_eq!(header.account.as_ref().unwrap().as_str(), "12345A");
        assert_eq!(header.write(), "\"*SIA-DCS\"9876R579BDFL789ABC#12345A");
    }

    #[test]
    fn headers_with_a_part_missing_are_refused() {
        for header in [
            "",
            "SIA-DCS\"0001R0L0#1234",
            "\"SIA-DCS0001R0L0#1234",
            "\"SIA-DCS\"01R0L0#1234",
            "\"SIA-DCS\"00F1R0L0#1234",
            "\"SIA-DCS\"0001R0#1234",
            "\"SIA-DCS\"0001R0L0",
            "\"SIA-DCS\"0001R0L0#12",
            "\"SIA-DCS\"0001R0L0A0",
            "\"SIA-DCS\"0001R0L0L0#1234",
            "\"SIA-DCS\"0001R0000000L0#1234",
            "\"ACK\"0001NoneL0#1234",
            "\"SIA-DCS\"000é",
        ] {
            assert!(Header::read(header).is_err(), "{header:?} passed");
        }
    }

    #[test]
    fn a_frame_at_its_limit_is_written_and_one_beyond_is_not() {
        let header = Header::read("\"SIA-DCS\"0001R0L0#1234").unwrap();
        let room = super::MAX_BODY_BYTES - header.write().len() - 1;
        let full = Frame { header: header.clone(), body: vec![b'x'; room] };
        let bytes = full.write().unwrap();
        assert_eq!(bytes.len(), super::MAX_FRAME_BYTES);
        assert_eq!(Frame::read(&bytes).unwrap(), full);
        let over = Frame { header, body: vec![b'x'; room + 1] };
        assert_eq!(over.write(), Err(FrameError::TooLong { bytes: super::MAX_BODY_BYTES + 1 }));
    }
}
